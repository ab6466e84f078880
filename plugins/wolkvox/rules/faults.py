"""Whose fault it is when records fail: their own, their campaign's, or everybody's. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from wolkvox.rules.answers import Answer, Kind, refusal
from wolkvox.rules.records import Campaign, Record
from wolkvox.rules.retry_policy import RetryPolicy

REFUSALS = frozenset({Kind.REJECTED, Kind.NOT_FOUND})  # wolkvox has read the record, and says no
HOST = frozenset({Kind.UNREACHABLE, Kind.BUSY})  # no record was read: one request stands for all
CERTAIN = frozenset({Kind.BAD_TOKEN, Kind.WRONG_ENDPOINT})  # in the API's own message: no request can succeed
AGAIN = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE, Kind.CONFLICT})  # deserve another try within the run
UNCOUNTED = HOST | CERTAIN | {Kind.QUOTA}  # no attempt of the record
REVERTED = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE})  # no attempt either, once it turns out to be an outage


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A record that failed. ``reason`` is a short code; ``message`` is the answer without personal data.

    ``explanation`` is for people, should the circuit breaker open. ``refused``: wolkvox said no. ``conflict``: the
    dialler holds the record, which may say something of its campaign, and says nothing of wolkvox. ``checks``: it was
    sent to see whether records of another campaign fail too.
    """

    record: int
    campaign: Campaign
    reason: str
    message: str
    explanation: str
    refused: bool
    conflict: bool = False
    checks: bool = False


def failure_of(record: Record, answer: Answer, *, checks: bool) -> Fault:
    """Return the fault of a record that failed, which may be its own, its campaign's or everybody's."""
    return _fault_of(record, answer, answer.reason or "failed", explain(answer), refused=False, checks=checks)


def refusal_of(record: Record, answer: Answer, reason: str, *, checks: bool) -> Fault:
    """Return likewise the fault of a record that was refused."""
    explanation = (
        f"Everything is refused, over several campaigns, lastly with {reason} (code {answer.code})."
        " Nobody was rejected for it; the records stay pending. Check what changed at wolkvox."
    )
    return _fault_of(record, answer, reason, explanation, refused=True, checks=checks)


def _fault_of(record: Record, answer: Answer, reason: str, explanation: str, *, refused: bool, checks: bool) -> Fault:
    return Fault(
        record.id,
        record.campaign,
        reason,
        refusal(answer, record.customer_id),
        explanation,
        refused=refused,
        conflict=answer.kind is Kind.CONFLICT,
        checks=checks,
    )


def is_settled(campaigns: int, fault: Fault, retry_policy: RetryPolicy, *, others_wait: bool) -> bool:
    """
    Whether the records that failed in a row are enough to open the circuit breaker.

    If not, a record of yet another campaign is sent: one at least, and none once many campaigns have failed.
    """
    return not others_wait or (fault.checks and campaigns >= retry_policy.outages)


def is_campaigns(failed: int, refused: int, retry_policy: RetryPolicy) -> bool:
    """Whether so many records of a campaign failed in a row that it is the campaign's fault."""
    return refused >= retry_policy.refusals or failed >= retry_policy.outages


def refuses_everything(retry_policy: RetryPolicy, campaigns: Iterable[Campaign]) -> bool:
    """
    Whether these refusals in a row, given as their campaigns, are those of a host that refuses everything.

    No campaign counts for more than two fifths, so one or two dead campaigns don't open the circuit breaker.
    """
    most = most_of_one(retry_policy)
    return sum(min(count, most) for count in Counter(campaigns).values()) >= retry_policy.refusals


def most_of_one(retry_policy: RetryPolicy) -> int:
    """Return how many refusals of one campaign count towards those of everything."""
    return retry_policy.refusals * 2 // 5


def explain(answer: Answer) -> str:
    """Return what was seen and what to do, for whoever reads the task's log."""
    if answer.kind is Kind.BAD_TOKEN:
        return (
            f"wolkvox refused the token (code {answer.code}): put a valid one into the password of the"
            " connection; the next run then sends. Nothing was rejected, the records stay pending."
        )
    if answer.kind is Kind.WRONG_ENDPOINT:
        return (
            f"The address of the connection isn't a wolkvox API (code {answer.code}): it should look like"
            " https://wv0041.wolkvox.com. Correct the host; the records stay pending."
        )
    return (
        f"Record after record fails, the last one {answer.reason} (code {answer.code}). Check whether wolkvox is"
        " up, whether this machine's IP is on the operation's list, and whether somebody else uses the token. The"
        " records stay pending; the next runs try with a few requests and go on when it is over."
    )
