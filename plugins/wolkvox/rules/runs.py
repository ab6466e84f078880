"""Runs and their chunks, as tasks hand them to each other. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A run, by its operation, its DAG and its id."""

    operation: str
    dag_id: str
    dag_run_id: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """
    The reference of a chunk: all that travels through XCom. ``number`` counts from 1 within the run.

    It is one worker's allotment: ``records`` is how many it may take at most, ``seconds`` how long it may send.
    """

    chunk_id: str
    dag_run_id: str
    operation: str
    number: int
    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What may be sent now: ``left`` requests of the day (None: no limit is known), with one of these ``codes`` (None:
    any).

    ``outage``: nothing can be sent; a few records may try whether it is over when ``trial`` is set, too.
    ``quiet_seconds``: how long there won't be more than the requests that are left.
    """

    left: int | None = None
    codes: frozenset[str] | None = None
    outage: bool = False
    trial: bool = False
    quiet_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Resend:
    """Which settled records of a window are offered again: those whose state or whose reason is ``kind``."""

    kind: str
    window_start: datetime
    window_end: datetime
