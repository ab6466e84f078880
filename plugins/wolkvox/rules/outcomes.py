"""The state that an answer puts its record in. Pure."""

from __future__ import annotations

from typing import NamedTuple

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import AGAIN, REFUSALS, UNCOUNTED
from wolkvox.rules.records import Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy, deferred
from wolkvox.rules.states import State

LONG_RETRY_AFTER = 60.0  # seconds: whoever is asked to wait for longer is left to a later run


class Situation(NamedTuple):
    """
    What matters beside the answer. ``tries``: requests for the record in this run, this one among them.

    ``suspended``: its campaign is suspended, so that a refusal says little of the record. ``at_once``: it may be tried
    again in this run. ``blocked_alone``: other records pass where it is blocked. ``outage``: the operation's circuit
    breaker is open, so that a failure settles no record; ``everything_refused``: nor does a refusal.
    """

    tries: int
    suspended: bool = False
    at_once: bool = True
    blocked_alone: bool = False
    outage: bool = False
    everything_refused: bool = False


def outcome(record: Record, answer: Answer, situation: Situation, retry_policy: RetryPolicy) -> Settled:
    """
    Return the record's state after an answer.

    A pending record without a delay is tried again in this run; with one, by a later run. A trial of the operation's
    circuit breaker keeps a request for the time after the outage, and its delay is no longer than the breaker's.
    """
    requests = record.requests + situation.tries
    spared = situation.outage and requests >= retry_policy.requests
    state, delay = State.PENDING, None
    reason = answer.reason
    if answer.kind is Kind.CODED:
        state = State.CODED
    elif answer.kind in REFUSALS and _is_refused_with_others(situation, requests, retry_policy):
        delay = 0.0
    elif answer.kind in REFUSALS:
        state = State.REJECTED
    elif answer.kind is Kind.MAINTENANCE and situation.blocked_alone and requests >= retry_policy.blocked:
        state, reason = State.REJECTED, f"refused_{answer.code}"
    elif answer.kind not in UNCOUNTED and not _is_tried_again(record, answer, situation, requests, retry_policy):
        state = State.PENDING if spared or requests < retry_policy.requests else State.FAILED
        delay = _delay(record, answer, situation, requests, retry_policy) if state is State.PENDING else None
    counts = answer.kind not in UNCOUNTED and not (spared and state is State.PENDING)
    return Settled(record.id, state, reason, answer.code, answer.msg, counts, delay)


def _is_refused_with_others(situation: Situation, requests: int, retry_policy: RetryPolicy) -> bool:
    """Whether the refusal is everybody's, or one of the few of its suspended campaign that reject no record."""
    return situation.everything_refused or (situation.suspended and requests < retry_policy.refused_trials)


def _is_tried_again(
    record: Record, answer: Answer, situation: Situation, requests: int, retry_policy: RetryPolicy
) -> bool:
    """Whether this run sends the record again: one that was deferred before has one try in each run."""
    if answer.kind not in AGAIN or not situation.at_once or record.deferred:
        return False
    if answer.retry_after is not None and answer.retry_after >= LONG_RETRY_AFTER:
        return False
    return situation.tries < retry_policy.tries and requests < retry_policy.requests


def _delay(record: Record, answer: Answer, situation: Situation, requests: int, retry_policy: RetryPolicy) -> float:
    """Return the seconds until a later run may send the record."""
    at_once = retry_policy.tries if answer.kind in AGAIN else 1
    own = deferred(retry_policy, requests, before=record.deferred, at_once=at_once)
    delay = max(own, min(answer.retry_after or 0.0, retry_policy.longest_retry_after))
    return min(delay, retry_policy.longest_breaker_delay) if situation.outage else delay
