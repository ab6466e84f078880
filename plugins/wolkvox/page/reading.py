"""What the page reads for each of its screens and files. It blocks: endpoints call it in their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple
from zoneinfo import ZoneInfo

from airflow.sdk import BaseHook

from wolkvox.airflow_core.dags import DagState, dag_state
from wolkvox.ledger import customers
from wolkvox.ledger.breaker import outage
from wolkvox.ledger.campaigns import listed_campaigns
from wolkvox.ledger.connection import Connection, now_of
from wolkvox.ledger.figures import figures
from wolkvox.ledger.impact import Impact, breaches, impact
from wolkvox.ledger.notifications import undelivered
from wolkvox.ledger.quota import QuotaRules
from wolkvox.ledger.report_deliveries import undelivered_reports
from wolkvox.ledger.reports import seconds_per_request
from wolkvox.ledger.secret import known_secret
from wolkvox.ledger.suspension import suspended_campaigns
from wolkvox.page import queries
from wolkvox.page.dictionary import dictionary
from wolkvox.page.evidence import Evidence
from wolkvox.page.overview import describe_run, describe_service, last_settled, overview
from wolkvox.page.rows import describe
from wolkvox.page.situation import Situation, last_thresholds
from wolkvox.page.table import Table, for_people, for_programs
from wolkvox.page.timeline import timelines
from wolkvox.rules.anonymity import anonymous
from wolkvox.rules.masking import mask
from wolkvox.rules.names import DAG_ID
from wolkvox.rules.options import name_of_record
from wolkvox.rules.spans import Span, last_days, last_hours
from wolkvox.vendor.settings import Settings, read_settings

LEDGER = "wolkvox_ledger"
USUAL = queries.Dag(DAG_ID, None, "wolkvox_default")  # before the first run

PAGE = 100  # rows shown at once
FILE_ROWS = 100_000  # rows of a download
BATCH = 2_000  # rows of a state read at once for it
HEAT_HOURS = 28 * 24  # four of each weekday
IN_MEMORY = 2**20  # bytes of a download that are kept there; more of them go into a file


class Bounds(NamedTuple):
    """The times [since, until); None: no bound."""

    since: datetime | None
    until: datetime | None


class Days(NamedTuple):
    """Local days of the operation, both of them included; None: no bound."""

    since: date | None = None
    until: date | None = None

    def bounds(self, zone: str) -> Bounds:
        """The times between which they lie."""
        local = ZoneInfo(zone)
        begin = datetime.combine(self.since, time(), local) if self.since else None
        end = datetime.combine(self.until + timedelta(days=1), time(), local) if self.until else None
        return Bounds(begin, end)


EVER = Days()


def known_dags() -> list[queries.Dag]:
    """Every DAG that has staged contacts."""
    with queries.snapshot(LEDGER) as ledger:
        return queries.dags(ledger)


def settings(of: queries.Dag) -> Settings:
    """What a DAG's connection says."""
    return read_settings(BaseHook.get_connection(of.wolkvox_conn_id), of.operation)


def first_screen(
    chosen: Days = EVER,
    tab: str | None = None,
    airflow: Callable[[str], DagState | None] = dag_state,
    of: queries.Dag = USUAL,
) -> dict[str, Any]:
    """The figures of a DAG's operation; ``tab``: the runs of this DAG alone."""
    scope = settings(of)
    with queries.snapshot(LEDGER) as ledger:
        return overview(know(ledger, scope, now_of(ledger), chosen, tab, airflow, of.dag_id))


def service_level(chosen: Days, of: queries.Dag = USUAL) -> dict[str, Any]:
    """The share of contacts that were codified within the target on the chosen days; on none: today."""
    scope = settings(of)
    with queries.snapshot(LEDGER) as ledger:
        now, zone = now_of(ledger), scope.quota_timezone
        thresholds = last_thresholds(queries.runs(ledger, scope.operation))
        spans = _chosen(last_days(now, zone), chosen, zone) if chosen != EVER else last_days(now, zone, 1)
        read = partial(queries.service_level, ledger, scope.operation, thresholds.lag_target)
        parts = read(spans[0].starts_at, spans[-1].ends_at) if spans else []
        listed = listed_campaigns(ledger, scope.operation)
        weeks = last_hours(now, HEAT_HOURS)
        heat = queries.heat(ledger, scope.operation, zone, weeks[0].starts_at, weeks[-1].ends_at)
    return {
        "lag_target": thresholds.lag_target.total_seconds(),
        **describe_service(parts, listed),
        "heat": [one._asdict() for one in heat],
    }


