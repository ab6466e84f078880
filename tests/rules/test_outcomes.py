"""The state a record is put in by the answer to its request."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import REFUSALS, UNCOUNTED
from wolkvox.rules.outcomes import Situation, outcome
from wolkvox.rules.records import Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.states import State

POLICY = RetryPolicy()
FIRST = Situation(tries=1)


def by_name(kinds: Iterable[Kind]) -> list[Kind]:
    return sorted(kinds, key=lambda kind: kind.name)


def record(requests: int = 0, *, deferred: bool = False) -> Record:
    return Record(7, "preview", "17", "1001", "5", None, None, requests, deferred)


def answer(kind: Kind, retry_after: float | None = None) -> Answer:
    return Answer(kind, kind.name.lower(), "999", "as wolkvox said it", retry_after)


def became(
    kind: Kind, situation: Situation = FIRST, requests: int = 0, *, deferred: bool = False
) -> tuple[str, object]:
    """State and pause after an answer."""
    settled = outcome(record(requests, deferred=deferred), answer(kind), situation, POLICY)
    return settled.state, settled.delay


def test_a_coded_record_keeps_what_wolkvox_said() -> None:
    said = Answer(Kind.CODED, None, "202", "customer_id has been coded")
    assert outcome(record(), said, FIRST, POLICY) == Settled(
        7, State.CODED, None, "202", "customer_id has been coded", True, None
    )


@pytest.mark.parametrize("kind", by_name(REFUSALS))
def test_a_refusal_is_the_records_own_at_its_first_request(kind: Kind) -> None:
    assert became(kind) == ("rejected", None)


@pytest.mark.parametrize("kind", by_name(REFUSALS))
def test_while_its_campaign_or_everything_is_refused_a_record_is_rejected_at_its_last_refusal_only(kind: Kind) -> None:
    allowed = Situation(tries=1, suspended=True)
    assert [became(kind, allowed, requests) for requests in range(4)] == [
        ("pending", 0.0),
        ("pending", 0.0),
        ("rejected", None),
        ("rejected", None),
    ]


@pytest.mark.parametrize("kind", by_name(UNCOUNTED))
def test_what_no_record_is_to_blame_for_leaves_it_as_it_was(kind: Kind) -> None:
    settled = outcome(record(7, deferred=True), answer(kind), Situation(tries=0), POLICY)
    assert (settled.state, settled.delay, settled.counts) == ("pending", None, False)


@pytest.mark.parametrize("kind", [Kind.OVERLOADED, Kind.MAINTENANCE, Kind.CONFLICT])
def test_five_tries_in_the_first_run_then_it_is_the_next_runs(kind: Kind) -> None:
    assert [became(kind, Situation(tries=tries)) for tries in range(1, 6)] == [("pending", None)] * 4 + [
        ("pending", 0.0)
    ]


@pytest.mark.parametrize("kind", [Kind.OVERLOADED, Kind.MAINTENANCE, Kind.CONFLICT])
def test_a_record_that_was_put_off_has_one_try_in_each_run_and_is_failed_at_its_eighth(kind: Kind) -> None:
    assert [became(kind, FIRST, requests, deferred=True) for requests in range(5, 8)] == [
        ("pending", 900.0),
        ("pending", 1_800.0),
        ("failed", None),
    ]


def test_a_record_that_may_not_be_tried_again_in_this_run_is_the_next_runs() -> None:
    assert became(Kind.OVERLOADED, Situation(tries=1, at_once=False)) == ("pending", 0.0)


def test_an_answer_that_nobody_saw_is_never_followed_by_another_try_in_this_run() -> None:
    assert became(Kind.UNKNOWN) == ("pending", 0.0)
    assert became(Kind.UNKNOWN, FIRST, 1, deferred=True) == ("pending", 900.0)
    assert became(Kind.UNKNOWN, FIRST, 7, deferred=True) == ("failed", None)


def test_a_record_that_is_blocked_alone_is_set_aside_at_its_third_request() -> None:
    alone = Situation(tries=1, blocked_alone=True)
    assert [became(Kind.MAINTENANCE, alone, requests, deferred=requests > 0) for requests in range(3)] == [
        ("pending", None),
        ("pending", 900.0),
        ("rejected", None),
    ]
    settled = outcome(record(2), answer(Kind.MAINTENANCE), alone, POLICY)
    assert settled.reason == "refused_999"


def test_a_long_wait_that_one_record_is_asked_for_is_its_own_pause() -> None:
    """Nobody else waits for it: the record is the next run's, not before the time it was given."""
    settled = outcome(record(), answer(Kind.OVERLOADED, retry_after=120.0), FIRST, POLICY)
    assert (settled.state, settled.delay, settled.counts) == ("pending", 120.0, True)
    settled = outcome(record(), answer(Kind.CONFLICT, retry_after=9_000.0), FIRST, POLICY)
    assert settled.delay == POLICY.longest_retry_after
    settled = outcome(record(), answer(Kind.OVERLOADED, retry_after=5.0), FIRST, POLICY)
    assert settled.delay is None, "within the run"


@given(
    st.sampled_from(by_name(set(Kind) - {Kind.CODED})),
    st.integers(0, 7),
    st.booleans(),
    st.builds(Situation, *(st.integers(1, 5), *[st.booleans()] * 5)),
)
def test_a_record_ends_pending_rejected_or_failed_and_is_never_tried_beyond_its_life(
    kind: Kind, requests: int, deferred: bool, situation: Situation
) -> None:
    settled = outcome(record(requests, deferred=deferred), answer(kind), situation, POLICY)
    assert settled.state in {"pending", "rejected", "failed"}
    assert (settled.state == "pending") or not settled.is_deferred
    in_vain = situation.outage or (situation.everything_refused and kind in REFUSALS)
    if kind not in UNCOUNTED and requests + situation.tries >= POLICY.requests and not in_vain:
        assert settled.state != "pending"
    if settled.state == "rejected":
        assert kind in REFUSALS or (kind is Kind.MAINTENANCE and situation.blocked_alone)
    if situation.everything_refused and kind in REFUSALS:
        assert settled.is_deferred
