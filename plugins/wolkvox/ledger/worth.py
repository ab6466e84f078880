"""Dials of customers after they were contacted, as exports show them, and what codifying was worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.records import Campaign
from wolkvox.rules.worth import MINUTES, by_minutes, lag_curve

MARGIN = timedelta(minutes=1)  # between the vendor's clock and ours
FEWEST_OURS = 10  # codified customers whose dates are those of our calls, before that can't be chance


class Worth(NamedTuple):
    """
    What codifying a campaign's customers on a day was worth.

    ``coded`` contacts, of which customers were ``dialled_after`` they had been codified or ``dialled_before``, between
    contact and codification (``minutes``: as ``worth.by_minutes`` counts them); ``avoided``: how many would have been
    dialled since.
    """

    day: date
    type_campaign: str
    campaign_id: str
    coded: int
    dialled_after: int
    dialled_before: int
    avoided: float
    minutes: list[int]


def total(counted: Iterable[Worth]) -> dict[str, int]:
    """Days and campaigns together."""
    parts = list(counted)
    return {
        "coded": sum(one.coded for one in parts),
        "dialled_after": sum(one.dialled_after for one in parts),
        "dialled_before": sum(one.dialled_before for one in parts),
        "avoided": round(sum(one.avoided for one in parts)),
    }


def curve(counted: Iterable[Worth]) -> dict[int, int]:
    """Dials between contact and codification that would not have been, by the minutes of lag: ``worth.lag_curve``."""
    parts = [sum(dials) for dials in zip(*(one.minutes for one in counted), strict=True)]
    return lag_curve(parts or [0] * (len(MINUTES) + 1))


def note_dials(
    connection: Connection, operation: str, campaign: Campaign, since: datetime, *, moves_date: bool
) -> bool:
    """
    Note the last dial of each customer that is loaded, if it came after a contact; False: its dates say nothing.

    :param since: of contacts
    :param moves_date: whether codifying moves the date, too: those of our own calls are no dials then. When it should
        not, and yet most dates are those of our calls, none is taken for a dial
    """
    facts = {
        "operation": operation,
        "type_campaign": campaign[0],
        "campaign_id": campaign[1],
        "since": since,
        "margin": MARGIN,
        "moves_date": moves_date,
    }
    if not moves_date:
        row = connection.execute(sql("dates_are_ours"), facts).fetchone()
        dated, ours = row or (0, 0)
        if ours >= FEWEST_OURS and 2 * ours > dated:
            return False
    connection.execute(sql("note_dials"), facts)
    return True


def count_worth(
    connection: Connection, operation: str, campaign: Campaign, begun: datetime, since: date, zone: str
) -> None:
    """
    Count what codifying a campaign's customers was worth, each day since then anew, from what is loaded and noted.

    :param begun: when the export was asked for
    :param since: the first day, in the zone
    """
    whose = {"operation": operation, "type_campaign": campaign[0], "campaign_id": campaign[1]}
    row = connection.execute("SELECT %s::timestamp AT TIME ZONE %s", (since, zone)).fetchone()
    facts = {**whose, "since": row and row[0], "begun": begun, "zone": zone}
    counted = connection.execute(sql("count_worth"), facts).fetchall()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM wolkvox.worth WHERE operation = %(operation)s AND type_campaign = %(type_campaign)s"
            " AND campaign_id = %(campaign_id)s AND day >= %(since)s",
            {**whose, "since": since},
        )
        cursor.executemany(
            "INSERT INTO wolkvox.worth (operation, day, type_campaign, campaign_id, coded, dialled_after,"
            " dialled_before, avoided, minutes) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (operation, day, *campaign, coded, after, before, avoided, by_minutes(seconds or ()))
                for day, coded, after, before, avoided, seconds in counted
            ],
        )


def worth(connection: Connection, operation: str, since: date, until: date) -> list[Worth]:
    """What was counted of the days from ``since`` to ``until``, that one too: the latest first."""
    rows = connection.execute(
        "SELECT day, type_campaign, campaign_id, coded, dialled_after, dialled_before, avoided, minutes"
        " FROM wolkvox.worth WHERE operation = %s AND day BETWEEN %s AND %s ORDER BY day DESC, coded DESC, 2, 3",
        (operation, since, until),
    )
    return [Worth(*row) for row in rows]


def breaches(connection: Connection, operation: str, since: datetime, until: datetime | None = None) -> Counter[str]:
    """Contacts in [since, until) whose customers were dialled although they were protected, by the cause."""
    rows = connection.execute(
        "SELECT dial.breach, count(DISTINCT record.id) FROM wolkvox.dial"
        " INNER JOIN wolkvox.codification AS record ON record.id = dial.codification_id"
        " WHERE record.operation = %s AND record.contacted_at >= %s"
        " AND (%s::timestamptz IS NULL OR record.contacted_at < %s) AND dial.breach IS NOT NULL GROUP BY 1",
        (operation, since, until, until),
    )
    return Counter(dict(rows.fetchall()))
