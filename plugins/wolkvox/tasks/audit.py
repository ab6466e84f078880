"""The task ``audit``: compares what wolkvox shows with what it was sent, and counts the impact."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.errors import Stopped
from wolkvox.ledger.audits import AuditedCampaign, audit, campaigns_to_audit, offer_missing
from wolkvox.ledger.connection import connected, now_of
from wolkvox.ledger.exports import seconds_until_due
from wolkvox.ledger.impact import (
    Impact,
    breaches,
    count_impact,
    forget_impact,
    impact,
    total,
    total_lag_sensitivity,
)
from wolkvox.ledger.recent import recent_contacts
from wolkvox.rules.ages import AUDITED_FOR
from wolkvox.rules.audit import NAMED, AuditResult, AuditRules, complaints
from wolkvox.rules.export_dates import DateCount
from wolkvox.rules.records import Campaign
from wolkvox.tasks.dials import Dials
from wolkvox.tasks.exports import loaded_export
from wolkvox.tasks.permits import VendorClient
from wolkvox.tasks.task import Task, Wolkvox


@dataclass(slots=True)
class _Audit:
    """One audit under way: its client, its rules, its first day, and its findings so far."""

    client: VendorClient
    wolkvox: Wolkvox
    rules: AuditRules
    most_requests: int
    first_day: date
    dials: Dials
    result: AuditResult = field(default_factory=AuditResult)

    def look_at(self, campaign_id: str, campaigns: list[Campaign]) -> None:
        """Ask for an export, and note its findings of the campaigns of that id, of whichever type."""
        begun = now_of(self.client.ledger)
        with loaded_export(self.client, self.wolkvox, campaign_id) as head:
            for campaign in campaigns:
                if head is None:
                    self.result.not_verifiable.append(" ".join(campaign))
                else:
                    look = AuditedCampaign(self.wolkvox.settings.operation, campaign, begun)
                    self._compare(look, is_complete=head.unreadable == 0)

    def _compare(self, look: AuditedCampaign, *, is_complete: bool) -> None:
        """Note the findings of a campaign; a missing customer may be a record without a readable id."""
        ledger, settings, name = self.client.ledger, self.wolkvox.settings, " ".join(look.campaign)
        findings = audit(ledger, look, code_changes_result=settings.code_changes_result)
        self.result.campaigns[name] = findings
        dates = self.result.dates[name] = self.dials.note(look.campaign, look.begun)
        if self._verifiable(dates):
            count_impact(ledger, look.operation, look.campaign, look.begun, self.first_day, settings.quota_timezone)
        if self.rules.resend_missing and is_complete and findings.missing:
            self.result.offered_again += offer_missing(ledger, look, self.most_requests)

    def _verifiable(self, dates: DateCount) -> bool:
        """Whether the customers without a dial were not dialled, and those with one were."""
        return dates.unread <= self.rules.most_unconfirmed * dates.dialled and not self.dials.contradicted


def audit_operation(task: Task, wolkvox: Wolkvox, rules: AuditRules) -> tuple[dict[str, Any], str | None]:
    """
    Look at each campaign's contacts of the last days, one request a campaign.

    :returns: the counts, and why they are not as they should be
    """
    settings = wolkvox.settings
    with connected(task.ledger_conn_id, task.stop) as ledger:
        client = VendorClient.of(
            task, settings, ledger, task.lease_timeout
        )  # here, the questions are what is to be done
        now = now_of(ledger)
        since = now - timedelta(days=min(rules.days, AUDITED_FOR.days))
        today = now.astimezone(ZoneInfo(settings.quota_timezone)).date()
        first = today - timedelta(days=min(rules.days, AUDITED_FOR.days) - 1)  # the first whole day
        with recent_contacts(ledger, settings.operation, since) as loaded_at:
            dials = Dials(ledger, settings, since, loaded_at)
            result = _look_at_all(_Audit(client, wolkvox, rules, task.retry_policy.requests, first, dials))
        counted = impact(ledger, settings.operation, first, today)
        broken = breaches(ledger, settings.operation, since)
    summary = {
        "operation": settings.operation,
        **result.counts(),
        "offered_again": result.offered_again,
        "not_verifiable": result.not_verifiable,
        "dials_not_verifiable": result.unread(),
        "campaigns": {name: asdict(one) for name, one in result.campaigns.items() if one.wrong},
        "breaches": dict(broken),
        "impact": {
            **total(counted),
            "lag_sensitivity": {str(minutes): dials for minutes, dials in total_lag_sensitivity(counted).items()},
        },
        "impact_today": [_of_a_campaign(one) for one in counted if one.day == today][:NAMED],
    }
    return summary, _complaint(result, counted, rules, wolkvox)


def _look_at_all(of: _Audit) -> AuditResult:
    """Campaign by campaign; one that is of both types costs one request."""
    ledger, operation, stop = of.client.ledger, of.wolkvox.settings.operation, of.client.stop
    campaigns = campaigns_to_audit(ledger, operation)
    of.result.coded = {" ".join(campaign): coded for campaign, coded in campaigns.items()}
    exports = {of_id: list(same) for of_id, same in groupby(campaigns, key=lambda campaign: campaign[1])}
    # Those that a run asked for lately come last.
    for campaign_id in sorted(exports, key=lambda campaign_id: seconds_until_due(ledger, operation, campaign_id)):
        if stop.wait(seconds_until_due(ledger, operation, campaign_id)):
            raise Stopped("Told to stop between two campaigns: those before were looked at.")
        of.look_at(campaign_id, exports[campaign_id])
    of.dials.end()
    if of.dials.contradicted:
        forget_impact(ledger, operation, of.dials.loaded_at)
    return of.result


def _complaint(result: AuditResult, counted: list[Impact], rules: AuditRules, wolkvox: Wolkvox) -> str | None:
    """Return what a person has to look at; None when everything is as it should be."""
    dialled: Counter[str] = Counter()
    for one in counted:
        dialled[f"{one.type_campaign} {one.campaign_id}"] += one.dialled_after
    settings, coded = wolkvox.settings, sum(one.coded for one in counted)
    sentences = complaints(
        result, dialled, coded, rules.most_unconfirmed, settings.conn_id, dates_are_dials=settings.dates_are_dials
    )
    return " ".join(sentences) or None


def _of_a_campaign(one: Impact) -> dict[str, Any]:
    return {"campaign": f"{one.type_campaign} {one.campaign_id}", **total([one])}
