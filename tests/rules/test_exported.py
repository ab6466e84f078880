"""When a customer was dialled last, as an export says it, in all the ways that it may."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wolkvox.rules.exports import read_exported

DIALLED = datetime(2026, 3, 2, 15, 4, 5, tzinfo=timezone.utc)


def dialled_at(**fields: Any) -> datetime | None:
    record = read_exported({"id_cliente": "1", **fields}, ZoneInfo("America/Bogota"))
    assert record is not None
    return record.dialled_at


@pytest.mark.parametrize(
    "date", ["2026-03-02 10:04:05", "2026-03-02T10:04:05", "20260302100405", "2026-03-02 15:04:05Z"]
)
@pytest.mark.parametrize("of", [{"llamadas": "2"}, {"llamadas": 1}, {"llamadas": "0", "resultado": "NO ANSWER"}])
def test_a_moment_is_read_however_it_is_written(date: str, of: dict[str, Any]) -> None:
    assert dialled_at(fecha=date, **of) == DIALLED


@pytest.mark.parametrize(
    "fields",
    [
        {"llamadas": "0", "resultado": "CLEAN", "fecha": "2026-03-02 10:04:05"},  # when it was uploaded, perhaps
        {"llamadas": "", "resultado": "clean", "fecha": "2026-03-02 10:04:05"},
        {"fecha": "2026-03-02 10:04:05"},
        {"llamadas": "3", "fecha": ""},
        {"llamadas": "3", "fecha": None},
        {"llamadas": "3", "fecha": "0000-00-00 00:00:00"},
        {"llamadas": "3", "fecha": "20261399000000"},
        {"llamadas": "3", "fecha": "yesterday"},
        {"llamadas": "3", "fecha": {"day": 1}},
        {"llamadas": "3"},
    ],
)
def test_what_names_no_dial_is_none(fields: dict[str, Any]) -> None:
    assert dialled_at(**fields) is None
