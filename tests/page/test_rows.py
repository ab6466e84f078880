"""What leaves the ledger: masked."""

from __future__ import annotations

import pytest
from listed_record import RECORD

from wolkvox.page.rows import describe
from wolkvox.rules.masking import mask


@pytest.mark.parametrize(
    ("customer_id", "masked"),
    [("573001234567", "•••567"), ("1234567", "•••567"), ("123456", "•••"), ("1", "•••"), ("", "•••"), (None, None)],
)
def test_at_most_three_characters_of_an_id_are_shown(customer_id: str | None, masked: str | None) -> None:
    assert mask(customer_id) == masked


def test_the_vendors_words_are_masked_too() -> None:
    assert describe(RECORD, unmasked=False)["response_msg"] == "customer_id •••, tel. •••, is wrong"
    assert describe(RECORD, unmasked=True)["response_msg"] == RECORD.response_msg


def test_a_row_is_named_by_its_records_number() -> None:
    assert describe(RECORD, unmasked=False)["id"] == 1
