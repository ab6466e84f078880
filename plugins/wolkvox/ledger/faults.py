"""
What is wrong with an operation, known to all of its tasks: streaks of failures, suspended campaigns, an outage.

Everything here is told by the database's clock, and each function is one transaction of its own when the
connection is in autocommit mode.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.campaigns import MISFITS
from wolkvox.rules.faults import Fault, is_campaigns, is_settled, most_of_one, refuses_everything
from wolkvox.rules.patience import TRIALS, Patience, doubled
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Record

WHOLE_OPERATION: Campaign = ("", "")  # whose streak is that of all campaigns
RECENT = timedelta(days=1)  # a campaign that had an answer since is one of the operation's
CAMPAIGNS_AT_ONCE = 20  # suspended campaigns that one worker tries at once
_LOCK = 7_041_966  # one at a time, for an operation: who counts a fault, begins an outage or ends it


class Parked(NamedTuple):
    """A suspended campaign: why, in whose words, since when, and when it is tried next."""

    type_campaign: str
    campaign_id: str
    reason: str
    words: str | None
    since: datetime
    until: datetime


class Outage(NamedTuple):
    """
    What keeps an operation from sending anything.

    ``dag_id`` and ``dag_run_id`` are the run's that met it first; ``over`` tells whether a request may try again.
    """

    reason: str
    words: str
    since: datetime
    until: datetime
    dag_id: str
    dag_run_id: str
    over: bool


@dataclass(frozen=True, slots=True)
class Breaker:
    """
    The circuit breaker of an operation, as one run sees it.

    :param fingerprint: of the address and the token in use: with others, nothing is known yet
    :param run: DAG and run that open it
    """

    operation: str
    fingerprint: int
    run: tuple[str, str]
    patience: Patience


@dataclass(frozen=True, slots=True)
class Found:
    """What a fault means: an outage, or a doubt that only a record of another campaign than these can end."""

    outage: str | None = None
    first: bool = False
    in_doubt: frozenset[Campaign] = frozenset()


def parked(connection: Connection, operation: str) -> list[Parked]:
    """The campaigns that are suspended, the latest one last."""
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
        "SELECT reason, words, since, until, dag_id, dag_run_id,"
        " until <= clock_timestamp() OR until > clock_timestamp() + %s FROM wolkvox.outage"
        " WHERE operation = %s AND fingerprint = %s",
        (timedelta(seconds=Patience().longest_outage), operation, fingerprint),
    ).fetchone()
    return None if row is None else Outage(*row)


def begin_outage(connection: Connection, breaker: Breaker, reason: str, words: str) -> bool:
    """
    Note that nothing can be sent; whether this is news.

    Failures say nothing of any campaign then: their streaks begin again. So do those of refusals where everything is
    refused; else they go on, for wolkvox has read what it refused before.
    """
    values = {
        "operation": breaker.operation,
        "fingerprint": breaker.fingerprint,
        "dag_id": breaker.run[0],
        "dag_run_id": breaker.run[1],
        "reason": reason,
        "words": words,
        "pause": timedelta(seconds=breaker.patience.first_outage),
    }
    with connection.transaction():
        _in_turn(connection, breaker.operation)
        connection.execute(
            "DELETE FROM wolkvox.streak WHERE operation = %s AND (refused = '{}' OR %s)",
            (breaker.operation, reason == EVERYTHING_REFUSED),
        )
        connection.execute("UPDATE wolkvox.streak SET failed = '{}' WHERE operation = %s", (breaker.operation,))
        return connection.execute(sql("begin_outage"), values).rowcount == 1


def end_outage(connection: Connection, operation: str) -> None:
    """A request went through. What was suspended meanwhile is tried at once: the outage may have been why."""
    with connection.transaction():
        _in_turn(connection, operation)
        row = connection.execute(
            "DELETE FROM wolkvox.outage WHERE operation = %s RETURNING since", (operation,)
        ).fetchone()
        if row is not None:
            connection.execute(
                "UPDATE wolkvox.parked SET until = least(until, clock_timestamp())"
                " WHERE operation = %s AND since > %s - interval '1 hour' AND reason <> ALL(%s)",
                (operation, row[0], list(MISFITS)),
            )
        _forget_streak(connection, operation, WHOLE_OPERATION)


def try_at_once(connection: Connection, operation: str) -> None:
    """Somebody waits for a run: the next trial of an outage is due now."""
    connection.execute(
        "UPDATE wolkvox.outage SET until = least(until, clock_timestamp()) WHERE operation = %s", (operation,)
    )


def begin_trial(connection: Connection, operation: str, patience: Patience) -> bool:
    """Whether this worker may try if the outage is over: one at a time, and the next one after a longer pause."""
    row = connection.execute("SELECT probes FROM wolkvox.outage WHERE operation = %s", (operation,)).fetchone()
    pause = doubled(patience.first_outage, patience.longest_outage, (row[0] if row else 0) + 1)
    return (
        connection.execute(
            "UPDATE wolkvox.outage SET probes = probes + 1, until = clock_timestamp() + %(pause)s"
            " WHERE operation = %(operation)s"
            " AND (until <= clock_timestamp() OR until > clock_timestamp() + %(longest)s)",
            {
                "pause": timedelta(seconds=pause),
                "operation": operation,
                "longest": timedelta(seconds=Patience().longest_outage),
            },
        ).rowcount
        == 1
    )


def take_back(connection: Connection, chunk_id: str, calls: Mapping[int, int]) -> None:
    """Put records of a chunk back to pending, so many requests less each: what they met was no answer to them."""
    connection.execute(
        sql("take_back"), {"chunk_id": chunk_id, "ids": list(calls.keys()), "calls": list(calls.values())}
    )


def count_fault(connection: Connection, breaker: Breaker, fault: Fault) -> Found:
    """
    Count a record that was refused or failed, over all tasks; suspend its campaign when that is at fault.

    What was refused in a row is pending again when it turns out to be its campaign's fault, or everybody's; an outage
    begins in the transaction that finds it, and not before a record of another campaign has failed, if there is one.
    """
    operation, patience, refused = breaker.operation, breaker.patience, fault.refused
    with connection.transaction():
        _in_turn(connection, operation)
        own = _add(connection, operation, fault.campaign, fault, patience.refusals if refused else patience.outages)
        enough = is_campaigns(0 if refused else len(own.failed), len(own.refused) if refused else 0, patience)
        if enough and (refused or _others_answer(connection, operation, own)):
            return _suspend(connection, operation, fault, own, patience)
        if fault.conflict:
            return Found()
        most = most_of_one(patience) if refused else patience.outages
        whole = _add(connection, operation, WHOLE_OPERATION, fault, most)
        campaigns = _campaigns(connection, whole.refused if refused else whole.failed)
        is_everybody = refuses_everything(patience, campaigns) if refused else campaigns.total() >= patience.outages
        if not is_everybody:
            return Found()
        others_wait = another(connection, operation, campaigns) is not None
        if not is_settled(len(campaigns), fault, patience, others_wait=others_wait):
            return Found(in_doubt=frozenset(campaigns))
        if refused or len(campaigns) > 1 or _is_alone(connection, operation, fault.campaign):
            return _open(connection, breaker, EVERYTHING_REFUSED if refused else fault.reason, fault)
        return _suspend(connection, operation, fault, own, patience)


def judge(connection: Connection, breaker: Breaker, fault: Fault) -> Found:
    """Whether the records that failed in a row are an outage, when a run has no time or no record left to tell."""
    operation = breaker.operation
    with connection.transaction():
        _in_turn(connection, operation)
        streak = _streak(connection, operation, WHOLE_OPERATION)
        if streak is None or _answered_since(connection, operation, WHOLE_OPERATION, streak.failed_since):
            return Found()
        campaigns = _campaigns(connection, streak.failed)
        if campaigns.total() < breaker.patience.sure:
            return Found()
        if len(campaigns) == 1 and not _is_alone(connection, operation, next(iter(campaigns))):
            return Found()
        return _open(connection, breaker, fault.reason, fault)


def answered_since(connection: Connection, operation: str, since: datetime) -> bool:
    """Whether wolkvox has answered anybody since."""
    return _answered_since(connection, operation, WHOLE_OPERATION, since)


@dataclass(frozen=True, slots=True)
class _Streak:
    refused: list[int]
    refused_since: datetime
    failed: list[int]
    failed_since: datetime


def _in_turn(connection: Connection, operation: str) -> None:
    """Wait for the others, up to the end of the transaction: they change the same rows in another order."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, operation))


