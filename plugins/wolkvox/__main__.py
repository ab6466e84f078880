"""``python -m wolkvox``: what whoever deploys runs by hand, for the ledger, the pools and wolkvox."""

from __future__ import annotations

import argparse
import os
import sys

from wolkvox.errors import WolkvoxError


def main() -> None:
    """Read the command line and run the command; exits 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m wolkvox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    migrating = commands.add_parser("migrate", help="create or upgrade the ledger's tables")
    migrating.add_argument("--ledger-conn-id", default="wolkvox_ledger", help="PostgreSQL connection of the ledger")
    migrating.add_argument(
        "--wait",
        type=float,
        metavar="SECONDS",
        help="change nothing: wait so long for somebody else to upgrade them",
    )
    checking = commands.add_parser(
        "check", help="look at ledger, warehouse, vendor and pool; costs one of the day's requests for each DAG"
    )
    checking.add_argument("--dag-id", help="this DAG alone; else every one that stages contacts")
    verifying = commands.add_parser("verify", help="compare the ledger with the digests of its days")
    verifying.add_argument("--ledger-conn-id", default="wolkvox_ledger", help="PostgreSQL connection of the ledger")
    probing = commands.add_parser(
        "examine",
        help="codify one customer and look what wolkvox does: at most 6 requests, and the settings that follow",
    )
    probing.add_argument("--conn-id", default="wolkvox_default", help="connection to wolkvox")
    probing.add_argument("--type-campaign", choices=("preview", "predictive"), required=True)
    probing.add_argument("--campaign-id", required=True, help="a campaign of less than 60,000 records")
    probing.add_argument("--cod-act", required=True, help="code to give")
    probing.add_argument(
        "--seconds", type=float, default=300.0, help="between the two exports; the vendor asks for 300"
    )
    probing.add_argument("--yes", action="store_true", help="don't ask whether to begin")
    commands.add_parser("pools", help="make the pools that the DAGs name and that are missing, of two slots each")
    linting = commands.add_parser("lint", help="check operations.yaml and protection rules without Airflow")
    linting.add_argument("dags", nargs="?", help="folder of the DAG files: AIRFLOW__CORE__DAGS_FOLDER, else dags")
    linting.add_argument("--schema", choices=("operations", "protection"), help="print this file's JSON schema instead")
    arguments = parser.parse_args()
    if arguments.command == "lint":
        from wolkvox.lint import run as run_lint

        sys.exit(run_lint(arguments))
    if arguments.command == "migrate":
        sys.exit(_migrate(arguments.ledger_conn_id, arguments.wait))
    if arguments.command == "verify":
        sys.exit(_verify(arguments.ledger_conn_id))
    if arguments.command == "examine":
        from wolkvox.examine import run

        sys.exit(run(arguments))
    sys.exit(_pools() if arguments.command == "pools" else _check(arguments.dag_id))


def _migrate(ledger_conn_id: str, wait: float | None) -> int | str:
    from wolkvox.ledger.migrate import migrate, wait_until_migrated  # Airflow's hooks, which lint goes without

    try:
        migrate(ledger_conn_id) if wait is None else wait_until_migrated(ledger_conn_id, wait)
    except WolkvoxError as error:
        return str(error)
    print(f"The ledger at connection {ledger_conn_id!r} is up to date.")
    return 0


def _verify(ledger_conn_id: str) -> int | str:
    # As Airflow's own programs say it: else the variable is not looked for in Airflow's database.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    from wolkvox.verify import verify

    try:
        return verify(ledger_conn_id)
    except WolkvoxError as error:
        return str(error)


def _pools() -> int | str:
    from wolkvox.pools import make_pools

    try:
        for name in make_pools():
            print(f"Pool {name}: made, with two slots.")
    except WolkvoxError as error:
        return str(error)
    return 0


def _check(dag_id: str | None) -> int:
    from wolkvox.check import check  # Airflow's models take seconds: migrating needs none of them

    failed = 0
    for finding in check(dag_id):
        print(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name:28} {finding.message}", flush=True)
        failed += not finding.ok
    return min(failed, 1)


if __name__ == "__main__":
    main()
