"""The checks of where contacts come from: the warehouse query, the file of operations, the channels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.dag.operations import FILE
from wolkvox.errors import BadSetting
from wolkvox.ledger.channels import recent_channels
from wolkvox.ledger.connection import connected
from wolkvox.ledger.connection import now as ledger_now
from wolkvox.ledger.watch import other_operations
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.operators.stage import missing_query
from wolkvox.rules.alerts import why_lost
from wolkvox.rules.contacts import read_contact
from wolkvox.rules.values import folded
from wolkvox.rules.window import Window
from wolkvox.rules.zones import why_in_future
from wolkvox.warehouse.queries import contacted_customers, future_contact

TRIED = timedelta(days=1)  # how far back the warehouse query is tried
AROUND = timedelta(seconds=2)  # a contact, what its row's fractions are rounded by included
_PERSONAL = re.compile(r"\S*(?:@|\d{4})\S*")  # what may be somebody's number or address


def check_warehouse(stage: WolkvoxStageOperator) -> str:
    """Whether the warehouse query runs, and whether its first row can be sent.

    :raises WolkvoxError: when it can't be asked, or reads times in another zone than they were written in
    """
    if stage.sql is None:
        return "none: the contacts are handed over as records"
    stage.resolve_template_files()
    if stage.sql.endswith(tuple(stage.template_ext)):
        raise missing_query(stage.sql)
    now = ledger_now(stage.ledger_conn_id)
    future = future_contact(stage.warehouse_conn_id, stage.sql, now, stage.warehouse_zone)
    if future is not None:
        raise BadSetting(why_in_future(future, now, stage.warehouse_zone))
    row = _first_row(stage, Window(now - TRIED, now))
    if row is None:
        return "the query runs; no contact in the last 24 hours"
    placeholders = frozenset(map(folded, stage.placeholder_ids))
    contact = read_contact(row, operation="", zone=ZoneInfo(stage.warehouse_zone), placeholders=placeholders)
    if contact.contacted_at is not None:
        _refuse_lost_zone(stage, contact.contacted_at)
    fate = "can be sent" if contact.reason is None else f"can't be sent: {contact.reason}"
    return f"the query runs; its first row {fate}"


def check_operations(stage: WolkvoxStageOperator) -> str:
    """That no file of operations is there, and none is missed.

    :raises BadSetting: when the ledger has operations that the file may have named
    """
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        lost = why_lost(other_operations(ledger, stage.dag_id))
    if lost:
        raise BadSetting(lost)
    return f"no {FILE} beside the DAGs: the built-in defaults apply"


def check_channels(stage: WolkvoxStageOperator) -> str:
    """The channels that no rule of protection names: the warehouse's names for them are known once they were seen."""
    rules = stage.protection
    assert rules is not None
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        seen = recent_channels(ledger, stage.wolkvox().settings.operation)
    unnamed = [channel for channel in seen if not rules.names(channel)]
    if not unnamed:
        return "each of the latest contacts has a channel that a rule of protection names" if seen else "none seen yet"
    names = ", ".join(map(_masked, unnamed))
    return f"named by no rule of protection, so that the strictest counts: {names}"


def _first_row(stage: WolkvoxStageOperator, window: Window) -> Sequence[Any] | None:
    rows = contacted_customers(stage.warehouse_conn_id, stage.sql or "", window, stage.warehouse_zone)
    with closing(rows):
        return next(rows, None)


def _refuse_lost_zone(stage: WolkvoxStageOperator, contacted_at: datetime) -> None:
    """A contact is in the seconds around its own time, unless the driver gives the window another zone.

    :raises BadSetting: when it isn't
    """
    if _first_row(stage, Window(contacted_at - AROUND, contacted_at + AROUND)) is None:
        raise BadSetting(
            f"The query's first row is of {contacted_at:%Y-%m-%d %H:%M:%S} UTC, and the seconds around that have no"
            " row: either the driver drops the zone of window_start and window_end, or the query doesn't compare"
            " contacted_at with them. See what to write for this database in docs/warehouses.md."
        )


def _masked(channel: str | None) -> str:
    """A channel's name, without what may be somebody's number or address."""
    return "(no channel)" if channel is None else _PERSONAL.sub("…", channel)
