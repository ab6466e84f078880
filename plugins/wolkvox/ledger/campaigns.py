"""Keeps wolkvox's campaign list, and suspends the campaigns that can't be right by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.consecutive_failures import answered_since
from wolkvox.rules.campaigns import MISFITS, UNKNOWN, Listed, misfit
from wolkvox.rules.records import Campaign

SYNC_EVERY = timedelta(hours=1)  # the vendor suggests at most one list every five minutes; names change seldom


def sync_is_due(connection: Connection, operation: str, *, by_hand: bool) -> bool:
    """Whether to ask for the list: after an hour, or at once in a run by hand while it keeps a campaign suspended."""
    row = connection.execute(
        sql("campaign_sync_is_due"),
        {"operation": operation, "again": SYNC_EVERY, "by_hand": by_hand, "misfits": list(MISFITS)},
    ).fetchone()
    return bool(row and row[0])


def note_sync(connection: Connection, operation: str) -> datetime:
    """Note that the list is asked for now; returns when it was asked for before, an hour ago or more."""
    row = connection.execute(sql("note_campaign_sync"), {"operation": operation, "again": SYNC_EVERY}).fetchone()
    assert row is not None
    before: datetime = row[0]
    return before


def keep_campaigns(connection: Connection, operation: str, listed: Mapping[str, Listed], since: datetime) -> None:
    """
    Keep the list, suspend the waiting campaigns that can't be right by it, and resume those that are right now.

    A campaign suspended for its refusals stays suspended. A campaign that isn't in the list exists all the same if
    records of it were coded since the last list: the list may be old, or one page of it.

    :param since: when the last list was asked for
    """
    with connection.transaction():
        connection.execute("DELETE FROM wolkvox.campaign WHERE operation = %s", (operation,))
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO wolkvox.campaign (operation, campaign_id, type_campaign, name, status)"
                " VALUES (%s, %s, %s, %s, %s)",
                [(operation, *campaign) for campaign in listed.values()],
            )
            wrong = [
                (*campaign, *why)
                for campaign in _waiting(connection, operation)
                if (why := misfit(campaign, listed))
                and (why[0] != UNKNOWN or not answered_since(connection, operation, campaign, since, coded_only=True))
            ]
            cursor.executemany(
                sql("suspend_misfit"),
                [
                    {
                        "operation": operation,
                        "type_campaign": kind,
                        "campaign_id": campaign_id,
                        "reason": reason,
                        "message": message,
                        "pause": SYNC_EVERY,
                    }
                    for kind, campaign_id, reason, message in wrong
                ],
            )
        connection.execute(
            "DELETE FROM wolkvox.suspended_campaign WHERE operation = %s AND reason = ANY(%s)"
            " AND (type_campaign || ' ' || campaign_id) <> ALL(%s)",
            (operation, list(MISFITS), [f"{kind} {campaign_id}" for kind, campaign_id, *_ in wrong]),
        )


def _waiting(connection: Connection, operation: str) -> Iterable[Campaign]:
    return connection.execute(
        "SELECT DISTINCT type_campaign, campaign_id FROM wolkvox.codification"
        " WHERE operation = %s AND state = 'pending' AND campaign_id IS NOT NULL",
        (operation,),
    ).fetchall()


def listed_campaigns(connection: Connection, operation: str) -> dict[str, Listed]:
    """The campaigns of the last list, by id."""
    rows = connection.execute(
        "SELECT campaign_id, type_campaign, name, status FROM wolkvox.campaign WHERE operation = %s", (operation,)
    )
    return {row[0]: Listed(*row) for row in rows}
