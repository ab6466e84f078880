"""What a DAG's trigger and its stages note for each other in the ledger; neither keeps it in memory."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.locks import Lock
from wolkvox.rules.names import DAG_ID
from wolkvox.rules.schedule import Schedule
from wolkvox.rules.wake import Event, Fingerprint, Watch


class WatchedDag(NamedTuple):
    """A DAG's operation, None before its first stage, and what its trigger and stages noted."""

    operation: str | None
    watch: Watch


class Began(NamedTuple):
    """
    When a stage began, by the ledger's clock.

    ``before``: when the last usual stage began. ``poll_age``: seconds since the last poll that worked. None: never.
    """

    at: datetime
    before: datetime | None
    poll_age: float | None

    @property
    def is_first_of_hour(self) -> bool:
        """Whether no usual stage began in this hour of the clock before."""
        return self.before is None or int(self.before.timestamp() // 3600) != int(self.at.timestamp() // 3600)


def read_watch(connection: Connection, dag_id: str) -> WatchedDag:
    """What a DAG's trigger and stages have noted."""
    row = connection.execute(sql("read_watch"), {"dag_id": dag_id, "lock": Lock.STAGING.value}).fetchone()
    assert row is not None
    now, operation, cron, zone, wake, stage_lives, stage_began_at, *rest = row
    staged_at, since, rows, newest, fruitful, polled_at, event_at, event_saw, repeats = rest
    return WatchedDag(
        operation,
        Watch(
            now=now,
            schedule=Schedule(cron, zone or "UTC", wake),
            stage_began_at=stage_began_at,
            stage_lives=stage_lives,
            staged_at=staged_at,
            staged=None if since is None else Fingerprint(since, rows, newest),
            fruitful=bool(fruitful),
            polled_at=polled_at,
            event_at=event_at,
            event_saw=event_saw,
            repeats=repeats or 0,
        ),
    )


def note_event(connection: Connection, dag_id: str, event: Event, last: datetime | None) -> bool:
    """
    Note an event before it is sent; False when another trigger has sent one since.

    :param last: when the last event was, as read before
    """
    params = {"dag_id": dag_id, "last": last, **asdict(event)}
    return connection.execute(sql("note_event"), params).rowcount == 1


def note_poll(connection: Connection, dag_id: str) -> None:
    """Note that a poll worked."""
    connection.execute(
        "INSERT INTO wolkvox.watch (dag_id, polled_at) VALUES (%s, clock_timestamp())"
        " ON CONFLICT (dag_id) DO UPDATE SET polled_at = excluded.polled_at",
        (dag_id,),
    )


def begin_stage(connection: Connection, dag_id: str, schedule: Schedule, *, usual: bool) -> Began:
    """
    Note the DAG's schedule and that a stage begins; a lock shows that it lives while its connection is open.

    :param usual: whether it pulls the usual window: the trigger then sends no event meanwhile
    """
    if usual:
        connection.execute("SELECT pg_advisory_lock_shared(%s, hashtext(%s))", (Lock.STAGING.value, dag_id))
    params = {"dag_id": dag_id, **asdict(schedule), "usual": usual}
    row = connection.execute(sql("begin_stage"), params).fetchone()
    assert row is not None
    return Began(*row)


def other_operations(connection: Connection, dag_id: str) -> list[str]:
    """DAGs of other entries of ``operations.yaml`` that staged contacts in the last 31 days."""
    params = {"dag_id": dag_id, "prefix": f"{DAG_ID}_"}
    return [other for (other,) in connection.execute(sql("other_operations"), params)]


def end_stage(
    connection: Connection, dag_id: str, began_at: datetime, fingerprint: Fingerprint | None, *, fruitful: bool
) -> None:
    """
    Note the window's fingerprint, counted just before the pull, once the pull is in the ledger.

    :param fingerprint: None when the warehouse can't be counted: the trigger then uses the ledger alone
    :param fruitful: whether the stage brought records in or made chunks
    """
    none = {"since": None, "rows": None, "newest": None}
    params = asdict(fingerprint) if fingerprint else none
    connection.execute(sql("end_stage"), {"dag_id": dag_id, "began_at": began_at, "fruitful": fruitful, **params})
