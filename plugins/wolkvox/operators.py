"""
The three tasks of a run: stage, codify, verdict.

What they do is in ``runs``, imported when a task starts: a DAG file must be parsed quickly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator, conf
from airflow.sdk.exceptions import AirflowFailException

from wolkvox.errors import BadSetting, BadToken, Unaccounted, WrongEndpoint
from wolkvox.links import RowsLink
from wolkvox.rules.options import RunOptions, read_options
from wolkvox.rules.window import Window, choose_window
from wolkvox.tasks.codify import Patience

if TYPE_CHECKING:
    from airflow.sdk import Context

    from wolkvox.tasks.runs import Task

# Errors that no retry can mend: somebody has to change a connection or a param first.
HOPELESS = (BadSetting, BadToken, WrongEndpoint)

EXPIRE_AFTER = timedelta(days=31)  # age of a contact from which it is no longer sent
SLOT_PATIENCE = 600.0  # seconds a task waits for a free slot before it says who holds them


class WolkvoxOperator(BaseOperator):
    """
    What the three tasks share.

    :param wolkvox_conn_id: connection that holds the address and the token
    :param ledger_conn_id: PostgreSQL connection of the ledger
    :param slot_patience: seconds to wait for a slot of the token
    """

    def __init__(
        self,
        *,
        wolkvox_conn_id: str = "wolkvox_default",
        ledger_conn_id: str = "wolkvox_ledger",
        slot_patience: float = SLOT_PATIENCE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wolkvox_conn_id = wolkvox_conn_id
        self.ledger_conn_id = ledger_conn_id
        self.slot_patience = slot_patience

    @cached_property
    def stop(self) -> Event:
        """Set when the task is to end after the call in flight."""
        return Event()

    def on_kill(self) -> None:
        """End after the call in flight: marked failed in the UI, or the worker is being shut down."""
        self.log.warning("Told to stop: the call in flight is the last one.")
        self.stop.set()

    def _task(self, context: Context) -> Task:
        from wolkvox.ledger.slots import Holder
        from wolkvox.tasks.runs import Task

        ti = context["ti"]
        map_index = -1 if ti.map_index is None else ti.map_index
        holder = Holder(ti.dag_id, ti.run_id, ti.task_id, map_index, ti.try_number)
        return Task(self.wolkvox_conn_id, self.ledger_conn_id, holder, self.stop, self.slot_patience)


def give_up(error: Exception) -> NoReturn:
    """Fail the task without a retry."""
    raise AirflowFailException(str(error)) from error


class WolkvoxStageOperator(WolkvoxOperator):
    """
    Pull contacted customers from the warehouse into the ledger and return the run's chunks.

    Reads the DAG params of ``options.read_options``. A run that was triggered by hand without a window pulls up
    to the moment of the trigger.

    :param sql: query that gives the columns of ``contacts.COLUMNS`` between ``:window_start`` and ``:window_end``
        (templated, may be a file)
    :param warehouse_conn_id: any SQL connection
    :param timezone: zone of a ``contacted_at`` or a param that carries none
    :param expire_after: age of a contact from which it is no longer sent
    """

    template_fields: Sequence[str] = ("sql",)
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"sql": "sql"}  # noqa: RUF012 - as in every operator
    ui_color = "#e6f2ff"

    def __init__(
        self,
        *,
        sql: str,
        warehouse_conn_id: str = "warehouse",
        timezone: str = "America/Bogota",
        expire_after: timedelta = EXPIRE_AFTER,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.warehouse_conn_id = warehouse_conn_id
        self.timezone = timezone
        self.expire_after = expire_after

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Stage, and return the references of the chunks."""
        from wolkvox.tasks.runs import Source, stage_run

        source = Source(self.warehouse_conn_id, self.sql, self.timezone, self.expire_after)
        most_chunks = conf.getint("core", "max_map_length", fallback=1024)
        try:
            options = read_options(context["params"], self.timezone)
            window = run_window(context, options)
            self.log.info("Pulling contacts from %s up to %s.", window.start.isoformat(), window.end.isoformat())
            chunks, summary = stage_run(self._task(context), source, window, options, most_chunks)
        except HOPELESS as error:
            give_up(error)
        self.log.info("Staged: %s", summary)
        context["ti"].xcom_push(key="summary", value=summary)
        return [] if options.dry_run else [asdict(chunk) for chunk in chunks]


