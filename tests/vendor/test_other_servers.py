"""The exchange against servers of other people: Apache with PHP, nginx, squid and a SOCKS proxy, as Debian has them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Database
from crew import Crew, fill, stage, states
from debian import home, program, serving
from sandbox_server import free_port

from wolkvox.hook import WolkvoxHook
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.records import Record

MODULES = "mpm_prefork authz_core mime php"
APACHE = """
ServerRoot {home}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {home}/pid
DocumentRoot {home}/site
ErrorLog {home}/error.log
{modules}
{user}
TypesConfig /etc/mime.types
AddType application/x-httpd-php .php
StartServers 3
"""
NGINX = """
daemon off;
pid {home}/pid;
error_log {home}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any; gzip_http_version 1.0;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {site}; proxy_read_timeout 1s; }}
        location /nobody/ {{ proxy_pass http://127.0.0.1:9/; }}
        location /packed/ {{ proxy_pass {site}/; proxy_read_timeout 5s; proxy_set_header Accept-Encoding gzip; }}
    }}
}}
"""
SQUID = """
http_port 127.0.0.1:{port}
pid_filename none
visible_hostname localhost
cache deny all
cache_log {home}/cache.log
access_log none
shutdown_lifetime 0 seconds
coredump_dir {home}
auth_param basic program {helper} {home}/logins
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""
DANTE = """
logoutput: {home}/dante.log
internal: 127.0.0.1 port = {port}
external: lo
socksmethod: none
clientmethod: none
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A PHP host that codifies."""

    url: str
    requests: Path

    def seen(self) -> list[tuple[float, int, str, str]]:
        """When each call began (+1) and ended (-1), whose it was, and the port it came from."""
        lines = [line.split(" ") for line in self.requests.read_text().splitlines()] if self.requests.exists() else []
        return sorted((float(at), int(step), who, port) for at, step, who, port in lines)

    def per_customer(self) -> Counter[str]:
        """How often each customer was codified."""
        return Counter(who for _, step, who, _ in self.seen() if step > 0)

    def peak(self) -> int:
        """The most requests at a time."""
        in_flight = most = 0
        for _, step, _, _ in self.seen():
            in_flight += step
            most = max(most, in_flight)
        return most


@pytest.fixture(scope="module")
def apache() -> Iterator[Site]:
    """Apache with mod_php, its keep-alive as it is by default: five seconds, a hundred requests."""
    binary = program("apache2", "apache2", "libapache2-mod-php")
    modules = Path("/usr/lib/apache2/modules")
    with home() as folder:
        site, port = folder / "site" / "api" / "v2", free_port()
        site.mkdir(parents=True)
        shutil.copy(Path(__file__).parents[1] / "php" / "campaign.php", site)
        for path in (folder / "site", folder / "site" / "api", site):
            path.chmod(0o777)
        (php,) = modules.glob("libphp*.so")
        loaded = {name: modules / (php.name if name == "php" else f"mod_{name}.so") for name in MODULES.split()}
        lines = "\n".join(f"LoadModule {name}_module {path}" for name, path in loaded.items())
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        (folder / "conf").write_text(APACHE.format(home=folder, port=port, modules=lines, user=user))
        with serving([binary, "-f", str(folder / "conf"), "-DFOREGROUND"], port, folder / "log"):
            yield Site(f"http://127.0.0.1:{port}", site / "requests")


@pytest.fixture
def site(apache: Site) -> Site:
    """The host, with nothing codified yet."""
    apache.requests.unlink(missing_ok=True)
    return apache


