"""Which alerts have their cause now, and in which words."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from wolkvox.rules.alerts import Thresholds, alerts, silence
from wolkvox.rules.shares import Arrivals, Latest, Outcomes

NOW = datetime(2026, 3, 2, 15, tzinfo=timezone.utc)
GOOD: dict[str, Any] = {
    "complaints": {},
    "outage": None,
    "suspended": [],
    "waiting": 5,
    "oldest_waiting": "2026-03-02T10:00:00+00:00",
    "quota_limit": 1_000,
    "quota_requests": 899,
    "quota_resets_at": "2026-03-03T05:00:00+00:00",
    "silence": None,
    "stopped": None,
}
OUTAGE = {
    "reason": "overloaded_503",
    "message": "10 requests in a row met an outage.",
    "since": "2026-03-02T14:00:00+00:00",
}
PARKED = {"campaign": "preview 17", "reason": "not_found", "message": "404 NO", "since": "2026-03-02T14:30:00+00:00"}


NOTHING_WRONG = Latest()
AN_HOUR_AGO = NOW - timedelta(hours=1)


def found(*, firing: Collection[str] = (), latest: Latest = NOTHING_WRONG, **changes: Any) -> dict[str, str]:
    return alerts({**GOOD, **changes}, latest, Thresholds(), firing, NOW, "America/Bogota")


def rejected(wrong: int, total: int) -> Latest:
    """The last hour's records, so many of which were rejected."""
    return Latest(Outcomes(total=total, rejected=wrong, since=AN_HOUR_AGO))


def invalid(wrong: int, total: int) -> Latest:
    """The rows that came in since an hour ago, so many of which can't be sent."""
    return Latest(arrivals=Arrivals(total=total, invalid=wrong, since=AN_HOUR_AGO))


def test_of_a_good_run_nobody_is_told() -> None:
    assert found() == {}
    assert found(oldest_waiting=None, waiting=0, quota_limit=None) == {}
    assert found(opening="2026-03-03T12:00:00+00:00", opened=False, left_at_opening=0) == {}


def test_exports_that_tell_nothing_are_one_alert_that_names_the_first() -> None:
    aside = [{"campaign_id": str(n), "why": "it has no records"} for n in range(17, 22)]
    assert found(exports_left_aside=[]) == {}
    assert found(exports_left_aside=aside[:1])["exports"] == (
        "The exports of 1 campaign(s) tell nothing, so that all their contacts are sent: campaign 17 (it has no"
        " records)."
    )
    assert found(exports_left_aside=aside)["exports"].endswith(
        "17 (it has no records); 18 (it has no records); 19 (it has no records); and 2 more."
    )


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        (
            {"latest": Latest(Outcomes(1_000, 20, 1, AN_HOUR_AGO))},
            "refusals",
            "Of 1000 records since 2026-03-02 09:00 America/Bogota, 20 were rejected and 1 failed; 2.0% is the"
            " threshold.",
        ),
        (
            {"oldest_waiting": "2026-03-01T14:00:00+00:00"},
            "backlog_age",
            "The oldest of 5 waiting contacts is of 2026-03-01 09:00 America/Bogota: more than 24 hours ago.",
        ),
        (
            {"opening": "2026-03-03T12:00:00+00:00", "opened": False, "left_at_opening": 3},
            "opening",
            "Calling hours begin at 2026-03-03 07:00 America/Bogota, and 3 of 5 waiting contacts won't be codified by"
            " then, at this pace and with the requests that are left: they may be dialled.",
        ),
        (
            {"opening": "2026-03-02T12:00:00+00:00", "opened": True, "left_at_opening": 2},
            "opening",
            "Calling hours began at 2026-03-02 07:00 America/Bogota, and 2 contacts from before still wait: they may be"
            " dialled.",
        ),
        (
            {"latest": invalid(40, 40)},
            "invalid",
            "40 rows can't be sent, where 40 came in since 2026-03-02 09:00 America/Bogota; 2.0% is the threshold. The"
            " ledger says why (state invalid, column reason).",
        ),
        (
            {"quota_requests": 900},
            "quota",
            "900 of today's 1000 requests are used; a new day begins at 2026-03-03 00:00 America/Bogota.",
        ),
        (
            {"outage": OUTAGE},
            "outage",
            "Nothing can be sent since 2026-03-02 09:00 America/Bogota: 10 requests in a row met an outage.",
        ),
        (
            {"suspended": [PARKED]},
            "suspended:preview 17",
            "Campaign preview 17 refuses everything since 2026-03-02 09:30 America/Bogota (404 NO): it is suspended and"
            " tried now and then, its records wait. Check its id and type in wolkvox Manager.",
        ),
        ({"silence": "Nothing came in."}, "silence", "Nothing came in."),
        ({"complaints": {"missing": "7 are missing."}}, "red:missing", "7 are missing."),
    ],
)
def test_each_alert_has_a_name_and_a_sentence(changes: dict[str, Any], name: str, said: str) -> None:
    assert found(**changes) == {name: said}