def know(
    ledger: Connection,
    settings: Settings,
    now: datetime,
    chosen: Days = EVER,
    dag: str | None = None,
    airflow: Callable[[str], DagState | None] = dag_state,
    usual: str = DAG_ID,
) -> Situation:
    """Ask the ledger for all that the first screen shows, and Airflow for the state of the DAG."""
    operation, zone = settings.operation, settings.quota_timezone
    account = queries.account(ledger, settings.fingerprint, settings.server)
    rules = QuotaRules(account, settings.daily_requests, settings.quota_reserve, zone)
    hours, days = last_hours(now), last_days(now, zone)
    counted = figures(ledger, operation, hours, days)
    runs = queries.runs(ledger, operation, dag=dag)
    dag_id = dag or (runs[0].dag_id if runs else usual)
    state, thresholds = airflow(dag_id), last_thresholds(runs)
    return Situation(
        operation=operation,
        zone=zone,
        dag_id=dag_id,
        paused=state and state.is_paused,
        due_at=state and state.due_at,
        now=now,
        resets_at=rules.resets_at(now),
        own_limit=rules.own_limit,
        hours=hours,
        days=days,
        figures=counted,
        staged=queries.staged(ledger, operation, [*hours, *days]),
        unfinished=queries.unfinished(ledger, operation),
        last_runs=queries.last_runs(ledger, operation, last_settled([counted[day] for day in days])),
        today=queries.today(ledger, account, rules.today(now), rules.own_limit),
        slots=queries.slots(ledger, settings.fingerprint),
        suspended=suspended_campaigns(ledger, operation),
        outage=outage(ledger, operation, settings.identity),
        unbegun=queries.unbegun(ledger, operation),
        runs=runs,
        request_seconds=seconds_per_request(ledger, operation),
        fresh=queries.fresh(ledger, operation, thresholds.lag_target),
        newest=queries.newest(ledger, operation),
        alerts=queries.open_alerts(ledger, operation),
        polls=queries.polls(ledger, dag_id),
        chosen=_chosen(days, chosen, zone),
        lag_target=thresholds.lag_target,
        backlog_age=thresholds.backlog_age,
        listed=listed_campaigns(ledger, operation),
        impact=_impact(ledger, operation, days, chosen, zone),
        breaches=_breaches(ledger, operation, days, chosen, zone),
        undelivered=_undelivered(ledger, operation, dag_id),
    )


def _undelivered(ledger: Connection, operation: str, dag_id: str) -> datetime | None:
    """Since when alerts or reports don't reach somebody; None where they reach all."""
    failing = (*undelivered(ledger, operation, dag_id).values(), *undelivered_reports(ledger, operation).values())
    return min((one.since for one in failing), default=None)


def _impact(ledger: Connection, operation: str, days: Sequence[Span], chosen: Days, zone: str) -> list[Impact]:
    """What codifying prevented on the chosen days."""
    within = [day.starts_at.astimezone(ZoneInfo(zone)).date() for day in _chosen(days, chosen, zone)]
    return impact(ledger, operation, within[0], within[-1]) if within else []


def _breaches(ledger: Connection, operation: str, days: Sequence[Span], chosen: Days, zone: str) -> Mapping[str, int]:
    """Why customers contacted on the chosen days were dialled although they were protected."""
    within = _chosen(days, chosen, zone)
    return breaches(ledger, operation, within[0].starts_at, within[-1].ends_at) if within else {}


def _chosen(days: Iterable[Span], chosen: Days, zone: str) -> list[Span]:
    """Those of the days that are chosen."""
    since, until = chosen.bounds(zone)
    return [day for day in days if (not since or day.starts_at >= since) and (not until or day.starts_at < until)]


