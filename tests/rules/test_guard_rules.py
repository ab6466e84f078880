"""What a run brings is judged by what is usual: a table of intakes, and what holds for every one of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.guard import (
    Campaign,
    CampaignIntake,
    Details,
    Expectation,
    Guard,
    History,
    Intake,
    judge,
    sentence,
    usual,
)

NOW = datetime(2026, 3, 30, 15, 20, tzinfo=timezone.utc)  # a Monday
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
A, B, NEW = ("preview", "17"), ("preview", "18"), ("predictive", "99")
KNOWN = Details(peaks={A: 300, B: 200}, lately={}, invalid=0.02)
USUAL = Expectation(hour=500, any_hour=600)


def brings(*campaigns: CampaignIntake, lately: int = 0) -> Intake:
    return Intake(campaigns, lately)


def held(
    intake: Intake, expectation: Expectation | None = USUAL, details: Details = KNOWN, guard: Guard | None = None
) -> dict[str, tuple[Campaign, ...]]:
    """The campaigns that each reason holds."""
    return {one.name: one.campaigns for one in judge(intake, expectation, guard or Guard(), details)}


INTAKES: dict[str, tuple[Intake, dict[str, tuple[Campaign, ...]]]] = {
    "nothing": (brings(), {}),
    "a usual hour": (brings(CampaignIntake(A, 300), CampaignIntake(B, 200)), {}),
    "three usual hours at once": (brings(CampaignIntake(A, 900), CampaignIntake(B, 600)), {}),
    "everybody": (brings(CampaignIntake(A, 9_000), CampaignIntake(B, 7_000)), {"volume": (B, A)}),
    "everybody of one campaign": (brings(CampaignIntake(A, 9_000), CampaignIntake(B, 20)), {"volume": (A,)}),
    "a little of everything, too often": (
        brings(CampaignIntake(A, 20), CampaignIntake(B, 20), lately=2_000),
        {"volume": (B, A)},
    ),
    "a new campaign's first contacts": (brings(CampaignIntake(NEW, 300), CampaignIntake(A, 50)), {}),
    "a new campaign with too many": (
        brings(CampaignIntake(NEW, 5_000), CampaignIntake(A, 50)),
        {"volume": (NEW,), "new_campaigns": (NEW,)},
    ),
    "a new campaign with more than half an hour's": (
        brings(CampaignIntake(NEW, 301), CampaignIntake(A, 50)),
        {"new_campaigns": (NEW,)},
    ),
    "some codes changed": (brings(CampaignIntake(A, 200, changed=120)), {}),
    "all codes of one campaign changed": (
        brings(CampaignIntake(A, 600, changed=600), CampaignIntake(B, 20)),
        {"changed": (A,)},
    ),
    "half of few rows can't be sent": (brings(CampaignIntake(A, 30, invalid=30)), {}),
    "two fifths can't be sent": (
        brings(CampaignIntake(A, 60, invalid=40), CampaignIntake(B, 20)),
        {"invalid": (A,)},
    ),
    "two fifths can't be sent, of no campaign": (
        brings(CampaignIntake((None, None), 0, invalid=80), CampaignIntake(A, 60), CampaignIntake(B, 60)),
        {"invalid": (A, B)},
    ),
    "nothing can be sent": (brings(CampaignIntake((None, None), 0, invalid=9_000)), {}),
    "a clock a day ahead": (
        brings(CampaignIntake(A, 150, ahead=150), CampaignIntake(B, 150, ahead=1)),
        {"ahead": (A,)},
    ),
}


@pytest.mark.parametrize("name", INTAKES)
def test_an_intake_is_held_for_these_reasons(name: str) -> None:
    intake, wanted = INTAKES[name]
    assert held(intake) == wanted


def test_in_a_young_ledger_nothing_but_a_ceiling_that_is_set_is_judged() -> None:
    everything_wrong = brings(CampaignIntake(NEW, 10**6, invalid=10**6, changed=10**6, ahead=10**6))
    assert held(everything_wrong, None) == {}
    assert held(everything_wrong, None, guard=Guard(ceiling=10**6 - 1)) == {"ceiling": (NEW,)}


def test_above_the_ceiling_campaigns_that_bring_what_they_always_do_go_on() -> None:
    intake = brings(CampaignIntake(A, 20_000), CampaignIntake(B, 30))
    assert held(intake, None, guard=Guard(ceiling=5_000)) == {"ceiling": (A,)}


def test_where_no_campaign_is_unusual_alone_the_largest_excess_is_held_first() -> None:
    details = Details(peaks={A: 300, B: 200}, lately={})
    intake = brings(CampaignIntake(A, 1_100), CampaignIntake(B, 500), lately=900)
    assert held(intake, details=details) == {"volume": (A,)}


def test_an_operation_that_always_has_many_such_rows_is_not_held_for_them() -> None:
    rows = brings(CampaignIntake(A, 60, invalid=40))
    assert held(rows, details=Details(peaks={A: 300}, invalid=0.3)) == {}


def history(*hours: tuple[timedelta, int], since: timedelta = 60 * DAY, staged: timedelta = HOUR / 6) -> History:
    this = NOW.replace(minute=0)
    return History({this - ago: records for ago, records in hours}, NOW - since, NOW - staged)


def test_the_same_hour_of_earlier_weeks_says_what_is_usual() -> None:
    known = history((WEEK, 100), (2 * WEEK + HOUR, 150), (3 * WEEK - HOUR, 120), (3 * HOUR, 90), (2 * DAY, 80))
    assert usual(known, NOW) == Expectation(hour=150, any_hour=120)


def test_one_exceptional_day_does_not_make_its_like_usual() -> None:
    assert usual(history((3 * HOUR, 20_000), (2 * DAY, 80)), NOW) == Expectation(hour=0, any_hour=80)


@pytest.mark.parametrize(("since", "known"), [(timedelta(days=6), False), (timedelta(days=8), True)])
def test_a_ledger_of_less_than_a_week_says_nothing(since: timedelta, known: bool) -> None:
    assert (usual(history((HOUR, 10), since=since), NOW) is not None) == known
    assert usual(History({}, None), NOW) is None


def test_a_run_after_hours_without_one_may_bring_what_they_missed() -> None:
    found = usual(history((WEEK, 100), staged=5 * HOUR + HOUR / 2), NOW)
    assert found == Expectation(hour=100, any_hour=0, missed=400)
    assert found.most(4.0) == 800


def test_a_person_who_asks_for_three_days_gets_three_days() -> None:
    found = usual(history((WEEK, 100)), NOW, window=3 * DAY)
    assert found is not None
    assert found.missed == 71 * 100


def test_a_clock_that_was_ahead_once_takes_nothing_away() -> None:
    assert usual(history((WEEK, 100), staged=-DAY), NOW) == Expectation(hour=100, any_hour=0)


def test_a_reason_is_said_in_one_sentence_that_names_the_first_campaigns() -> None:
    many = [CampaignIntake(("preview", str(n)), 400) for n in range(100, 110)]
    (reason,) = judge(brings(*many), USUAL, Guard(), Details(peaks={one.campaign: 50 for one in many}))
    assert sentence(reason.as_dict()) == (
        "4,000 records came in within an hour, where 600 are usual (held: campaign preview 100, preview 101, preview"
        " 102 and 7 more)"
    )


def test_an_id_that_may_be_a_customers_names_no_campaign() -> None:
    """A query that mixes its columns up gives documents as campaigns."""
    swapped = [CampaignIntake(("preview", f"10203040{n}"), 400) for n in range(10, 13)]
    (reason,) = judge(brings(*swapped, CampaignIntake(A, 900)), None, Guard(ceiling=5), Details(lately={}))
    kept = reason.as_dict()
    assert (kept["campaigns"], kept["others"]) == ([A], 3)
    assert sentence(kept).endswith("(held: campaign preview 17 and 3 more)")
    (reason,) = judge(brings(*swapped), None, Guard(ceiling=5), Details(lately={}))
    assert sentence(reason.as_dict()).endswith("(held: 3 campaigns whose ids have more than 6 characters)")


def test_a_new_campaign_that_comes_in_two_halves_of_an_hour_is_looked_at() -> None:
    half = brings(CampaignIntake(NEW, 300), lately=300)
    assert judge(half, USUAL, Guard(), Details())
    assert held(half, details=Details(peaks={A: 1}, lately={NEW: 300})) == {"new_campaigns": (NEW,)}


def test_every_reason_has_its_sentence() -> None:
    wrong = brings(CampaignIntake(NEW, 10_000, invalid=9_000, changed=10_000, ahead=10_000))
    found = judge(wrong, USUAL, Guard(ceiling=1), KNOWN)
    assert [one.name for one in found] == ["ceiling", "volume", "new_campaigns", "changed", "invalid", "ahead"]
    assert all("held: campaign predictive 99" in sentence(one.as_dict()) for one in found)


CAMPAIGNS = st.builds(
    Intake,
    st.lists(
        st.builds(
            lambda number, records, invalid, changed, ahead: CampaignIntake(
                ("preview", str(number)), records, invalid, min(changed, records), min(ahead, records)
            ),
            st.integers(1, 30),
            st.integers(0, 5_000),
            st.integers(0, 2_000),
            st.integers(0, 5_000),
            st.integers(0, 5_000),
        ),
        max_size=12,
        unique_by=lambda one: one.campaign,
    ),
    st.integers(0, 5_000),
)
EXPECTATIONS = st.builds(Expectation, st.integers(0, 3_000), st.integers(0, 3_000), st.integers(0, 3_000))
DETAILS = st.builds(
    Details,
    st.dictionaries(st.integers(1, 30).map(lambda number: ("preview", str(number))), st.integers(1, 2_000)),
    st.dictionaries(st.integers(1, 30).map(lambda number: ("preview", str(number))), st.integers(0, 300)),
    st.floats(0, 1),
)


@given(CAMPAIGNS, EXPECTATIONS, DETAILS)
def test_only_campaigns_of_the_run_that_bring_records_are_held(
    intake: Intake, expectation: Expectation, details: Details
) -> None:
    bring = {one.campaign for one in intake.campaigns if one.records}
    for reason in judge(intake, expectation, Guard(), details):
        assert reason.campaigns
        assert set(reason.campaigns) <= bring


@given(CAMPAIGNS, EXPECTATIONS, DETAILS)
def test_what_goes_on_is_no_more_than_usual(intake: Intake, expectation: Expectation, details: Details) -> None:
    stopped = {campaign for reason in judge(intake, expectation, Guard(), details) for campaign in reason.campaigns}
    goes_on = sum(one.records for one in intake.campaigns if one.campaign not in stopped)
    most = max(Guard().least, expectation.most(Guard().times))
    assert goes_on == 0 or intake.lately + goes_on <= most


@given(CAMPAIGNS, EXPECTATIONS, DETAILS)
def test_what_looks_usual_without_details_is_usual_with_them(
    intake: Intake, expectation: Expectation, details: Details
) -> None:
    intake = replace(intake, lately=sum((details.lately or {}).values()))
    if not judge(intake, expectation, Guard(), Details()):
        assert judge(intake, expectation, Guard(), details) == []
