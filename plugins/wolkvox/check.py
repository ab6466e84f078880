"""What a deployer wants to know before the first run: whether everything that a DAG of ours needs is there and fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.airflow_core.dag_files import DagBag, slots_of
from wolkvox.airflow_core.dags import is_paused
from wolkvox.errors import BadSetting, WolkvoxError
from wolkvox.ledger.channels import recent_channels
from wolkvox.ledger.connection import connected
from wolkvox.ledger.connection import now as ledger_now
from wolkvox.ledger.integrity import refuse_damage
from wolkvox.ledger.migrate import refuse_newer, refuse_unfit, versions
from wolkvox.ledger.notifications import undelivered
from wolkvox.ledger.token_limits import other_limits
from wolkvox.ledger.watch import other_operations, read_watch
from wolkvox.mail import RECIPIENTS, mail_addresses, try_server
from wolkvox.notifier import WolkvoxAlert
from wolkvox.operations import FILE
from wolkvox.operators import WolkvoxStageOperator, missing_query
from wolkvox.pools import pools_of
from wolkvox.rules.alerts import why_lost
from wolkvox.rules.chunks import SLOTS
from wolkvox.rules.contacts import read_contact
from wolkvox.rules.token_limits import TokenLimit, refuse_disagreement
from wolkvox.rules.values import folded
from wolkvox.rules.wake import is_unwatched
from wolkvox.rules.window import Window
from wolkvox.rules.zones import why_in_future
from wolkvox.schedule import polls_warehouse, schedule_of
from wolkvox.tasks.preflight import token_limit
from wolkvox.warehouse import contacted_customers, future_contact

LOOKED_AT = timedelta(days=1)  # how far back the warehouse query is tried
AROUND = timedelta(seconds=2)  # a contact, what its row's fractions are rounded by included
_SOMEBODYS = re.compile(r"\S*(?:@|\d{4})\S*")
PLAIN_POOL = "default_pool"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: ``message`` say what was found, or what to do. One line, no personal data."""

    name: str
    ok: bool
    message: str


def check(dag_id: str | None = None) -> Iterator[Finding]:
    """
    Look at what each DAG with our operators needs, one finding at a time.

    Costs one of the day's requests for each DAG: the vendor is asked for the token's use.

    :param dag_id: this DAG alone
    """
    bag = DagBag()
    for file, message in bag.import_errors.items():
        yield from (Finding(f"file {file}", False, told) for told in _told(message))
    stages = [
        task
        for dag in bag.dags.values()
        if dag_id in (None, dag.dag_id)
        for task in dag.tasks
        if isinstance(task, WolkvoxStageOperator)
    ]
    if not stages:
        yield Finding("dag", False, "No DAG here stages contacts: look at the DAGs folder, and at the DAG's name.")
        usual = WolkvoxStageOperator(task_id="stage", sql="")
        yield from _look_at(usual, "usual connections", _settings, _ledger, _schema, _vendor)
    for stage in stages:
        yield from _look_at(stage, stage.dag_id, _settings, _ledger, _schema)
        yield from _shared_token(stage, stages)
        yield from _look_at(stage, stage.dag_id, _warehouse, _vendor, _pool, _polls, _mail)
        if stage.is_built_in:
            yield from _look_at(stage, stage.dag_id, _operations)
        if stage.protection is not None:
            yield from _look_at(stage, stage.dag_id, _channels)


def _told(message: str) -> list[str]:
    """What an import error says: each mistake of operations.yaml, or the last line, which names any other error."""
    lines = message.strip().splitlines()
    _, heading, mistakes = message.partition(f" in {FILE}:\n")
    return mistakes.strip().splitlines() if heading else lines[-1:]


def _look_at(
    stage: WolkvoxStageOperator, whose: str, *looks: Callable[[WolkvoxStageOperator], str]
) -> Iterator[Finding]:
    for look in looks:
        yield _look(f"{whose} {look.__name__[1:]}", partial(look, stage))


def _look(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except WolkvoxError as error:
        return Finding(name, False, str(error))
    except Exception as error:  # of a driver or a provider: the other lines are impact seeing
        return Finding(name, False, f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0]}")


def _settings(stage: WolkvoxStageOperator) -> str:
    settings = stage.wolkvox().settings
    limit = "no licences given" if settings.daily_requests is None else f"{settings.daily_requests} requests a day"
    zone = settings.quota_timezone
    now = f"UTC{datetime.now(ZoneInfo(zone)):%z}"
    return f"{settings.base_url}, operation {settings.operation}, {limit}, days of {zone} ({now})"


