"""A run's verdict: why it is red, and when the backlog will be gone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

from wolkvox.rules.shares import FEWEST, Outcomes
from wolkvox.rules.states import ANSWERED, UNSETTLED, State

BY_ITSELF = 2.0  # times the share that is allowed: a single run of many records over it is red whatever the others did


class Account(Protocol):
    """Where the records of one chunk are by now."""

    @property
    def states(self) -> Mapping[str, int]:
        """Those still in the chunk, by state."""

    @property
    def deferred(self) -> int:
        """Pending ones that went wrong and are deferred."""

    @property
    def suspended(self) -> int:
        """Pending ones whose campaign is suspended."""

    @property
    def missing(self) -> int:
        """Those that are nowhere."""


def failed_ratio(states: Mapping[str, int]) -> float:
    """Return the share of the answered records that were rejected or failed; 0 when none was answered."""
    answered = sum(states.get(state, 0) for state in ANSWERED)
    return (states.get(State.REJECTED, 0) + states.get(State.FAILED, 0)) / answered if answered else 0.0


def complaints(
    *,
    staged: bool,
    states: Mapping[str, int],
    accounts: Mapping[str, Account],
    stopped: Mapping[str, str | None],
    max_failed_ratio: float,
    latest: Outcomes,
    outage: str | None = None,
    passed_over: int = 0,
) -> dict[str, str]:
    """
    Return why the run isn't green, a sentence for each name; empty when it is.

    :param staged: whether ``stage`` finished
    :param states: the records in this run's chunks, by state, without the rejected trials of suspended campaigns
    :param accounts: where the records of each chunk are
    :param stopped: of each chunk whose task finished, what ended it before its records did
    :param latest: the operation's latest records, by which a run of few is judged
    :param outage: what kept this run, as the first one, from sending
    :param passed_over: records that its workers could have taken and did not
    """
    sentences = {"outage": outage}
    if staged:
        sentences |= _incomplete(accounts, stopped, passed_over)
        sentences["refusals"] = _refused_too_many(states, latest, max_failed_ratio)
    else:
        sentences["stage"] = (
            "stage did not finish: see its log. What it had written is in the ledger, the next run takes it up."
        )
    return {name: sentence for name, sentence in sentences.items() if sentence}


def _incomplete(
    accounts: Mapping[str, Account], stopped: Mapping[str, str | None], passed_over: int
) -> dict[str, str | None]:
    """Return what is missing or left of the run's records, and the tasks that did not finish."""
    unfinished = sum(chunk not in stopped for chunk in accounts)
    left = sum(_left(account) for chunk, account in accounts.items() if not stopped.get(chunk)) + passed_over
    missing = sum(account.missing for account in accounts.values())
    sentences = {
        "tasks": f"{unfinished} codify task(s) did not finish: see their logs. The next run takes up their rest.",
        "waiting": f"{left} records are still waiting although nothing was in their way.",
        "missing": (
            f"{missing} records that this run took up are no longer in the ledger: somebody deleted them, or"
            " restored an older state."
        ),
    }
    counts = {"tasks": unfinished, "waiting": left, "missing": missing}
    return {name: sentence if counts[name] else None for name, sentence in sentences.items()}


def _left(account: Account) -> int:
    """Records still to be sent that are neither deferred nor of a suspended campaign."""
    unsent = sum(account.states.get(state, 0) for state in UNSETTLED)
    return unsent - account.deferred - account.suspended


def _refused_too_many(states: Mapping[str, int], latest: Outcomes, max_failed_ratio: float) -> str | None:
    """Judge a run by its operation's latest records, one with many by its own too, one without any not at all."""
    own = Outcomes(
        total=sum(states.get(state, 0) for state in ANSWERED),
        rejected=states.get(State.REJECTED, 0),
        failed=states.get(State.FAILED, 0),
    )
    alone = own.total >= FEWEST and own.share > BY_ITSELF * max_failed_ratio
    judged = own if alone or max_failed_ratio == 0 else latest
    if own.wrong <= 0 or judged.share <= max_failed_ratio:
        return None
    return (
        f"Of {judged.total} records {judged.rejected} were rejected and {judged.failed} failed, more than the"
        f" {max_failed_ratio:.1%} allowed. The ledger holds the vendor's answers (columns reason, response_msg)."
    )


def backlog_gone_at(
    waiting: int, *, left_today: int | None, daily: int | None, now: datetime, resets_at: datetime
) -> datetime | None:
    """
    Return the day's reset by which the backlog is gone at this pace, ``now`` if today's requests do; None if never.

    ``left_today`` and ``daily`` are requests, None for no known limit.
    """
    if waiting == 0 or left_today is None or waiting <= left_today:
        return now
    if not daily:
        return None
    days = ceil((waiting - left_today) / daily)
    return resets_at + timedelta(days=days - 1)


def left_at(
    opening: datetime,
    waiting: int,
    *,
    seconds_per_request: float,
    slots: int,
    left_today: int | None,
    daily: int | None,
    now: datetime,
    resets_at: datetime,
) -> int:
    """
    Return how many of the waiting records will be left when calling hours begin, at this pace.

    ``left_today`` and ``daily`` are requests, None for no known limit.
    """
    requests = int(slots * (opening - now).total_seconds() / seconds_per_request)
    if left_today is not None:
        days = ceil((opening - resets_at) / timedelta(days=1)) if opening > resets_at else 0
        requests = min(requests, left_today + days * (daily or 0))
    return max(0, waiting - requests)