def run_window(context: Context, options: RunOptions) -> Window:
    """The window of a run: what its params ask for, else its data interval."""
    run = context["dag_run"]
    interval_end = context.get("data_interval_end") or run.run_after
    if run.run_type == "manual":
        interval_end = max(interval_end, run.run_after)
    return choose_window(
        asked_start=options.window_start,
        asked_end=options.window_end,
        interval_start=context.get("data_interval_start") or run.run_after,
        interval_end=interval_end,
        lookback=options.lookback,
    )


class WolkvoxCodifyOperator(WolkvoxOperator):
    """
    Codify one chunk of contacts and return its tally, counted from the ledger.

    A retry continues where the chunk stopped. Put it into the pool of two slots.

    :param chunk: reference of the chunk, as ``stage`` returned it (templated)
    :param patience: how often and how long to try again
    """

    template_fields: Sequence[str] = ("chunk",)
    template_fields_renderers = {"chunk": "json"}  # noqa: RUF012 - as in every operator
    operator_extra_links = (RowsLink(),)
    ui_color = "#e8f7e4"

    def __init__(self, *, chunk: dict[str, Any], patience: Patience | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk
        self.patience = patience

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the chunk's pending records and return the tally."""
        from wolkvox.ledger.staging import Chunk
        from wolkvox.tasks.runs import codify_chunk

        try:
            tally = codify_chunk(self._task(context), Chunk(**self.chunk), self.patience or Patience())
        except HOPELESS as error:
            give_up(error)
        self.log.info("Done: %s", tally)
        return tally


class WolkvoxVerdictOperator(WolkvoxOperator):
    """
    Add the run up, return the summary, and fail when the run must not be green.

    Runs whatever became of the tasks before it (trigger rule "all_done").

    :param stage_task_id: task that staged the run
    :param codify_task_id: mapped task that sent its chunks
    """

    ui_color = "#fff4dd"

    def __init__(self, *, stage_task_id: str = "stage", codify_task_id: str = "codify", **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})
        self.stage_task_id = stage_task_id
        self.codify_task_id = codify_task_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the run's summary; fails with every reason why it isn't green."""
        from wolkvox.tasks.runs import add_up

        ti = context["ti"]
        staged = ti.xcom_pull(task_ids=self.stage_task_id, key="summary")
        # In a list, for one task id alone gives no list when there is one chunk.
        chunks = [tally for tally in ti.xcom_pull(task_ids=[self.codify_task_id]) if tally]
        try:
            options = read_options(context["params"], "UTC")
            summary, found = add_up(self._task(context), options, staged, chunks)
        except HOPELESS as error:
            give_up(error)
        self.log.info("The run: %s", summary)
        if found:
            ti.xcom_push(key="return_value", value=summary)
            give_up(Unaccounted(" ".join(found)))
        for asset in self.outlets:
            context["outlet_events"][asset].extra = summary
        return summary


class WolkvoxRetentionOperator(BaseOperator):
    """
    Delete old settled records from the ledger and return how many.

    :param keep: how long a record is kept after it was staged; longer than contacts may wait to be sent
    :param ledger_conn_id: PostgreSQL connection of the ledger
    """

    def __init__(self, *, keep: timedelta, ledger_conn_id: str = "wolkvox_ledger", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keep = keep
        self.ledger_conn_id = ledger_conn_id

    def execute(self, context: Context) -> int:
        """Delete, batch by batch."""
        from wolkvox.ledger.connection import connected
        from wolkvox.ledger.retention import forget

        if self.keep <= EXPIRE_AFTER:
            give_up(
                BadSetting(f"keep must be longer than {EXPIRE_AFTER.days} days: younger contacts may be pulled again.")
            )
        with connected(self.ledger_conn_id) as ledger:
            forgotten = forget(ledger, self.keep)
        self.log.info("Deleted %d records staged more than %d days ago.", forgotten, self.keep.days)
        return forgotten
