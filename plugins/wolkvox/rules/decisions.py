"""What follows from an answer: the state its record is put in, and what the worker does next. Pure."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import CERTAIN, HOST, REFUSALS
from wolkvox.rules.outcomes import Situation, outcome
from wolkvox.rules.records import Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.states import State


class Step(Enum):
    """What a worker does after an answer, once the record is settled. Each one but the first needs the ledger."""

    PROCEED = auto()  # the record is coded, and nothing was wrong
    CLEAR = auto()  # wolkvox reads records: close the circuit breaker, if it is open
    RESUME = auto()  # likewise, and resume the record's campaign
    COUNT = auto()  # likewise, and count the refusal: it may be its campaign's or everybody's
    KEEP_TRYING = auto()  # a trial of the breaker failed, and those of other campaigns may tell more
    STOP_TRYING = auto()  # a trial of the breaker failed, and all others would
    OPEN = auto()  # no request can succeed: open the breaker
    REPEAT = auto()  # the record was not read: send it again, after a wait
    COMPARE = auto()  # it may be the record's fault alone: others tell
    END = auto()  # no requests are left today


class Decision(NamedTuple):
    """The state of the record, and the worker's next step."""

    settled: Settled
    step: Step


def decide(record: Record, answer: Answer, situation: Situation, retry_policy: RetryPolicy) -> Decision:
    """Return what an answer to a record leads to."""
    settled = outcome(record, answer, situation, retry_policy)
    if answer.kind is Kind.CODED:
        return Decision(settled, _after_success(situation))
    if answer.kind is Kind.QUOTA:
        return Decision(settled, Step.END)
    if answer.kind in REFUSALS or settled.state is State.REJECTED:
        return Decision(settled, _after_refusal(situation))
    return Decision(settled, _after_failure(answer.kind, situation))


def _after_success(situation: Situation) -> Step:
    if situation.suspended:
        return Step.RESUME
    return Step.CLEAR if situation.outage else Step.PROCEED


def _after_refusal(situation: Situation) -> Step:
    if situation.everything_refused:
        return Step.KEEP_TRYING
    return Step.CLEAR if situation.suspended else Step.COUNT


def _after_failure(kind: Kind, situation: Situation) -> Step:
    if situation.outage:
        return Step.STOP_TRYING if kind in HOST | CERTAIN else Step.KEEP_TRYING
    if kind in CERTAIN:
        return Step.OPEN
    return Step.REPEAT if kind in HOST else Step.COMPARE
