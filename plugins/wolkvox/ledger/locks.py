"""The ledger's advisory locks: one class for each kind of work."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Any

import psycopg


@unique
class Lock(IntEnum):
    """Classes of locks on a name. The class of a token's slots is the token's fingerprint."""

    STAGE = 7_041_964  # one run at a time retires and claims an operation's records
    HAND_OVER = 7_041_965  # of an operation: a stage that counts workers under way, a worker that ends
    ALERTS = 7_041_966  # one verdict at a time notes alerts of a DAG
    DELIVERY = 7_041_967  # one callback at a time delivers a DAG's alerts
    FAULTS = 7_041_968  # of an operation: counting a fault, opening or closing the circuit breaker
    TAKE = 7_041_971  # of an operation: one worker at a time takes records, so that no two take the same
    STAGING = 7_041_970  # of a DAG: shared by the sessions of its stages for as long as they live
    RETENTION = 7_041_972  # one run of retention at a time
    POOLER = 7_041_969  # to find out whether a pooler shares the session


def lock_until_commit(connection: psycopg.Connection[tuple[Any, ...]], lock: Lock, name: str) -> None:
    """Wait for the lock of this class and name, and hold it up to the end of the transaction."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (lock.value, name))


def lock_session(connection: psycopg.Connection[tuple[Any, ...]], lock: Lock, name: str) -> bool:
    """Hold the lock of this class and name as long as the session lives; False at once if another session has it."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (lock.value, name)).fetchone()
    return row is not None and bool(row[0])
