"""Whether wolkvox shows what it was told: each coded contact of the last days, campaign by campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.records import Campaign


@dataclass(frozen=True, slots=True)
class Audited:
    """Contacts of a campaign whose code wolkvox shows, shows another one of, or shows none of."""

    confirmed: int
    mismatch: int
    missing: int


def campaigns_to_audit(connection: Connection, operation: str, since: datetime) -> list[Campaign]:
    """The campaigns with coded contacts since then, or with customers that the rules protect."""
    rows = connection.execute(sql("campaigns_to_audit"), {"operation": operation, "since": since})
    return [(kind, campaign_id) for kind, campaign_id in rows]


def audit(connection: Connection, operation: str, campaign: Campaign, since: datetime, begun: datetime) -> Audited:
    """
    Compare a campaign's coded contacts with what is loaded, and note of each what was found.

    :param begun: when the export was asked for: what was coded since then may not be in it
    """
    facts = {**_scope(operation, campaign, since), "begun": begun}
    row = connection.execute(sql("audit_by_export"), facts).fetchone()
    assert row is not None
    return Audited(*row)


def offer_missing(connection: Connection, operation: str, campaign: Campaign, since: datetime, begun: datetime) -> int:
    """Offer again what the audit that began then found no code of; how many."""
    return connection.execute(sql("offer_missing"), {**_scope(operation, campaign, since), "begun": begun}).rowcount


def _scope(operation: str, campaign: Campaign, since: datetime) -> dict[str, object]:
    return {"operation": operation, "type_campaign": campaign[0], "campaign_id": campaign[1], "since": since}