def _open(connection: Connection, breaker: Breaker, reason: str, fault: Fault) -> Found:
    """Nobody is rejected for it: what campaigns refused in a row is pending again."""
    if fault.refused:
        connection.execute(
            "UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL, attempts = least(attempts, %(most)s)"
            " WHERE state = 'rejected' AND operation = %(operation)s AND id = ANY(ARRAY("
            "SELECT unnest(refused) FROM wolkvox.streak WHERE operation = %(operation)s))",
            {"operation": breaker.operation, "most": breaker.patience.calls - 1},
        )
    return Found(reason, begin_outage(connection, breaker, reason, fault.explanation))


def _streak(connection: Connection, operation: str, scope: Campaign) -> _Streak | None:
    row = connection.execute(
        "SELECT refused, refused_since, failed, failed_since FROM wolkvox.streak"
        " WHERE operation = %s AND type_campaign = %s AND campaign_id = %s FOR UPDATE",
        (operation, *scope),
    ).fetchone()
    return None if row is None else _Streak(*row)


def _add(connection: Connection, operation: str, scope: Campaign, fault: Fault, most: int) -> _Streak:
    """
    A streak with one more record, or a new one where somebody has succeeded since it began.

    A record counts once. Of a campaign's records no more are kept than can tell anything.
    """
    row = connection.execute(
        "INSERT INTO wolkvox.streak AS streak (operation, type_campaign, campaign_id) VALUES (%s, %s, %s)"
        " ON CONFLICT (operation, type_campaign, campaign_id) DO UPDATE SET operation = excluded.operation"
        " RETURNING refused, refused_since, failed, failed_since",
        (operation, *scope),
    ).fetchone()
    assert row is not None
    streak = _Streak(*row)
    records, since = (streak.refused, streak.refused_since) if fault.refused else (streak.failed, streak.failed_since)
    # A refusal is an answer too: whatever answers one record isn't away, though it may be for a campaign.
    refusals_end_it = not fault.refused and scope == WHOLE_OPERATION
    ended = not records or _answered_since(connection, operation, scope, since, coded_only=not refusals_end_it)
    if ended:
        records = []
    full = _campaigns(connection, records)[fault.campaign] >= most
    if fault.record not in records and not full:
        records = [*records, fault.record]
    which = "refused" if fault.refused else "failed"
    row = connection.execute(
        f"UPDATE wolkvox.streak SET {which} = %s,"  # noqa: S608 - one of two words
        f" {which}_since = CASE WHEN %s THEN clock_timestamp() ELSE {which}_since END"
        " WHERE operation = %s AND type_campaign = %s AND campaign_id = %s"
        " RETURNING refused, refused_since, failed, failed_since".encode(),
        (records, ended, operation, *scope),
    ).fetchone()
    assert row is not None
    return _Streak(*row)


