"""The page's figures as JSON. Pure: what the ledger said goes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from wolkvox.ledger.breaker import OpenBreaker
from wolkvox.ledger.figures import Count, Figures
from wolkvox.ledger.impact import Impact, total, total_lag_sensitivity
from wolkvox.ledger.suspension import SuspendedCampaign
from wolkvox.page.health import health
from wolkvox.page.links import task_path
from wolkvox.page.queries import AGES, Campaign, Fresh, Run, ServiceLevel, Slot, Unbegun
from wolkvox.page.situation import Situation
from wolkvox.rules.campaigns import Listed
from wolkvox.rules.chunks import SLOTS
from wolkvox.rules.spans import Span, waiting_at_ends
from wolkvox.rules.states import SETTLED, UNSUCCESSFUL, State
from wolkvox.rules.verdict import backlog_gone_at

MOST_REASONS = 20


def overview(situation: Situation) -> dict[str, Any]:
    """All that the page shows on its first screen."""
    days = [situation.figures[day] for day in situation.days]
    counts = [count for day in situation.chosen for count in situation.figures[day].counts]
    return {
        "operation": situation.operation,
        "zone": situation.zone,
        "now": situation.now.isoformat(),
        "health": health(situation),
        "fresh": _fresh(situation.fresh[0]),
        "fresh_before": [{"days": one.days, **_fresh(one)} for one in situation.fresh[1:]],
        "lag_target": situation.lag_target.total_seconds(),
        "ages": _ages(situation),
        "empty": not (situation.unfinished or any(day.counts for day in days) or any(situation.staged.values())),
        "today": _today(situation),
        "hours": _series(situation, situation.hours),
        "days": _series(situation, situation.days),
        "campaigns": _campaigns(situation, counts),
        "reasons": _reasons(counts),
        "slots": _slots(situation),
        "suspended": [_suspended(situation, campaign) for campaign in situation.suspended],
        "outage": _outage(situation.outage),
        "unstarted": _unstarted(situation.unbegun),
        "runs": [describe_run(run) for run in situation.runs],
        "impact": _impact(situation) if situation.impact else None,
        "breaches": [{"cause": cause, "contacts": count} for cause, count in Counter(situation.breaches).most_common()],
    }


def _fresh(fresh: Fresh) -> dict[str, Any]:
    """How late an hour's codified contacts were, and the share of them that came within the target."""
    return {
        "records": fresh.records,
        "p50": fresh.p50,
        "p95": fresh.p95,
        "worst": fresh.worst,
        "share": fresh.within / fresh.records if fresh.records else None,
    }


def _impact(situation: Situation) -> dict[str, Any]:
    """What codifying prevented, by day and by campaign, and the requests that a shorter lag would have prevented."""
    campaigns: dict[tuple[str, str], list[Impact]] = {}
    days: dict[str, list[Impact]] = {}
    for one in situation.impact:
        campaigns.setdefault((one.type_campaign, one.campaign_id), []).append(one)
        days.setdefault(one.day.isoformat(), []).append(one)
    return {
        "days": [{"day": day, **_prevented(parts)} for day, parts in days.items()],
        "campaigns": [
            {"type_campaign": kind, "campaign_id": campaign_id, **_listed(situation, campaign_id), **_prevented(parts)}
            for (kind, campaign_id), parts in campaigns.items()
        ],
        "lag_sensitivity": [
            {"minutes": minutes, "dials": dials} for minutes, dials in total_lag_sensitivity(situation.impact).items()
        ],
    }


def _prevented(parts: Sequence[Impact]) -> dict[str, int]:
    counts = total(parts)
    return {"calls_prevented": counts.pop("calls_prevented"), **counts}


def last_settled(days: Sequence[Figures]) -> dict[Campaign, datetime]:
    """When each campaign's latest record was settled."""
    last: dict[Campaign, datetime] = {}
    for day in days:
        for count in day.counts:
            campaign = (count.type_campaign, count.campaign_id)
            last[campaign] = max(count.last_at, last.get(campaign, count.last_at))
    return last


