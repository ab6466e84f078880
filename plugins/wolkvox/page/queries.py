"""What the page asks the ledger, all of it read-only and in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import IsolationLevel
from psycopg.rows import args_row, class_row

from wolkvox.ledger.connection import Connection, connected
from wolkvox.ledger.quota import BELIEF
from wolkvox.ledger.watch import read_watch
from wolkvox.rules.health import OpenAlert
from wolkvox.rules.schedule import Schedule
from wolkvox.rules.spans import Span
from wolkvox.rules.states import SETTLED, State

TASK_START = timedelta(minutes=2)  # that a task may take from the pool to its first request
TIMEOUT = "15s"  # for one statement of the page
LOCK_TIMEOUT = "3s"  # for somebody who changes a table's shape

RUNS = 20  # shown at once
AGES = (360, 3_600, 86_400, 604_800, None)  # seconds that contacts have waited at most; the last ones any time
MOST_CONTACTS = 1_000  # of one customer
SAMPLE = 100  # contacts of an hour that the heat map is made of
COMPARED = (0, 1, 7)  # days before the last hour, of which the same hour is compared with it

Campaign = tuple[str | None, str | None]


@cache
def sql(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()


@contextmanager
def snapshot(ledger_conn_id: str) -> Iterator[Connection]:
    """A connection that sees one state of the ledger and changes nothing.

    :raises LedgerUnavailable: when it can't be reached or holds no tables
    """
    with connected(ledger_conn_id, writing=False) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            connection.execute(f"SET LOCAL statement_timeout = '{TIMEOUT}'; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            yield connection


class Unfinished(NamedTuple):
    """
    Records of a campaign still to be sent, and when the customer of the oldest one was contacted.

    ``deferred`` of them went wrong and wait for their next attempt; ``oldest_sendable`` is the oldest of the others.
    ``by_age``: how many of each of ``AGES``.
    """

    type_campaign: str | None
    campaign_id: str | None
    records: int
    deferred: int
    oldest: datetime | None
    oldest_sendable: datetime | None
    by_age: Sequence[int]


def unfinished(connection: Connection, operation: str) -> list[Unfinished]:
    """What waits or is being sent, by campaign."""
    return [Unfinished(*row) for row in connection.execute(sql("waiting"), {"operation": operation})]


def staged(connection: Connection, operation: str, spans: Sequence[Span]) -> dict[Span, int]:
    """Records that came into the ledger, by span."""
    params = {
        "operation": operation,
        "starts": [span.starts_at for span in spans],
        "ends": [span.ends_at for span in spans],
    }
    return {
        Span(starts_at, ends_at): records for starts_at, ends_at, records in connection.execute(sql("staged"), params)
    }


def last_runs(connection: Connection, operation: str, last: dict[Campaign, datetime]) -> dict[Campaign, str | None]:
    """The run that settled each campaign's latest record."""
    params = {
        "operation": operation,
        "types": [campaign[0] for campaign in last],
        "campaigns": [campaign[1] for campaign in last],
        "lasts": list(last.values()),
    }
    return {(kind, campaign): run for kind, campaign, run in connection.execute(sql("last_runs"), params)}


class Today(NamedTuple):
    """The day's requests; ``limit`` is None when none is known."""

    requests: int
    limit: int | None
    exhausted: bool


def today(connection: Connection, account: str, day: date, own_limit: int | None) -> Today:
    """The requests made on a day, and the limit: the settings' own one until a run has asked the vendor."""
    row = connection.execute(
        "SELECT requests, request_limit,"
        " coalesce(exhausted_at BETWEEN clock_timestamp() - %s AND clock_timestamp(), false)"
        " FROM wolkvox.quota"
        " WHERE account = %s AND day = %s",
        (BELIEF, account, day),
    ).fetchone()
    return Today(*row) if row else Today(0, own_limit, False)


class Dag(NamedTuple):
    """A DAG that stages contacts, whose they are, and the connection to wolkvox; None: as that connection says."""

    dag_id: str
    operation: str | None
    wolkvox_conn_id: str


