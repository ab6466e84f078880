"""Which ids may be of the same customer, however each side writes them."""

from __future__ import annotations

import pytest
from conftest import Database


def alike(ledger: Database, one: str, other: str) -> bool:
    return bool(ledger.value("SELECT wolkvox.normalised_id(%s) = wolkvox.normalised_id(%s)", one, other))


@pytest.mark.parametrize(
    "written",
    [
        "1.023.456.789",
        "1,023,456,789",
        "1 023 456 789",
        "1\u202f023\u00a0456\u202f789",
        "1-023-456-789",
        "CC1023456789",
        "c.c. 1.023.456.789",
        "Cedula: 1023456789",
        "NIT-1023456789",
        "ID 1023456789",
        "0001023456789",
        "CC 0001023456789",
    ],
)
def test_separators_kinds_and_zeros_in_front_make_no_other_customer(ledger: Database, written: str) -> None:
    assert alike(ledger, written, "1023456789")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1023456789", "1023456780"),
        ("1023456789", "10234567890"),
        ("AB1023456789", "1023456789"),  # a passport, perhaps
        ("AB-12", "AC-12"),
        ("cc", "1023456789"),
        ("customer-1", "customer-11"),
        ("12.345.678-5", "12.345.678-K"),
        ("900123456-1", "900123456"),
    ],
)
def test_other_letters_and_digits_do(ledger: Database, one: str, other: str) -> None:
    assert not alike(ledger, one, other)


def test_letters_may_be_small_or_large(ledger: Database) -> None:
    assert alike(ledger, "AB-12 x", "ab12X")
    assert alike(ledger, "0", "000")
