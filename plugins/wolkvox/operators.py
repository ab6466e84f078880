"""The three tasks of a run: stage, codify, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from functools import cached_property
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

from airflow.sdk import BaseOperator, conf
from airflow.sdk.exceptions import AirflowFailException

from wolkvox.chunks import SLOTS
from wolkvox.codify import Patience, Progress, codify
from wolkvox.contacts import read_contact
from wolkvox.errors import BadSetting, BadToken, Unaccounted, WrongEndpoint
from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.database import Connection, connect, connected
from wolkvox.ledger.quota import BlockQuota, QuotaRules, align
from wolkvox.ledger.reports import Tally, backlog, seconds_per_call, tally
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.slots import Holder, SlotRules
from wolkvox.ledger.staging import Allowance, Chunk, Resend, Staged, stage
from wolkvox.options import RunOptions, read_options
from wolkvox.preflight import calls_left, disposition_codes
from wolkvox.summary import backlog_gone_at, complaints, failed_ratio
from wolkvox.warehouse import contacted_customers
from wolkvox.window import Window, choose_window

if TYPE_CHECKING:
    from airflow.sdk import Context

    from wolkvox.hook import Settings

# Errors that no retry can mend: somebody has to change a connection or a param first.
HOPELESS = (BadSetting, BadToken, WrongEndpoint)

SLOT_PATIENCE = 600.0  # seconds a task waits for a free slot before it says who holds them
GUESSED_CALL = 0.5  # seconds a call takes, for a forecast before the first one was made


def holder_of(context: Context) -> Holder:
    """The task instance, as the ledger names it."""
    ti = context["ti"]
    return Holder(ti.dag_id, ti.run_id, ti.task_id, -1 if ti.map_index is None else ti.map_index, ti.try_number)


def slot_rules(settings: Settings, patience: float) -> SlotRules:
    """The slots of a connection's token."""
    return SlotRules(settings.fingerprint, settings.operation, settings.call_timeout, patience)


def quota_rules(settings: Settings) -> QuotaRules:
    """The quota of a connection's operation."""
    return QuotaRules(settings.operation, settings.daily_calls, settings.quota_reserve, settings.quota_timezone)


