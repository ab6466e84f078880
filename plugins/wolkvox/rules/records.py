"""A record on its way: what one call sends, and what becomes of it. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """What one call sends. ``id`` is the ledger's."""

    id: int
    type_campaign: str
    campaign_id: str
    customer_id: str
    cod_act: str
    cod_act_2: str | None
    comment: str | None


class Settled(NamedTuple):
    """The state a record is put in after a call; ``counts`` is False for a call that isn't an attempt of it."""

    id: int
    state: str
    reason: str | None
    code: str | None
    msg: str | None
    counts: bool = True
