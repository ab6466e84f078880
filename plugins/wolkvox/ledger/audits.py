"""Whether wolkvox shows what it was sent: each coded contact of the last days, campaign by campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.audit import Findings
from wolkvox.rules.export_dates import MARGIN
from wolkvox.rules.records import Campaign

SETTLING = timedelta(minutes=15)  # before an export was asked for: it may be a copy of some minutes ago
OFFERED = timedelta(days=30)  # since the contact: an older one would expire before it is sent


@dataclass(frozen=True, slots=True)
class Look:
    """
    A campaign whose export is loaded, beside the contacts of the last days.

    ``begun``: when the export was asked for; what was coded since then may not be in it.
    """

    operation: str
    campaign: Campaign
    begun: datetime

    def params(self) -> dict[str, object]:
        """As the statements name them."""
        kind, campaign_id = self.campaign
        return {
            "operation": self.operation,
            "type_campaign": kind,
            "campaign_id": campaign_id,
            "begun": self.begun,
            "settled_before": self.begun - SETTLING,
            "margin": MARGIN,
        }


def campaigns_to_audit(connection: Connection, operation: str) -> dict[Campaign, int]:
    """The campaigns with coded contacts, and how many these are, or with customers that the rules protect."""
    rows = connection.execute(sql("campaigns_to_audit"), {"operation": operation})
    return {(kind, campaign_id): coded for kind, campaign_id, coded in rows}


def audit(connection: Connection, look: Look, *, code_changes_result: bool) -> Findings:
    """
    Compare a campaign's coded contacts with what is loaded, and note of each what has changed since the last audit.

    :param code_changes_result: whether a record that was not dialled, and shows so, has been recalled when it carries a
        code
    """
    params = {**look.params(), "code_changes_result": code_changes_result}
    row = connection.execute(sql("audit_by_export"), params).fetchone()
    assert row is not None
    return Findings(*row)


def offer_missing(connection: Connection, look: Look, most_requests: int) -> int:
    """
    Offer again what this audit found no code of, once in the life of each contact; how many.

    :param most_requests: that one contact may cost in its life
    """
    since = look.begun - OFFERED
    params = {**look.params(), "contacted_since": since, "most_requests": most_requests}
    return connection.execute(sql("offer_missing"), params).rowcount
