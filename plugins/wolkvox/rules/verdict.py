"""A run's verdict: what is red, and when the backlog will be gone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

SENT_STATES = ("coded", "rejected", "failed")


def failed_ratio(states: Mapping[str, int]) -> float:
    """Share of the records answered for that were rejected or failed; 0 when none was answered for."""
    answered = sum(states.get(state, 0) for state in SENT_STATES)
    return (states.get("rejected", 0) + states.get("failed", 0)) / answered if answered else 0.0


def put_in_chunks(staged: Mapping[str, int]) -> int:
    """Records in all chunks of a run; an XCom of an older version may lack either count."""
    return staged.get("records", 0) + staged.get("earlier", 0)


def complaints(
    *,
    staged: Mapping[str, int] | None,
    states: Mapping[str, int],
    stopped: str | None,
    max_failed_ratio: float,
    tasks_failed: int,
) -> list[str]:
    """
    Why the run isn't green, in the words of somebody who has to act; empty when it is.

    :param staged: the counts that ``stage`` left, None when it did not finish
    :param states: the ledger's records of this run's chunks, by state
    :param stopped: "quota" when the day's calls ended first, which is no failure
    :param tasks_failed: codify tasks that returned no tally
    """
    if staged is None:
        return ["stage did not finish: see its log. What it had written is in the ledger, the next run takes it up."]
    found = []
    left = states.get("pending", 0) + states.get("sending", 0)
    if tasks_failed:
        found.append(f"{tasks_failed} codify task(s) did not finish: see their logs. The next run takes up their rest.")
    if left and stopped is None:
        found.append(f"{left} records of this run are still waiting although nothing was in their way.")
    missing = sum(states.values()) - put_in_chunks(staged)
    if missing > 0:
        found.append(f"the ledger holds {missing} records more than this run staged.")
    ratio = failed_ratio(states)
    if ratio > max_failed_ratio:
        found.append(
            f"{states.get('rejected', 0)} records were rejected and {states.get('failed', 0)} failed:"
            f" {ratio:.1%} of those answered for, more than the {max_failed_ratio:.1%} allowed. The ledger holds the"
            " vendor's words (columns reason, response_msg)."
        )
    return found


def backlog_gone_at(
    waiting: int, *, left_today: int | None, daily: int | None, now: datetime, resets_at: datetime
) -> datetime | None:
    """
    The day's reset by which the backlog is gone at this pace, ``now`` when today's calls do; None if never.

    ``left_today`` and ``daily`` are calls, None for no known limit.
    """
    if waiting == 0 or left_today is None or waiting <= left_today:
        return now
    if not daily:
        return None
    days = ceil((waiting - left_today) / daily)
    return resets_at + timedelta(days=days - 1)
