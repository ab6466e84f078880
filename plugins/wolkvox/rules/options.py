"""A run's options, as the DAG's params give them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pendulum

from wolkvox.errors import BadSetting
from wolkvox.rules.ids import read_id
from wolkvox.rules.timestamps import FIRST_YEAR, LAST_YEAR
from wolkvox.rules.values import PLAIN_NUMBER, SWITCH
from wolkvox.rules.window import LONGEST_WINDOW

LONGEST_RUN = timedelta(minutes=90)  # Airflow may end a task that outlives its token, which is for some 100 minutes
BEGAN_BY = ("event", "schedule", "person", "other")  # what begins a run
_RECORD = re.compile(r"record ([1-9]\d{0,17})", re.ASCII)
MOST_RECORDS = 1_000_000_000  # that ``limit`` may name


@dataclass(frozen=True, slots=True)
class RunOptions:
    """
    ``limit`` is in records; ``run_seconds`` is how long the run may send, None for as long as is usual;
    ``resend`` is "failed", "rejected" or a reason; ``max_failed_ratio`` is the share of the records answered for
    that may have failed or been rejected before the run is red.
    """

    window_start: datetime | None
    window_end: datetime | None
    lookback: timedelta
    limit: int | None
    run_seconds: float | None
    dry_run: bool
    max_failed_ratio: float
    resend: str | None
    customer_id: str | None = None

    @property
    def customer_record(self) -> int | None:
        """The number of the ledger's record whose customer is meant; None where an id is given, or nobody."""
        match = _RECORD.fullmatch(self.customer_id or "")
        return None if match is None else int(match[1])

    @property
    def is_usual(self) -> bool:
        """Whether the run pulls everybody in the usual window, for good."""
        asked = self.dry_run, self.window_start, self.window_end, self.customer_id
        return not any(asked)


def began_by(run_type: str) -> str:
    """Return what began a run, one of ``BEGAN_BY``, by Airflow's name of its type."""
    return {"asset_triggered": "event", "scheduled": "schedule", "manual": "person"}.get(run_type, "other")


def read_options(params: Mapping[str, Any], zone: str) -> RunOptions:
    """
    Read the options of a run.

    :param zone: of a timestamp that is given without one
    :raises BadSetting: naming the param and what it should be
    """
    limit = _number(params, "limit", most=MOST_RECORDS)
    ratio = _number(params, "max_failed_ratio", most=1)
    why = "; Airflow may end tasks that take longer, and the next run goes on where this one stops"
    minutes = _number(params, "run_minutes", most=LONGEST_RUN // timedelta(minutes=1), why=why)
    if minutes == 0:
        raise BadSetting("run_minutes must be more than 0: a run without time sends nothing.")
    lookback = _number(params, "lookback_hours", most=LONGEST_WINDOW // timedelta(hours=1))
    resend = str(params.get("resend") or "none")
    return RunOptions(
        window_start=_timestamp(params, "window_start", zone),
        window_end=_timestamp(params, "window_end", zone),
        lookback=timedelta(hours=24 if lookback is None else lookback),
        limit=None if limit is None else int(limit),
        run_seconds=None if minutes is None else minutes * 60,
        dry_run=_switch(params, "dry_run"),
        max_failed_ratio=0.05 if ratio is None else ratio,
        resend=None if resend == "none" else resend,
        customer_id=_customer(params),
    )


def name_of_record(record: int) -> str:
    """What stands for a customer where an id must not stand, as in a run's configuration."""
    return f"record {record}"


def _customer(params: Mapping[str, Any]) -> str | None:
    """Return one customer's id, None where none is given; no other text will do: else everybody would be sent."""
    value = params.get("customer_id")
    if value is None or value == "":
        return None
    try:
        customer_id = read_id(value)
    except ValueError:
        customer_id = None
    if customer_id is None:
        raise BadSetting("customer_id must be the id of one customer, as the warehouse has it.")
    return customer_id


def _timestamp(params: Mapping[str, Any], name: str, zone: str) -> datetime | None:
    value = params.get(name)
    if value is None or value == "":
        return None
    try:
        timestamp = pendulum.parse(str(value), tz=zone)
    except ValueError:
        timestamp = None
    if not isinstance(timestamp, datetime) or not FIRST_YEAR <= timestamp.year <= LAST_YEAR:
        raise BadSetting(f"{name} must be a timestamp such as 2026-01-31T08:00:00-05:00.")
    return timestamp


def _switch(params: Mapping[str, Any], name: str) -> bool:
    """Whether the param is on; any other text is refused: what was sent instead of a dry run can't be undone."""
    value = params.get(name)
    text = "" if value is None else str(value).strip().lower()
    if text and text not in SWITCH:
        raise BadSetting(f"{name} must be true or false.")
    return SWITCH[text] if text else False


def _number(params: Mapping[str, Any], name: str, most: int, why: str = "") -> float | None:
    value = params.get(name)
    if value is None or value == "":
        return None
    written = isinstance(value, str) and not PLAIN_NUMBER.fullmatch(value.strip())
    try:
        number = -1.0 if written or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= most:
        raise BadSetting(f"{name} must be a number from 0 to {most}{why}.")
    return number
