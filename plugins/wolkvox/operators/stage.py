"""The operator that pulls contacts into the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import XComArg, conf
from jinja2 import TemplateNotFound

from wolkvox.errors import BadSetting
from wolkvox.operators.base import WolkvoxOperator, fail, failing_for_good
from wolkvox.rules.ages import EXPIRE_AFTER
from wolkvox.rules.guard import Guard
from wolkvox.rules.options import RunOptions, began_by, read_options
from wolkvox.rules.values import folded
from wolkvox.rules.window import Window, choose_window, interval_of

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context
    from jinja2 import Environment

    from wolkvox.rules.protection import Protection
    from wolkvox.tasks.stage import Source
    from wolkvox.tasks.watch import Watched

DEFAULT_RUN = 900.0  # seconds that a run may send unless it asks for another time


class WolkvoxStageOperator(WolkvoxOperator):
    """
    Pull contacted customers from the warehouse into the ledger and return the run's chunks.

    Reads the DAG params of ``options.read_options``. A run that was triggered by hand without a window pulls up
    to the time of the trigger, one that an event began up to now.

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
    :param guard: from where on what comes in is held until a person decides; None: never
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
        guard: Guard | None = Guard(),  # noqa: B008 - it can't be changed
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
        self.guard = guard

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Fill in the query; without a retry, and with what to do, where its file was not deployed."""
        try:
            super().render_template_fields(context, jinja_env)
        except TemplateNotFound as error:
            fail(missing_query(str(error.name or self.sql or "")))

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Stage, and return the references of the chunks."""
        from wolkvox.operators.metrics import report_stage
        from wolkvox.tasks.stage import stage_run

        most_chunks = conf.getint("core", "max_map_length", fallback=1024)
        with failing_for_good():
            if self.refused:
                raise BadSetting(self.refused)
            options = read_options(context["params"], self.timezone)
            window = self._window(context, options)
            self.log.info("Pulling contacts from %s up to %s.", window.start.isoformat(), window.end.isoformat())
            source = self._source(context, options, window)
            with self.wolkvox() as wolkvox:
                chunks, summary = stage_run(self._task(context), wolkvox, source, window, options, most_chunks)
        if preview := summary.pop("preview", None):
            context["ti"].xcom_push(key="preview", value=preview)
        report_stage(wolkvox.settings.operation, summary)
        self.log.info("Staged: %s", summary)
        context["ti"].xcom_push(key="summary", value=summary)
        self.done = summary["new"]
        return [] if options.dry_run else [asdict(chunk) for chunk in chunks]

    @property
    def warehouse_zone(self) -> str:
        """The zone of a ``contacted_at`` that carries none."""
        return self.warehouse_timezone or self.timezone

    def get_openlineage_facets_on_start(self) -> OperatorLineage:
        """The task's inputs and outputs, for OpenLineage."""
        from wolkvox.operators.lineage import of_stage

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

    def _source(self, context: Context, options: RunOptions, window: Window) -> Source:
        """What is staged, and what ``stage_run`` needs to know of it."""
        from wolkvox.ledger.secret import known_secret
        from wolkvox.tasks.stage import Source

        begun_by = began_by(context["dag_run"].run_type)
        return Source(
            self._rows(context, window),
            self.warehouse_zone,
            self.expire_after,
            options.run_seconds or DEFAULT_RUN,
            by_hand=begun_by == "person",
            protection=self.protection,
            began_by=begun_by,
            watched=self._watched(window),
            future_contact=self._future_contact,
            is_built_in=self.is_built_in,
            placeholders=frozenset(map(folded, self.placeholder_ids)),
            secret=known_secret,
            guard=self.guard,
        )

    def _rows(self, context: Context, window: Window) -> Iterable[Sequence[Any]]:
        """The query's rows of the window, or the records as they are."""
        from wolkvox.warehouse.queries import contacted_customers
        from wolkvox.warehouse.records import customers_of_records

        if (self.sql is None) == (self.records is None):
            raise BadSetting("Give WolkvoxStageOperator either sql or records.")
        if self.sql is not None:
            return contacted_customers(self.warehouse_conn_id, self.sql, window, self.warehouse_zone, self.stop)
        records = self.records.resolve(context) if isinstance(self.records, XComArg) else self.records
        return customers_of_records(() if records is None else records)

    def _watched(self, window: Window) -> Watched:
        """What the DAG's trigger compares the warehouse with from now on."""
        from wolkvox.dag.schedule import schedule_of
        from wolkvox.tasks.watch import Watched
        from wolkvox.warehouse.fingerprints import window_fingerprint

        count = None
        if self.sql is not None:
            count = partial(window_fingerprint, self.warehouse_conn_id, self.sql, window, self.warehouse_zone)
        return Watched(schedule_of(self.dag), count)

    def _future_contact(self, now: datetime) -> datetime | None:
        """When a contact of the warehouse takes place that is of after now; None: there is none."""
        from wolkvox.warehouse.queries import future_contact

        if self.sql is None:
            return None
        return future_contact(self.warehouse_conn_id, self.sql, now, self.warehouse_zone, self.stop)


def missing_query(name: str) -> BadSetting:
    """The error that says what to do about a query whose file wasn't deployed."""
    return BadSetting(
        f"The warehouse query {name} is not beside the DAGs: deploy the folder include/ next to dags/, or put the query"
        f" at {name} in the folder of the DAG's file."
    )