def _ledger(stage: WolkvoxStageOperator) -> str:
    with connected(stage.ledger_conn_id) as ledger:
        refuse_unfit(ledger, stage.ledger_conn_id)
        number, small = divmod(ledger.info.server_version, 10_000)
        return f"PostgreSQL {number}.{small}, can be written to, its sessions are our own"


def _schema(stage: WolkvoxStageOperator) -> str:
    with connected(stage.ledger_conn_id) as ledger:
        refuse_newer(ledger, stage.ledger_conn_id)
        found, wanted = versions(ledger)
        if found != wanted:
            raise BadSetting(
                f"The ledger at connection {stage.ledger_conn_id!r} is of version {found or 'none'}, this package needs"
                f" {wanted}: run `python -m wolkvox migrate`."
            )
        refuse_damage(ledger, stage.ledger_conn_id)
    return f"version {found}"


def _shared_token(stage: WolkvoxStageOperator, stages: Sequence[WolkvoxStageOperator]) -> Iterator[Finding]:
    """Whether all who share the DAG's token count its requests alike; nothing where nobody does."""
    with suppress(Exception):  # which has a line of its own
        own, others = _limits(stage, stages)
        if others:
            yield _look(f"{stage.dag_id} token", partial(_agreed, own, others))


def _limits(stage: WolkvoxStageOperator, stages: Sequence[WolkvoxStageOperator]) -> tuple[TokenLimit, list[TokenLimit]]:
    """What the DAG's connection says of its token, and what others do: DAGs here as they are, others as they ran."""
    settings = stage.wolkvox().settings
    own = token_limit(stage.dag_id, settings)
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        known = {limit.dag_id: limit for limit in other_limits(ledger, settings.fingerprint, own)}
    for other in stages:
        known.pop(other.dag_id, None)
        with suppress(BadSetting):
            others = other.wolkvox().settings
            if others.fingerprint == settings.fingerprint and other.dag_id != stage.dag_id:
                known[other.dag_id] = token_limit(other.dag_id, others)
    return own, list(known.values())


def _agreed(own: TokenLimit, others: Sequence[TokenLimit]) -> str:
    refuse_disagreement(own, others)
    return f"shared with {', '.join(sorted(other.dag_id for other in others))}, which count its requests alike"


def _warehouse(stage: WolkvoxStageOperator) -> str:
    if stage.sql is None:
        return "none: the contacts are handed over as records"
    stage.resolve_template_files()
    if stage.sql.endswith(tuple(stage.template_ext)):
        raise missing_query(stage.sql)
    now = ledger_now(stage.ledger_conn_id)
    ahead = future_contact(stage.warehouse_conn_id, stage.sql, now, stage.warehouse_zone)
    if ahead is not None:
        raise BadSetting(why_in_future(ahead, now, stage.warehouse_zone))
    row = _first_row(stage, Window(now - LOOKED_AT, now))
    if row is None:
        return "the query runs; no contact in the last 24 hours"
    placeholders = frozenset(map(folded, stage.placeholder_ids))
    contact = read_contact(row, operation="", zone=ZoneInfo(stage.warehouse_zone), placeholders=placeholders)
    if contact.contacted_at is not None:
        _refuse_lost_zone(stage, contact.contacted_at)
    said = "can be sent" if contact.reason is None else f"can't be sent: {contact.reason}"
    return f"the query runs; its first row {said}"


def _first_row(stage: WolkvoxStageOperator, window: Window) -> Sequence[Any] | None:
    rows = contacted_customers(stage.warehouse_conn_id, stage.sql or "", window, stage.warehouse_zone)
    with closing(rows):
        return next(rows, None)


def _refuse_lost_zone(stage: WolkvoxStageOperator, contacted_at: datetime) -> None:
    """A contact is found in the seconds around its own time, unless the driver gives the window another zone."""
    if _first_row(stage, Window(contacted_at - AROUND, contacted_at + AROUND)) is None:
        raise BadSetting(
            f"The query's first row is of {contacted_at:%Y-%m-%d %H:%M:%S} UTC, and the seconds around that have no"
            " row: either the driver drops the zone of window_start and window_end, or the query doesn't compare"
            " contacted_at with them. See what to write for this database in docs/warehouses.md."
        )


def _operations(stage: WolkvoxStageOperator) -> str:
    """Whether the file of operations was left behind."""
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        lost = why_lost(other_operations(ledger, stage.dag_id))
    if lost:
        raise BadSetting(lost)
    return f"no {FILE} beside the DAGs: the built-in defaults apply"


