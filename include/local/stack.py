"""``python -m local.stack up|down|status|env``: the embedded stack of this folder, or of another one."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import socket
import subprocess
import sys
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import postgres, supervision
from local.airflow_api import AirflowApi, call
from local.settings import (
    LOG_PORT,
    LOGIN,
    LOOPBACK,
    MODE,
    STATE,
    Stack,
    StackError,
    airflow_url,
    asked_for,
    databases,
    environment,
    lock,
    open_stack,
    programs_environment,
    programs_file,
    remember_ports,
    runs_demo,
    same_programs,
    started_with,
    write_private,
)
from wolkvox.dag.operations import deployed_operations
from wolkvox.rules.chunks import SLOTS
from wolkvox.rules.names import DAG_ID, POOL_DESCRIPTION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAG = DAG_ID
MISTAKES = "wolkvox_operations.py"  # reports what is wrong in operations.yaml, which keeps no other DAG from running
TIMEOUT = 240.0  # seconds until Airflow must be up, on a slow machine too
COUNT = "SELECT state, count(*) FROM wolkvox.codification GROUP BY state ORDER BY state"


def start(root: Path, caller: Mapping[str, str], *, demo: bool = False) -> Stack:
    """
    Start the stack kept in ``root``, or bring a running one up to date. Returns when the DAG can be run.

    :param caller: an environment; its AIRFLOW_PORT, SANDBOX_PORT and ``AIRFLOW_…`` win over the defaults
    :param demo: on databases of the demo's own, made again, and deaf to the caller's ``AIRFLOW_…`` variables
    :raises StackError: a port is taken, a program doesn't start, or the DAG has an import error
    """
    stack = open_stack(root, caller)
    with lock(stack.root):
        remote = supervision.manager(stack)
        if remote and supervision.outdated(stack):
            supervision.shut_down(remote)
            remote = None
        if remote is None:
            supervision.sweep(stack)
        wanted = programs_environment(stack, caller, demo=demo)
        if remote and not demo and same_programs(wanted, started_with(root)) and _all_run(remote):
            _wait_for_airflow(stack, remote, since=None)
            return stack
        _need_free_ports(wanted, started_with(root) if remote else {})
        if remote is None:
            say("Starting PostgreSQL")
            postgres.prepare(stack)
            remote = supervision.launch(stack)
        else:
            say("Stopping Airflow and the sandbox, to start them with other settings")
            supervision.stop_groups(remote)
        say("Preparing the databases")
        _prepare_databases(stack, wanted, demo=demo)
        say("Starting Airflow and the sandbox")
        remember_ports(stack)
        write_private(programs_file(root), {LOG_PORT: str(_free_port()), **wanted})
        since = datetime.now(timezone.utc)
        supervision.start_groups(remote)
        _wait_for_airflow(stack, remote, since=since)
    return stack


def stop(root: Path) -> bool:
    """Stop the stack kept in ``root``; whether there was one running."""
    if not root.exists():
        return False
    with lock(root):
        stack = open_stack(root, {})
        remote = supervision.manager(stack)
        if remote is None:
            return supervision.sweep(stack)
        supervision.shut_down(remote)
        if stack.run.parent != stack.root:
            shutil.rmtree(stack.run)
    return True


def say(text: str) -> None:
    """Progress, beside the output."""
    print(text, file=sys.stderr, flush=True)


def airflow_api(stack: Stack) -> AirflowApi:
    """A client logged in to the running Airflow."""
    return AirflowApi(address(stack), LOGIN, stack.secrets.password)


def address(stack: Stack) -> str:
    """Where the UI is."""
    return airflow_url({"AIRFLOW__API__PORT": str(stack.airflow_port), **started_with(stack.root)})


def _all_run(remote: Any) -> bool:
    return set(supervision.running(remote).values()) == {"RUNNING"}


def _need_free_ports(wanted: Mapping[str, str], held: Mapping[str, str]) -> None:
    """
    Say which port is somebody else's.

    :param held: the settings of the stack's own running programs
    """
    for variable, setting in (("AIRFLOW_PORT", "AIRFLOW__API__PORT"), ("SANDBOX_PORT", "SANDBOX_PORT")):
        port = int(wanted[setting])
        if wanted[setting] == held.get(setting):
            continue
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((LOOPBACK, port))
            except OSError as error:
                raise StackError(
                    f"Port {port} is taken: choose another one with {variable}, e.g. {variable}={port + 1}"
                ) from error


def _free_port() -> int:
    with socket.socket() as candidate:
        candidate.bind((LOOPBACK, 0))
        return int(candidate.getsockname()[1])


def _prepare_databases(stack: Stack, wanted: Mapping[str, str], *, demo: bool) -> None:
    """Databases, their schemas, and Airflow's login."""
    supervision.wait_until(lambda: postgres.answers(stack), 60, "PostgreSQL")
    mine = databases(demo=demo)
    postgres.create(stack, mine.values(), again=demo)
    postgres.create_warehouse(stack, mine["warehouse"])
    Path(stack.home).mkdir(mode=0o700, exist_ok=True)
    write_private(stack.home / "passwords.json", {LOGIN: stack.secrets.password})
    commands = (["airflow", "db", "migrate"], ["python", "-m", "wolkvox", "migrate"])
    started = [
        subprocess.Popen(
            command,
            env={**_without_airflow(os.environ), **wanted},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for command in commands
    ]
    for command, process in zip(commands, started, strict=False):
        output, _ = process.communicate()
        if process.returncode:
            raise StackError(f"`{' '.join(command)}` failed:\n{output.decode(errors='replace')}")


def _without_airflow(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith("AIRFLOW_")}


def _wait_for_airflow(stack: Stack, remote: Any, *, since: datetime | None) -> None:
    """
    Wait until the UI answers, the scheduler and the DAG processor are at work and the DAG is known.

    :param since: what was seen before this time was another scheduler
    """
    url = address(stack)
    supervision.wait_until(lambda: _alive(remote) and _healthy(url, since), TIMEOUT, f"Airflow at {url}")
    api = airflow_api(stack)
    configured = deployed_operations(Path(started_with(stack.root)["AIRFLOW__CORE__DAGS_FOLDER"]))
    for mistake in configured.mistakes:
        say(f"operations.yaml {mistake}")
    _make_pools(api, sorted({operation.pool for operation in configured.all}))
    for operation in configured.all:
        registered = partial(_registered, api, operation.dag_id, since)
        supervision.wait_until(registered, TIMEOUT, f"the DAG {operation.dag_id}")


def _alive(remote: Any) -> bool:
    for program in remote.getAllProcessInfo():
        if program["statename"] in ("FATAL", "EXITED"):
            log = Path(program["logfile"] or program["stdout_logfile"])
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise StackError(f"{program['name']} does not start. The end of {log}:\n{tail}")
    return True


def _healthy(url: str, since: datetime | None) -> bool:
    try:
        health = call(f"{url}/api/v2/monitor/health")
    except OSError:
        return False
    return all(
        health[part]["status"] == "healthy" and _after(health[part][f"latest_{part}_heartbeat"], since)
        for part in ("scheduler", "dag_processor")
    )


def _after(seen_at: str | None, since: datetime | None) -> bool:
    return seen_at is not None and (since is None or datetime.fromisoformat(seen_at.replace("Z", "+00:00")) >= since)


def _make_pools(api: AirflowApi, names: Sequence[str]) -> None:
    """What `python -m wolkvox pools` does, without the seconds it takes to start."""
    entities = [
        {"name": name, "slots": SLOTS, "description": POOL_DESCRIPTION, "include_deferred": True} for name in names
    ]
    action = {"action": "create", "entities": entities, "action_on_existence": "skip"}
    api.send("PATCH", "/pools", {"actions": [action]})


def _registered(api: AirflowApi, dag_id: str, since: datetime | None) -> bool:
    dag = api.get(f"/dags/{dag_id}")
    if dag and not dag["is_stale"] and not dag["has_import_errors"] and _after(dag["last_parsed_time"], since):
        return True
    errors = [error for error in api.get("/importErrors")["import_errors"] if not error["filename"].endswith(MISTAKES)]
    if errors:
        raise StackError(f"{errors[0]['filename']} can't be imported:\n{errors[0]['stack_trace']}")
    return False


def exports(root: Path, caller: Mapping[str, str]) -> str:
    """
    The lines that give a shell an `airflow` which talks to the stack.

    After a demo they name the demo's connections, unless the caller has some of his own: the two never mix.
    """
    stack = open_stack(root, caller)
    demo = runs_demo(root)
    if supervision.manager(stack) is None:
        say("The stack isn't running: start it with `make up`")
    elif demo and asked_for(caller):
        say("The stack runs the demo, and these variables of yours are no part of it: run `make up` first")
    values = environment(stack, caller, demo=demo and not asked_for(caller))
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())


