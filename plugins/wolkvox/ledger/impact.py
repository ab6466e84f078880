"""Dials of customers after they were contacted, as exports show them, and what codifying was impact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from psycopg.types.json import Jsonb

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.export_dates import AHEAD, MARGIN, DateCount
from wolkvox.rules.impact import MINUTES, by_minutes
from wolkvox.rules.impact import lag_sensitivity as sensitivity_of
from wolkvox.rules.records import Campaign


class Impact(NamedTuple):
    """
    What codifying a campaign's customers on a day prevented.

    ``coded`` contacts, of which customers were ``dialled_after`` they had been codified or ``dialled_before``, between
    contact and codification (``minutes``: as ``impact.by_minutes`` counts them). ``calls_prevented``: how many more
    customers would have been dialled since.
    """

    day: date
    type_campaign: str
    campaign_id: str
    coded: int
    dialled_after: int
    dialled_before: int
    calls_prevented: float
    minutes: list[int]


def total(counted: Iterable[Impact]) -> dict[str, int]:
    """Days and campaigns together."""
    parts = list(counted)
    return {
        "coded": sum(one.coded for one in parts),
        "dialled_after": sum(one.dialled_after for one in parts),
        "dialled_before": sum(one.dialled_before for one in parts),
        "calls_prevented": round(sum(one.calls_prevented for one in parts)),
    }


def lag_sensitivity(counted: Iterable[Impact]) -> dict[int, int]:
    """Dials between contact and codification that a shorter lag would have prevented, by its minutes."""
    parts = [sum(dials) for dials in zip(*(one.minutes for one in counted), strict=True)]
    return sensitivity_of(parts or [0] * (len(MINUTES) + 1))


def count_dates(connection: Connection, campaign: Campaign, begun: datetime) -> DateCount:
    """
    What the dates of the loaded export come to.

    :param begun: when the export was asked for
    """
    params = {"type_campaign": campaign[0], "campaign_id": campaign[1], "margin": MARGIN, "ahead": begun + AHEAD}
    row = connection.execute(sql("count_dates"), params).fetchone()
    assert row is not None
    return DateCount(*row)


def note_dials(
    connection: Connection,
    operation: str,
    campaign: Campaign,
    since: datetime,
    loaded_at: datetime,
    *,
    dates_are_dials: bool,
) -> None:
    """
    Note the last dial of each customer of the loaded export, if it came after a contact.

    :param since: of contacts
    :param loaded_at: when the contacts were loaded that it is compared with
    :param dates_are_dials: whether the date of our own request is that of a dial, too
    """
    params = {
        "operation": operation,
        "type_campaign": campaign[0],
        "campaign_id": campaign[1],
        "since": since,
        "loaded_at": loaded_at,
        "margin": MARGIN,
        "dates_are_dials": dates_are_dials,
    }
    connection.execute(sql("note_dials"), params)


def forget_own_dates(connection: Connection) -> None:
    """Forget what was noted of the contacts that are loaded and is the date of a request of ours."""
    connection.execute(sql("forget_own_dates"), {"margin": MARGIN})


def count_impact(
    connection: Connection, operation: str, campaign: Campaign, begun: datetime, since: date, zone: str
) -> None:
    """
    Count what codifying a campaign's customers was impact, each day since then anew, from what is loaded and noted.

    :param begun: when the export was asked for
    :param since: the first day, in the zone
    """
    whose = {"operation": operation, "type_campaign": campaign[0], "campaign_id": campaign[1]}
    row = connection.execute("SELECT %s::timestamp AT TIME ZONE %s", (since, zone)).fetchone()
    params = {**whose, "since": row and row[0], "begun": begun, "zone": zone}
    counted = [
        {
            "day": day.isoformat(),
            "coded": coded,
            "dialled_after": after,
            "dialled_before": before,
            "calls_prevented": calls_prevented,
            "minutes": by_minutes(seconds or ()),
        }
        for day, coded, after, before, calls_prevented, seconds in connection.execute(sql("count_impact"), params)
    ]
    connection.execute(sql("keep_impact"), {**whose, "since": since, "counted": Jsonb(counted)})


def forget_impact(connection: Connection, operation: str, since: datetime) -> None:
    """Forget what was counted since then."""
    connection.execute("DELETE FROM wolkvox.impact WHERE operation = %s AND counted_at >= %s", (operation, since))


def impact(connection: Connection, operation: str, since: date, until: date) -> list[Impact]:
    """What was counted of the days from ``since`` to ``until``, that one too: the latest first."""
    rows = connection.execute(
        "SELECT day, type_campaign, campaign_id, coded, dialled_after, dialled_before, calls_prevented, minutes"
        " FROM wolkvox.impact WHERE operation = %s AND day BETWEEN %s AND %s ORDER BY day DESC, coded DESC, 2, 3",
        (operation, since, until),
    )
    return [Impact(*row) for row in rows]


def breaches(connection: Connection, operation: str, since: datetime, until: datetime | None = None) -> Counter[str]:
    """Contacts in [since, until) whose customers were dialled although they were protected, by the cause."""
    rows = connection.execute(
        "SELECT dial.breach, count(DISTINCT record.id) FROM wolkvox.dial"
        " INNER JOIN wolkvox.codification AS record ON record.id = dial.codification_id"
        " WHERE record.operation = %s AND record.contacted_at >= %s AND dial.dialled_at >= %s"
        " AND (%s::timestamptz IS NULL OR record.contacted_at < %s) AND dial.breach IS NOT NULL GROUP BY 1",
        (operation, since, since, until, until),
    )
    return Counter(dict(rows.fetchall()))
