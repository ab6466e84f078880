"""
What is wrong with an operation, known to all of its tasks: streaks of refusals, parked campaigns, an outage.

Everything here is told by the database's clock, and each function is one transaction of its own when the
connection is in autocommit mode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.patience import PROBES, Patience, doubled, refuses_everything
from wolkvox.rules.records import Campaign

WHOLE_OPERATION: Campaign = ("", "")  # whose streak is that of all campaigns


class Parked(NamedTuple):
    """A campaign that refused everything: why, in whose words, since when, and when it is probed next."""

    type_campaign: str
    campaign_id: str
    reason: str
    words: str | None
    since: datetime
    until: datetime


class Outage(NamedTuple):
    """
    What keeps an operation from sending anything.

    ``dag_id`` and ``dag_run_id`` are the run's that met it first; ``over`` tells whether one call may try again.
    """

    reason: str
    words: str
    since: datetime
    until: datetime
    dag_id: str
    dag_run_id: str
    over: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that was refused: ``refusal`` is the same text for one and the same refusal."""

    record: int
    campaign: Campaign
    reason: str
    words: str | None
    refusal: str


def parked(connection: Connection, operation: str) -> list[Parked]:
    """The campaigns that are parked, the latest one last."""
    rows = connection.execute(
        "SELECT type_campaign, campaign_id, reason, words, since, until FROM wolkvox.parked"
        " WHERE operation = %s ORDER BY since, type_campaign, campaign_id",
        (operation,),
    )
    return [Parked(*row) for row in rows]


def outage(connection: Connection, operation: str, fingerprint: int) -> Outage | None:
    """
    What keeps the operation from sending, or None.

    :param fingerprint: of the address and the token in use: with others, nothing is known yet
    """
    row = connection.execute(
        "SELECT reason, words, since, until, dag_id, dag_run_id, until <= clock_timestamp() FROM wolkvox.outage"
        " WHERE operation = %s AND fingerprint = %s",
        (operation, fingerprint),
    ).fetchone()
    return None if row is None else Outage(*row)


def begin_outage(
    connection: Connection,
    operation: str,
    fingerprint: int,
    run: tuple[str, str],
    reason: str,
    words: str,
    patience: Patience,
) -> bool:
    """
    Note that nothing can be sent; whether this is news.

    :param run: DAG and run that met it
    """
    cursor = connection.execute(
        sql("begin_outage"),
        {
            "operation": operation,
            "fingerprint": fingerprint,
            "dag_id": run[0],
            "dag_run_id": run[1],
            "reason": reason,
            "words": words,
            "pause": timedelta(seconds=patience.first_outage),
        },
    )
    return cursor.rowcount == 1


def unanswered(connection: Connection, operation: str) -> int:
    """How many records met an outage with their last call since the operation had its last answer."""
    row = connection.execute(sql("unanswered"), {"operation": operation}).fetchone()
    return int(row[0]) if row else 0


def end_outage(connection: Connection, operation: str) -> None:
    """A call went through."""
    connection.execute("DELETE FROM wolkvox.outage WHERE operation = %s", (operation,))
    _forget_streak(connection, operation, WHOLE_OPERATION)


def put_off_outage(connection: Connection, operation: str, patience: Patience) -> None:
    """One call is about to try: the next one comes after a longer pause."""
    row = connection.execute("SELECT probes FROM wolkvox.outage WHERE operation = %s", (operation,)).fetchone()
    pause = doubled(patience.first_outage, patience.longest_outage, (row[0] if row else 0) + 1)
    connection.execute(
        "UPDATE wolkvox.outage SET probes = probes + 1, until = clock_timestamp() + %s WHERE operation = %s",
        (timedelta(seconds=pause), operation),
    )


def take_back(connection: Connection, chunk_id: str, calls: Mapping[int, int]) -> None:
    """Put records of a chunk back to pending, so many calls less each: what they met was no answer to them."""
    connection.execute(
        sql("take_back"), {"chunk_id": chunk_id, "ids": list(calls.keys()), "calls": list(calls.values())}
    )


