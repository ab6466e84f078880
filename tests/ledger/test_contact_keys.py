"""Keys begin with the second of the contact: Python makes them, and a statement looks for those of the same second."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from conftest import Database
from contact_rows import NOON, read
from staged import stage_in

from wolkvox.ledger.connection import sql

SECOND = "lpad(to_hex(floor(extract(epoch FROM contacted_at))::bigint), 8, '0')"
MOMENTS = [
    NOON,
    NOON + timedelta(milliseconds=999),
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-5))),
    datetime(2037, 1, 1, tzinfo=timezone.utc),
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_ledger_finds_the_second_at_the_beginning_of_the_key(ledger: Database, moment: datetime) -> None:
    assert SECOND in sql("note_changed")
    stage_in(ledger.connection, [read(contacted_at=moment)])
    assert ledger.rows(f"SELECT left(contact_key::text, 8) = {SECOND} FROM wolkvox.codification") == [(True,)]