def _channels(stage: WolkvoxStageOperator) -> str:
    """The channels that no rule of protection names: what a warehouse calls them is known only once they are seen."""
    rules = stage.protection
    assert rules is not None
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        seen = recent_channels(ledger, stage.wolkvox().settings.operation)
    unnamed = [channel for channel in seen if not rules.names(channel)]
    if not unnamed:
        return "each of the latest contacts has a channel that a rule of protection names" if seen else "none seen yet"
    names = ", ".join(_shown(channel) for channel in unnamed)
    return f"named by no rule of protection, so that the strictest counts: {names}"


def _shown(channel: str | None) -> str:
    """A channel's name; what may be somebody's number or address is not repeated."""
    return "(no channel)" if channel is None else _SOMEBODYS.sub("…", channel)


def _vendor(stage: WolkvoxStageOperator) -> str:
    with stage.wolkvox() as wolkvox:
        info = wolkvox.token_info()
    return f"wolkvox answers; requests left today: {'not known' if info.left is None else info.left}"


def _pool(stage: WolkvoxStageOperator) -> str:
    dag = stage.get_dag()
    assert dag is not None
    names = pools_of(dag)
    for name in names:
        slots = slots_of(name)
        if slots is None:
            raise BadSetting(f"There is no pool {name!r}: make it with `python -m wolkvox pools`.")
        if name == PLAIN_POOL or slots != SLOTS:
            raise BadSetting(
                f"codify runs in the pool {name!r} of {slots} slots: give it one of its own with {SLOTS}, the vendor's"
                " limit of requests at a time."
            )
    return f"{', '.join(sorted(names))}: {SLOTS} slots"


def _mail(stage: WolkvoxStageOperator) -> str:
    """Whom the DAG's alerts reach. No message is sent."""
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        failing = undelivered(ledger, stage.wolkvox().settings.operation, stage.dag_id)
    if failing:
        first = next(iter(failing.values()))
        raise BadSetting(
            f"Alerts don't reach {', '.join(failing)} since {first.since:%Y-%m-%d %H:%M} UTC: {first.reason}. They are"
            " due again with each run."
        )
    alert = _alert(stage)
    if alert is None:
        return "none: no task of this DAG has a WolkvoxAlert among its callbacks"
    if alert.notifiers:
        return "none: alerts go to " + ", ".join(type(notifier).__name__ for notifier in alert.notifiers)
    addresses = mail_addresses(alert.to)
    if addresses is None:
        return "none: there is no SMTP connection, alerts are in the log only"
    if addresses.left_aside or not addresses.usable:
        wrong = ", ".join(map(repr, addresses.left_aside)) or "nothing"
        raise BadSetting(
            f"{wrong} is no e-mail address: correct alert_to of the operation, or the variable {RECIPIENTS}."
            f" Alerts go to {len(addresses.usable)} others."
        )
    server = try_server()
    return f"{server} takes a connection; alerts go to {len(addresses.usable)} address(es)"


def _alert(stage: WolkvoxStageOperator) -> WolkvoxAlert | None:
    """The callback that tells of the DAG's runs."""
    dag = stage.get_dag()
    assert dag is not None
    for task in dag.tasks:
        given = task.on_failure_callback or ()
        for callback in given if isinstance(given, Sequence) else [given]:
            if isinstance(callback, WolkvoxAlert):
                return callback
    return None


def _polls(stage: WolkvoxStageOperator) -> str:
    dag = stage.get_dag()
    assert dag is not None
    wake = schedule_of(dag).wake
    if wake is None:
        return "no trigger: the schedule alone begins runs"
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        watch = read_watch(ledger, stage.dag_id).watch
    if is_paused(stage.dag_id) is not False:
        return f"polls for work every {wake:g} s once the DAG is unpaused"
    if is_unwatched(wake, watch.polled_at, watch.now):
        since = "ever" if watch.polled_at is None else f"since {watch.polled_at.isoformat(timespec='seconds')}"
        raise WolkvoxError(
            f"No poll for work has worked {since}: only the cron begins runs. See that `airflow triggerer` runs, that"
            " it can import wolkvox, and what its log says."
        )
    if stage.sql is None:
        return f"polls for work every {wake:g} s"
    if not polls_warehouse(dag):
        return (
            f"polls the ledger alone every {wake:g} s: no trigger has a query that it can ask the warehouse, for one"
            " with Jinja is asked by stage only. New contacts wait for the next run of the schedule."
        )
    if watch.staged_at is not None and watch.staged is None:
        raise WolkvoxError(
            "The last stage could not count the window's rows, so that polls don't see new contacts: only the cron"
            " finds them. Its log says why; the query must be able to stand in brackets, and the count may take five"
            " seconds (give contacted_at an index)."
        )
    return f"polls for work every {wake:g} s"
