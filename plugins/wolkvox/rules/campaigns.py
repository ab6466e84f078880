"""Campaigns as wolkvox lists them, and which of ours can't be right. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from wolkvox.rules.contacts import TYPES
from wolkvox.rules.records import Campaign

UNKNOWN, OTHER_TYPE = "campaign_unknown", "campaign_type"
MISFITS = (UNKNOWN, OTHER_TYPE)
STATUSES = {"started": "started", "stopped": "stopped"}
_LONGEST = 200  # characters of a name that are kept


class Listed(NamedTuple):
    """A campaign as wolkvox lists it; None for a type or status that it writes in another way."""

    campaign_id: str
    type_campaign: str | None
    name: str | None
    status: str | None


def read_campaigns(rows: Iterable[Mapping[str, Any]]) -> dict[str, Listed]:
    """Return the campaigns by id; those without an id are left out."""
    listed = [
        Listed(
            _text(row.get("campaign_id")) or "",
            kind if (kind := (_text(row.get("type_campaign")) or "").lower()) in TYPES else None,
            _text(row.get("campaign_name")),
            STATUSES.get((_text(row.get("status")) or "").lower()),
        )
        for row in rows
    ]
    return {campaign.campaign_id: campaign for campaign in listed if campaign.campaign_id}


def misfit(campaign: Campaign, listed: Mapping[str, Listed]) -> tuple[str, str] | None:
    """Return why nothing can be sent to a campaign, as a reason and a message; None where it is as listed."""
    kind, campaign_id = campaign
    theirs = listed.get(campaign_id)
    if theirs is None:
        return UNKNOWN, f"wolkvox has no campaign {campaign_id}"
    if theirs.type_campaign not in (None, kind):
        return OTHER_TYPE, f"in wolkvox, campaign {campaign_id} is {theirs.type_campaign}, not {kind}"
    return None


def _text(value: object) -> str | None:
    text = " ".join(str(value).split()).replace("\x00", "") if isinstance(value, (str, int)) else ""
    return text[:_LONGEST] or None
