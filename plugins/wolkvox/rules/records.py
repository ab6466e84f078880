"""A record of the ledger's queue: what one request sends, and the state it is put in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from wolkvox.rules.states import State

Campaign = tuple[str, str]  # type_campaign, campaign_id
EVERYTHING_REFUSED = "everything_refused"  # the reason of a breaker that is open because wolkvox refuses all records


class Record(NamedTuple):
    """
    What one request sends. ``id`` is the ledger's.

    ``requests``: how many were made for it in its life so far. ``deferred``: it failed in an earlier run. ``trial``: it
    tries whether its suspended campaign, or the whole operation, takes records again.
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
    The state that a record is put in after a request.

    ``counts`` is False for a request that is no attempt of it. ``delay``: seconds until a later run may take a pending
    record; None: this run tries it again.
    """

    id: int
    state: State
    reason: str | None
    code: str | None
    msg: str | None
    counts: bool = True
    delay: float | None = None

    @property
    def is_deferred(self) -> bool:
        """Whether the record is left to a later run."""
        return self.delay is not None

    @property
    def is_tried_again(self) -> bool:
        """Whether this run sends the record again."""
        return self.state is State.PENDING and self.delay is None


@dataclass(frozen=True, slots=True)
class Faults:
    """
    What is wrong with an operation: its suspended campaigns, and why nothing can be sent at all.

    ``outage``: why the operation's circuit breaker is open, as the reason of an answer or ``EVERYTHING_REFUSED``; None:
    it is closed. ``first``: the fault that was just counted opened it. ``in_doubt``: campaigns that fail while no
    record of another one was sent yet.
    """

    suspended: frozenset[Campaign] = frozenset()
    outage: str | None = None
    first: bool = False
    in_doubt: frozenset[Campaign] = frozenset()
