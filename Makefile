# What each target does: `make help`.
.DEFAULT_GOAL := help
.PHONY: help up down status env demo test test-all faults bench wheel sbom audit site page sql check lock clean
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
UV := $(VENV)/bin/uv
LOCAL := cd include && ../$(VENV)/bin/python -m local
# Of tests: one more than the two cores that they are made for, since most of their time is waiting for real servers.
PROCESSES := 3
# By builds of former versions: the egg-info makes the package known to Airflow twice, the rest goes into no wheel any more.
LEFT_OVER := build plugins/*.egg-info

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

# The package itself is installed too, for Airflow to know its connection type.
# Everything goes to stderr, so that `make -s env` prints nothing but export lines. Compiled, as pip does: it halves
# the time in which each of Airflow's programs starts.
$(READY): $(UV) pyproject.toml requirements.txt requirements-dev.txt constraints.txt
	@echo 'Installing into $(VENV)' >&2
	@$(UV) pip install --quiet --system-certs --compile-bytecode --python $(VENV)/bin/python -r requirements-dev.txt -c constraints.txt >&2
	@$(UV) pip install --quiet --system-certs --no-deps --python $(VENV)/bin/python --editable . >&2
	@rm -rf $(LEFT_OVER)
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed: make PYTHON=/path/to/it")' >&2
	@$(PYTHON) -m venv $(VENV) >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements-dev.txt)" >&2

up: $(READY)  ## start PostgreSQL, Airflow and the sandbox here, and tell where they are
	@$(LOCAL).stack up

down: $(READY)  ## stop them
	@$(LOCAL).stack down

status: $(READY)  ## what runs, where, and what the ledger holds
	@$(LOCAL).stack status

env: $(READY)  ## print what a shell needs for `airflow`: eval "$(make -s env)"
	@$(LOCAL).stack env

demo: $(READY)  ## codify 11,500 contacts against the sandbox and compare what both sides counted
	@$(LOCAL).demo

test: $(READY)  ## run the tests that a change waits for
	@$(VENV)/bin/python -m pytest --numprocesses $(PROCESSES)

test-all: $(READY)  ## and those of whole deployments; what of the package they run
	@$(VENV)/bin/python -m pytest --numprocesses $(PROCESSES) -m 'not minutes' --cov

faults: $(READY)  ## run the tests that take minutes
	@$(VENV)/bin/python -m pytest -m minutes

bench: $(READY)  ## measure
	@$(VENV)/bin/python -m benchmarks

wheel: $(READY)  ## build the package for another Airflow, as a wheel and as sources: dist/
	@$(UV) build --quiet --system-certs --out-dir dist .

sbom: $(READY)  ## what is installed, for security scanners: dist/sbom.json
	@mkdir -p dist
	@$(UV) tool run --quiet --system-certs --from cyclonedx-bom==7.5.0 cyclonedx-py environment --output-reproducible -o dist/sbom.json $(VENV)/bin/python

# Strict: a package that nothing could be learnt of is an error, as all are without the internet.
audit: $(READY)  ## known vulnerabilities of what is locked; needs the internet
	@$(UV) tool run --quiet --system-certs --from pip-audit==2.10.1 pip-audit --strict --no-deps --disable-pip --progress-spinner off --requirement constraints.txt

# Apart from the lock: what makes the docs would hold back what the product runs with.
site: $(READY)  ## the docs as a site, every link looked at: dist/site/docs/index.html
	@$(UV) tool run --quiet --system-certs --from sphinx==8.1.3 --with myst-parser==4.0.1 --with furo==2025.12.19 --with sphinxcontrib-mermaid==2.1.1 sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -c docs . dist/site

page: node_modules/.package-lock.json  ## the page's JavaScript: its style and its tests
	@npm run --silent check
	@npm test --silent

sql: $(READY)  ## the style of the SQL files; the rules are in pyproject.toml
	@$(VENV)/bin/sqlfluff lint --disable-progress-bar --nocolor plugins/wolkvox

node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo 'Node.js 18 or later is needed: apt-get install nodejs npm' >&2; exit 1; }
	@npm ci --silent --no-audit --no-fund
	@touch $@

check: $(READY) site sbom page sql  ## style, types, SQL, lock, compose file, docs, JavaScript, and what is installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m wolkvox lint
	@cp constraints.txt $(VENV)/constraints.txt
	$(call compile,$(VENV)/constraints.txt)
	diff constraints.txt $(VENV)/constraints.txt || { echo 'constraints.txt is out of date: make lock' >&2; exit 1; }
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml

lock: $(UV)  ## bring constraints.txt up to date with the requirements
	$(call compile,constraints.txt)

clean:  ## forget the local stack's data, and what was built
	@if [ -x $(VENV)/bin/python ]; then $(LOCAL).stack down; fi
	rm -rf .local dist $(LEFT_OVER)

# A version stays as it is in the file until a requirement asks for another.
compile = $(UV) pip compile --quiet --system-certs --universal --python-version 3.10 --no-header --no-annotate requirements-dev.txt -o $(1)
