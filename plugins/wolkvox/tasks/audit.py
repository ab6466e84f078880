"""The task ``audit``: what wolkvox shows, against what it was told."""

from __future__ import annotations

from typing import Any

from wolkvox.errors import Stopped
from wolkvox.ledger.audits import audit, campaigns_to_audit, first_moment, offer_missing
from wolkvox.ledger.connection import clock, connected
from wolkvox.tasks.exports import Asking, loaded_export
from wolkvox.tasks.task import Task, Wolkvox, quota_rules, slot_rules

MOST_DAYS = 31  # that the vendor's reports go back [vendor's page on limits]


def audit_operation(
    task: Task, wolkvox: Wolkvox, *, days: int, resend_missing: bool, most_unconfirmed: float
) -> tuple[dict[str, Any], str | None]:
    """
    Look at each campaign's coded contacts of the last days, one call a campaign.

    :param days: how far back, at most 31
    :param resend_missing: whether contacts of which wolkvox shows no code are offered again
    :param most_unconfirmed: share of the contacts looked at that may not be confirmed
    :returns: the counts, and why they are not as they should be
    """
    operation = wolkvox.settings.operation
    campaigns: dict[str, dict[str, int]] = {}
    unverifiable: list[str] = []
    offered = 0
    with connected(task.ledger_conn_id, task.stop) as ledger:
        asking = Asking(
            slot_rules(wolkvox.settings, task.slot_patience),
            quota_rules(ledger, wolkvox.settings),
            task.holder,
            task.stop,
        )
        since = first_moment(clock(ledger), min(days, MOST_DAYS))
        for campaign in campaigns_to_audit(ledger, operation, since):
            if task.stop.is_set():
                raise Stopped("Told to stop between two campaigns: those before were looked at.")
            name, begun = " ".join(campaign), clock(ledger)
            with loaded_export(ledger, wolkvox, asking, operation, campaign[1]) as fit:
                if not fit:
                    unverifiable.append(name)
                    continue
                found = audit(ledger, operation, campaign, since, begun)
            campaigns[name] = {
                "confirmed": found.confirmed,
                "mismatch": found.mismatch,
                "missing": found.missing,
            }
            if resend_missing and found.missing:
                offered += offer_missing(ledger, operation, campaign, since, begun)
    summary = {
        "operation": operation,
        **{name: sum(found[name] for found in campaigns.values()) for name in ("confirmed", "mismatch", "missing")},
        "offered_again": offered,
        "not_verifiable": unverifiable,
        "campaigns": {name: found for name, found in campaigns.items() if found["mismatch"] or found["missing"]},
    }
    return summary, _complaint(summary, most_unconfirmed)


def _complaint(summary: dict[str, Any], most_unconfirmed: float) -> str | None:
    """Which campaigns to look at, if too many contacts are not confirmed."""
    wrong = summary["mismatch"] + summary["missing"]
    if wrong <= most_unconfirmed * (wrong + summary["confirmed"]):
        return None
    named = ", ".join(
        f"{name} ({found['missing']} missing, {found['mismatch']} with another code)"
        for name, found in sorted(summary["campaigns"].items())
    )
    return (
        f"wolkvox doesn't show what it was told of {wrong} contacts: {named}. The ledger names them"
        " (wolkvox.codification, column audit)."
    )
