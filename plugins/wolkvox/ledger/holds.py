"""What a guard holds before its first request, until a person releases or discards it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg.types.json import Jsonb

from wolkvox.errors import BadSetting
from wolkvox.ledger.claiming import alone, supersede
from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.staging import Staged
from wolkvox.rules.guard import (
    AHEAD,
    HOUR,
    WEEK,
    WEEKS,
    Campaign,
    CampaignIntake,
    Details,
    Guard,
    History,
    Intake,
    Reason,
    judge,
    sentence,
    usual,
)
from wolkvox.rules.runs import Run

ITSELF = "guard"  # who decided, where hold_hours were over

Decision = Literal["released", "discarded"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hold:
    """Records of one run that are held, and ``why``: the reasons as ``rules.guard.sentence`` takes them."""

    id: int
    operation: str
    dag_id: str
    dag_run_id: str
    why: Sequence[Mapping[str, Any]]
    records: int
    held_at: datetime

    def describe(self) -> dict[str, Any]:
        """The hold for a summary: no personal data."""
        return {
            "hold": self.id,
            "records": self.records,
            "since": self.held_at.isoformat(),
            "reasons": [sentence(reason) for reason in self.why],
        }


def hold_unusual(connection: Connection, run: Run, staged: Staged, guard: Guard, window: timedelta = HOUR) -> None:
    """
    Hold what a run brings that is unusual; call it in the transaction that loads the run's contacts.

    Until that transaction ends, no worker sees them. ``staged.held`` counts what is held.

    :param window: how far back a run pulls that a person asked for, else an hour
    """
    if staged.new == 0:
        return
    reasons = _judge(connection, run, staged, guard, window)
    if not reasons:
        return
    params = {**asdict(run), "mark": staged.mark}
    row = connection.execute(
        "INSERT INTO wolkvox.hold (operation, dag_id, dag_run_id, why, records)"
        " VALUES (%(operation)s, %(dag_id)s, %(dag_run_id)s, %(why)s, 0) RETURNING id",
        {**params, "why": Jsonb([reason.as_dict() for reason in reasons])},
    ).fetchone()
    assert row is not None
    types, campaigns = zip(*{campaign for reason in reasons for campaign in reason.campaigns}, strict=True)
    held = {"hold": row[0], "reason": f"held_{reasons[0].name}", "types": list(types), "campaigns": list(campaigns)}
    staged.held = connection.execute(sql("hold"), {**params, **held}).rowcount
    connection.execute("UPDATE wolkvox.hold SET records = %s WHERE id = %s", (staged.held, row[0]))
    sentences = "; ".join(sentence(reason.as_dict()) for reason in reasons)
    log.warning("%d new records are held (hold %d), none of them is sent: %s", staged.held, row[0], sentences)


def open_holds(connection: Connection, operation: str | None = None, held_for: timedelta = timedelta()) -> list[Hold]:
    """
    Return the holds that are not decided yet, the oldest first.

    :param operation: None: all operations
    :param held_for: at least so long
    """
    rows = connection.execute(
        "SELECT id, operation, dag_id, dag_run_id, why, records, held_at FROM wolkvox.hold"
        " WHERE decided_at IS NULL AND held_at <= now() - %(held_for)s"
        " AND (%(operation)s::text IS NULL OR operation = %(operation)s) ORDER BY id",
        {"operation": operation, "held_for": held_for},
    )
    return [Hold(*row) for row in rows]


def release(connection: Connection, hold: int, by: str, note: str) -> int:
    """
    Offer the records of a hold, and retire those that a later contact of their customer has overtaken meanwhile.

    :param by: the name of whoever decides
    :returns: records that wait now, those that were overtaken among them
    :raises BadSetting: there is no such hold, or it is decided, or nobody is named
    """
    with _decided(connection, hold, "released", by, note) as run:
        return _offer(connection, run, {"hold": hold, "customer_id": None})


def discard(connection: Connection, hold: int, by: str, note: str) -> int:
    """
    Make the records of a hold invalid: they are never sent.

    What the warehouse still gives of them is a new contact for the next run, and judged again.

    :param by: the name of whoever decides
    :returns: records
    :raises BadSetting: there is no such hold, or it is decided, or nobody is named
    """
    with _decided(connection, hold, "discarded", by, note) as run:
        return connection.execute(sql("discard_held"), {"operation": run.operation, "hold": hold}).rowcount


def release_customer(connection: Connection, run: Run, customer_id: str) -> int:
    """Offer what is held of one customer, for whom a person asks; returns how many records."""
    with alone(connection, run.operation):
        return _offer(connection, run, {"hold": None, "customer_id": customer_id})


def decide_overdue(connection: Connection, operation: str, guard: Guard) -> None:
    """Release or discard what is held for longer than the operation's entry says, where it says so."""
    if guard.afterwards == "hold":
        return
    decide = release if guard.afterwards == "release" else discard
    for hold in open_holds(connection, operation, guard.hold):
        with suppress(BadSetting):  # another run, or a person, has decided it in this second
            decide(connection, hold.id, ITSELF, f"nobody decided within {guard.hold / HOUR:g} hours")


