"""Expires what is too old to be sent, and deletes contacts and other rows that are older than is needed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from wolkvox.ledger.connection import Connection, now_of, sql
from wolkvox.ledger.digests import operations
from wolkvox.ledger.holds import expire_held

ACCOUNTED = timedelta(days=31)  # nothing reads the records of an older chunk
# The alert for silence compares with the last four weeks; the page shows a month.
ARRIVALS_KEPT = timedelta(days=62)
EARLIEST = datetime.min.replace(tzinfo=timezone.utc)
BATCH = 10_000  # records of one transaction: codify tasks beside it never wait long


def tidy(connection: Connection, keep: timedelta) -> None:
    """Delete old rows beside the contacts; days and runs are kept as long as these."""
    ages = {"accounted": ACCOUNTED, "arrivals": ARRIVALS_KEPT, "keep": keep}
    for old in (
        "chunk WHERE made_at < now() - %(accounted)s",
        "reservation WHERE taken_at < now() - %(accounted)s",
        "export WHERE asked_at < now() - %(accounted)s",
        "consecutive_failures WHERE greatest(refused_since, failed_since) < now() - %(accounted)s",
        "alert WHERE seen_at < now() - %(accounted)s",
        "undelivered WHERE tried_at < now() - %(accounted)s",
        "ingest_count WHERE staged_at < now() - %(arrivals)s",
        "run WHERE began_at < now() - %(keep)s",
        "hold WHERE held_at < now() - %(keep)s",
        "quota WHERE day < now() - %(keep)s",
        "impact WHERE day < now() - %(keep)s",
        "contact_version WHERE NOT EXISTS ("
        "SELECT FROM wolkvox.codification WHERE contact_key = contact_version.current)",
    ):
        connection.execute(f"DELETE FROM wolkvox.{old}".encode(), ages)  # noqa: S608 - our own text


def expire(connection: Connection, expire_after: timedelta) -> tuple[int, int]:
    """
    Settle what is too old to be sent, of every operation; how many, and how many are left over.

    Another session holds those locked that are left over.
    """
    values = {"expire_after": expire_after, "batch": BATCH}
    connection.execute(sql("release_dead"), values)
    expired = 0
    while batch := connection.execute(sql("expire_overdue"), values).rowcount:
        expired += batch
    expired += expire_held(connection, expire_after, BATCH)
    row = connection.execute(sql("overdue"), values).fetchone()
    assert row is not None
    return expired, row[0]


def forget(connection: Connection, keep: timedelta) -> int:
    """
    Delete contacts that were settled longer than ``keep`` ago, with their history; returns how many.

    The monthly totals keep their numbers. Where days are digested, only what the last digest allows is deleted. A
    window that is pulled again afterwards stages them again, as expired: ``keep`` has to be longer than the age from
    which contacts are no longer sent.
    """
    before, forgotten = now_of(connection) - keep, 0
    for operation in operations(connection):
        row = connection.execute(
            "SELECT deleted_before FROM wolkvox.daily_digest WHERE operation = %s ORDER BY day DESC LIMIT 1",
            (operation,),
        ).fetchone()
        values = {
            "operation": operation,
            "since": EARLIEST,
            "before": min(before, row[0]) if row else before,
            "batch": BATCH,
        }
        deleted = BATCH
        while deleted == BATCH:
            batch = connection.execute(sql("forget"), values).fetchone()
            assert batch is not None
            deleted, values["since"] = batch
            forgotten += deleted
    return forgotten
