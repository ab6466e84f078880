"""``python -m wolkvox``: the commands of the package ``cli``."""

from __future__ import annotations

import sys
from importlib import import_module

from wolkvox.cli.commands import parser
from wolkvox.errors import WolkvoxError


def main() -> None:
    """Read the command line and run the command; exits 1 when something is wrong."""
    arguments = parser().parse_args()
    command = import_module(f"wolkvox.cli.{arguments.command}")
    try:
        sys.exit(command.run(arguments))
    except WolkvoxError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
