"""Whose fault it is when records fail: their own, their campaign's, or everybody's. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.records import Campaign
from wolkvox.rules.retry_policy import RetryPolicy

REFUSALS = frozenset({Kind.REJECTED, Kind.NOT_FOUND})  # wolkvox has read the record, and says no
HOST = frozenset({Kind.UNREACHABLE, Kind.BUSY})  # no record was read: each request tells of all of them
CERTAIN = frozenset({Kind.BAD_TOKEN, Kind.WRONG_ENDPOINT})  # in the API's own message: no request can succeed
DOUBTFUL = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE, Kind.UNKNOWN})  # of one record, or of all: others tell
AGAIN = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE, Kind.CONFLICT})  # impact another try within the run
UNCOUNTED = HOST | CERTAIN | {Kind.QUOTA}  # no attempt of the record
REVERTED = frozenset({Kind.OVERLOADED, Kind.MAINTENANCE})  # no attempt either, once it turns out to be an outage


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A record that failed: ``reason`` is short, ``message`` fit for the eyes of everybody.

    ``explanation`` is for people, should it be an outage. ``refused``: wolkvox said no. ``conflict``: the dialler holds
    the record, which may be a word on its campaign, and is none on wolkvox. ``checks``: it was sent to tell whether
    others fail too.
    """

    record: int
    campaign: Campaign
    reason: str
    message: str
    explanation: str
    refused: bool
    conflict: bool = False
    checks: bool = False


def is_settled(campaigns: int, fault: Fault, retry_policy: RetryPolicy, *, others_wait: bool) -> bool:
    """
    Whether records that failed in a row say enough of everybody, or a record of yet another campaign must tell.

    One such record at least; no more of them once there are many campaigns that fail.
    """
    return not others_wait or (fault.checks and campaigns >= retry_policy.outages)


def is_campaigns(failed: int, refused: int, retry_policy: RetryPolicy) -> bool:
    """Whether so many records of a campaign failed, none having succeeded, that it is the campaign's fault."""
    return refused >= retry_policy.refusals or failed >= retry_policy.outages


def refuses_everything(retry_policy: RetryPolicy, campaigns: Iterable[Campaign]) -> bool:
    """
    Whether refusals in a row, given by their campaigns, are those of a host that refuses everything.

    No campaign counts for more than two fifths: one that is dead, or two, are no outage.
    """
    most = most_of_one(retry_policy)
    return sum(min(count, most) for count in Counter(campaigns).values()) >= retry_policy.refusals


def most_of_one(retry_policy: RetryPolicy) -> int:
    """Refusals of one campaign that count towards those of everything."""
    return retry_policy.refusals * 2 // 5


def explain(answer: Answer) -> str:
    """What was seen and what to do, for the person who reads the task's log."""
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
