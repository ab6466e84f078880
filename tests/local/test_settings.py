"""What the stack's programs, and a shell, are told."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from local.run import AIRFLOW, command
from local.settings import (
    DEFAULTS,
    LONGEST_SOCKET,
    StackError,
    asked_for,
    defaults,
    environment,
    open_stack,
    programs_environment,
    remember_ports,
    same_programs,
)

MINE = '{"conn_type": "wolkvox", "host": "https://wv0099.wolkvox.com", "password": "mine"}'
CALLER = {
    "PATH": "/usr/bin",
    "AIRFLOW_CONN_WOLKVOX_DEFAULT": MINE,
    "AIRFLOW_CONN_OTHER": "http://somewhere",
    "AIRFLOW_VAR_ZONE": "America/Lima",
    "AIRFLOW__CORE__PARALLELISM": "2",
    "AIRFLOW__SECRETS__BACKEND": "my.Vault",
    "AIRFLOW_HOME": "/my/airflow",
}
CONNECTIONS = ("AIRFLOW_CONN_WOLKVOX_DEFAULT", "AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_CONN_WOLKVOX_LEDGER")


def test_the_callers_own_variables_win(tmp_path: Path) -> None:
    values = environment(open_stack(tmp_path, {}), CALLER, demo=False)
    assert {name: values[name] for name in CALLER if name != "PATH"} == {
        name: value for name, value in CALLER.items() if name != "PATH"
    }
    assert values["AIRFLOW_CONN_WAREHOUSE"].endswith("/warehouse")


@pytest.mark.parametrize(
    ("asked", "execution", "base"),
    [
        ({}, "http://127.0.0.1:8080/execution/", "http://127.0.0.1:8080"),
        ({"AIRFLOW_PORT": "9480"}, "http://127.0.0.1:9480/execution/", "http://127.0.0.1:9480"),
        ({"AIRFLOW__API__PORT": "9480"}, "http://127.0.0.1:9480/execution/", "http://127.0.0.1:9480"),
        (
            {"AIRFLOW__API__BASE_URL": "https://desk.example.com/airflow/"},
            "http://127.0.0.1:8080/airflow/execution/",
            "https://desk.example.com/airflow/",
        ),
        (
            {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://elsewhere/execution/", "AIRFLOW__API__PORT": "9480"},
            "http://elsewhere/execution/",
            "http://127.0.0.1:9480",
        ),
    ],
)
def test_what_follows_from_a_callers_variable_follows(
    tmp_path: Path, asked: dict[str, str], execution: str, base: str
) -> None:
    values = environment(open_stack(tmp_path, asked), asked, demo=False)
    assert values["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == execution
    assert values["AIRFLOW__API__BASE_URL"] == base


def test_a_demo_hears_nothing_of_the_caller(tmp_path: Path) -> None:
    stack = open_stack(tmp_path, {})
    of_caller = programs_environment(stack, CALLER, demo=True)
    assert of_caller == programs_environment(stack, {"PATH": "/usr/bin"}, demo=True)
    assert not {"AIRFLOW_CONN_OTHER", "AIRFLOW__SECRETS__BACKEND"} & set(of_caller)
    assert json.loads(of_caller["AIRFLOW_CONN_WOLKVOX_DEFAULT"])["host"] == "http://127.0.0.1:8090"


def test_a_demo_shares_no_database_with_the_everyday_stack(tmp_path: Path) -> None:
    stack = open_stack(tmp_path, {})
    everyday, demo = (defaults(stack, demo=demo) for demo in (False, True))
    for name in (*CONNECTIONS[1:], "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"):
        assert everyday[name] != demo[name]


@pytest.mark.parametrize("demo", [False, True])
def test_what_a_shell_was_given_is_not_taken_for_its_own_wish(tmp_path: Path, demo: bool) -> None:
    given = environment(open_stack(tmp_path, {}), {"PATH": "/usr/bin"}, demo=demo)
    assert asked_for(given) == {}
    assert asked_for(given | {"AIRFLOW_CONN_WAREHOUSE": "postgresql://mine"}) == {
        "AIRFLOW_CONN_WAREHOUSE": "postgresql://mine"
    }


def test_another_port_reaches_a_shell_that_was_given_the_old_one(tmp_path: Path) -> None:
    given = environment(open_stack(tmp_path, {}), {"PATH": "/usr/bin"}, demo=False)
    caller = given | {"AIRFLOW_PORT": "9090"}
    assert environment(open_stack(tmp_path, caller), caller, demo=False)["AIRFLOW__API__PORT"] == "9090"


def test_given_twice_is_as_given_once(tmp_path: Path) -> None:
    stack = open_stack(tmp_path, {})
    once = environment(stack, {"PATH": "/usr/bin", "PYTHONPATH": "/lib"}, demo=False)
    assert environment(stack, once, demo=False) == once


def test_every_program_listens_on_the_loopback_address_only(tmp_path: Path) -> None:
    values = programs_environment(open_stack(tmp_path, {}), {}, demo=False) | {
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": "1"
    }
    assert values["AIRFLOW__API__HOST"] == "127.0.0.1"
    listening = {program: " ".join(command(program, values)) for program in ("sandbox", *AIRFLOW)}
    assert "--host 127.0.0.1" in listening["sandbox"]
    assert "--host 127.0.0.1" in listening["log-server"]
    assert listening["scheduler"] == "airflow scheduler --skip-serve-logs"
    assert listening["triggerer"] == "airflow triggerer --skip-serve-logs"


def test_the_stack_is_reached_past_a_proxy(tmp_path: Path) -> None:
    caller = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "intranet"}
    values = programs_environment(open_stack(tmp_path, {}), caller, demo=False)
    assert values["HTTPS_PROXY"] == "http://proxy:3128"
    assert values["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_only_what_matters_to_them_restarts_the_programs(tmp_path: Path) -> None:
    stack = open_stack(tmp_path, {})
    running = programs_environment(stack, {"PATH": "/usr/bin"}, demo=False)
    assert same_programs(running, programs_environment(stack, {"PATH": "/bin", "TERM": "xterm"}, demo=False))
    assert not same_programs(running, programs_environment(stack, CALLER, demo=False))
    assert not same_programs(running, programs_environment(stack, {}, demo=True))


def test_secrets_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    stack = open_stack(tmp_path / "one", {})
    assert open_stack(tmp_path / "one", {}).secrets == stack.secrets
    assert open_stack(tmp_path / "two", {}).secrets.password != stack.secrets.password
    assert stat.S_IMODE((tmp_path / "one" / "secrets.json").stat().st_mode) == 0o600


def test_the_ports_of_the_last_start_are_kept(tmp_path: Path) -> None:
    asked = open_stack(tmp_path, {"AIRFLOW_PORT": "9090"})
    assert (asked.airflow_port, asked.sandbox_port) == (9090, 8090)
    assert open_stack(tmp_path, {}).airflow_port == 8080
    remember_ports(asked)
    assert open_stack(tmp_path, {}).airflow_port == 9090


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1", "8080 "])
def test_a_port_that_is_none_is_refused_by_name(tmp_path: Path, port: str) -> None:
    with pytest.raises(StackError, match="SANDBOX_PORT must be a port number"):
        open_stack(tmp_path, {"SANDBOX_PORT": port})


def test_sockets_stay_short_in_a_deep_folder(tmp_path: Path) -> None:
    stack = open_stack(tmp_path / ("ñ" * 100), {})
    assert stack.run.parent == Path("/tmp")
    assert len(os.fsencode(stack.run / ".s.PGSQL.5432")) <= LONGEST_SOCKET


def test_a_folder_that_the_configuration_cannot_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="use another folder"):
        open_stack(tmp_path / "100%", {})


def test_a_shell_can_tell_its_own_values_from_the_stacks(tmp_path: Path) -> None:
    kept = environment(open_stack(tmp_path, {}), CALLER, demo=False)[DEFAULTS]
    assert "mine" not in kept
    assert {name for name in CONNECTIONS if f"{name}=" in kept} == set(CONNECTIONS[1:])
