"""The command line of ``python -m wolkvox``."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from importlib import import_module
from types import ModuleType

import pytest

from wolkvox.__main__ import main
from wolkvox.cli.commands import parser
from wolkvox.errors import WolkvoxError

COMMANDS = re.findall(r"\{([\w,]+)\}", parser().format_usage())[0].split(",")


def run(monkeypatch: pytest.MonkeyPatch, outcome: object) -> object:
    """The exit status of `pools`, if its module returns, or raises, the outcome."""
    module = ModuleType("wolkvox.cli.pools")

    def command(arguments: Namespace) -> object:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    module.run = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wolkvox.cli.pools", module)
    monkeypatch.setattr(sys, "argv", ["wolkvox", "pools"])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_a_module_that_can_be_run(command: str) -> None:
    assert callable(import_module(f"wolkvox.cli.{command}").run)


@pytest.mark.parametrize("status", [0, 1])
def test_a_command_ends_with_its_status(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    assert run(monkeypatch, status) == status


def test_what_a_command_refuses_is_one_line_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, WolkvoxError("The ledger is away.")) == "The ledger is away."
