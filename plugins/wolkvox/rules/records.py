"""A record on its way: what one call sends, and what becomes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Campaign = tuple[str, str]  # type_campaign, campaign_id
EVERYTHING_REFUSED = "everything_refused"  # the reason of an outage in which wolkvox answers, and refuses


class Record(NamedTuple):
    """
    What one call sends. ``id`` is the ledger's.

    ``calls`` were made for it in its life so far; ``put_off`` tells whether it went wrong in an earlier run.
    """

    id: int
    type_campaign: str
    campaign_id: str
    customer_id: str
    cod_act: str
    cod_act_2: str | None
    comment: str | None
    calls: int = 0
    put_off: bool = False

    @property
    def campaign(self) -> Campaign:
        """The campaign it belongs to."""
        return self.type_campaign, self.campaign_id


class Settled(NamedTuple):
    """
    The state a record is put in after a call.

    ``counts`` is False for a call that isn't an attempt of it. ``pause``: seconds before which it isn't offered
    again, None where that is no question.
    """

    id: int
    state: str
    reason: str | None
    code: str | None
    msg: str | None
    counts: bool = True
    pause: float | None = None


@dataclass(frozen=True, slots=True)
class Faults:
    """
    What is known to be wrong with an operation: campaigns that are parked, and why nothing can be sent at all.

    ``parked`` maps such a campaign to True when the chunk's records of it are meant to probe it. ``outage`` is the
    reason of the answers that began it, ``EVERYTHING_REFUSED``, or None.
    """

    parked: Mapping[Campaign, bool] = field(default_factory=dict)
    outage: str | None = None
