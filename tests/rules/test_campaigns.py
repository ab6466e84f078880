"""Which campaigns can't be right, by wolkvox's own list, whatever that looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.campaigns import Listed, misfit, read_campaigns

LISTED = read_campaigns(
    [
        {"campaign_id": "17", "campaign_name": "Cobranza", "type_campaign": "preview", "status": "Started"},
        {"campaign_id": 18, "campaign_name": " Ventas \n marzo ", "type_campaign": "Predictive", "status": "STOPPED"},
        {"campaign_id": " 19 ", "campaign_name": None, "type_campaign": "manual", "status": ""},
    ]
)


def test_a_list_is_read_whatever_its_letters_and_blanks() -> None:
    assert {
        "17": Listed("17", "preview", "Cobranza", "started"),
        "18": Listed("18", "predictive", "Ventas marzo", "stopped"),
        "19": Listed("19", None, None, None),
    } == LISTED


@pytest.mark.parametrize("campaign", [("preview", "17"), ("predictive", "18"), ("preview", "19"), ("predictive", "19")])
def test_what_is_listed_alike_or_of_a_type_that_nobody_knows_may_be_sent(campaign: tuple[str, str]) -> None:
    assert misfit(campaign, LISTED) is None


def test_what_is_not_listed_or_of_the_other_type_may_not() -> None:
    assert misfit(("preview", "170"), LISTED) == ("campaign_unknown", "wolkvox has no campaign 170")
    assert misfit(("preview", "18"), LISTED) == ("campaign_type", "in wolkvox, campaign 18 is predictive, not preview")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text(), of, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["campaign_id", "campaign_name", "type_campaign", "status"]), ANYTHING))
)
def test_no_list_is_too_odd_to_be_read(rows: list[dict[str, object]]) -> None:
    for campaign_id, listed in read_campaigns(rows).items():
        assert campaign_id == listed.campaign_id.strip()
        assert "\x00" not in str(listed)
