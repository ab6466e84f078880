"""A record on its way: what one request sends, and what becomes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Campaign = tuple[str, str]  # type_campaign, campaign_id
EVERYTHING_REFUSED = "everything_refused"  # the reason of an outage in which wolkvox answers, and refuses


class Record(NamedTuple):
    """
    What one request sends. ``id`` is the ledger's.

    ``requests``: how many were made for it in its life so far. ``deferred``: it went wrong in an earlier run.
    ``trial``: it tries whether its suspended campaign, or the whole operation, takes records again.
    """

    id: int
    type_campaign: str
    campaign_id: str
    customer_id: str
    cod_act: str
    cod_act_2: str | None
    comment: str | None
    requests: int = 0
    deferred: bool = False
    trial: bool = False

    @property
    def campaign(self) -> Campaign:
        """The campaign it belongs to."""
        return self.type_campaign, self.campaign_id


class Settled(NamedTuple):
    """
    The state a record is put in after a request.

    ``counts`` is False for a request that isn't an attempt of it. ``pause``: seconds before which it isn't offered
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
    What is known to be wrong with an operation: suspended campaigns, and why nothing can be sent at all.

    ``outage`` is the reason of the answers that opened the operation's circuit breaker, ``EVERYTHING_REFUSED``, or
    None. ``first`` tells whether it was opened by the question that is answered with this. ``in_doubt`` are campaigns
    that fail while nobody knows of another one whether it does.
    """

    suspended: frozenset[Campaign] = frozenset()
    outage: str | None = None
    first: bool = False
    in_doubt: frozenset[Campaign] = frozenset()
