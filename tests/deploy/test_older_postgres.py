"""The ledger on the oldest PostgreSQL that is supported: Debian's own, where the tests otherwise use the wheel's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Database
from debian import debian_postgres

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(1_200)  # a million contacts are looked at, too
def test_the_ledgers_tests_pass_on_debians_postgresql_too(pytestconfig: pytest.Config) -> None:
    with debian_postgres() as socket:
        version = Database(socket, "postgres").value("SELECT current_setting('server_version_num')::int / 10000")
    assert version >= 15
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--postgres", "debian"]
    command += ["-o", "addopts=", "-m", "not minutes", "-W", "ignore", "--tb=short", "tests/ledger"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5_000:]
    assert " skipped" not in done.stdout.splitlines()[-1]
