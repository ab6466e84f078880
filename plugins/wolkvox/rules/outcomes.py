"""The state a record is put in by the answer to its request. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.faults import AGAIN, REFUSALS, UNCOUNTED
from wolkvox.rules.patience import Patience, put_off
from wolkvox.rules.records import Record, Settled

LONG_RETRY_AFTER = 60.0  # seconds: who is asked to wait for longer is left to a later run


@dataclass(frozen=True, slots=True)
class Situation:
    """
    What matters beside the answer: ``tries`` of the record in this run, this one among them.

    ``refusals``: how many requests it may have in its life that are refused and say nothing of it, because its campaign
    is suspended or everything is refused. ``at_once``: whether it may be tried again in this run. ``blocked_alone``:
    others pass where it is blocked.
    """

    tries: int
    refusals: int = 0
    at_once: bool = True
    blocked_alone: bool = False


def outcome(record: Record, answer: Answer, situation: Situation, patience: Patience) -> Settled:
    """
    The record's state after an answer.

    A pending one without a pause is tried again in this run; with one it is put off to a later run.
    """
    calls = record.calls + situation.tries
    state, pause = "pending", None
    reason = answer.reason
    if answer.kind is Kind.CODED:
        state = "coded"
    elif answer.kind in REFUSALS and calls < situation.refusals:
        pause = 0.0
    elif answer.kind in REFUSALS:
        state = "rejected"
    elif situation.blocked_alone and calls >= patience.blocked:
        state, reason = "rejected", f"refused_{answer.code}"
    elif answer.kind not in UNCOUNTED and not _again(record, answer, situation, calls, patience):
        state = "pending" if calls < patience.calls else "failed"
        pause = _pause(record, answer, calls, patience) if state == "pending" else None
    return Settled(record.id, state, reason, answer.code, answer.msg, answer.kind not in UNCOUNTED, pause)


def _again(record: Record, answer: Answer, situation: Situation, calls: int, patience: Patience) -> bool:
    """Whether it is tried again in this run: a record that was put off before has one try in each."""
    if answer.kind not in AGAIN or not situation.at_once or record.put_off:
        return False
    if answer.retry_after is not None and answer.retry_after >= LONG_RETRY_AFTER:
        return False
    return situation.tries < patience.tries and calls < patience.calls


def _pause(record: Record, answer: Answer, calls: int, patience: Patience) -> float:
    at_once = patience.tries if answer.kind in AGAIN else 1
    own = put_off(patience, calls, before=record.put_off, at_once=at_once)
    return max(own, min(answer.retry_after or 0.0, patience.longest_retry_after))