def dags(connection: Connection) -> list[Dag]:
    """Every DAG that has staged contacts, the one known last first."""
    rows = connection.execute("SELECT dag_id, operation, wolkvox_conn_id FROM wolkvox.dag ORDER BY begun_at DESC")
    return [Dag(*row) for row in rows]


def account(connection: Connection, fingerprint: int, server: str) -> str:
    """The name under which a token's requests are counted."""
    row = connection.execute("SELECT account FROM wolkvox.token WHERE fingerprint = %s", (fingerprint,)).fetchone()
    return server if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of the token, and the task instance that has it or had it last."""

    number: int
    held: bool
    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int
    try_number: int
    host: str
    taken_at: datetime


def slots(connection: Connection, fingerprint: int) -> list[Slot]:
    """The slots of a token that were ever taken."""
    with connection.cursor(row_factory=class_row(Slot)) as cursor:
        return cursor.execute(sql("slots"), {"fingerprint": fingerprint}).fetchall()


class Run(NamedTuple):
    """A run, and what its verdict counted; ``counts`` is empty until then."""

    dag_id: str
    dag_run_id: str
    began_at: datetime
    ended_at: datetime | None
    state: str
    counts: dict[str, Any]
    began_by: str | None = None


def runs(
    connection: Connection,
    operation: str,
    *,
    dag: str | None = None,
    before: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = RUNS,
) -> list[Run]:
    """The latest runs, the newest first: of one DAG or of all, that began before a time, in [since, until)."""
    params = {
        "operation": operation,
        "dag": dag,
        "before": before,
        "since": since,
        "until": until,
        "limit": limit,
    }
    return [Run(*row) for row in connection.execute(sql("runs"), params)]


class Polls(NamedTuple):
    """
    What begins a DAG's runs, and when its trigger last polled for work; None: never yet.

    ``uncounted_since``: when the last ``stage`` found that the warehouse can't be counted, so that polls don't see what
    is new in it; None where it can, or where no trigger polls.
    """

    schedule: Schedule
    polled_at: datetime | None
    uncounted_since: datetime | None = None


def polls(connection: Connection, dag: str) -> Polls:
    """What begins a DAG's runs, as its last ``stage`` noted it."""
    watch = read_watch(connection, dag).watch
    is_uncounted = watch.schedule.wake is not None and watch.staged is None
    return Polls(watch.schedule, watch.polled_at, watch.staged_at if is_uncounted else None)


class Fresh(NamedTuple):
    """
    The contacts coded in an hour, and how many seconds after the contact; ``within`` of them within the target.

    ``days``: so many days before the last hour.
    """

    days: int
    records: int
    within: int
    p50: float | None
    p95: float | None
    worst: float | None


def fresh(connection: Connection, operation: str, target: timedelta) -> list[Fresh]:
    """How late was what was coded in the last hour, in the same hour of yesterday, and seven days ago."""
    params = {"operation": operation, "days": list(COMPARED), "target": target.total_seconds()}
    return [Fresh(*row) for row in connection.execute(sql("fresh"), params)]


class ServiceLevel(NamedTuple):
    """
    Contacts that were codified, how many of them within the target, and their lag in seconds.

    ``part``: "all", or of which campaigns or which channel they are.
    """

    part: str
    type_campaign: str | None
    campaign_id: str | None
    channel: str | None
    records: int
    within: int
    p50: float | None
    p95: float | None


def service_level(
    connection: Connection, operation: str, target: timedelta, since: datetime, until: datetime
) -> list[ServiceLevel]:
    """How many contacts codified in [since, until) came within the target: in all, by campaign and by channel."""
    params = {"operation": operation, "target": target.total_seconds(), "since": since, "until": until}
    return [ServiceLevel(*row) for row in connection.execute(sql("service_level"), params)]


class Heat(NamedTuple):
    """The median lag of an hour of a weekday (1: Monday), in seconds, and of how many contacts it is."""

    weekday: int
    hour: int
    p50: float
    records: int


def heat(connection: Connection, operation: str, zone: str, since: datetime, until: datetime) -> list[Heat]:
    """How late contacts were by weekday and hour of the operation's clock, for those coded in [since, until)."""
    params = {"operation": operation, "zone": zone, "since": since, "until": until, "most": SAMPLE}
    return [Heat(*row) for row in connection.execute(sql("heat"), params)]