class WolkvoxOperator(BaseOperator):
    """
    What the three tasks share.

    :param wolkvox_conn_id: connection that holds the address and the token
    :param ledger_conn_id: PostgreSQL connection of the ledger
    """

    def __init__(
        self,
        *,
        wolkvox_conn_id: str = "wolkvox_default",
        ledger_conn_id: str = "wolkvox_ledger",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wolkvox_conn_id = wolkvox_conn_id
        self.ledger_conn_id = ledger_conn_id

    @cached_property
    def stop(self) -> Event:
        """Set when the task is to end after the call in flight."""
        return Event()

    def on_kill(self) -> None:
        """End after the call in flight: marked failed in the UI, or the worker is being shut down."""
        self.log.warning("Told to stop: the call in flight is the last one.")
        self.stop.set()


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
    :param slot_patience: seconds to wait for a slot of the token
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
        expire_after: timedelta = timedelta(days=31),
        slot_patience: float = SLOT_PATIENCE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.warehouse_conn_id = warehouse_conn_id
        self.timezone = timezone
        self.expire_after = expire_after
        self.slot_patience = slot_patience

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Stage, and return the references of the chunks."""
        try:
            options = read_options(context["params"], self.timezone)
            window = self._window(context, options)
            self.log.info("Pulling contacts from %s up to %s.", window.start.isoformat(), window.end.isoformat())
            with connected(self.ledger_conn_id) as ledger, WolkvoxHook(self.wolkvox_conn_id) as wolkvox:
                staged = self._stage(context, ledger, wolkvox, options, window)
                summary = self._summary(ledger, wolkvox.settings, staged, options, window)
        except HOPELESS as error:
            give_up(error)
        self.log.info("Staged: %s", summary)
        context["ti"].xcom_push(key="summary", value=summary)
        return [] if options.dry_run else [asdict(chunk) for chunk in staged.chunks]

    def _window(self, context: Context, options: RunOptions) -> Window:
        run = context["dag_run"]
        asked = run.run_after
        interval_end = context.get("data_interval_end") or asked
        if run.run_type == "manual":
            interval_end = max(interval_end, asked)
        return choose_window(
            asked_start=options.window_start,
            asked_end=options.window_end,
            interval_start=context.get("data_interval_start") or asked,
            interval_end=interval_end,
            lookback=options.lookback,
        )

    def _stage(
        self, context: Context, ledger: Connection, wolkvox: WolkvoxHook, options: RunOptions, window: Window
    ) -> Staged:
        settings, zone = wolkvox.settings, ZoneInfo(self.timezone)
        rows = contacted_customers(self.warehouse_conn_id, self.sql, window, self.timezone)

        def ask() -> Allowance:
            facts = (ledger, wolkvox, slot_rules(settings, self.slot_patience), quota_rules(settings))
            if options.dry_run:
                return Allowance(options.limit)
            left = calls_left(*facts, holder_of(context), self.stop).left
            codes = disposition_codes(*facts, holder_of(context), self.stop)
            known = [number for number in (left, options.limit) if number is not None]
            return Allowance(min(known) if known else None, codes)

        return stage(
            ledger,
            (read_contact(row, operation=settings.operation, zone=zone) for row in rows),
            operation=settings.operation,
            dag_run_id=context["run_id"],
            ask=ask,
            expire_after=self.expire_after,
            most_chunks=conf.getint("core", "max_map_length", fallback=1024),
            resend=Resend(options.resend, window.start, window.end) if options.resend else None,
            keep=not options.dry_run,
        )

    def _summary(
        self, ledger: Connection, settings: Settings, staged: Staged, options: RunOptions, window: Window
    ) -> dict[str, Any]:
        seconds = seconds_per_call(ledger, settings.operation) or GUESSED_CALL
        return {
            **staged.counts(),
            "chunks": len(staged.chunks),
            "expected_minutes": round(staged.records * seconds / SLOTS / 60, 1),
            "window_start": window.start.isoformat(),
            "window_end": window.end.isoformat(),
            "dry_run": options.dry_run,
        }


class WolkvoxCodifyOperator(WolkvoxOperator):
    """
    Codify one chunk of contacts and return its tally, counted from the ledger.

    A retry continues where the chunk stopped. Put it into the pool of two slots.

    :param chunk: reference of the chunk, as ``stage`` returned it (templated)
    :param patience: how often and how long to try again
    :param slot_patience: seconds to wait for a slot of the token
    """

    template_fields: Sequence[str] = ("chunk",)
    template_fields_renderers = {"chunk": "json"}  # noqa: RUF012 - as in every operator
    ui_color = "#e8f7e4"

    def __init__(
        self,
        *,
        chunk: dict[str, Any],
        patience: Patience | None = None,
        slot_patience: float = SLOT_PATIENCE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk
        self.patience = patience
        self.slot_patience = slot_patience

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the chunk's pending records and return the tally."""
        chunk = Chunk(**self.chunk)
        try:
            with WolkvoxHook(self.wolkvox_conn_id) as wolkvox:
                progress = self._codify(chunk, wolkvox, holder_of(context))
        except HOPELESS as error:
            give_up(error)
        with connected(self.ledger_conn_id) as ledger:
            result = describe_chunk(chunk, tally(ledger, chunk.dag_run_id, chunk.chunk_id), progress)
        self.log.info("Done: %s", result)
        return result

    def _codify(self, chunk: Chunk, wolkvox: WolkvoxHook, holder: Holder) -> Progress:
        settings = wolkvox.settings
        with ChunkSession(
            lambda: connect(self.ledger_conn_id),
            chunk,
            slot_rules(settings, self.slot_patience),
            holder,
            self.stop,
        ) as session:
            quota = BlockQuota(session.run, quota_rules(settings), chunk.records)
            try:
                return codify(
                    ledger=session,
                    send=wolkvox.codify,
                    quota=quota,
                    stop=self.stop,
                    patience=self.patience or Patience(),
                    report=self._report,
                )
            finally:
                quota.close()

    def _report(self, progress: Progress) -> None:
        seconds = monotonic() - progress.started
        rate = progress.done / seconds if seconds > 0 else 0.0
        left = (progress.total - progress.done) / rate if rate else None
        self.log.info(
            "%d of %d records done, %.1f a second, %s left; %s%s",
            progress.done,
            progress.total,
            rate,
            "not known how long" if left is None else f"about {left:.0f} s",
            ", ".join(f"{count} {state}" for state, count in sorted(progress.states.items())) or "none yet",
            f" ({progress.unknown} with an unknown outcome)" if progress.unknown else "",
        )


def describe_chunk(chunk: Chunk, counted: Tally, progress: Progress) -> dict[str, Any]:
    """A chunk's XCom: states from the ledger, calls and seconds of this attempt."""
    states = ("coded", "rejected", "failed", "pending")
    return {
        "campaign": f"{chunk.type_campaign} {chunk.campaign_id}",
        "chunk": chunk.number,
        "chunk_id": chunk.chunk_id,
        "records": chunk.records,
        **{state: counted.states[state] for state in states},
        "unknown": counted.unknown,
        "resent": counted.resent,
        "calls": progress.calls,
        "seconds": round(monotonic() - progress.started, 1),
        "seconds_per_call": round(progress.call_seconds / progress.calls, 4) if progress.calls else None,
        "stopped": progress.stopped,
    }


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
        staged = context["ti"].xcom_pull(task_ids=self.stage_task_id, key="summary")
        try:
            options = read_options(context["params"], "UTC")
            summary, found = self._add_up(context, staged, options)
        except HOPELESS as error:
            give_up(error)
        self.log.info("The run: %s", summary)
        for asset in self.outlets:
            context["outlet_events"][asset].extra = summary
        if found:
            context["ti"].xcom_push(key="return_value", value=summary)
            give_up(Unaccounted(" ".join(found)))
        return summary

    def _add_up(
        self, context: Context, staged: dict[str, Any] | None, options: RunOptions
    ) -> tuple[dict[str, Any], list[str]]:
        chunks = [chunk for chunk in context["ti"].xcom_pull(task_ids=self.codify_task_id) or [] if chunk]
        settings = WolkvoxHook(self.wolkvox_conn_id).settings
        rules = quota_rules(settings)
        with connected(self.ledger_conn_id) as ledger:
            counted = tally(ledger, context["run_id"])
            waits = backlog(ledger, settings.operation)
            quota = align(ledger, rules)
        stopped = next((chunk["stopped"] for chunk in chunks if chunk["stopped"]), None)
        if quota.left == 0 and waits.waiting:
            stopped = "quota"
        gone = backlog_gone_at(
            waits.waiting,
            left_today=quota.left,
            daily=rules.own_limit,
            now=datetime.now(timezone.utc),
            resets_at=rules.resets_at(),
        )
        summary = {
            **(staged or {}),
            **{state: counted.states[state] for state in ("coded", "rejected", "failed", "pending", "sending")},
            "unknown": counted.unknown,
            "resent": counted.resent,
            "moved": max(0, (staged or {}).get("records", 0) - counted.total),
            "calls": sum(chunk["calls"] for chunk in chunks),
            "failed_ratio": round(failed_ratio(counted.states), 4),
            "stopped": stopped,
            "waiting": waits.waiting,
            "oldest_waiting": waits.oldest and waits.oldest.isoformat(),
            "backlog_gone_at": gone and gone.isoformat(timespec="seconds"),
            "quota_calls": quota.calls,
            "quota_limit": quota.limit,
            "quota_left": quota.left,
            "quota_resets_at": rules.resets_at().isoformat(),
        }
        found = complaints(
            staged=staged,
            states=counted.states,
            stopped=stopped,
            max_failed_ratio=options.max_failed_ratio,
            tasks_failed=max(0, (staged or {}).get("chunks", 0) - len(chunks)) if not options.dry_run else 0,
        )
        return summary, found
