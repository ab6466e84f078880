"""The task ``verdict``: the run added up from the ledger, its alerts, and whether it is green."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from wolkvox.ledger import exports
from wolkvox.ledger.alerts import AlertChanges, known_alerts, note
from wolkvox.ledger.breaker import OpenBreaker, outage
from wolkvox.ledger.campaigns import listed_campaigns
from wolkvox.ledger.connection import Connection, connected, now_of
from wolkvox.ledger.figures import count_closed_spans, run_lag
from wolkvox.ledger.holds import open_holds
from wolkvox.ledger.latest import arrivals, latest
from wolkvox.ledger.quota import QuotaRules, QuotaState, align
from wolkvox.ledger.reports import GUESSED_REQUEST, backlog, seconds_per_request, waiting_since
from wolkvox.ledger.runs import ChunkAccount, account, end_run
from wolkvox.ledger.suspension import SuspendedCampaign, suspended_campaigns
from wolkvox.ledger.workers import passed_over
from wolkvox.rules.alerts import Thresholds, alerts, silence
from wolkvox.rules.campaigns import Listed
from wolkvox.rules.chunks import MAX_CHUNK, SLOTS
from wolkvox.rules.options import RunOptions
from wolkvox.rules.protection import Protection
from wolkvox.rules.runs import Run
from wolkvox.rules.shares import Latest
from wolkvox.rules.spans import shown_spans
from wolkvox.rules.states import ANSWERED, UNSETTLED, State
from wolkvox.rules.verdict import backlog_gone_at, complaints, failed_ratio, left_at
from wolkvox.tasks.task import Task, register_token, run_of
from wolkvox.vendor.settings import Settings

JUDGED = timedelta(days=1)  # since an export was asked for that nothing was concluded from: it may be over by then
NAMED = 20  # campaigns that the summary names, suspended ones and others: it travels through XCom


@dataclass(frozen=True, slots=True)
class _Case:
    """
    A run that is judged at one time, ``now``.

    ``finished``: what its codify tasks returned, by chunk; ``accounts``: where the records of its chunks are;
    ``judged``: the records it is judged by, by state; ``breaker``: the circuit breaker, if it is open.
    """

    ledger: Connection
    run: Run
    options: RunOptions
    staged: Mapping[str, Any] | None
    finished: Mapping[str, Mapping[str, Any]]
    accounts: Mapping[str, ChunkAccount]
    judged: Mapping[str, int]
    breaker: OpenBreaker | None
    rules: QuotaRules
    now: datetime


def add_up(
    task: Task,
    settings: Settings,
    options: RunOptions,
    thresholds: Thresholds,
    staged: Mapping[str, Any] | None,
    tallies: Iterable[Mapping[str, Any]],
    protection: Protection | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """
    Return the run's summary, and why the run isn't green.

    :param staged: the counts that ``stage_run`` returned, None when it did not finish
    :param tallies: what ``codify_chunk`` returned; those of chunks that this staging didn't make are left aside
    :param protection: when calling hours begin, by which nothing should wait
    """
    run = run_of(task, settings)
    chunk_ids = [] if staged is None or options.dry_run else list(staged["chunk_ids"])
    finished = {tally["chunk_id"]: tally for tally in tallies if tally["chunk_id"] in chunk_ids}
    with connected(task.ledger_conn_id, task.stop) as ledger, ledger.transaction(force_rollback=options.dry_run):
        now, rules = now_of(ledger), register_token(ledger, settings)
        accounts = account(ledger, run, chunk_ids)
        judged = _judged(accounts, exports.settled_in(ledger, run))
        breaker = outage(ledger, run.operation, settings.identity)
        case = _Case(ledger, run, options, staged, finished, accounts, judged, breaker, rules, now)
        summary = _summary(case, protection) | _lag(ledger, run, chunk_ids) | _judged_by(thresholds)
        recent = latest(ledger, run.operation, [one[:2] for one in suspended_campaigns(ledger, run.operation)], now)
        summary["complaints"] = _complaints(case, summary, recent)
        changes = AlertChanges() if options.dry_run else _note_alerts(ledger, run, summary, recent, thresholds, now)
        summary["news"] = changes.as_dict()
        summary["suspended_campaigns"], summary["suspended"] = len(summary["suspended"]), summary["suspended"][-NAMED:]
        summary["exports_left_aside"] = summary["exports_left_aside"][:NAMED]
        summary["holds"] = summary["holds"][:NAMED]
        end_run(ledger, run, "failed" if summary["complaints"] else "success", summary)
        count_closed_spans(ledger, run.operation, shown_spans(now, rules.zone))
    return summary, list(summary["complaints"].values())


def _summary(case: _Case, protection: Protection | None) -> dict[str, Any]:
    """Return the summary but for complaints and alerts, which follow from it."""
    summary = {
        **(case.staged or {}),
        **_records(case.accounts, case.finished, case.judged),
        **_operation(case.ledger, case.run.operation, case.rules, case.now),
        **_faults(case.ledger, case.run, case.breaker),
        "exports_left_aside": _left_aside(case.ledger, case.run.operation, case.now),
        "holds": [hold.describe() for hold in open_holds(case.ledger, case.run.operation)],
    }
    summary |= _opening(case.ledger, protection, case.rules, summary, case.now)
    summary["stopped"] = _stopped(summary, case.finished)
    return summary


def _complaints(case: _Case, summary: Mapping[str, Any], recent: Latest) -> dict[str, str]:
    run, breaker = case.run, case.breaker
    is_ours = breaker is not None and (breaker.dag_id, breaker.dag_run_id) == (run.dag_id, run.dag_run_id)
    return complaints(
        staged=case.staged is not None,
        states=case.judged,
        accounts=case.accounts,
        stopped={chunk_id: tally["stopped"] for chunk_id, tally in case.finished.items()},
        max_failed_ratio=case.options.max_failed_ratio,
        latest=recent.outcomes,
        outage=breaker.message if breaker and is_ours else None,
        passed_over=_passed_over(case.ledger, run, case.options, summary, list(case.finished.values())),
    )


def _passed_over(
    ledger: Connection,
    run: Run,
    options: RunOptions,
    summary: Mapping[str, Any],
    tallies: Sequence[Mapping[str, Any]],
) -> int:
    """Return how many records a run's workers left although nothing else ended them than the want of records."""
    some_only = options.limit is not None or options.customer_id is not None
    all_taken = any(tally["records"] >= MAX_CHUNK for tally in tallies)
    if not tallies or some_only or all_taken or summary["stopped"] or summary["outage"]:
        return 0
    return passed_over(ledger, run)


