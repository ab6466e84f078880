"""Compares the coded contacts of the last days with wolkvox's exports, campaign by campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.ages import OFFERED_FOR
from wolkvox.rules.audit import Findings
from wolkvox.rules.export_dates import MARGIN
from wolkvox.rules.records import Campaign

SETTLING = timedelta(minutes=15)  # before an export was asked for: it may be a copy some minutes old


@dataclass(frozen=True, slots=True)
class AuditedCampaign:
    """
    A campaign whose export is loaded, beside the contacts of the last days.

    ``begun``: when the export was asked for; what was coded since then may not be in it.
    """

    operation: str
    campaign: Campaign
    begun: datetime

    def params(self) -> dict[str, object]:
        """The parameters of the statements."""
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
    """The campaigns with coded contacts or protected customers, and how many coded contacts each has."""
    rows = connection.execute(sql("campaigns_to_audit"), {"operation": operation})
    return {(kind, campaign_id): coded for kind, campaign_id, coded in rows}


def audit(connection: Connection, audited: AuditedCampaign, *, code_changes_result: bool) -> Findings:
    """
    Compare a campaign's coded contacts with the loaded export, and note what has changed since the last audit.

    :param code_changes_result: whether a code changes the exported result of a record that was never dialled; a record
        with a code that shows none was recalled then
    """
    params = {**audited.params(), "code_changes_result": code_changes_result}
    row = connection.execute(sql("audit_by_export"), params).fetchone()
    assert row is not None
    return Findings(*row)


def offer_missing(connection: Connection, audited: AuditedCampaign, most_requests: int) -> int:
    """
    Offer the contacts again of which this audit found no code, once in the life of each; how many.

    :param most_requests: that one contact may have in its life
    """
    since = audited.begun - OFFERED_FOR
    params = {**audited.params(), "contacted_since": since, "most_requests": most_requests}
    return connection.execute(sql("offer_missing"), params).rowcount