def _campaigns(connection: Connection, ids: Sequence[int]) -> Counter[Campaign]:
    """Of which campaigns records are."""
    rows = connection.execute(
        "SELECT type_campaign, campaign_id, count(*) FROM wolkvox.codification WHERE id = ANY(%s) GROUP BY 1, 2",
        (list(ids),),
    )
    return Counter({(kind, campaign): records for kind, campaign, records in rows})


def _is_alone(connection: Connection, operation: str, campaign: Campaign) -> bool:
    """Whether the operation has no other campaign: none waits, and none had an answer lately."""
    row = connection.execute(
        sql("other_campaign"),
        {"operation": operation, "type_campaign": campaign[0], "campaign_id": campaign[1], "recent": RECENT},
    ).fetchone()
    return not (row and row[0])


def _others_answer(connection: Connection, operation: str, streak: _Streak) -> bool:
    """Whether others had an answer while a campaign failed."""
    return _answered_since(connection, operation, WHOLE_OPERATION, streak.failed_since)


def _answered_since(
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


def _suspend(connection: Connection, operation: str, fault: Fault, streak: _Streak, patience: Patience) -> Found:
    """The campaign is at fault: none of its records is settled for it, and they tell nothing of the operation."""
    connection.execute(
        sql("park"),
        {
            "operation": operation,
            "type_campaign": fault.campaign[0],
            "campaign_id": fault.campaign[1],
            "reason": fault.reason,
            "words": fault.message,
            "pause": timedelta(seconds=patience.first_suspension),
        },
    )
    reopen(connection, operation, streak.refused)
    _forget_streak(connection, operation, fault.campaign)
    connection.execute(
        "UPDATE wolkvox.streak SET failed = ARRAY(SELECT id FROM wolkvox.codification"
        " WHERE id = ANY(failed) AND (type_campaign, campaign_id) <> (%s, %s))"
        " WHERE operation = %s AND streak.type_campaign = '' AND streak.campaign_id = ''",
        (*fault.campaign, operation),
    )
    return Found()


def resume(connection: Connection, operation: str, campaign: Campaign) -> None:
    """A record of a suspended campaign was coded: its others may be sent."""
    connection.execute(
        "DELETE FROM wolkvox.parked WHERE operation = %s AND type_campaign = %s AND campaign_id = %s",
        (operation, *campaign),
    )


def campaign_trials(connection: Connection, operation: str, patience: Patience, most: int) -> list[Record]:
    """
    The records that try suspended campaigns whose pause is over; their next pause begins.

    At most ``TRIALS`` of each: others than were tried before, as long as there are any.

    :param most: records that may be sent, one or more
    """
    facts = {
        "operation": operation,
        "first": patience.first_suspension,
        "longest": patience.longest_suspension,
        "most": min(CAMPAIGNS_AT_ONCE, max(1, most // TRIALS)),
    }
    connection.execute(sql("free_empty"), facts)
    due = connection.execute(sql("due_trials"), facts).fetchall()
    if not due:
        return []
    values = {
        "operation": operation,
        "types": [kind for kind, _ in due],
        "campaigns": [campaign for _, campaign in due],
        "trials": min(TRIALS, most),
    }
    return [Record(*row) for row in connection.execute(sql("trials"), values)]


def trials_of_all(connection: Connection, operation: str, only: Sequence[int] | None = None) -> list[Record]:
    """
    Records of different campaigns that try whether an outage is over.

    :param only: the records to choose from; None: whatever waits
    """
    values = {"operation": operation, "most": TRIALS, "only": None if only is None else list(only)}
    return [Record(*row) for row in connection.execute(sql("trials_of_all"), values)]


def another(connection: Connection, operation: str, campaigns: Iterable[Campaign]) -> Record | None:
    """The newest record that waits and is of none of these campaigns."""
    values = {"operation": operation, "campaigns": [" ".join(campaign) for campaign in campaigns]}
    row = connection.execute(sql("another"), values).fetchone()
    return None if row is None else Record(*row)


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