@pytest.fixture(scope="module")
def nginx(apache: Site) -> Iterator[str]:
    """The address of nginx before the host: it waits for one second, and compresses what it is asked to."""
    binary = program("nginx", "nginx-light")
    with home() as folder:
        port = free_port()
        (folder / "conf").write_text(NGINX.format(home=folder, port=port, site=apache.url))
        with serving([binary, "-c", str(folder / "conf"), "-p", str(folder)], port, folder / "log"):
            yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def squid() -> Iterator[int]:
    """The port of a squid that lets nobody through but the login ``ana`` with the password ``p@ss``."""
    binary = program("squid", "squid")
    helper = next(Path("/usr/lib/squid").glob("basic_ncsa_auth"))
    with home() as folder:
        port = free_port()
        command = ["openssl", "passwd", "-apr1", "p@ss"]
        hashed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        (folder / "logins").write_text(f"ana:{hashed}\n")
        (folder / "conf").write_text(SQUID.format(home=folder, port=port, helper=helper))
        with serving([binary, "-N", "-f", str(folder / "conf")], port, folder / "log"):
            yield port


@pytest.fixture(scope="module")
def socks() -> Iterator[int]:
    """The port of a SOCKS proxy."""
    binary = program("danted", "dante-server")
    with home() as folder:
        port = free_port()
        (folder / "conf").write_text(DANTE.format(home=folder, port=port))
        with serving([binary, "-f", str(folder / "conf")], port, folder / "log"):
            yield port


