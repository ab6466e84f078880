"""What the ledger and Airflow said at one time, from which the first screen is made. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from wolkvox.ledger.breaker import OpenBreaker
from wolkvox.ledger.figures import Figures
from wolkvox.ledger.impact import Impact
from wolkvox.ledger.suspension import SuspendedCampaign
from wolkvox.page.queries import Campaign, Fresh, Polls, Run, Slot, Today, Unbegun, Unfinished
from wolkvox.rules.campaigns import Listed
from wolkvox.rules.health import BACKLOG_AGE, LAG_TARGET, OpenAlert, Runs, Waiting, off_until
from wolkvox.rules.spans import Span


class KnownThresholds(NamedTuple):
    """From where on a lag and a backlog are too long, as the operation's last run had it."""

    lag_target: timedelta
    backlog_age: timedelta


def last_thresholds(runs: Sequence[Run]) -> KnownThresholds:
    """What the last verdict noted of the operation's thresholds; the usual ones before it."""
    counts = next((run.counts for run in runs if run.counts), {})
    return KnownThresholds(
        timedelta(seconds=counts.get("lag_target") or LAG_TARGET.total_seconds()),
        timedelta(seconds=counts.get("backlog_age") or BACKLOG_AGE.total_seconds()),
    )


@dataclass(frozen=True, slots=True)
class Situation:
    """
    What the ledger said at one time; ``request_seconds`` is the median of a request, None before the first one.

    ``paused`` and ``due_at`` are Airflow's word of the DAG. ``chosen`` are the days that campaigns and reasons are
    counted of. ``fresh``: of the last hour, and of the same hour of days before.
    """

    operation: str
    zone: str
    dag_id: str
    paused: bool | None
    due_at: datetime | None
    now: datetime
    resets_at: datetime
    own_limit: int | None
    hours: Sequence[Span]
    days: Sequence[Span]
    figures: Mapping[Span, Figures]
    staged: Mapping[Span, int]
    unfinished: Sequence[Unfinished]
    last_runs: Mapping[Campaign, str | None]
    today: Today
    slots: Sequence[Slot]
    suspended: Sequence[SuspendedCampaign]
    outage: OpenBreaker | None
    unbegun: Unbegun | None
    runs: Sequence[Run]
    request_seconds: float | None
    fresh: Sequence[Fresh]
    newest: datetime | None
    alerts: Sequence[OpenAlert]
    polls: Polls
    chosen: Sequence[Span]
    lag_target: timedelta = LAG_TARGET
    backlog_age: timedelta = BACKLOG_AGE
    listed: Mapping[str, Listed] = field(default_factory=dict)
    impact: Sequence[Impact] = ()
    breaches: Mapping[str, int] = field(default_factory=dict)
    undelivered: datetime | None = None

    @property
    def left(self) -> int | None:
        """Requests left today; None when no limit is known."""
        if self.today.exhausted:
            return 0
        return None if self.today.limit is None else max(0, self.today.limit - self.today.requests)

    @property
    def waiting(self) -> Waiting:
        """What waits: for a request, for its campaign, or for its next attempt."""
        suspended = {(one.type_campaign, one.campaign_id) for one in self.suspended}
        halted = [part for part in self.unfinished if (part.type_campaign, part.campaign_id) in suspended]
        others = [part for part in self.unfinished if (part.type_campaign, part.campaign_id) not in suspended]
        deferred = sum(part.deferred for part in others)
        return Waiting(
            sendable=sum(part.records for part in others) - deferred,
            suspended=sum(part.records for part in halted),
            deferred=deferred,
            oldest=min((part.oldest_sendable for part in others if part.oldest_sendable), default=None),
            most_age=self.backlog_age,
        )

    @property
    def dag_runs(self) -> Runs:
        """The runs of the DAG, and when Airflow begins the next one."""
        mine = [run for run in self.runs if run.dag_id == self.dag_id]
        last = next((run for run in mine if run.ended_at), None)
        newest = mine[0] if mine else None
        return Runs(
            paused=self.paused,
            due_at=self.due_at,
            last_ended_at=last and last.ended_at,
            last_state=last and last.state,
            under_way_since=newest.began_at if newest and newest.ended_at is None else None,
            began=[run.began_at for run in mine],
        )

    @property
    def blocked_by(self) -> str | None:
        """What keeps everything from being sent: "outage" or "paused"; None when nothing does."""
        if self.outage is not None:
            return "outage"
        return None if self.paused is False else "paused"

    @property
    def begins_at(self) -> datetime:
        """When the next request may be made: now, or with the next run, outside the operation's hours."""
        return off_until(self.dag_runs, self.polls.schedule, self.now) or self.now
