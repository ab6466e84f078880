"""The task ``audit``: what wolkvox shows, against what it was told, and what that was worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.errors import Stopped
from wolkvox.ledger.audits import Audited, audit, campaigns_to_audit, offer_missing
from wolkvox.ledger.connection import clock, connected
from wolkvox.ledger.worth import Worth, breaches, count_worth, curve, total, worth
from wolkvox.rules.records import Campaign
from wolkvox.tasks.asking import Asking
from wolkvox.tasks.exports import loaded_export, noted_dials
from wolkvox.tasks.task import Task, Wolkvox

MOST_DAYS = 31  # that the vendor's reports go back [vendor's page on limits]
NAMED = 20  # campaigns of the last day that the summary names, the largest ones: it travels through XCom


@dataclass(frozen=True, slots=True)
class Rules:
    """
    How to look.

    ``days``: how far back, at most 31. ``resend_missing``: whether contacts of which wolkvox shows no code are offered
    again. ``most_unconfirmed``: share of the contacts looked at that may not be confirmed, or dialled all the same.
    """

    days: int = MOST_DAYS
    resend_missing: bool = False
    most_unconfirmed: float = 0.01


@dataclass(slots=True)
class _Found:
    """What was found by campaign, and the campaigns of which nothing can be said."""

    campaigns: dict[str, Audited] = field(default_factory=dict)
    not_verifiable: list[str] = field(default_factory=list)
    offered_again: int = 0


def audit_operation(task: Task, wolkvox: Wolkvox, rules: Rules) -> tuple[dict[str, Any], str | None]:
    """
    Look at each campaign's contacts of the last days, one call a campaign.

    :returns: the counts, and why they are not as they should be
    """
    settings, found = wolkvox.settings, _Found()
    with connected(task.ledger_conn_id, task.stop) as ledger:
        asking = Asking.of(task, settings, ledger, task.slot_patience)  # here, the questions are what is to be done
        now = clock(ledger)
        since = now - timedelta(days=min(rules.days, MOST_DAYS))
        today = now.astimezone(ZoneInfo(settings.quota_timezone)).date()
        first = today - timedelta(days=min(rules.days, MOST_DAYS) - 1)  # the first whole day
        for campaign in campaigns_to_audit(ledger, settings.operation, since):
            if task.stop.is_set():
                raise Stopped("Told to stop between two campaigns: those before were looked at.")
            _look_at(asking, wolkvox, campaign, rules, since, first, found)
        counted = worth(ledger, settings.operation, first, today)
        broken = breaches(ledger, settings.operation, since)
    summary = {
        "operation": settings.operation,
        **_sum(found.campaigns.values()),
        "offered_again": found.offered_again,
        "not_verifiable": found.not_verifiable,
        "campaigns": {name: asdict(one) for name, one in found.campaigns.items() if one.mismatch or one.missing},
        "breaches": dict(broken),
        "worth": {**total(counted), "curve": {str(minutes): dials for minutes, dials in curve(counted).items()}},
        "worth_today": [_of_a_campaign(one) for one in counted if one.day == today][:NAMED],
    }
    return summary, _complaint(summary, counted, rules.most_unconfirmed)


def _look_at(
    asking: Asking,
    wolkvox: Wolkvox,
    campaign: Campaign,
    rules: Rules,
    since: datetime,
    first: date,
    found: _Found,
) -> None:
    """Ask for a campaign's export, and note all that it tells."""
    ledger, settings, name = asking.ledger, wolkvox.settings, " ".join(campaign)
    begun = clock(ledger)
    with loaded_export(asking, wolkvox, campaign[1]) as fit:
        if not fit:
            found.not_verifiable.append(name)
            return
        one = found.campaigns[name] = audit(ledger, settings.operation, campaign, since, begun)
        if noted_dials(ledger, settings, campaign, since):
            count_worth(ledger, settings.operation, campaign, begun, first, settings.quota_timezone)
    if rules.resend_missing and one.missing:
        found.offered_again += offer_missing(ledger, settings.operation, campaign, since, begun)


def _sum(campaigns: Iterable[Audited]) -> Counter[str]:
    counts = Counter(asdict(Audited(0, 0, 0)))
    for one in campaigns:
        counts.update(asdict(one))
    return counts


def _of_a_campaign(one: Worth) -> dict[str, Any]:
    return {"campaign": f"{one.type_campaign} {one.campaign_id}", **total([one])}


def _complaint(summary: dict[str, Any], counted: list[Worth], most: float) -> str | None:
    """Which campaigns to look at, if too many contacts are not confirmed, or were dialled after they were codified."""
    told = []
    wrong = summary["mismatch"] + summary["missing"]
    if wrong > most * (wrong + summary["confirmed"]):
        named = ", ".join(
            f"{name} ({found['missing']} missing, {found['mismatch']} with another code)"
            for name, found in sorted(summary["campaigns"].items())
        )
        told.append(
            f"wolkvox doesn't show what it was told of {wrong} contacts: {named}. The ledger names them"
            " (wolkvox.codification, column audit)."
        )
    after = summary["worth"]["dialled_after"]
    if after > most * summary["worth"]["coded"]:
        dialled: Counter[str] = Counter()
        for one in counted:
            dialled[f"{one.type_campaign} {one.campaign_id}"] += one.dialled_after
        named = ", ".join(f"{name} ({dials})" for name, dials in sorted(dialled.items()) if dials)
        told.append(
            f"{after} customers were dialled after they had been codified: {named}. Were their records recalled, or the"
            " campaign recycled? The ledger names them (wolkvox.dial), the page's time line shows each."
        )
    return " ".join(told) or None