Hook = Callable[..., WolkvoxHook]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """Makes a hook for an address; the rest is the connection's extra."""
    made: list[WolkvoxHook] = []

    def make(address: str, **extra: object) -> WolkvoxHook:
        content = {"conn_type": "wolkvox", "host": address, "password": "token", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", json.dumps(content))
        made.append(WolkvoxHook())
        return made[-1]

    yield make
    for each in made:
        each.close()


def record(customer: str, what: str = "") -> Record:
    return Record(1, "preview", "17", customer, "5", None, what)


def test_three_thousand_records_are_coded_once_each_by_apache_with_php(
    site: Site, ledger: Database, warehouse: Database, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"conn_type": "wolkvox", "host": site.url, "password": "t", "extra": {"preflight": False}}
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", json.dumps(content))
    fill(warehouse, 3_000)
    workers = [crew.codify(chunk) for chunk in stage()[0]]
    tallies = [worker.tally(180.0) for worker in workers]
    assert states(ledger) == {"coded": 3_000}
    assert sum(tally["unknown"] for tally in tallies) == 0
    assert set(site.per_customer().values()) == {1}
    assert (len(site.per_customer()), site.peak()) == (3_000, 2)
    assert len({port for *_, port in site.seen()}) >= 30, "Apache ends a connection after a hundred requests"


@pytest.mark.parametrize("way", ["direct", "through nginx"])
@pytest.mark.parametrize(
    ("what", "kind", "code", "message"),
    [
        ("notice", Kind.CODED, "202", "customer_id 7 has been coded"),
        ("latin1", Kind.CODED, "202", "código añadido"),
        ("latin1_422", Kind.REJECTED, "422", "El código de gestión no es válido"),
        ("gzip", Kind.CODED, "202", "customer_id 7 has been coded"),
        ("float", Kind.CODED, "202", "customer_id 7 has been coded"),
        ("in_words", Kind.REJECTED, "200", "CAMPAIGN NOT FOUND"),
        ("line_feed", Kind.CODED, "202", "has been\ncoded"),
    ],
)
def test_what_php_hosts_answer_is_understood_with_one_call(
    site: Site, nginx: str, hook: Hook, way: str, what: str, kind: Kind, code: str, message: str
) -> None:
    answer = hook(f"{nginx}/packed" if way == "through nginx" else site.url).codify(record("7", what))
    assert (answer.kind, answer.code, answer.msg) == (kind, code, message)
    assert site.per_customer() == {"7": 1}


def test_a_pause_as_long_as_apaches_patience_costs_no_answer(site: Site, hook: Hook) -> None:
    wolkvox = hook(site.url)
    for number, pause in enumerate((4.9, 5.0, 5.1, 1.0)):
        assert wolkvox.codify(record(str(number))).kind is Kind.CODED
        time.sleep(pause)
    assert wolkvox.codify(record("last")).kind is Kind.CODED
    assert set(site.per_customer().values()) == {1}
    ports = [port for _, step, _, port in site.seen() if step > 0]
    assert (len(set(ports)), ports[3] == ports[4]) == (4, True)


def test_a_gateway_that_gave_up_is_unknown_and_may_go_on_behind_it(site: Site, nginx: str, hook: Hook) -> None:
    answer = hook(nginx).codify(record("7", "slow 2"))
    assert (answer.kind, answer.reason, answer.still_in_flight) == (Kind.UNKNOWN, "unknown_504", True)
    assert site.per_customer() == {"7": 1}
    answer = hook(f"{nginx}/nobody").codify(record("8"))
    assert (answer.kind, answer.reason, answer.still_in_flight) == (Kind.UNKNOWN, "unknown_502", False)


def test_no_third_call_is_in_flight_behind_a_gateway_that_gave_up(
    site: Site, nginx: str, ledger: Database, warehouse: Database, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"preflight": False, "call_timeout": 3.5}
    monkeypatch.setattr("wolkvox.vendor.settings.CALL_TIMEOUT", 3.5)  # as long a request may be in flight
    content = {"conn_type": "wolkvox", "host": nginx, "password": "t", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", json.dumps(content))
    fill(warehouse, 40)
    warehouse.execute("UPDATE contacted_customers SET comment = 'slow 3' WHERE customer_id ~ '^customer-(1|21)$'")
    for worker in [crew.codify(chunk) for chunk in stage()[0]]:
        worker.tally(90.0)
    assert ledger.rows("SELECT state, reason, count(*) FROM wolkvox.codification GROUP BY 1, 2 ORDER BY 1") == [
        ("coded", None, 38),
        ("pending", "unknown_504", 2),
    ]
    assert set(site.per_customer().values()) == {1}
    assert site.peak() <= 2


def test_a_proxy_with_a_login_is_used(site: Site, squid: int, hook: Hook) -> None:
    way = f"http://ana:p%40ss@127.0.0.1:{squid}"
    for proxies in (way, {"http": way}, json.dumps({"http": way})):
        assert hook(site.url, proxies=proxies).codify(record("7")).kind is Kind.CODED
    assert site.per_customer() == {"7": 3}


def test_a_proxy_that_refuses_the_login_rejects_nobody(site: Site, squid: int, hook: Hook) -> None:
    answer = hook(site.url, proxies=f"http://ana:wrong@127.0.0.1:{squid}").codify(record("7"))
    assert (answer.kind, answer.reason) == (Kind.UNREACHABLE, "unreachable_proxy")
    secure = hook("https://wv0041.wolkvox.com", proxies=f"http://ana:wrong@127.0.0.1:{squid}")
    assert (secure.codify(record("7")).kind, site.seen()) == (Kind.UNREACHABLE, [])


def test_a_proxy_whose_host_is_away_rejects_nobody(squid: int, hook: Hook) -> None:
    answer = hook("http://127.0.0.1:9", proxies=f"http://ana:p%40ss@127.0.0.1:{squid}").codify(record("7"))
    assert answer.kind is Kind.OVERLOADED


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_is_used(site: Site, socks: int, hook: Hook, scheme: str) -> None:
    wolkvox = hook(site.url, proxies=f"{scheme}://127.0.0.1:{socks}")
    for number in range(3):
        answer: Answer = wolkvox.codify(record(str(number)))
        assert answer.kind is Kind.CODED
    assert site.per_customer() == {"0": 1, "1": 1, "2": 1}
    assert len({port for *_, port in site.seen()}) == 1, "its connection is kept like any other"


def test_a_socks_proxy_that_is_away_is_unreachable(site: Site, hook: Hook) -> None:
    answer = hook(site.url, proxies="socks5h://127.0.0.1:9").codify(record("7"))
    assert (answer.kind, urlsplit(site.url).port is not None) == (Kind.UNREACHABLE, True)