@pytest.mark.parametrize("wrong", [rejected(1, 1), rejected(1, 20), rejected(20, 1_000), invalid(1, 1), invalid(1, 50)])
def test_one_record_alone_is_no_alert_and_neither_is_a_share_at_the_threshold(wrong: Latest) -> None:
    assert found(latest=wrong) == {}


@pytest.mark.parametrize("count", [2, 5, 49])
def test_where_nothing_goes_well_few_records_are_enough(count: int) -> None:
    assert found(latest=rejected(count, count)).keys() == {"refusals"}
    assert found(latest=invalid(count, count)).keys() == {"invalid"}


def test_a_share_that_fires_goes_on_down_to_half_of_the_threshold() -> None:
    for name, wrong in (("refusals", rejected), ("invalid", invalid)):
        assert found(latest=wrong(15, 1_000)) == {}
        assert found(latest=wrong(15, 1_000), firing=[name]).keys() == {name}
        assert found(latest=wrong(10, 1_000), firing=[name]) == {}


def test_an_outage_explains_the_tasks_that_it_ended() -> None:
    red = {"outage": "x", "stage": "x", "tasks": "x", "waiting": "x", "missing": "1 is missing."}
    assert found(outage=OUTAGE, complaints=red).keys() == {"red:missing", "outage"}
    assert found(outage=None, complaints={"tasks": "One did not finish."}) == {"red:tasks": "One did not finish."}


def test_what_waits_for_the_end_of_an_outage_is_no_news() -> None:
    assert found(oldest_waiting="2026-02-01T14:00:00+00:00", stopped="outage") == {}
    assert found(oldest_waiting="2026-02-01T14:00:00+00:00", stopped="time").keys() == {"backlog_age"}


def test_too_many_refusals_are_one_alert() -> None:
    many = rejected(10, 20)
    assert found(latest=many, complaints={"refusals": "10 refused."}) == {"red:refusals": "10 refused."}
    assert found(latest=many, firing=["red:refusals"]) == {}, "a run without records is green, the alert still fires"
    assert found(latest=many, firing=["red:refusals", "refusals"]).keys() == {"refusals"}, "it doesn't resolve for that"


HOURS = timedelta(hours=1)


def test_a_source_that_says_nothing_for_longer_than_is_usual_has_fallen_silent() -> None:
    assert silence(NOW - 3.1 * HOURS, [0.5 * HOURS, HOURS], NOW) == (
        "No new contact came in for 3 hours, where 60 minutes is the longest gap that was seen at this hour and"
        " weekday: check what fills contacted_customers."
    )


@pytest.mark.parametrize(
    ("newest", "usual"),
    [
        (NOW - 2.9 * HOURS, [0.5 * HOURS, HOURS]),
        (NOW - 9 * HOURS, [10 * HOURS, 8 * HOURS]),  # a Monday morning
        (NOW - 9 * HOURS, [HOURS]),  # one week is no habit
        (None, []),
    ],
)
def test_an_hour_that_is_usually_quiet_is_no_silence(newest: datetime | None, usual: list[timedelta]) -> None:
    assert silence(newest, usual, NOW) is None