def count_refusal(
    connection: Connection, operation: str, refused: Refused, coded: bool, anything_coded: bool, patience: Patience
) -> bool:
    """
    Count a refusal that was settled; park its campaign when its streak is too long. Whether everything is refused.

    In both cases what was refused in a row is pending again.

    :param coded: a record of this campaign was coded since the last refusal: a new streak begins
    :param anything_coded: a record of any campaign was
    """
    with connection.transaction():
        ids, since, _ = _add(connection, operation, refused.campaign, refused, refused.refusal, anew=coded)
        if len(ids) >= patience.refusals:
            _forget_streak(connection, operation, refused.campaign)
            if not _coded_since(connection, operation, refused.campaign, since):
                _park(connection, operation, refused, patience)
                reopen(connection, operation, ids)
        ids, since, campaigns = _add(connection, operation, WHOLE_OPERATION, refused, "", anew=anything_coded)
        if not refuses_everything(patience, campaigns):
            return False
        _forget_streak(connection, operation, WHOLE_OPERATION)
        if _coded_since(connection, operation, WHOLE_OPERATION, since):
            return False
        reopen(connection, operation, ids)
        return True


def _add(
    connection: Connection, operation: str, scope: Campaign, refused: Refused, refusal: str, *, anew: bool
) -> tuple[list[int], datetime, list[str]]:
    """Lengthen a streak, or begin it anew; its records, its begin and its campaigns."""
    row = connection.execute(
        sql("add_to_streak"),
        {
            "operation": operation,
            "type_campaign": scope[0],
            "campaign_id": scope[1],
            "refusal": refusal,
            "record": refused.record,
            "campaign": " ".join(refused.campaign),
            "anew": anew,
        },
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _coded_since(connection: Connection, operation: str, scope: Campaign, since: datetime) -> bool:
    """Whether another task had a record coded while the streak went on."""
    facts = {"operation": operation, "type_campaign": scope[0], "campaign_id": scope[1], "since": since}
    row = connection.execute(sql("coded_since"), facts).fetchone()
    return bool(row and row[0])


def _park(connection: Connection, operation: str, refused: Refused, patience: Patience) -> None:
    connection.execute(
        sql("park"),
        {
            "operation": operation,
            "type_campaign": refused.campaign[0],
            "campaign_id": refused.campaign[1],
            "reason": refused.reason,
            "words": refused.words,
            "pause": timedelta(seconds=patience.first_parking),
        },
    )


def unpark(connection: Connection, operation: str, campaign: Campaign) -> None:
    """A record of the campaign was coded: its others go out with the next run."""
    connection.execute(
        "DELETE FROM wolkvox.parked WHERE operation = %s AND type_campaign = %s AND campaign_id = %s",
        (operation, *campaign),
    )


def choose_probes(connection: Connection, operation: str, patience: Patience) -> list[int]:
    """
    The records that try parked campaigns whose pause is over, the newest first; their next pause is set at once.

    At most ``PROBES`` of each: its newest ones, and one that was tried least, should the newest be at fault.
    """
    facts = {
        "operation": operation,
        "newest": PROBES - 1,
        "first": patience.first_parking,
        "longest": patience.longest_parking,
    }
    connection.execute(sql("free_empty"), facts)
    ids = [row[0] for row in connection.execute(sql("choose_probes"), facts)]
    if ids:
        connection.execute(sql("put_off_parked"), {**facts, "ids": ids})
    return ids


def reopen(connection: Connection, operation: str, ids: Sequence[int]) -> None:
    """Put rejected records back to pending: it wasn't they who were refused."""
    connection.execute(
        "UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL"
        " WHERE operation = %s AND id = ANY(%s) AND state = 'rejected'",
        (operation, list(ids)),
    )


def _forget_streak(connection: Connection, operation: str, scope: Campaign) -> None:
    connection.execute(
        "DELETE FROM wolkvox.streak WHERE operation = %s AND type_campaign = %s AND campaign_id = %s",
        (operation, *scope),
    )
