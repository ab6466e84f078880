"""
The command line of ``python -m wolkvox``.

It imports none of the commands: most need Airflow, which takes seconds.
"""

from __future__ import annotations

from argparse import ArgumentParser


def parser() -> ArgumentParser:
    """The parser; ``command`` is the module of this package that ``run`` is in."""
    described = "What whoever deploys runs by hand, for the ledger, the pools and wolkvox."
    parser = ArgumentParser(prog="python -m wolkvox", description=described)
    commands = parser.add_subparsers(dest="command", required=True)
    migrate = commands.add_parser("migrate", help="create or upgrade the ledger's tables")
    _add_ledger(migrate)
    migrate.add_argument(
        "--wait",
        type=float,
        metavar="SECONDS",
        help="change nothing: wait so long for somebody else to upgrade them",
    )
    check = commands.add_parser(
        "check", help="check ledger, warehouse, vendor and pool; costs one of the day's requests for each DAG"
    )
    check.add_argument("--dag-id", help="this DAG alone; else every one that stages contacts")
    verify = commands.add_parser("verify", help="compare the ledger with the digests of its days")
    _add_ledger(verify)
    _add_examine(
        commands.add_parser(
            "examine",
            help="codify one customer and observe what wolkvox does: at most 6 requests, and the settings that follow",
        )
    )
    _add_ledger(commands.add_parser("holds", help="list what is held because a run brought what is unusual"))
    _add_decision(commands.add_parser("release", help="send what is held"))
    _add_decision(commands.add_parser("discard", help="never send what is held"))
    commands.add_parser("pools", help="make the pools that the DAGs name and that are missing, of two slots each")
    status = commands.add_parser("status", help="each DAG's level, findings and figures, as the page has them")
    status.add_argument("--dag-id", help="this DAG alone; else every one that has staged contacts")
    status.add_argument("--json", action="store_true", help="print JSON for programs instead of a line a DAG")
    status.add_argument("--schema", action="store_true", help="print the JSON schema of --json instead")
    lint = commands.add_parser("lint", help="check operations.yaml and protection rules without Airflow")
    lint.add_argument("dags", nargs="?", help="folder of the DAG files: AIRFLOW__CORE__DAGS_FOLDER, else dags")
    lint.add_argument("--schema", choices=("operations", "protection"), help="print this file's JSON schema instead")
    return parser


def _add_ledger(parser: ArgumentParser) -> None:
    parser.add_argument("--ledger-conn-id", default="wolkvox_ledger", help="PostgreSQL connection of the ledger")


def _add_decision(parser: ArgumentParser) -> None:
    parser.add_argument("hold", type=int, help="its number, as the alert and `holds` print it")
    parser.add_argument("--by", required=True, metavar="NAME", help="who decides")
    parser.add_argument("--note", required=True, help="why; it is kept")
    _add_ledger(parser)


def _add_examine(parser: ArgumentParser) -> None:
    parser.add_argument("--conn-id", default="wolkvox_default", help="connection to wolkvox")
    parser.add_argument("--type-campaign", choices=("preview", "predictive"), required=True)
    parser.add_argument("--campaign-id", required=True, help="a campaign of less than 60,000 records")
    parser.add_argument("--cod-act", required=True, help="code to give")
    parser.add_argument("--seconds", type=float, default=300.0, help="between the two exports; the vendor asks for 300")
    parser.add_argument("--yes", action="store_true", help="don't ask whether to begin")
