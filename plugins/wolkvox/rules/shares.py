"""How many of the latest records went wrong, over enough of them to mean something. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# The fewest records that a share is taken of. One of 50 is 2 %: over no default threshold, so one record alone is never
# an alert, and two of twenty make no run red.
FEWEST = 50
WINDOW = timedelta(hours=1)  # whose records are judged
LONGEST_WINDOW = timedelta(days=1)  # how far back they are looked for where an hour has fewer
LEAST_WRONG = 2  # records that went wrong with none that went well: red or an alert, however few there are


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The latest records that were answered for, how many of them were rejected and failed; ``since`` the oldest."""

    total: int = 0
    rejected: int = 0
    failed: int = 0
    since: datetime | None = None

    @property
    def wrong(self) -> int:
        """Records that were rejected or failed."""
        return self.rejected + self.failed

    @property
    def share(self) -> float:
        """Share that was rejected or failed, between 0 and 1."""
        return _share(self.wrong, self.total)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Records that came in lately, and how many became invalid meanwhile; ``since`` the window's start."""

    total: int = 0
    invalid: int = 0
    since: datetime | None = None

    @property
    def share(self) -> float:
        """Share that can't be sent, between 0 and 1."""
        return _share(self.invalid, self.total)


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest records and arrivals, by which shares are judged."""

    outcomes: Outcomes = Outcomes()
    arrivals: Arrivals = Arrivals()


def _share(wrong: int, total: int) -> float:
    """Return the share that went wrong; fewer than ``FEWEST`` are filled up with good ones, unless all went wrong."""
    if wrong >= max(total, LEAST_WRONG):
        return 1.0
    return wrong / max(total, FEWEST)
