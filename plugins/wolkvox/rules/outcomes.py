"""The state a record is put in by the answer to its request. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import AGAIN, REFUSALS, UNCOUNTED
from wolkvox.rules.records import Record, Settled
from wolkvox.rules.retry_policy import RetryPolicy, deferred

LONG_RETRY_AFTER = 60.0  # seconds: who is asked to wait for longer is left to a later run


@dataclass(frozen=True, slots=True)
class Situation:
    """
    What matters beside the answer: ``tries`` of the record in this run, this one among them.

    ``refusals``: how many requests it may have in its life that are refused and say nothing of it, because its campaign
    is suspended. ``at_once``: whether it may be tried again in this run. ``blocked_alone``: others pass where it is
    blocked. ``outage``: nobody's requests succeed, so that a failure settles no record, nor, where everything is
    ``refused``, a refusal.
    """

    tries: int
    refusals: int = 0
    at_once: bool = True
    blocked_alone: bool = False
    outage: bool = False
    refused: bool = False


def outcome(record: Record, answer: Answer, situation: Situation, retry_policy: RetryPolicy) -> Settled:
    """
    The record's state after an answer.

    A pending one without a pause is tried again in this run; with one it is put off to a later run. What tries whether
    an outage is over isn't settled by it, keeps a request for the time after it, and doesn't wait for longer than it.
    """
    requests = record.requests + situation.tries
    spared = situation.outage and requests >= retry_policy.requests
    state, pause = "pending", None
    reason = answer.reason
    if answer.kind is Kind.CODED:
        state = "coded"
    elif answer.kind in REFUSALS and (situation.refused or requests < situation.refusals):
        pause = 0.0
    elif answer.kind in REFUSALS:
        state = "rejected"
    elif situation.blocked_alone and requests >= retry_policy.blocked:
        state, reason = "rejected", f"refused_{answer.code}"
    elif answer.kind not in UNCOUNTED and not _again(record, answer, situation, requests, retry_policy):
        state = "pending" if spared or requests < retry_policy.requests else "failed"
        pause = _pause(record, answer, requests, retry_policy) if state == "pending" else None
        if pause is not None and situation.outage:
            pause = min(pause, retry_policy.longest_breaker_delay)
    counts = answer.kind not in UNCOUNTED and not (spared and state == "pending")
    return Settled(record.id, state, reason, answer.code, answer.msg, counts, pause)


def _again(record: Record, answer: Answer, situation: Situation, requests: int, retry_policy: RetryPolicy) -> bool:
    """Whether it is tried again in this run: a record that was put off before has one try in each."""
    if answer.kind not in AGAIN or not situation.at_once or record.deferred:
        return False
    if answer.retry_after is not None and answer.retry_after >= LONG_RETRY_AFTER:
        return False
    return situation.tries < retry_policy.tries and requests < retry_policy.requests


def _pause(record: Record, answer: Answer, requests: int, retry_policy: RetryPolicy) -> float:
    at_once = retry_policy.tries if answer.kind in AGAIN else 1
    own = deferred(retry_policy, requests, before=record.deferred, at_once=at_once)
    return max(own, min(answer.retry_after or 0.0, retry_policy.longest_retry_after))
