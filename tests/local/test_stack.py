"""The stack's commands, with a real supervisord and a real PostgreSQL where they need one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local import postgres, stack, supervision
from local.settings import (
    BIN,
    Stack,
    StackError,
    databases,
    open_stack,
    programs_environment,
    programs_file,
    write_private,
)

CONNECTION = "AIRFLOW_CONN_WAREHOUSE"


@pytest.fixture
def root() -> Iterator[Path]:
    """A short folder for a stack, stopped in the end."""
    folder = Path(tempfile.mkdtemp(prefix="stack "))
    yield folder
    stack.stop(folder)
    shutil.rmtree(folder)


def _in_a_shell(exports: str, variable: str) -> str:
    script = f'{exports}\nprintf %s "${variable}"'
    return subprocess.run(["/bin/sh", "-c", script], env={}, capture_output=True, text=True, check=True).stdout


def _as_if_started(root: Path, *, demo: bool) -> Stack:
    made = open_stack(root, {})
    write_private(programs_file(root), programs_environment(made, {}, demo=demo))
    return made


@pytest.mark.parametrize("value", ["postgresql://u:p'w@h/d?a=b&c=d", "a b", '$HOME `id` "x" \\', "two\nlines"])
def test_any_value_reaches_the_shell_unchanged(root: Path, value: str) -> None:
    assert _in_a_shell(stack.exports(root, {CONNECTION: value}), CONNECTION) == value


def test_nothing_but_export_lines_is_printed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = stack.exports(root, {}).splitlines()
    assert {line.split(" ", 1)[0] for line in lines} == {"export"}
    assert capsys.readouterr().out == ""


def test_a_shell_finds_the_stacks_airflow_first(root: Path) -> None:
    assert _in_a_shell(stack.exports(root, {"PATH": "/usr/bin"}), "PATH").split(":")[0] == str(BIN)


def test_after_a_demo_a_shell_is_given_the_demos_connections(root: Path) -> None:
    made = _as_if_started(root, demo=True)
    assert _in_a_shell(stack.exports(root, {}), CONNECTION) == made.uri("demo_warehouse")


def test_a_connection_of_ones_own_never_meets_the_demos(root: Path) -> None:
    made = _as_if_started(root, demo=True)
    exports = stack.exports(root, {"AIRFLOW_CONN_WOLKVOX_DEFAULT": "wolkvox://mine"})
    assert _in_a_shell(exports, CONNECTION) == made.uri("warehouse")


@pytest.mark.parametrize("variable", ["AIRFLOW_PORT", "SANDBOX_PORT"])
def test_a_port_of_somebody_else_is_told_and_nothing_is_started(root: Path, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody, socket.create_server(("127.0.0.1", 0)) as free:
        ports = {name: str(free.getsockname()[1]) for name in ("AIRFLOW_PORT", "SANDBOX_PORT")}
        free.close()
        ports[variable] = str(somebody.getsockname()[1])
        with pytest.raises(StackError, match=f"is taken: choose another one with {variable}"):
            stack.start(root, ports)
    assert stack.status(root) == "Nothing runs. Start it with `make up` or `make demo`."


def test_stopping_what_does_not_run_is_no_error(root: Path) -> None:
    assert stack.stop(root) is False
    assert stack.stop(root / "never made") is False


def test_postgresql_takes_connections_through_its_socket_alone_and_stops_without_a_trace(root: Path) -> None:
    made = open_stack(root, {})
    postgres.prepare(made)
    remote = supervision.launch(made)
    supervision.wait_until(lambda: postgres.answers(made), 30, "PostgreSQL")
    mine = databases(demo=False)
    postgres.create(made, mine.values(), again=False)
    postgres.create_warehouse(made, mine["warehouse"])
    with psycopg.connect(made.uri("warehouse")) as warehouse:
        assert warehouse.execute("SHOW listen_addresses").fetchone() == ("",)
        assert warehouse.execute("SELECT count(*) FROM contacted_customers").fetchone() == (0,)
    assert made.run.stat().st_mode & 0o077 == 0
    session = remote.getPID()

    assert stack.stop(root) is True
    assert supervision.manager(made) is None
    assert _alive_in(session) == []


def test_a_demos_databases_are_new_each_time_whoever_is_connected(root: Path) -> None:
    made = open_stack(root, {})
    postgres.prepare(made)
    supervision.launch(made)
    supervision.wait_until(lambda: postgres.answers(made), 30, "PostgreSQL")
    postgres.create(made, ["demo_warehouse"], again=True)
    with psycopg.connect(made.uri("demo_warehouse"), autocommit=True) as connected:
        connected.execute("CREATE TABLE old ()")
        postgres.create(made, ["demo_warehouse"], again=True)
        with psycopg.connect(made.uri("demo_warehouse")) as warehouse:
            assert warehouse.execute("SELECT to_regclass('old')").fetchone() == (None,)


def test_what_a_killed_supervisord_left_running_is_ended(root: Path) -> None:
    left = subprocess.run(
        ["/bin/sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $$ $!"],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    leader, orphan = left.stdout.split()
    open_stack(root, {})
    (root / "supervisord.pid").write_text(leader)
    assert stack.stop(root) is True
    assert int(orphan) not in _alive_in(int(leader))
    assert stack.stop(root) is False


def _alive_in(session: int) -> list[int]:
    """Process numbers in a session, the dead ones that nobody collected aside."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,sess=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, of, state in rows if int(of) == session and not state.startswith("Z")]
