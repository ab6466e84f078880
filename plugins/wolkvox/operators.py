"""
The tasks of a run (stage, codify, verdict, results), the audit and retention.

What they do is in the room ``tasks``, imported when a task starts: a DAG file must be parsed quickly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator, XComArg, conf
from airflow.sdk.exceptions import AirflowFailException
from jinja2 import TemplateNotFound

from wolkvox.errors import BadSetting, BadToken, BreakerOpen, NoFreeSlot, Unaccounted, WrongEndpoint
from wolkvox.rules.alerts import Thresholds
from wolkvox.rules.options import RunOptions, began_by, read_options
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.values import folded
from wolkvox.rules.window import Window, choose_window, interval_of
from wolkvox.stop import Stop

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context
    from jinja2 import Environment

    from wolkvox.hook import WolkvoxHook
    from wolkvox.rules.protection import Protection
    from wolkvox.tasks.task import Task
    from wolkvox.tasks.watch import Watched

# Errors that a retry of the task doesn't mend: somebody has to change a connection or a param first, or the next run
# tries by itself. A task that waits to try again would keep that run from starting.
HOPELESS = (BadSetting, BadToken, WrongEndpoint, BreakerOpen, NoFreeSlot)

EXPIRE_AFTER = timedelta(days=31)  # age of a contact from which it is no longer sent
USUAL_RUN = 900.0  # seconds a run may send that asks for no time of its own
LEASE_TIMEOUT = 600.0  # seconds a task waits for a free slot before it says who holds them


class WolkvoxOperator(BaseOperator):
    """
    What the tasks share that ask wolkvox or its connection.

    :param wolkvox_conn_id: connection that holds the address and the token
    :param operation: name under which the ledger keeps the DAG's contacts, the same for all its tasks; None: the
        server's, as the connection says it
    :param ledger_conn_id: PostgreSQL connection of the ledger
    :param lease_timeout: seconds to wait for a slot of the token
    :param retry_policy: how often, how long and how far apart to try again
    :param timezone: the operation's: of a ``contacted_at`` or a param that carries none, and of the dates in exports
        where the connection names no other zone
    """

    done: int | None = None  # records that were written, told to OpenLineage; None: not yet

    def __init__(
        self,
        *,
        wolkvox_conn_id: str = "wolkvox_default",
        operation: str | None = None,
        ledger_conn_id: str = "wolkvox_ledger",
        lease_timeout: float = LEASE_TIMEOUT,
        request_retries: RetryPolicy | None = None,
        timezone: str = "America/Bogota",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wolkvox_conn_id = wolkvox_conn_id
        self.operation = operation
        self.ledger_conn_id = ledger_conn_id
        self.lease_timeout = lease_timeout
        self.request_retries = request_retries
        self.timezone = timezone

    @cached_property
    def stop(self) -> Stop:
        """Set when the task is to end after the request in flight."""
        return Stop()

    def on_kill(self) -> None:
        """End after the request in flight: marked failed in the UI, or the worker is being shut down."""
        self.stop.set()  # and nothing else: a signal handler that logs may wait for a lock its own thread holds

    def _task(self, context: Context) -> Task:
        from wolkvox.ledger.leases import Owner
        from wolkvox.tasks.task import Task

        self.stop  # noqa: B018 - made before a signal may ask for it
        ti = context["ti"]
        map_index = -1 if ti.map_index is None else ti.map_index
        owner = Owner(ti.dag_id, ti.run_id, ti.task_id, map_index, ti.try_number)
        return Task(self.ledger_conn_id, owner, self.stop, self.lease_timeout, self.request_retries or RetryPolicy())

    def wolkvox(self) -> WolkvoxHook:
        """The vendor, as the connection says."""
        from wolkvox.hook import WolkvoxHook

        return WolkvoxHook(self.wolkvox_conn_id, self.operation, self.timezone)


def give_up(error: Exception) -> NoReturn:
    """Fail the task without a retry."""
    raise AirflowFailException(str(error)) from error


def missing_query(name: str) -> BadSetting:
    """What to do about a query whose file wasn't deployed."""
    return BadSetting(
        f"The warehouse query {name} is not beside the DAGs: deploy the folder include/ next to dags/, or put the query"
        f" at {name} in the folder of the DAG's file."
    )


