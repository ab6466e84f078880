"""The ledger's advisory locks: one class for each kind of work, so that nobody waits for somebody else's."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Any

import psycopg


@unique
class Lock(IntEnum):
    """Classes of locks on a name. The slots of a token have the token's fingerprint as theirs."""

    STAGE = 7_041_964  # one run at a time retires an operation's records: two would do so in turn
    HAND_OVER = 7_041_965  # of an operation: a stage that looks for workers under way, a worker that ends
    ALERTS = 7_041_966  # one verdict at a time notes alerts of a DAG
    DELIVERY = 7_041_967  # one callback at a time delivers a DAG's alerts
    FAULTS = 7_041_968  # of an operation: who counts a fault, begins an outage or ends it
    TAKE = 7_041_971  # of an operation: one worker at a time takes records, so that no two take the same
    STAGING = 7_041_970  # of a DAG: shared by the sessions of its stages for as long as they live
    RETENTION = 7_041_972  # one run of retention at a time
    POOLER = 7_041_969  # tells whether the session is the connection's own


def lock_until_commit(connection: psycopg.Connection[tuple[Any, ...]], lock: Lock, name: str) -> None:
    """Wait until nobody else holds the lock of this class and name, and hold it up to the end of the transaction."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (lock.value, name))


def lock_session(connection: psycopg.Connection[tuple[Any, ...]], lock: Lock, name: str) -> bool:
    """Hold the lock of this class and name for as long as the session lives; False, at once, when another one does."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (lock.value, name)).fetchone()
    return row is not None and bool(row[0])