def _ages(situation: Situation) -> list[dict[str, Any]]:
    """What waits, by how long ago the customer was contacted (``up_to`` seconds, None: longer)."""
    records = [sum(part.by_age[place] for part in situation.unfinished) for place in range(len(AGES))]
    return [{"up_to": up_to, "records": number} for up_to, number in zip(AGES, records, strict=True)]


def _today(situation: Situation) -> dict[str, Any]:
    figures, quota, waiting = situation.figures[situation.days[-1]], situation.today, situation.waiting
    oldest = min((part.oldest for part in situation.unfinished if part.oldest), default=None)
    return {
        "requests": quota.requests,
        "limit": quota.limit,
        "left": situation.left,
        "resets_at": situation.resets_at.isoformat(),
        **{state: figures.records(state) for state in (State.CODED, *UNSUCCESSFUL)},
        "lag_p50": figures.lag_p50,
        "lag_p95": figures.lag_p95,
        "waiting": waiting.sendable + waiting.suspended + waiting.deferred,
        "sendable": waiting.sendable,
        "suspended": waiting.suspended,
        "deferred": waiting.deferred,
        "oldest_waiting": oldest and oldest.isoformat(),
        "backlog_ends_at": _backlog_ends_at(situation, waiting.sendable),
        "blocked_by": situation.blocked_by,
    }


def _backlog_ends_at(situation: Situation, sendable: int) -> str | None:
    """
    When what can be sent will be sent: today at the pace of the last requests, else the day whose quota ends it.

    None: never at this quota.
    """
    begins, resets_at = situation.begins_at, situation.resets_at
    left = situation.own_limit if begins >= resets_at else situation.left
    gone = backlog_gone_at(sendable, left_today=left, daily=situation.own_limit, now=begins, resets_at=resets_at)
    if gone == begins and situation.request_seconds:
        gone += timedelta(seconds=sendable * situation.request_seconds / SLOTS)
    return None if gone is None else gone.isoformat(timespec="seconds")


def _series(situation: Situation, spans: Sequence[Span]) -> dict[str, list[Any]]:
    figures = [situation.figures[span] for span in spans]
    finished = {span: situation.figures[span].records(*SETTLED) for span in spans}
    waiting_now = sum(part.records for part in situation.unfinished)
    return {
        "starts": [int(span.starts_at.timestamp()) for span in spans],
        "coded": [figure.records(State.CODED) for figure in figures],
        "refused": [figure.records(State.REJECTED, State.INVALID) for figure in figures],
        "failed": [figure.records(State.FAILED) for figure in figures],
        "waiting": waiting_at_ends(spans, waiting_now, situation.staged, finished),
        "lag_p50": [figure.lag_p50 for figure in figures],
        "lag_p95": [figure.lag_p95 for figure in figures],
    }


def _campaigns(situation: Situation, counts: Sequence[Count]) -> list[dict[str, Any]]:
    """The last days' records by campaign, the busiest first; what waits is all there is."""
    records: Counter[tuple[Campaign, str]] = Counter()
    oldest: dict[Campaign, datetime] = {}
    for count in counts:
        records[(count.type_campaign, count.campaign_id), count.state] += count.records
    for part in situation.unfinished:
        campaign = (part.type_campaign, part.campaign_id)
        records[campaign, "waiting"] += part.records
        if part.oldest:
            oldest[campaign] = part.oldest
    totals: Counter[Campaign] = Counter()
    for (campaign, _), number in records.items():
        totals[campaign] += number
    return [
        {
            "type_campaign": campaign[0],
            "campaign_id": campaign[1],
            **_listed(situation, campaign[1]),
            **{state: records[campaign, state] for state in ("waiting", *SETTLED)},
            "last_run": situation.last_runs.get(campaign),
            "oldest_waiting": oldest[campaign].isoformat() if campaign in oldest else None,
        }
        for campaign, _ in totals.most_common()
    ]


def _listed(situation: Situation, campaign_id: str | None) -> dict[str, str | None]:
    """What wolkvox calls a campaign, and whether it runs there."""
    listed = situation.listed.get(campaign_id or "")
    return {"name": listed and listed.name, "status": listed and listed.status}


