"""How often, how long and how far apart a fault is chased. Pure: time and chance are passed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """
    How often and how long to try again. Waits and pauses are in seconds.

    ``tries``: requests for one record in one run. ``requests``: for one record in its life; then it is failed for good.
    ``outages``: different records in a row that may fail before their campaign is suspended, or the operation counts
    as away; ``sure``: likewise of the operation, when a run has no time or no record left. ``blocked``: requests after
    which a record that is blocked on its way, while others pass, is set aside. ``refusals``: different records in a
    row that may be refused before a campaign is suspended, or over several campaigns before that counts as an outage.
    ``refused_trials``: requests after which a record of a suspended campaign is rejected. The ``first_`` and
    ``longest_`` pauses bound one that doubles each time.
    """

    tries: int = 5
    requests: int = 8
    outages: int = 10
    sure: int = 3
    blocked: int = 3
    refusals: int = 50
    refused_trials: int = 3
    first_wait: float = 1.0
    longest_wait: float = 60.0
    maintenance_wait: float = 15.0
    longest_retry_after: float = 300.0
    first_delay: float = 900.0
    longest_delay: float = 43_200.0
    first_suspension: float = 900.0
    longest_suspension: float = 28_800.0
    first_breaker_delay: float = 60.0
    longest_breaker_delay: float = 960.0


TRIALS = 3  # records that try a suspended campaign, or, of different campaigns, an outage


def doubled(first: float, longest: float, times: int) -> float:
    """A pause that doubles with each time, the first one being 0, up to its cap."""
    return float(min(longest, first * 2.0 ** min(max(times, 0), 30)))


def deferred(retry_policy: RetryPolicy, requests: int, *, before: bool, at_once: int = 1) -> float:
    """
    Seconds until a record that went wrong is offered again.

    The first time it is the next run's; after that the pauses grow with its requests.

    :param calls: that were made for it so far, this one among them
    :param before: whether it was put off before
    :param at_once: how many of them a first run makes
    """
    return doubled(retry_policy.first_delay, retry_policy.longest_delay, requests - at_once - 1) if before else 0.0
