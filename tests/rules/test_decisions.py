"""What follows from an answer: the state its record is put in, and what the worker does next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.decisions import Step, decide
from wolkvox.rules.faults import CERTAIN, HOST, REFUSALS
from wolkvox.rules.outcomes import Situation, outcome
from wolkvox.rules.records import Record
from wolkvox.rules.retry_policy import RetryPolicy

POLICY = RetryPolicy()
WELL = Situation(tries=1)
SUSPENDED = WELL._replace(suspended=True)
OUTAGE = WELL._replace(at_once=False, outage=True)
BOTH = OUTAGE._replace(suspended=True)
REFUSED = OUTAGE._replace(everything_refused=True)
RECORD = Record(7, "preview", "17", "1001", "5", None, None)

DOUBTFUL = (Kind.OVERLOADED, Kind.CONFLICT, Kind.MAINTENANCE, Kind.UNKNOWN)
TABLE = {
    # kinds of answers: the step where all is well, of a suspended campaign, in an outage, in both, in a refusal of all
    (Kind.CODED,): (Step.PROCEED, Step.RESUME, Step.CLEAR, Step.RESUME, Step.CLEAR),
    tuple(REFUSALS): (Step.COUNT, Step.CLEAR, Step.COUNT, Step.CLEAR, Step.KEEP_TRYING),
    DOUBTFUL: (Step.COMPARE, Step.COMPARE, Step.KEEP_TRYING, Step.KEEP_TRYING, Step.KEEP_TRYING),
    tuple(HOST): (Step.REPEAT, Step.REPEAT, Step.STOP_TRYING, Step.STOP_TRYING, Step.STOP_TRYING),
    tuple(CERTAIN): (Step.OPEN, Step.OPEN, Step.STOP_TRYING, Step.STOP_TRYING, Step.STOP_TRYING),
    (Kind.QUOTA,): (Step.END,) * 5,
}
CASES = [
    pytest.param(kind, situation, step, id=f"{kind.name}-{name}")
    for kinds, steps in TABLE.items()
    for kind in sorted(kinds, key=lambda kind: kind.name)  # the same in each process
    for name, situation, step in zip(
        ("well", "suspended", "outage", "both", "refused"), (WELL, SUSPENDED, OUTAGE, BOTH, REFUSED), steps, strict=True
    )
]


def answer(kind: Kind) -> Answer:
    return Answer(kind, kind.name.lower(), "999")


@pytest.mark.parametrize(("kind", "situation", "step"), CASES)
def test_the_next_step_follows_from_the_answer_and_what_is_wrong(kind: Kind, situation: Situation, step: Step) -> None:
    assert decide(RECORD, answer(kind), situation, POLICY).step is step


def test_the_table_has_every_kind_of_answer() -> None:
    assert {kind for kinds in TABLE for kind in kinds} == set(Kind)


def test_a_record_that_is_blocked_alone_counts_as_a_refusal() -> None:
    """A campaign of which all records are blocked is suspended in the end."""
    alone = WELL._replace(tries=POLICY.blocked, blocked_alone=True)
    settled, step = decide(RECORD, answer(Kind.MAINTENANCE), alone, POLICY)
    assert (settled.state, step) == ("rejected", Step.COUNT)


SITUATIONS = st.builds(
    Situation, st.integers(1, 9), st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans()
)


@given(st.sampled_from(Kind), SITUATIONS, st.integers(0, 9), st.booleans())
def test_only_a_record_that_stays_pending_is_sent_again_at_once(
    kind: Kind, situation: Situation, requests: int, deferred: bool
) -> None:
    record = RECORD._replace(requests=requests, deferred=deferred)
    settled, step = decide(record, answer(kind), situation, POLICY)
    assert settled == outcome(record, answer(kind), situation, POLICY)
    assert step is not Step.REPEAT or settled.is_tried_again
    assert (settled.state == "coded") == (
        step in (Step.PROCEED, Step.RESUME) or (step, kind) == (Step.CLEAR, Kind.CODED)
    )
