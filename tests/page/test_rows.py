"""What leaves the ledger: masked."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from wolkvox.page.queries import Record
from wolkvox.page.rows import describe
from wolkvox.rules.masking import mask

RECORD = Record(
    id=1,
    type_campaign="preview",
    campaign_id="15501",
    customer_id="573001234567",
    cod_act="ACT",
    state="rejected",
    reason="refused_422",
    response_code="422",
    response_msg="customer_id 573001234567, tel. 6015551234, is wrong",
    attempts=1,
    contacted_at=datetime(2026, 3, 1, tzinfo=timezone.utc),
    settled_at=None,
    not_before=None,
    dag_id="wolkvox_codify",
    dag_run_id="run",
    in_chunk=True,
    chunk_number=2,
    listed_at=datetime(2026, 3, 1, tzinfo=timezone.utc),
)


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