def _note_alerts(
    ledger: Connection, run: Run, summary: Mapping[str, Any], recent: Latest, thresholds: Thresholds, now: datetime
) -> AlertChanges:
    """Note the alerts that fire now in the ledger: the callback delivers them."""
    before = known_alerts(ledger, run.operation, run.dag_id)
    firing = [name for name, alert in before.items() if alert.resolved_at is None]
    current = alerts(summary, recent, thresholds, firing, now, summary["zone"])
    return note(ledger, run.operation, run.dag_id, current, now)


def _records(
    accounts: Mapping[str, ChunkAccount], finished: Mapping[str, Mapping[str, Any]], judged: Mapping[str, int]
) -> dict[str, Any]:
    """Return how many records the run's chunks have, by state and whereabouts."""
    states: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    for one in accounts.values():
        states.update(one.states)
        moved.update(one.moved)
    return {
        **{state.value: states[state] for state in (*ANSWERED, *UNSETTLED)},
        "deferred": sum(one.deferred for one in accounts.values()),
        "unknown": sum(one.unknown for one in accounts.values()),
        "resent": sum(one.resent for one in accounts.values()),
        "missing": sum(one.missing for one in accounts.values()),
        "moved": moved.total(),
        "moved_to": dict(moved),
        "requests": sum(tally["requests"] for tally in finished.values()),
        "failed_ratio": round(failed_ratio(judged), 4),
    }


def _judged(accounts: Mapping[str, ChunkAccount], by_exports: exports.SettledByExports) -> Counter[str]:
    """
    Return the records a run is judged by, by state, with those that its exports settled.

    Not among them: rejected trials of a suspended campaign, which have an alert of their own, and customers that are
    left out because they were handled already, as was asked for.
    """
    states = Counter(coded=by_exports.already_coded, rejected=by_exports.not_in_campaign)
    for one in accounts.values():
        states.update(one.states)
        states[State.REJECTED] -= one.refused_trials
    return states


