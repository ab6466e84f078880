"""One line of ``check``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wolkvox.errors import WolkvoxError


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: ``message`` is one line without personal data, and says what to do unless ``ok``."""

    name: str
    ok: bool
    message: str


def finding(name: str, check: Callable[[], str]) -> Finding:
    """The result of a check: the text that it returns, or the message of the error that it raises."""
    try:
        return Finding(name, True, check())
    except WolkvoxError as error:
        return Finding(name, False, str(error))
    except Exception as error:  # of a driver or a provider: the other lines are worth seeing
        return Finding(name, False, f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0]}")
