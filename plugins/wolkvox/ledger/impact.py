"""Notes dials of customers after their contact, as exports show them, and counts the impact of codifying."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from psycopg.types.json import Jsonb

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.export_dates import AHEAD, MARGIN, DateCount
from wolkvox.rules.impact import MINUTES, by_minutes, lag_sensitivity
from wolkvox.rules.records import Campaign


class Impact(NamedTuple):
    """
    The impact of codifying a campaign's customers on one day.

    ``coded``: contacts. ``dialled_after``: customers dialled after codification. ``dialled_before``: customers dialled
    between contact and codification (``minutes``: as ``rules.impact.by_minutes`` counts them). ``calls_prevented``:
    codified customers times the share of the other customers that was dialled in the same time.
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
    """The sums over days and campaigns."""
    parts = list(counted)
    return {
        "coded": sum(part.coded for part in parts),
        "dialled_after": sum(part.dialled_after for part in parts),
        "dialled_before": sum(part.dialled_before for part in parts),
        "calls_prevented": round(sum(part.calls_prevented for part in parts)),
    }


def total_lag_sensitivity(counted: Iterable[Impact]) -> dict[int, int]:
    """The dials that a lag of at most so many minutes would have prevented, by these minutes."""
    parts = [sum(dials) for dials in zip(*(part.minutes for part in counted), strict=True)]
    return lag_sensitivity(parts or [0] * (len(MINUTES) + 1))


def count_dates(connection: Connection, campaign: Campaign, begun: datetime) -> DateCount:
    """
    Count what the dates of the loaded export are.

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

    :param since: from which contacts are compared
    :param loaded_at: when these contacts were loaded
    :param dates_are_dials: whether a date equal to that of our own request is a dial, too
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
    """Delete the noted dials of the loaded contacts that are dates of our own requests."""
    connection.execute(sql("forget_own_dates"), {"margin": MARGIN})


def count_impact(
    connection: Connection, operation: str, campaign: Campaign, begun: datetime, since: date, zone: str
) -> None:
    """
    Count the impact of codifying a campaign's customers on each day since then, from the loaded export and dials.

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
    """Delete what was counted since then."""
    connection.execute("DELETE FROM wolkvox.impact WHERE operation = %s AND counted_at >= %s", (operation, since))


def impact(connection: Connection, operation: str, since: date, until: date) -> list[Impact]:
    """The impact of the days from ``since`` to ``until``, inclusive, the latest first."""
    rows = connection.execute(
        "SELECT day, type_campaign, campaign_id, coded, dialled_after, dialled_before, calls_prevented, minutes"
        " FROM wolkvox.impact WHERE operation = %s AND day BETWEEN %s AND %s ORDER BY day DESC, coded DESC, 2, 3",
        (operation, since, until),
    )
    return [Impact(*row) for row in rows]


def breaches(connection: Connection, operation: str, since: datetime, until: datetime | None = None) -> Counter[str]:
    """How many contacts in [since, until) had their customers dialled while protected, by the cause."""
    rows = connection.execute(
        "SELECT dial.breach, count(DISTINCT record.id) FROM wolkvox.dial"
        " INNER JOIN wolkvox.codification AS record ON record.id = dial.codification_id"
        " WHERE record.operation = %s AND record.contacted_at >= %s AND dial.dialled_at >= %s"
        " AND (%s::timestamptz IS NULL OR record.contacted_at < %s) AND dial.breach IS NOT NULL GROUP BY 1",
        (operation, since, since, until, until),
    )
    return Counter(dict(rows.fetchall()))