def _judged_by(thresholds: Thresholds) -> dict[str, float]:
    """The seconds by which the page judges the operation."""
    return {
        "lag_target": thresholds.lag_target.total_seconds(),
        "backlog_age": thresholds.backlog_age.total_seconds(),
    }


def _lag(ledger: Connection, run: Run, chunk_ids: list[str]) -> dict[str, float | None]:
    lag = run_lag(ledger, run.dag_run_id, chunk_ids)
    return {"lag_p50": lag.p50, "lag_p95": lag.p95}


def _operation(ledger: Connection, operation: str, rules: QuotaRules, now: datetime) -> dict[str, Any]:
    """Return what waits, what the day has left, and whether the source is silent."""
    waits, quota = backlog(ledger, operation), align(ledger, rules)
    gone = _gone_at(rules, quota, waits.waiting, now)
    return {
        "operation": operation,
        "zone": rules.zone,
        "waiting": waits.waiting,
        "oldest_waiting": waits.oldest and waits.oldest.isoformat(),
        "absent": waits.absent,
        "backlog_gone_at": gone and gone.isoformat(timespec="seconds"),
        "quota_requests": quota.requests,
        "quota_limit": quota.limit,
        "quota_left": quota.left,
        "quota_resets_at": rules.resets_at(now).isoformat(),
        "silence": silence(*arrivals(ledger, operation), now),
    }


def _opening(
    ledger: Connection, protection: Protection | None, rules: QuotaRules, summary: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """
    Return when calling hours begin, or began, and how many contacts wait then: the dialler may call those customers.

    Nothing where no hours are given.
    """
    if protection is None or not protection.hours:
        return {}
    operation, began = summary["operation"], protection.opened(now)
    if began is not None:
        return {
            "opening": began.isoformat(),
            "opened": True,
            "left_at_opening": waiting_since(ledger, operation, began),
        }
    opening, waiting = protection.opens(now), summary["waiting"]
    if waiting and not summary["outage"]:
        waiting = left_at(
            opening,
            waiting,
            seconds_per_request=seconds_per_request(ledger, operation) or GUESSED_REQUEST,
            slots=SLOTS,
            left_today=summary["quota_left"],
            daily=rules.own_limit,
            now=now,
            resets_at=rules.resets_at(now),
        )
    return {"opening": opening.isoformat(), "opened": False, "left_at_opening": waiting}


def _gone_at(rules: QuotaRules, quota: QuotaState, waiting: int, now: datetime) -> datetime | None:
    resets_at = rules.resets_at(now)
    return backlog_gone_at(waiting, left_today=quota.left, daily=rules.own_limit, now=now, resets_at=resets_at)


def _faults(ledger: Connection, run: Run, breaker: OpenBreaker | None) -> dict[str, Any]:
    """Return the suspended campaigns and the outage, if there are any."""
    listed = listed_campaigns(ledger, run.operation)
    return {
        "suspended": [_describe(campaign, listed) for campaign in suspended_campaigns(ledger, run.operation)],
        "outage": breaker
        and {"reason": breaker.reason, "message": breaker.message, "since": breaker.since.isoformat()},
    }


def _left_aside(ledger: Connection, operation: str, now: datetime) -> list[dict[str, str]]:
    """Return the campaigns whose last export nothing was concluded from, and why."""
    return [asdict(one) for one in exports.left_aside(ledger, operation, now - JUDGED)]


def _describe(campaign: SuspendedCampaign, listed: Mapping[str, Listed]) -> dict[str, Any]:
    theirs = listed.get(campaign.campaign_id)
    return {
        "campaign": f"{campaign.type_campaign} {campaign.campaign_id}",
        "name": theirs and theirs.name,
        "reason": campaign.reason,
        "message": campaign.message,
        "since": campaign.since.isoformat(),
        "until": campaign.until.isoformat(),
    }


def _stopped(summary: Mapping[str, Any], finished: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return what ended the run before its records did; None: nothing did."""
    of_tasks = next((tally["stopped"] for tally in finished.values() if tally["stopped"]), None)
    if of_tasks or summary.get("stopped"):
        return str(of_tasks or summary["stopped"])
    return "quota" if summary["quota_left"] == 0 and summary["waiting"] else None