def summary(stack: Stack) -> str:
    """Addresses, login, and what the stack talks to."""
    started = started_with(stack.root)
    lines = [
        f"Airflow    {address(stack)}   login {LOGIN}, password {stack.secrets.password}",
        f"Sandbox    {stack.sandbox_url}/stats",
        f"Logs       {stack.logs}",
    ]
    if not started:
        lines.append("Airflow was not started yet")
    elif started.get(MODE) == "demo":
        lines.append("Connections: the demo's own sandbox, warehouse and ledger (`make up` returns to yours)")
    else:
        standard = environment(stack, {}, demo=False)
        for name in ("WOLKVOX_DEFAULT", "WAREHOUSE", "WOLKVOX_LEDGER"):
            variable = f"AIRFLOW_CONN_{name}"
            local = started.get(variable) == standard[variable]
            lines.append(f"Connection {name.lower():16} {'local' if local else f'yours ({variable})'}")
    return "\n".join(lines)


def status(root: Path) -> str:
    """What runs, where, and what the ledger holds."""
    remote = supervision.manager(open_stack(root, {})) if root.exists() else None
    if remote is None:
        return "Nothing runs. Start it with `make up` or `make demo`."
    stack = open_stack(root, {})
    programs = "\n".join(f"{name:14} {state.lower()}" for name, state in supervision.running(remote).items())
    return f"{programs}\n\n{summary(stack)}\n\nLedger\n{_ledger(root)}"


def _ledger(root: Path) -> str:
    """Rows by state, through Airflow's own reading of the connection."""
    os.environ.update(started_with(root))
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    try:
        with PostgresHook("wolkvox_ledger").get_conn() as connection:
            cursor = connection.cursor()
            cursor.execute(COUNT)
            rows = cursor.fetchall()
    except Exception as error:  # whatever driver the connection names: the rest of the status is worth seeing
        return f"can't be read: {error}"
    return "\n".join(f"{state:14} {count:>8,}" for state, count in rows) or "empty"


NEXT = """
Next: put rows into contacted_customers of the warehouse, then
    eval "$(make -s env)"
    airflow dags unpause wolkvox_codify     # from now on, within seconds
    airflow dags trigger wolkvox_codify     # and now"""


def main() -> None:
    """Run one command of the Makefile."""
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status", "env"))
    command = parser.parse_args().command
    try:
        if command == "up":
            print(f"\n{summary(start(STATE, os.environ))}\n{NEXT}")
        elif command == "down":
            print("Everything is stopped." if stop(STATE) else "Nothing was running.")
        elif command == "status":
            print(status(STATE))
        else:
            print(exports(STATE, os.environ))
    except StackError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