def newest(connection: Connection, operation: str) -> datetime | None:
    """When the newest customer was contacted of whom the ledger knows; None when there is none."""
    settled = [state for state in SETTLED if state != State.INVALID]
    row = connection.execute(sql("newest"), {"operation": operation, "states": settled}).fetchone()
    assert row is not None
    timestamp: datetime | None = row[0]
    return timestamp


def open_alerts(connection: Connection, operation: str) -> list[OpenAlert]:
    """The alerts of an operation that are firing, the oldest first."""
    rows = connection.execute(
        "SELECT alert, firing_since, message FROM wolkvox.alert"
        " WHERE operation = %s AND resolved_at IS NULL ORDER BY firing_since, alert",
        (operation,),
    )
    return [OpenAlert(*row) for row in rows]


class Unbegun(NamedTuple):
    """Chunks of a run that wait for a task: queued behind others, or holding the pool's slots without a worker."""

    dag_id: str
    dag_run_id: str
    chunks: int
    records: int
    since: datetime


def unbegun(connection: Connection, operation: str) -> Unbegun | None:
    """The oldest run of which no task has begun for longer than one takes to start; None when there is none."""
    row = connection.execute(sql("unbegun"), {"operation": operation, "start": TASK_START}).fetchone()
    return None if row is None else Unbegun(*row)


@dataclass(frozen=True, slots=True)
class Filter:
    """
    Which records: all that fit every part that isn't None. ``chunk`` counts from 1 within a run; customers were
    contacted in [since, until), or came in then where the contact has no date or one of the future. ``dialled``: those
    whose customers were dialled after or before they were codified, or for this cause.

    Two DAGs may have runs of the same name; records from before the ledger knew DAGs are any DAG's.
    """

    states: tuple[State, ...] = tuple(State)
    type_campaign: str | None = None
    campaign_id: str | None = None
    reason: str | None = None
    run: str | None = None
    dag: str | None = None
    chunk: int | None = None
    dialled: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Place(NamedTuple):
    """Where a record is in a list: at the time of its contact, or that of coming in; then by its id."""

    listed_at: datetime
    id: int


class Record(NamedTuple):
    """
    A record as the page may know it: no comment, no second code, no phone number.

    ``dialled_at`` and ``breach``: the last dial that ``Filter.dialled`` asks for, and its cause.
    """

    id: int
    type_campaign: str | None
    campaign_id: str | None
    customer_id: str | None
    cod_act: str | None
    state: str
    reason: str | None
    response_code: str | None
    response_msg: str | None
    attempts: int
    contacted_at: datetime | None
    settled_at: datetime | None
    not_before: datetime | None
    dag_id: str | None
    dag_run_id: str | None
    in_chunk: bool
    chunk_number: int | None
    listed_at: datetime
    channel: str | None = None
    direct: bool | None = None
    dialled_at: datetime | None = None
    breach: str | None = None

    @property
    def place(self) -> Place:
        """Where it is in a list."""
        return Place(self.listed_at, self.id)


def rows(
    connection: Connection, operation: str, wanted: Filter, *, limit: int, before: int | None = None
) -> list[Record]:
    """The latest records that fit, at most ``limit``, of those that are listed after the one with the id ``before``."""
    last = None
    if before is not None:
        row = connection.execute(
            "SELECT least(contacted_at, staged_at), id FROM wolkvox.codification WHERE id = %s", (before,)
        ).fetchone()
        if row is None:  # retention has deleted it meanwhile, and with it all that are older
            return []
        last = Place(*row)
    return list(every_row(connection, operation, wanted, at_once=limit, limit=limit, last=last))


def every_row(
    connection: Connection, operation: str, wanted: Filter, *, at_once: int, limit: int, last: Place | None = None
) -> Iterator[Record]:
    """
    The latest records that fit, at most ``limit``, the latest first; it needs a transaction.

    Each state's are read by a cursor of its own, ``at_once`` of them at a time: PostgreSQL looks for them and sorts
    them once, and none is fetched before those that are listed before it.
    """
    place = {"before": last and last.id, "before_at": last and last.listed_at}
    params = {**asdict(wanted), **place, "operation": operation, "limit": limit}
    parts = [_of_state(connection, {**params, "state": state}, at_once) for state in wanted.states]
    return islice(merge(*parts, key=lambda record: record.place, reverse=True), limit)


