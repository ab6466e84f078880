"""What wolkvox last said of its campaigns, and which of ours are suspended for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.consecutive_failures import answered_since
from wolkvox.rules.campaigns import MISFITS, UNKNOWN, Listed, misfit
from wolkvox.rules.records import Campaign

LOOK_AGAIN = timedelta(hours=1)  # the vendor suggests at most one such look every five minutes; names change seldom


def look_is_due(connection: Connection, operation: str, *, by_hand: bool) -> bool:
    """Whether to ask wolkvox: after an hour, or at once for a run by hand while the list keeps a campaign suspended."""
    row = connection.execute(
        sql("campaign_sync_is_due"),
        {"operation": operation, "again": LOOK_AGAIN, "by_hand": by_hand, "misfits": list(MISFITS)},
    ).fetchone()
    return bool(row and row[0])


def note_look(connection: Connection, operation: str) -> datetime:
    """Note that the list is asked for now; returns when it was asked for before, at least an hour ago."""
    row = connection.execute(sql("note_campaign_sync"), {"operation": operation, "again": LOOK_AGAIN}).fetchone()
    assert row is not None
    before: datetime = row[0]
    return before


def keep_campaigns(connection: Connection, operation: str, listed: Mapping[str, Listed], since: datetime) -> None:
    """
    Keep the list, suspend the waiting campaigns that can't be right, and resume those that are by now.

    One that is suspended for its refusals stays so unless it can't be right either. One that isn't in the list is there
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
                and (found[0] != UNKNOWN or not answered_since(connection, operation, campaign, since, coded_only=True))
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
                        "pause": LOOK_AGAIN,
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


def names(connection: Connection, operation: str) -> dict[str, Listed]:
    """The campaigns of the last list, by id."""
    rows = connection.execute(
        "SELECT campaign_id, type_campaign, name, status FROM wolkvox.campaign WHERE operation = %s", (operation,)
    )
    return {row[0]: Listed(*row) for row in rows}
