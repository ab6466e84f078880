"""What wolkvox last said of its campaigns, and which of ours are parked for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.campaigns import MISFITS, UNKNOWN, Listed, misfit
from wolkvox.rules.records import Campaign

LOOK_AGAIN = timedelta(hours=1)  # the vendor suggests at most one such look every five minutes; names change seldom


def look_is_due(connection: Connection, operation: str, *, by_hand: bool) -> bool:
    """Whether to ask wolkvox: an hour after the last time, or at once for whoever waits for a parked campaign."""
    row = connection.execute(
        sql("look_is_due"),
        {"operation": operation, "again": LOOK_AGAIN, "by_hand": by_hand, "misfits": list(MISFITS)},
    ).fetchone()
    return bool(row and row[0])


def note_look(connection: Connection, operation: str) -> datetime:
    """Wolkvox is asked, whatever it says; returns when that was done before, an hour ago at the latest."""
    row = connection.execute(sql("note_look"), {"operation": operation, "again": LOOK_AGAIN}).fetchone()
    assert row is not None
    before: datetime = row[0]
    return before


def keep_campaigns(connection: Connection, operation: str, listed: Mapping[str, Listed], since: datetime) -> None:
    """
    Keep the list, park the waiting campaigns that can't be right, and free those that are by now.

    One that is parked for its refusals stays so unless it can't be right either. One that isn't in the list is there
    all the same when records of it were coded since the look before: the list may be an old one, or a page of it.

    :param since: when the campaigns were asked for the time before
    """
    with connection.transaction():
        connection.execute("DELETE FROM wolkvox.campaign WHERE operation = %s", (operation,))
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO wolkvox.campaign (operation, campaign_id, type_campaign, name, status)"
                " VALUES (%s, %s, %s, %s, %s)",
                [(operation, *one) for one in listed.values()],
            )
            wrong = [
                (*campaign, *found)
                for campaign in _waiting(connection, operation)
                if (found := misfit(campaign, listed))
                and not (found[0] == UNKNOWN and _coded_since(connection, operation, campaign, since))
            ]
            cursor.executemany(
                sql("park_misfit"),
                [
                    {
                        "operation": operation,
                        "type_campaign": kind,
                        "campaign_id": campaign_id,
                        "reason": reason,
                        "words": words,
                        "pause": LOOK_AGAIN,
                    }
                    for kind, campaign_id, reason, words in wrong
                ],
            )
        connection.execute(
            "DELETE FROM wolkvox.parked WHERE operation = %s AND reason = ANY(%s)"
            " AND (type_campaign || ' ' || campaign_id) <> ALL(%s)",
            (operation, list(MISFITS), [f"{kind} {campaign_id}" for kind, campaign_id, *_ in wrong]),
        )


def _coded_since(connection: Connection, operation: str, campaign: Campaign, since: datetime) -> bool:
    params = {
        "operation": operation,
        "type_campaign": campaign[0],
        "campaign_id": campaign[1],
        "since": since,
        "states": ["coded"],
    }
    row = connection.execute(sql("answered_since"), params).fetchone()
    return bool(row and row[0])


def _waiting(connection: Connection, operation: str) -> Iterable[Campaign]:
    return connection.execute(
        "SELECT DISTINCT type_campaign, campaign_id FROM wolkvox.codification"
        " WHERE operation = %s AND state = 'pending' AND campaign_id IS NOT NULL",
        (operation,),
    ).fetchall()


def names(connection: Connection, operation: str) -> dict[str, Listed]:
    """The campaigns of the last list, by id."""
    rows = connection.execute(
        "SELECT campaign_id, type_campaign, name, status FROM wolkvox.campaign WHERE operation = %s", (operation,)
    )
    return {row[0]: Listed(*row) for row in rows}