def _reasons(counts: Sequence[Count]) -> list[dict[str, Any]]:
    """Why records were refused, the most frequent reason first, with an example of the vendor's messages."""
    totals: Counter[tuple[str, str | None]] = Counter()
    messages: dict[tuple[str, str | None], str] = {}
    for count in counts:
        if count.state in UNSUCCESSFUL:
            key = (count.state, count.reason)
            totals[key] += count.records
            messages[key] = count.message or messages.get(key, "")
    return [
        {
            "state": key[0],
            "reason": key[1],
            "records": number,
            "message": messages[key] or None,
        }
        for key, number in totals.most_common(MOST_REASONS)
    ]


def _suspended(situation: Situation, campaign: SuspendedCampaign) -> dict[str, Any]:
    waiting = {(part.type_campaign, part.campaign_id): part.records for part in situation.unfinished}
    return {
        "type_campaign": campaign.type_campaign,
        "campaign_id": campaign.campaign_id,
        **_listed(situation, campaign.campaign_id),
        "reason": campaign.reason,
        "message": campaign.message,
        "since": campaign.since.isoformat(),
        "until": campaign.until.isoformat(),
        "waiting": waiting.get((campaign.type_campaign, campaign.campaign_id), 0),
    }


def _outage(outage: OpenBreaker | None) -> dict[str, Any] | None:
    if outage is None:
        return None
    return {
        "reason": outage.reason,
        "message": outage.message,
        "since": outage.since.isoformat(),
        "until": outage.until.isoformat(),
    }


def _unstarted(waiting: Unbegun | None) -> dict[str, Any] | None:
    if waiting is None:
        return None
    return {
        "dag": waiting.dag_id,
        "run": waiting.dag_run_id,
        "chunks": waiting.chunks,
        "records": waiting.records,
        "since": waiting.since.isoformat(),
    }


def describe_run(run: Run) -> dict[str, Any]:
    """A run as JSON, with what its verdict counted."""
    return {
        "dag": run.dag_id,
        "run": run.dag_run_id,
        "began_at": run.began_at.isoformat(),
        "seconds": run.ended_at and (run.ended_at - run.began_at).total_seconds(),
        "state": run.state,
        "began_by": run.began_by,
        **{name: run.counts.get(name) for name in ("records", "coded", "rejected", "failed", "pending", "stopped")},
    }


def describe_service(parts: Sequence[ServiceLevel], listed: Mapping[str, Listed]) -> dict[str, Any]:
    """The share within the target as JSON: of all, and of each campaign and channel, the busiest first."""

    def shares(part: str) -> list[dict[str, Any]]:
        return [
            {
                "records": one.records,
                "within": one.within,
                "share": one.within / one.records,
                "p50": one.p50,
                "p95": one.p95,
                **_of_part(one, listed),
            }
            for one in parts
            if one.part == part and one.records
        ]

    return {"all": next(iter(shares("all")), None), "campaigns": shares("campaign"), "channels": shares("channel")}


def _of_part(one: ServiceLevel, listed: Mapping[str, Listed]) -> dict[str, Any]:
    if one.part == "channel":
        return {"channel": one.channel}
    if one.part == "all":
        return {}
    name = listed.get(one.campaign_id or "")
    return {"type_campaign": one.type_campaign, "campaign_id": one.campaign_id, "name": name and name.name}


def _slots(situation: Situation) -> list[dict[str, Any]]:
    taken = {slot.number: slot for slot in situation.slots}
    return [_slot(number, taken.get(number)) for number in range(SLOTS)]


def _slot(number: int, slot: Slot | None) -> dict[str, Any]:
    if slot is None:
        return {"number": number + 1, "held": False}
    return {
        "number": number + 1,
        "held": slot.held,
        "since": slot.taken_at.isoformat(),
        "task": f"{slot.task_id}[{slot.map_index}]" if slot.map_index >= 0 else slot.task_id,
        "try": slot.try_number,
        "host": slot.host,
        "dag": slot.dag_id,
        "run": slot.dag_run_id,
        "path": task_path(slot.dag_id, slot.dag_run_id, slot.task_id, slot.map_index),
    }
