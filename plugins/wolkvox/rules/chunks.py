"""How a run's records are cut into chunks so that both slots finish together. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

SLOTS = 2  # simultaneous requests a token may have [vendor's page on the codify call]
MAX_CHUNK = 10_000  # records a consumption may upload [same page]

Campaign = tuple[str, str]  # type_campaign, campaign_id


@dataclass(frozen=True, slots=True)
class Cut:
    """Records ``first`` .. ``first + size - 1`` of a campaign, counted from 0, newest contact first."""

    type_campaign: str
    campaign_id: str
    first: int
    size: int


def balance(total: int, limit: int = MAX_CHUNK) -> list[int]:
    """Sizes of the fewest equal parts of at most ``limit`` records that make up ``total``."""
    if total <= 0:
        return []
    count = ceil(total / limit)
    small, larger = divmod(total, count)
    return [small + 1] * larger + [small] * (count - larger)


def plan(campaigns: Mapping[Campaign, int], limit: int = MAX_CHUNK, lanes: int = SLOTS) -> list[Cut]:
    """
    Cut campaigns of so many records each into chunks, in the order in which they are to start.

    All records are laid on one line, the largest campaign first, and the line is cut into ``lanes`` equal
    parts, a campaign that lies across a cut falling into two. A scheduler that gives the next chunk to the
    lane that is free first then follows the plan, because the chunks are in the order of their starts.
    """
    total = sum(campaigns.values())
    if total == 0:
        return []
    ends = [ceil(total * (lane + 1) / lanes) for lane in range(lanes)]
    starts: list[tuple[int, int, Cut]] = []  # records before it in its lane, lane, chunk
    lane, position, lane_start = 0, 0, 0
    for (type_campaign, campaign_id), count in sorted(campaigns.items(), key=lambda item: (-item[1], item[0])):
        taken = 0
        while taken < count:
            while position >= ends[lane]:
                lane, lane_start = lane + 1, ends[lane]
            piece = min(count - taken, ends[lane] - position)
            for size in balance(piece, limit):
                starts.append((position - lane_start, lane, Cut(type_campaign, campaign_id, taken, size)))
                taken += size
                position += size
    return [cut for _, _, cut in sorted(starts, key=lambda start: start[:2])]
