"""Consecutive failures are kept only as far as they can tell anything."""

from __future__ import annotations

import pytest
from conftest import Database
from failing import Vendor


@pytest.fixture
def vendor(ledger: Database) -> Vendor:
    return Vendor(ledger)


@pytest.mark.parametrize("kind", ["refusals", "failures", "conflicts"])
def test_failures_in_a_row_are_few_however_long_they_last(vendor: Vendor, kind: str) -> None:
    vendor.record("17", "pending", sent=False)  # so that it is doubtful whose fault it is
    for _ in range(120):
        if kind == "refusals":
            vendor.ledger.execute("DELETE FROM wolkvox.suspended_campaign")
            vendor.refuse("666")
        else:
            vendor.fail("666", conflict=kind == "conflicts")
    longest = (
        "SELECT coalesce(max(greatest(cardinality(refused), cardinality(failed))), 0) FROM wolkvox.consecutive_failures"
    )
    assert vendor.ledger.value(longest) <= 20
