"""How often, how long and how far apart requests are tried again. Pure: time and chance are passed in."""

from __future__ import annotations

from dataclasses import dataclass

TRIALS = 3  # records that try a suspended campaign, or, of different campaigns, the operation's circuit breaker


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """
    How often and how long to try again. Waits and delays are in seconds.

    ``tries``: requests for one record in one run. ``requests``: for one record in its life; then it is failed for good.
    ``outages``: different records in a row that may fail before their campaign is suspended, or the operation's circuit
    breaker opens; ``enough``: likewise before the breaker opens, when a run has no time or no record left. ``blocked``:
    requests after which a record that is blocked on its way, while others pass, is rejected. ``refusals``: different
    records in a row that may be refused before a campaign is suspended, or over several campaigns before the breaker
    opens. ``refused_trials``: requests after which a record of a suspended campaign is rejected. The ``first_`` and
    ``longest_`` delays bound one that doubles each time.
    """

    tries: int = 5
    requests: int = 8
    outages: int = 10
    enough: int = 3
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


def doubled(first: float, longest: float, times: int) -> float:
    """Return ``first``, doubled so many times, at most ``longest``."""
    return float(min(longest, first * 2.0 ** min(max(times, 0), 30)))


def backoff(first: float, longest: float, tries: int, chance: float) -> float:
    """
    Return a wait that doubles with each try, up to its cap; a random half of it is jitter.

    :param tries: so far; ``first`` is the wait after one
    :param chance: from 0 to 1
    """
    return doubled(first, longest, tries - 1) * (0.5 + chance / 2)


def deferred(retry_policy: RetryPolicy, requests: int, *, before: bool, at_once: int = 1) -> float:
    """
    Return the seconds until a record that failed is offered again.

    The first time the next run takes it; after that the delays grow with its requests.

    :param requests: that were made for it so far, this one among them
    :param before: whether it was deferred before
    :param at_once: how many requests a first run makes for it
    """
    return doubled(retry_policy.first_delay, retry_policy.longest_delay, requests - at_once - 1) if before else 0.0
