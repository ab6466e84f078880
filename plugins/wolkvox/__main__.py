"""``python -m wolkvox migrate``: bring the ledger's schema up to date."""

from __future__ import annotations

import argparse

from wolkvox.ledger.migrate import migrate


def main() -> None:
    """Read the command line and run the command."""
    parser = argparse.ArgumentParser(prog="python -m wolkvox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("migrate", help="create or upgrade the ledger's tables")
    command.add_argument("--ledger-conn-id", default="wolkvox_ledger", help="PostgreSQL connection of the ledger")
    arguments = parser.parse_args()
    migrate(arguments.ledger_conn_id)
    print(f"The ledger at connection {arguments.ledger_conn_id!r} is up to date.")


if __name__ == "__main__":
    main()
