"""Streaks of refusals are counted over all tasks; what they refused in a row is settled by none of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Database

from wolkvox.ledger.faults import Refused, begin_outage, count_refusal, end_outage, outage, parked, put_off_outage
from wolkvox.rules.patience import Patience

PATIENCE = Patience(refusals=10)
INSERT = """
INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, state, settled_at)
VALUES (gen_random_uuid(), '0041', 'preview', %s, %s, clock_timestamp()) RETURNING id
"""


class Vendor:
    """Settles records and counts refusals, as the loops of several tasks do."""

    def __init__(self, ledger: Database) -> None:
        self.ledger = ledger

    def code(self, campaign: str = "17") -> None:
        self.ledger.rows(INSERT, campaign, "coded")

    def refuse(
        self, campaign: str = "17", refusal: str = "404 NO", *, coded: bool = False, any_coded: bool = False
    ) -> bool:
        """Whether everything is refused."""
        ((record,),) = self.ledger.rows(INSERT, campaign, "rejected")
        refused = Refused(record, ("preview", campaign), "not_found", refusal, refusal)
        return count_refusal(self.ledger.connection, "0041", refused, coded, any_coded, PATIENCE)

    def states(self) -> dict[str, int]:
        return dict(self.ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY state"))

    def parked(self) -> list[str]:
        return [campaign.campaign_id for campaign in parked(self.ledger.connection, "0041")]


@pytest.fixture
def vendor(ledger: Database) -> Vendor:
    return Vendor(ledger)


def test_a_streak_of_one_and_the_same_refusal_parks_the_campaign_and_settles_nothing(vendor: Vendor) -> None:
    assert [vendor.refuse() for _ in range(9)] == [False] * 9
    assert (vendor.parked(), vendor.states()) == ([], {"rejected": 9})
    assert vendor.refuse() is False
    assert (vendor.parked(), vendor.states()) == (["17"], {"pending": 10})
    (campaign,) = parked(vendor.ledger.connection, "0041")
    assert (campaign.reason, campaign.words) == ("not_found", "404 NO")
    assert campaign.until - campaign.since == timedelta(minutes=15)


def test_refusals_of_different_kinds_are_the_records_own(vendor: Vendor) -> None:
    for number in range(30):
        vendor.refuse(refusal="404 NO" if number % 9 else "422 EL CODACT NO ES VALIDO")
    assert (vendor.parked(), vendor.states()) == ([], {"rejected": 30})


@pytest.mark.parametrize("told", [True, False], ids=["by the same task", "by another one"])
def test_a_success_ends_the_streak_whoever_had_it(vendor: Vendor, told: bool) -> None:
    for _ in range(9):
        vendor.refuse()
    vendor.code()
    vendor.refuse(coded=told, any_coded=told)
    for _ in range(8):
        vendor.refuse()
    assert (vendor.parked(), vendor.states()) == ([], {"rejected": 18, "coded": 1})


def test_a_success_of_another_campaign_frees_no_dead_one(vendor: Vendor) -> None:
    for _ in range(10):
        vendor.code("18")
        vendor.refuse(any_coded=True)
    assert (vendor.parked(), vendor.states()) == (["17"], {"pending": 10, "coded": 10})


def test_a_refusal_that_is_told_twice_counts_once(vendor: Vendor) -> None:
    ((record,),) = vendor.ledger.rows(INSERT, "17", "rejected")
    refused = Refused(record, ("preview", "17"), "not_found", "404", "404")
    for _ in range(20):
        assert not count_refusal(vendor.ledger.connection, "0041", refused, False, False, PATIENCE)
    assert (vendor.parked(), vendor.states()) == ([], {"rejected": 1})


def test_a_refusal_of_everything_over_several_campaigns_settles_nothing(vendor: Vendor) -> None:
    campaigns = [str(number % 5) for number in range(10)]
    refusals = ["400 SOME PARAMETERS ARE REQUIRED", "422 EL CODACT NO ES VALIDO"] * 5
    assert [vendor.refuse(*refused) for refused in zip(campaigns, refusals, strict=True)] == [False] * 9 + [True]
    assert (vendor.parked(), vendor.states()) == ([], {"pending": 10})


def test_a_dead_campaign_and_one_refusal_of_another_are_no_outage(vendor: Vendor) -> None:
    for _ in range(10):
        vendor.refuse("666")
    assert vendor.refuse("17") is False
    assert (vendor.parked(), vendor.states()) == (["666"], {"pending": 10, "rejected": 1})


def test_an_outage_is_known_until_it_ends_and_tried_after_growing_pauses(ledger: Database) -> None:
    connection, run = ledger.connection, ("dag", "run")
    assert outage(connection, "0041", 7) is None
    assert begin_outage(connection, "0041", 7, run, "bad_token", "No.", PATIENCE)
    assert not begin_outage(connection, "0041", 7, ("other", "run"), "bad_token", "No.", PATIENCE)
    known = outage(connection, "0041", 7)
    assert known is not None
    assert (known.reason, known.words, known.dag_id, known.over) == ("bad_token", "No.", "dag", False)
    pauses = []
    for _ in range(6):
        put_off_outage(connection, "0041", PATIENCE)
        pauses.append(ledger.value("SELECT round(extract(epoch FROM until - now())) FROM wolkvox.outage"))
    assert pauses == [120, 240, 480, 960, 960, 960]
    assert outage(connection, "0042", 7) is None
    assert outage(connection, "0041", 8) is None, "another token, or another address, is tried at once"
    assert begin_outage(connection, "0041", 8, run, "bad_token", "No.", PATIENCE)
    end_outage(connection, "0041")
    assert outage(connection, "0041", 8) is None