def expire_held(connection: Connection, expire_after: timedelta, batch: int) -> int:
    """Settle what is held and too old to be sent, of every operation; returns how many records."""
    expired = 0
    while some := connection.execute(sql("expire_held"), {"expire_after": expire_after, "batch": batch}).rowcount:
        expired += some
    connection.execute(sql("close_empty_holds"))
    return expired


@contextmanager
def _decided(connection: Connection, hold: int, decision: Decision, by: str, note: str) -> Iterator[Run]:
    """A transaction in which a hold is decided: the run that it is of."""
    if not by.strip():
        raise BadSetting("Give the name of whoever decides.")
    row = connection.execute("SELECT operation FROM wolkvox.hold WHERE id = %s", (hold,)).fetchone()
    if row is None:
        raise BadSetting(f"There is no hold {hold}: `python -m wolkvox holds` lists them.")
    with alone(connection, row[0]):
        decided = connection.execute(
            "UPDATE wolkvox.hold SET decision = %s, decided_by = %s, note = %s, decided_at = clock_timestamp()"
            " WHERE id = %s AND decided_at IS NULL RETURNING operation, dag_id, dag_run_id",
            (decision, by.strip(), note, hold),
        ).fetchone()
        if decided is None:
            raise BadSetting(f"Hold {hold} is decided already.")
        yield Run(*decided)


def _offer(connection: Connection, run: Run, which: Mapping[str, Any]) -> int:
    row = connection.execute(sql("release_held"), {"operation": run.operation, **which}).fetchone()
    assert row is not None
    records, lowest = row
    if records:
        connection.execute(
            "INSERT INTO wolkvox.dedupe_backlog (operation, above) VALUES (%s, %s)", (run.operation, lowest - 1)
        )
        supersede(connection, asdict(run), Staged())
    return int(records)


def _judge(connection: Connection, run: Run, staged: Staged, guard: Guard, window: timedelta) -> list[Reason]:
    """
    Why records of this run are to be held.

    A small run costs one short statement, a run of a young ledger two. Campaigns are looked at only where the whole
    looks unusual.
    """
    params = {**asdict(run), "mark": staged.mark, "ahead": AHEAD, "weeks": WEEKS * WEEK}
    row = connection.execute(sql("ingested_lately"), params).fetchone()
    assert row is not None
    ingested, now = row
    if ingested < min(guard.least, guard.ceiling or guard.least):
        return []
    expectation = usual(_history(connection, params), now, window)
    if expectation is None and guard.ceiling is None:
        return []
    campaigns = [
        CampaignIntake((kind, id_), *counts) for kind, id_, *counts in connection.execute(sql("intake"), params)
    ]
    intake = Intake(campaigns)
    intake = replace(intake, lately=max(0, ingested - intake.rows))
    if not judge(intake, expectation, guard, Details()):
        return []
    details = _details(connection, params)
    return judge(replace(intake, lately=sum((details.lately or {}).values())), expectation, guard, details)


def _history(connection: Connection, params: Mapping[str, Any]) -> History:
    rows = connection.execute(sql("usual_hours"), params).fetchall()
    return History({hour: records for hour, records, *_ in rows if hour is not None}, *rows[0][2:])


def _details(connection: Connection, params: Mapping[str, Any]) -> Details:
    peaks: dict[Campaign, int] = {}
    lately: dict[Campaign, int] = {}
    invalid = everything = 0
    for kind, campaign_id, peak, recent, records in connection.execute(sql("usual_campaigns"), params):
        everything += records
        if campaign_id is None:
            invalid += records
            continue
        lately[kind, campaign_id] = recent
        if peak:
            peaks[kind, campaign_id] = peak
    return Details(peaks, lately, invalid / everything if everything else 0.0)