def _of_state(connection: Connection, params: dict[str, Any], at_once: int) -> Iterator[Record]:
    statement = (sql("every") if params["dialled"] is None else sql("dialled")) + sql("rows")
    with connection.cursor(f"records_{params['state']}", row_factory=args_row(Record)) as cursor:
        cursor.execute(statement, params, binary=True)
        while records := cursor.fetchmany(at_once):
            yield from records if params["dialled"] is None else _with_dials(connection, records, params["dialled"])


def _with_dials(connection: Connection, records: Sequence[Record], dialled: str) -> list[Record]:
    """The records with when and why they were dialled."""
    params = {"ids": [record.id for record in records], "dialled": dialled}
    dials = {record: (at, breach) for record, at, breach in connection.execute(sql("last_dials"), params)}
    return [
        record._replace(dialled_at=dials[record.id][0], breach=dials[record.id][1]) if record.id in dials else record
        for record in records
    ]


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of a customer, and where it is by now; ``there_are``: how many the customer has."""

    id: int
    type_campaign: str | None
    campaign_id: str | None
    customer_id: str
    cod_act: str | None
    channel: str | None
    direct: bool | None
    contacted_at: datetime | None
    staged_at: datetime
    state: str
    reason: str | None
    response_code: str | None
    response_msg: str | None
    attempts: int
    sent_at: datetime | None
    settled_at: datetime | None
    not_before: datetime | None
    dag_id: str | None
    dag_run_id: str | None
    audited_at: datetime | None
    confirmed_at: datetime | None
    audit: str | None
    shown: str | None
    protected_until: datetime | None = None
    there_are: int = 0


class EarlierRequest(NamedTuple):
    """A request of a record before its last one, and what was answered when (``settled_at``)."""

    record: int
    state: str
    reason: str | None
    response_code: str | None
    response_msg: str | None
    sent_at: datetime | None
    settled_at: datetime | None


class Dial(NamedTuple):
    """A dial of the customer of a record, as wolkvox showed it, and why it came although the contact protects."""

    record: int
    dialled_at: datetime
    breach: str | None
    noted_at: datetime | None = None


def customer(
    connection: Connection, operation: str, customers: Sequence[str]
) -> tuple[list[Contact], list[EarlierRequest], list[Dial]]:
    """
    A customer's contacts, the newest first, their earlier requests and the dials after them, the oldest first.

    :param customers: the customer's id, and its anonymous form
    """
    params = {"operation": operation, "customers": list(customers), "limit": MOST_CONTACTS}
    with connection.cursor(row_factory=class_row(Contact)) as cursor:
        contacts = cursor.execute(sql("customer"), params).fetchall()
    ids = {"ids": [contact.id for contact in contacts]}
    requests = [EarlierRequest(*row) for row in connection.execute(sql("answers"), ids)]
    return contacts, requests, [Dial(*row) for row in connection.execute(sql("dials"), ids)]


def newest_record(connection: Connection, operation: str, customer_id: str) -> int | None:
    """The number of a customer's newest record; None where there is none."""
    with connection.cursor(row_factory=class_row(Contact)) as cursor:
        params = {"operation": operation, "customers": [customer_id], "limit": 1}
        records = cursor.execute(sql("customer"), params).fetchone()
    return None if records is None else records.id


def daily_digests(connection: Connection, operation: str, contacts: Sequence[Contact]) -> dict[date, str]:
    """The digests of the days (UTC) on which contacts were settled; none of a day that is not digested."""
    days = {contact.settled_at.astimezone(timezone.utc).date() for contact in contacts if contact.settled_at}
    rows = connection.execute(
        "SELECT day, encode(digest, 'hex') FROM wolkvox.daily_digest WHERE operation = %s AND day = ANY(%s)",
        (operation, list(days)),
    )
    return dict(rows.fetchall())