class WolkvoxStageOperator(WolkvoxOperator):
    """
    Pull contacted customers from the warehouse into the ledger and return the run's chunks.

    Reads the DAG params of ``options.read_options``. A run that was triggered by hand without a window pulls up
    to the moment of the trigger, one that an event began up to now.

    :param sql: query that gives the columns of ``contacts.COLUMNS`` between ``:window_start`` and ``:window_end``
        (templated, may be a file)
    :param records: the contacts themselves instead of a query, as mappings with the same names, or the output of
        another task that gives them. Not templated: what a template was filled with is shown in the UI
    :param warehouse_conn_id: any SQL connection
    :param warehouse_timezone: zone of a ``contacted_at`` that carries none; None: ``timezone``
    :param placeholder_ids: ids that stand for nobody, besides those that do everywhere
    :param expire_after: age of a contact from which it is no longer sent
    :param refused: why nothing can be staged, as where the file that the DAG is made from is wrong
    :param protection: rules by which customers that were reached must not be dialled for a while, noted of each
    :param is_built_in: that the DAG has the built-in defaults, because no file of operations was deployed
    """

    template_fields: Sequence[str] = ("sql",)
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"sql": "sql"}  # noqa: RUF012 - as in every operator
    ui_color = "#e6f2ff"

    def __init__(
        self,
        *,
        sql: str | None = None,
        records: Iterable[Mapping[str, Any]] | XComArg | None = None,
        warehouse_conn_id: str = "warehouse",
        warehouse_timezone: str | None = None,
        placeholder_ids: Sequence[str] = (),
        expire_after: timedelta = EXPIRE_AFTER,
        refused: str | None = None,
        protection: Protection | None = None,
        is_built_in: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.records = records
        XComArg.apply_upstream_relationship(self, records)
        self.warehouse_conn_id = warehouse_conn_id
        self.warehouse_timezone = warehouse_timezone
        self.placeholder_ids = placeholder_ids
        self.expire_after = expire_after
        self.refused = refused
        self.protection = protection
        self.is_built_in = is_built_in

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Fill in the query; without a retry, and with what to do, where its file was not deployed."""
        try:
            super().render_template_fields(context, jinja_env)
        except TemplateNotFound as error:
            give_up(missing_query(str(error.name or self.sql or "")))

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Stage, and return the references of the chunks."""
        from wolkvox.metrics import report_stage
        from wolkvox.secret import known_secret
        from wolkvox.tasks.stage import Source, stage_run

        most_chunks = conf.getint("core", "max_map_length", fallback=1024)
        try:
            if self.refused:
                raise BadSetting(self.refused)
            options = read_options(context["params"], self.timezone)
            window = self._window(context, options)
            self.log.info("Pulling contacts from %s up to %s.", window.start.isoformat(), window.end.isoformat())
            rows = self._rows(context, window)
            begun_by = began_by(context["dag_run"].run_type)
            source = Source(
                rows,
                self.warehouse_zone,
                self.expire_after,
                options.run_seconds or USUAL_RUN,
                by_hand=begun_by == "person",
                protection=self.protection,
                began_by=begun_by,
                watched=self._watched(window),
                future_contact=self._future_contact,
                is_built_in=self.is_built_in,
                placeholders=frozenset(map(folded, self.placeholder_ids)),
                secret=known_secret,
            )
            with self.wolkvox() as wolkvox:
                chunks, summary = stage_run(self._task(context), wolkvox, source, window, options, most_chunks)
        except HOPELESS as error:
            give_up(error)
        report_stage(wolkvox.settings.operation, summary)
        self.log.info("Staged: %s", summary)
        context["ti"].xcom_push(key="summary", value=summary)
        self.done = summary["new"]
        return [] if options.dry_run else [asdict(chunk) for chunk in chunks]

    def get_openlineage_facets_on_start(self) -> OperatorLineage:
        """What OpenLineage is told."""
        from wolkvox.lineage import of_stage

        return of_stage(self.warehouse_conn_id, self.sql, self.ledger_conn_id, self.done)

    def _window(self, context: Context, options: RunOptions) -> Window:
        """The window that the params ask for, else the run's data interval, widened."""
        from wolkvox.ledger.connection import now

        run = context["dag_run"]
        begun_by = began_by(run.run_type)
        interval = interval_of(
            begun_by,
            context.get("data_interval_start"),
            context.get("data_interval_end"),
            run.run_after,
            now(self.ledger_conn_id) if begun_by == "event" else None,
        )
        return choose_window(
            asked_start=options.window_start,
            asked_end=options.window_end,
            interval_start=interval.start,
            interval_end=interval.end,
            lookback=options.lookback,
        )

    @property
    def warehouse_zone(self) -> str:
        """The zone of a ``contacted_at`` that carries none."""
        return self.warehouse_timezone or self.timezone

    def _future_contact(self, now: datetime) -> datetime | None:
        """When a contact of the warehouse took place that is of after now; None: none is."""
        from wolkvox.warehouse import future_contact

        if self.sql is None:
            return None
        return future_contact(self.warehouse_conn_id, self.sql, now, self.warehouse_zone, self.stop)

    def _watched(self, window: Window) -> Watched:
        """What the DAG's trigger is told."""
        from wolkvox.schedule import schedule_of
        from wolkvox.tasks.watch import Watched
        from wolkvox.warehouse import window_fingerprint

        count = None
        if self.sql is not None:
            count = partial(window_fingerprint, self.warehouse_conn_id, self.sql, window, self.warehouse_zone)
        return Watched(schedule_of(self.dag), count)

    def _rows(self, context: Context, window: Window) -> Iterable[Sequence[Any]]:
        """What is staged: the query's rows of the window, or the records as they are."""
        from wolkvox.warehouse import contacted_customers, customers_of_records

        if (self.sql is None) == (self.records is None):
            raise BadSetting("Give WolkvoxStageOperator either sql or records.")
        if self.sql is not None:
            return contacted_customers(self.warehouse_conn_id, self.sql, window, self.warehouse_zone, self.stop)
        records = self.records.resolve(context) if isinstance(self.records, XComArg) else self.records
        return customers_of_records(() if records is None else records)


class WolkvoxCodifyOperator(WolkvoxOperator):
    """
    Codify what waits, the newest first, up to one chunk's allotment; return the tally, counted from the ledger.

    A retry takes up what the first try left. Put it into the pool of two slots.

    :param chunk: reference of the chunk, as ``stage`` returned it (templated)
    :param linger: seconds to wait for more when nothing is left to send, unless a person began the run; only the last
        worker of an operation waits
    """

    template_fields: Sequence[str] = ("chunk",)
    template_fields_renderers = {"chunk": "json"}  # noqa: RUF012 - as in every operator
    ui_color = "#e8f7e4"

    def __init__(self, *, chunk: dict[str, Any], linger: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk
        self.linger = linger

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the chunk's pending records and return the tally."""
        from wolkvox.metrics import ChunkMetrics
        from wolkvox.rules.runs import Chunk
        from wolkvox.tasks.chunk import codify_chunk

        chunk = Chunk(**self.chunk)
        try:
            with self.wolkvox() as wolkvox:
                meter = ChunkMetrics(chunk.operation)
                tally = codify_chunk(self._task(context), wolkvox, chunk, meter, self._linger(context))
        except HOPELESS as error:
            give_up(error)
        self.log.info("Done: %s", tally)
        self.done = tally["coded"]
        return tally

    @property
    def sent(self) -> str:
        """What the grid says of the chunk: how many records it sent, once it has."""
        return "" if self.done is None else f" · {self.done:,} coded"

    def _linger(self, context: Context) -> float:
        """A person who began the run waits for its end."""
        run = context.get("dag_run")
        return 0.0 if run is None or began_by(run.run_type) == "person" else self.linger

    def get_openlineage_facets_on_start(self) -> OperatorLineage:
        """What OpenLineage is told."""
        from wolkvox.lineage import of_codify

        settings = self.wolkvox().settings
        return of_codify(self.ledger_conn_id, settings.base_url, settings.operation, self.done)


class WolkvoxVerdictOperator(WolkvoxOperator):
    """
    Add the run up, return the summary, and fail when the run must not be green.

    Runs whatever became of the tasks before it (trigger rule "all_done").

    :param stage_task_id: task that staged the run
    :param codify_task_id: mapped task that sent its chunks
    :param thresholds: from where on a run that isn't red is told of all the same
    :param protection: rules whose calling hours no contact should wait into
    """

    ui_color = "#fff4dd"

    def __init__(
        self,
        *,
        stage_task_id: str = "stage",
        codify_task_id: str = "codify",
        thresholds: Thresholds | None = None,
        protection: Protection | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})
        self.thresholds = thresholds
        self.protection = protection
        self.stage_task_id = stage_task_id
        self.codify_task_id = codify_task_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the run's summary; fails with every reason why it isn't green."""
        from wolkvox.metrics import report_run
        from wolkvox.tasks.verdict import add_up

        ti = context["ti"]
        staged = ti.xcom_pull(task_ids=self.stage_task_id, key="summary")
        # In a list, for one task id alone gives no list when there is one chunk.
        chunks = [tally for tally in ti.xcom_pull(task_ids=[self.codify_task_id]) if tally]
        try:
            options = read_options(context["params"], "UTC")
            settings, thresholds = self.wolkvox().settings, self.thresholds or Thresholds()
            task = self._task(context)
            summary, found = add_up(task, settings, options, thresholds, staged, chunks, self.protection)
        except HOPELESS as error:
            give_up(error)
        report_run(summary)
        self.log.info("The run: %s", summary)
        if found:
            ti.xcom_push(key="return_value", value=summary)
            give_up(Unaccounted(" ".join(found)))
        for asset in self.outlets:
            context["outlet_events"][asset].extra = summary
        return summary


class WolkvoxResultsOperator(WolkvoxOperator):
    """
    Write what became of the contacts into a table of the warehouse, and return how many were written.

    Those that came in or were settled since the last time, and all of this run's; each in the place of what the table
    said of it. Runs whatever became of the tasks before it (trigger rule "all_done").

    :param table: its name, with its schema if need be; it is made when it isn't there
    :param warehouse_conn_id: any SQL connection that may write
    """

    ui_color = "#f1e8ff"

    def __init__(self, *, table: str, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})
        self.table = table
        self.warehouse_conn_id = warehouse_conn_id

    def get_openlineage_facets_on_start(self) -> OperatorLineage:
        """What OpenLineage is told."""
        from wolkvox.lineage import of_results

        return of_results(self.ledger_conn_id, self.warehouse_conn_id, self.table, self.done)

    def execute(self, context: Context) -> int:
        """Write, batch by batch."""
        from wolkvox.ledger.connection import connected
        from wolkvox.ledger.results import changes
        from wolkvox.results import write_results
        from wolkvox.tasks.task import run_of

        if context["params"]["dry_run"]:
            return 0
        try:
            task, place = self._task(context), f"{self.warehouse_conn_id} {self.table}"
            run = run_of(task, self.wolkvox().settings)
            with connected(task.ledger_conn_id, task.stop) as ledger, changes(ledger, run, place) as batches:
                written = write_results(self.warehouse_conn_id, self.table, batches)
        except HOPELESS as error:
            give_up(error)
        self.log.info("Wrote what became of %d contacts into %s.", written, self.table)
        self.done = written
        return written


class WolkvoxAuditOperator(WolkvoxOperator):
    """
    Compare what wolkvox shows with what it was sent, and return the counts; one request for each campaign.

    Each coded contact of the last days is noted as confirmed, as showing another code, as missing, as open again or as
    overtaken by an agent; so are the dials of customers that had been reached, and what codifying prevented. Fails with
    the campaigns to look at when too many contacts aren't confirmed or can't be verified, or too many customers were
    dialled after they had been codified.

    :param days: how far back, at most 31
    :param resend_missing: whether contacts of which wolkvox shows no code are offered again, once in their life
    :param most_unconfirmed: share of the contacts looked at that may not be confirmed, or dialled all the same
    """

    ui_color = "#e4f4f7"

    def __init__(
        self, *, days: int = 31, resend_missing: bool = False, most_unconfirmed: float = 0.01, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.days = days
        self.resend_missing = resend_missing
        self.most_unconfirmed = most_unconfirmed

    def execute(self, context: Context) -> dict[str, Any]:
        """Look at each campaign."""
        from wolkvox.metrics import report_audit
        from wolkvox.tasks.audit import Rules, audit_operation

        rules = Rules(self.days, self.resend_missing, self.most_unconfirmed)
        try:
            with self.wolkvox() as wolkvox:
                summary, complaint = audit_operation(self._task(context), wolkvox, rules)
        except HOPELESS as error:
            give_up(error)
        report_audit(summary)
        self.log.info("Looked at: %s", summary)
        if complaint:
            context["ti"].xcom_push(key="return_value", value=summary)
            give_up(Unaccounted(complaint))
        return summary


class WolkvoxRetentionOperator(BaseOperator):
    """
    Expire what is too old to be sent, write daily digests, make old contacts anonymous, delete the oldest.

    Returns how many of each, and each operation's last digest. Each day's contacts get a digest that follows from that
    of the day before (``python -m wolkvox verify`` compares). After a first age, customers' ids are hashed with a
    secret, the Airflow variable ``wolkvox_evidence_secret``, which is made when there was none before; comments and wolkvox's
    messages are emptied. After a second one the contacts are deleted, and their numbers kept. Fails with what to do
    when something that is due can't be done; all else is done then.

    :param anonymise_after: age from which a contact is anonymous, since it was settled; None: never
    :param keep: age from which it is deleted
    :param expire_after: age of a contact from which it is no longer sent: the longest of those that stage tasks have
    :param ledger_conn_id: PostgreSQL connection of the ledger
    """

    def __init__(
        self,
        *,
        keep: timedelta,
        anonymise_after: timedelta | None = None,
        expire_after: timedelta = EXPIRE_AFTER,
        ledger_conn_id: str = "wolkvox_ledger",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keep = keep
        self.anonymise_after = anonymise_after
        self.expire_after = expire_after
        self.ledger_conn_id = ledger_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Do what is due, batch by batch."""
        from wolkvox.secret import known_secret, new_secret
        from wolkvox.tasks.retention import Ages, retire

        ages = Ages(self.keep, self.anonymise_after, self.expire_after)
        try:
            done = retire(self.ledger_conn_id, ages, known_secret, new_secret)
        except HOPELESS as error:
            give_up(error)
        self.log.info("Done: %s", done.counts())
        if done.complaints:
            context["ti"].xcom_push(key="return_value", value=done.counts())
            raise Unaccounted(" ".join(done.complaints))  # a retry may find what was locked free
        return done.counts()
