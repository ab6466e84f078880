"""
Records that were refused or failed in a row, of a campaign and of the whole operation.

A caller holds ``Lock.FAULTS``, so that one of an operation's tasks counts at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import Campaign
from wolkvox.rules.states import State

WHOLE_OPERATION: Campaign = ("", "")  # whose failures are those of all campaigns


@dataclass(frozen=True, slots=True)
class FailedInARow:
    """Ids of the records that were refused in a row, and of those that failed, each since when."""

    refused: list[int]
    refused_since: datetime
    failed: list[int]
    failed_since: datetime


def read(connection: Connection, operation: str, scope: Campaign) -> FailedInARow | None:
    """The failures in a row of a campaign, or of ``WHOLE_OPERATION``; None where there are none."""
    row = connection.execute(
        "SELECT refused, refused_since, failed, failed_since FROM wolkvox.consecutive_failures"
        " WHERE operation = %s AND type_campaign = %s AND campaign_id = %s FOR UPDATE",
        (operation, *scope),
    ).fetchone()
    return None if row is None else FailedInARow(*row)


def add(connection: Connection, operation: str, scope: Campaign, fault: Fault, most: int) -> FailedInARow:
    """
    Add a record to the failures in a row; they start again where a record has succeeded since.

    A record counts once. Of one campaign at most ``most`` records are kept.
    """
    row = connection.execute(
        "INSERT INTO wolkvox.consecutive_failures AS failures (operation, type_campaign, campaign_id)"
        " VALUES (%s, %s, %s)"
        " ON CONFLICT (operation, type_campaign, campaign_id) DO UPDATE SET operation = excluded.operation"
        " RETURNING refused, refused_since, failed, failed_since",
        (operation, *scope),
    ).fetchone()
    assert row is not None
    failures = FailedInARow(*row)
    records, since = (
        (failures.refused, failures.refused_since) if fault.refused else (failures.failed, failures.failed_since)
    )
    # A refusal is an answer too: it shows that the operation is not away, though a campaign may be.
    refusals_end_it = not fault.refused and scope == WHOLE_OPERATION
    ended = not records or answered_since(connection, operation, scope, since, coded_only=not refusals_end_it)
    if ended:
        records = []
    full = campaigns_of(connection, records)[fault.campaign] >= most
    if fault.record not in records and not full:
        records = [*records, fault.record]
    which = "refused" if fault.refused else "failed"
    row = connection.execute(
        f"UPDATE wolkvox.consecutive_failures SET {which} = %s,"  # noqa: S608 - one of two names
        f" {which}_since = CASE WHEN %s THEN clock_timestamp() ELSE {which}_since END"
        " WHERE operation = %s AND type_campaign = %s AND campaign_id = %s"
        " RETURNING refused, refused_since, failed, failed_since".encode(),
        (records, ended, operation, *scope),
    ).fetchone()
    assert row is not None
    return FailedInARow(*row)


def forget(connection: Connection, operation: str, scope: Campaign) -> None:
    """Delete the failures in a row of a campaign, or of ``WHOLE_OPERATION``."""
    connection.execute(
        "DELETE FROM wolkvox.consecutive_failures WHERE operation = %s AND type_campaign = %s AND campaign_id = %s",
        (operation, *scope),
    )


def campaigns_of(connection: Connection, ids: Sequence[int]) -> Counter[Campaign]:
    """How many of these records each campaign has."""
    rows = connection.execute(
        "SELECT type_campaign, campaign_id, count(*) FROM wolkvox.codification WHERE id = ANY(%s) GROUP BY 1, 2",
        (list(ids),),
    )
    return Counter({(kind, campaign): records for kind, campaign, records in rows})


def answered_since(
    connection: Connection, operation: str, scope: Campaign, since: datetime, *, coded_only: bool = False
) -> bool:
    """Whether a record was coded since then, or also rejected unless ``coded_only``."""
    row = connection.execute(
        sql("answered_since"),
        {
            "operation": operation,
            "type_campaign": scope[0],
            "campaign_id": scope[1],
            "since": since,
            "states": [State.CODED] if coded_only else [State.CODED, State.REJECTED],
        },
    ).fetchone()
    return bool(row and row[0])