def some_rows(
    wanted: queries.Filter,
    chosen: Days = EVER,
    full: bool = False,
    before: int | None = None,
    of: queries.Dag = USUAL,
) -> dict[str, Any]:
    """A page of records."""
    scope = settings(of)
    with queries.snapshot(LEDGER) as ledger:
        within = _within(wanted, chosen, scope)
        records = queries.rows(ledger, scope.operation, within, limit=PAGE + 1, before=before)
    listed_records = records[:PAGE]
    return {
        "rows": [describe(record, unmasked=full) for record in listed_records],
        "before": listed_records[-1].id if len(records) > PAGE else None,
    }


def some_runs(chosen: Days, dag: str | None, before: datetime | None, of: queries.Dag = USUAL) -> dict[str, Any]:
    """A page of runs."""
    scope = settings(of)
    with queries.snapshot(LEDGER) as ledger:
        since, until = chosen.bounds(scope.quota_timezone)
        read = partial(queries.runs, ledger, scope.operation, dag=dag, before=before)
        records = read(since=since, until=until, limit=PAGE + 1)
    runs = [describe_run(run) for run in records[:PAGE]]
    return {"runs": runs, "before": runs[-1]["began_at"] if len(records) > PAGE else None}


def _within(wanted: queries.Filter, chosen: Days, scope: Settings) -> queries.Filter:
    """The same records, of the chosen days only."""
    since, until = chosen.bounds(scope.quota_timezone)
    return replace(wanted, since=since, until=until)


def records_file(
    wanted: queries.Filter,
    chosen: Days,
    *,
    unmasked: bool,
    language: str | None,
    write: Callable[[Table, IO[bytes]], None],
    of: queries.Dag = USUAL,
) -> IO[bytes]:
    """
    The download, complete: however slowly it is fetched, the ledger's session is over.

    :param language: of the person that it is for; None: it is for a program
    """
    scope = settings(of)
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    within = _within(wanted, chosen, scope)
    options = {"unmasked": unmasked, "dialled": wanted.dialled is not None}
    with queries.snapshot(LEDGER) as ledger:
        records = queries.every_row(ledger, scope.operation, within, at_once=BATCH, limit=FILE_ROWS)
        if language is None:
            table = for_programs(records, **options)
        else:
            table = for_people(records, dictionary(language), scope.quota_timezone, **options)
        write(table, file)
    return file


def customer_of(record: int, of: queries.Dag = USUAL) -> str | None:
    """The customer of an operation's record; None when there is none."""
    with queries.snapshot(LEDGER) as ledger:
        return customers.customer_of(ledger, settings(of).operation, record)


def named(customer_id: str, of: queries.Dag = USUAL) -> str:
    """
    What names a customer in a run's configuration, which everybody may read who may read the DAG.

    The number of the customer's newest record; the id itself where the ledger has no record of the customer yet.
    """
    with queries.snapshot(LEDGER) as ledger:
        record = queries.newest_record(ledger, settings(of).operation, customer_id)
    return customer_id if record is None else name_of_record(record)


def known_of(customer_id: str, *, unmasked: bool, of: queries.Dag = USUAL) -> Evidence:
    """What the ledger knows of a customer now."""
    scope, secret = settings(of), known_secret()
    ids = [customer_id] if secret is None else [customer_id, anonymous(secret, scope.operation, customer_id)]
    with queries.snapshot(LEDGER) as ledger:
        contacts, requests, dials = queries.customer(ledger, scope.operation, ids)
        listed = listed_campaigns(ledger, scope.operation)
        digested = queries.daily_digests(ledger, scope.operation, contacts)
        now = now_of(ledger)
    customer = customer_id if unmasked else mask(customer_id) or ""
    left_out = contacts[0].there_are - len(contacts) if contacts else 0
    described = timelines(contacts, requests, dials, listed, digested, unmasked=unmasked)
    return Evidence(scope.operation, customer, scope.quota_timezone, now, described, left_out)
