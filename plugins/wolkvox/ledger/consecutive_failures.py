"""
Streaks: records that were refused or failed in a row, of a campaign and of the whole operation.

Whoever reads or changes them holds ``Lock.FAULTS``, so that one of an operation's tasks counts at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import Campaign

WHOLE_OPERATION: Campaign = ("", "")  # whose failures is that of all campaigns


@dataclass(frozen=True, slots=True)
class Failures:
    """Ids of the records that were refused in a row, and of those that failed, each since when."""

    refused: list[int]
    refused_since: datetime
    failed: list[int]
    failed_since: datetime


def read(connection: Connection, operation: str, scope: Campaign) -> Failures | None:
    """A campaign's failures, or that of ``WHOLE_OPERATION``; None where nothing has gone wrong."""
    row = connection.execute(
        "SELECT refused, refused_since, failed, failed_since FROM wolkvox.consecutive_failures"
        " WHERE operation = %s AND type_campaign = %s AND campaign_id = %s FOR UPDATE",
        (operation, *scope),
    ).fetchone()
    return None if row is None else Failures(*row)


def add(connection: Connection, operation: str, scope: Campaign, fault: Fault, most: int) -> Failures:
    """
    A failures with one more record, or a new one where somebody has succeeded since it began.

    A record counts once. Of a campaign's records no more are kept than can tell anything.
    """
    row = connection.execute(
        "INSERT INTO wolkvox.consecutive_failures AS failures (operation, type_campaign, campaign_id)"
        " VALUES (%s, %s, %s)"
        " ON CONFLICT (operation, type_campaign, campaign_id) DO UPDATE SET operation = excluded.operation"
        " RETURNING refused, refused_since, failed, failed_since",
        (operation, *scope),
    ).fetchone()
    assert row is not None
    failures = Failures(*row)
    records, since = (
        (failures.refused, failures.refused_since) if fault.refused else (failures.failed, failures.failed_since)
    )
    # A refusal is an answer too: whatever answers one record isn't away, though it may be for a campaign.
    refusals_end_it = not fault.refused and scope == WHOLE_OPERATION
    ended = not records or answered_since(connection, operation, scope, since, coded_only=not refusals_end_it)
    if ended:
        records = []
    full = campaigns_of(connection, records)[fault.campaign] >= most
    if fault.record not in records and not full:
        records = [*records, fault.record]
    which = "refused" if fault.refused else "failed"
    row = connection.execute(
        f"UPDATE wolkvox.consecutive_failures SET {which} = %s,"  # noqa: S608 - one of two message
        f" {which}_since = CASE WHEN %s THEN clock_timestamp() ELSE {which}_since END"
        " WHERE operation = %s AND type_campaign = %s AND campaign_id = %s"
        " RETURNING refused, refused_since, failed, failed_since".encode(),
        (records, ended, operation, *scope),
    ).fetchone()
    assert row is not None
    return Failures(*row)


def forget(connection: Connection, operation: str, scope: Campaign) -> None:
    """A campaign, or ``WHOLE_OPERATION``, has no failures."""
    connection.execute(
        "DELETE FROM wolkvox.consecutive_failures WHERE operation = %s AND type_campaign = %s AND campaign_id = %s",
        (operation, *scope),
    )


def campaigns_of(connection: Connection, ids: Sequence[int]) -> Counter[Campaign]:
    """Of which campaigns records are."""
    rows = connection.execute(
        "SELECT type_campaign, campaign_id, count(*) FROM wolkvox.codification WHERE id = ANY(%s) GROUP BY 1, 2",
        (list(ids),),
    )
    return Counter({(kind, campaign): records for kind, campaign, records in rows})


def answered_since(
    connection: Connection, operation: str, scope: Campaign, since: datetime, *, coded_only: bool = False
) -> bool:
    """Whether somebody had a record coded since then, or at least refused."""
    row = connection.execute(
        sql("answered_since"),
        {
            "operation": operation,
            "type_campaign": scope[0],
            "campaign_id": scope[1],
            "since": since,
            "states": ["coded"] if coded_only else ["coded", "rejected"],
        },
    ).fetchone()
    return bool(row and row[0])
