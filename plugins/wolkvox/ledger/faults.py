"""
Whose fault it is when records fail, counted over all tasks of an operation: a campaign's, or everybody's.

Times are those of the database's clock; each function is one transaction of its own when the connection is
in autocommit mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from wolkvox.ledger import streaks
from wolkvox.ledger.breaker import Breaker, begin_outage
from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.locks import Lock, lock_until_commit
from wolkvox.rules.faults import Fault, is_campaigns, is_settled, most_of_one, refuses_everything
from wolkvox.rules.records import EVERYTHING_REFUSED, Campaign, Faults, Record

RECENT = timedelta(days=1)  # a campaign that had an answer since is one of the operation's


def count_fault(connection: Connection, breaker: Breaker, fault: Fault) -> Faults:
    """
    Count a record that was refused or failed, over all tasks; suspend its campaign when that is at fault.

    Returns what this record shows: an outage, or campaigns in doubt; of what is suspended it says nothing.

    What was refused in a row is pending again when it turns out to be its campaign's fault, or everybody's; an outage
    begins in the transaction that finds it, and not before a record of another campaign has failed, if there is one.
    """
    operation, patience, refused = breaker.operation, breaker.patience, fault.refused
    with connection.transaction():
        lock_until_commit(connection, Lock.FAULTS, operation)
        limit = patience.refusals if refused else patience.outages
        own = streaks.add(connection, operation, fault.campaign, fault, limit)
        enough = is_campaigns(0 if refused else len(own.failed), len(own.refused) if refused else 0, patience)
        if enough and (refused or answered_since(connection, operation, own.failed_since)):
            return _suspend(connection, breaker, fault, own)
        if fault.conflict:
            return Faults()
        most = most_of_one(patience) if refused else limit
        whole = streaks.add(connection, operation, streaks.WHOLE_OPERATION, fault, most)
        campaigns = streaks.campaigns_of(connection, whole.refused if refused else whole.failed)
        is_everybody = refuses_everything(patience, campaigns) if refused else campaigns.total() >= patience.outages
        if not is_everybody:
            return Faults()
        others_wait = another(connection, operation, campaigns) is not None
        if not is_settled(len(campaigns), fault, patience, others_wait=others_wait):
            return Faults(in_doubt=frozenset(campaigns))
        if refused or len(campaigns) > 1 or _is_alone(connection, operation, fault.campaign):
            return _open(connection, breaker, EVERYTHING_REFUSED if refused else fault.reason, fault)
        return _suspend(connection, breaker, fault, own)


def judge(connection: Connection, breaker: Breaker, fault: Fault) -> Faults:
    """Whether the records that failed in a row are an outage, when a run has no time or no record left to tell."""
    operation = breaker.operation
    with connection.transaction():
        lock_until_commit(connection, Lock.FAULTS, operation)
        streak = streaks.read(connection, operation, streaks.WHOLE_OPERATION)
        if streak is None or answered_since(connection, operation, streak.failed_since):
            return Faults()
        campaigns = streaks.campaigns_of(connection, streak.failed)
        if campaigns.total() < breaker.patience.sure:
            return Faults()
        if len(campaigns) == 1 and not _is_alone(connection, operation, next(iter(campaigns))):
            return Faults()
        return _open(connection, breaker, fault.reason, fault)


def answered_since(connection: Connection, operation: str, since: datetime) -> bool:
    """Whether wolkvox has answered anybody since."""
    return streaks.answered_since(connection, operation, streaks.WHOLE_OPERATION, since)


def _open(connection: Connection, breaker: Breaker, reason: str, fault: Fault) -> Faults:
    """Nobody is rejected for it: what campaigns refused in a row is pending again."""
    if fault.refused:
        refused = connection.execute(
            "SELECT DISTINCT unnest(refused) FROM wolkvox.streak WHERE operation = %s", (breaker.operation,)
        )
        reopen(connection, breaker, [record for (record,) in refused])
    return Faults(outage=reason, first=begin_outage(connection, breaker, reason, fault.explanation))


def _suspend(connection: Connection, breaker: Breaker, fault: Fault, streak: streaks.Streak) -> Faults:
    """The campaign is at fault: none of its records is settled for it, and they tell nothing of the operation."""
    connection.execute(
        sql("park"),
        {
            "operation": breaker.operation,
            "type_campaign": fault.campaign[0],
            "campaign_id": fault.campaign[1],
            "reason": fault.reason,
            "words": fault.message,
            "pause": timedelta(seconds=breaker.patience.first_suspension),
        },
    )
    reopen(connection, breaker, streak.refused)
    streaks.forget(connection, breaker.operation, fault.campaign)
    connection.execute(
        "UPDATE wolkvox.streak SET failed = ARRAY(SELECT id FROM wolkvox.codification"
        " WHERE id = ANY(failed) AND (type_campaign, campaign_id) <> (%s, %s))"
        " WHERE operation = %s AND streak.type_campaign = '' AND streak.campaign_id = ''",
        (*fault.campaign, breaker.operation),
    )
    return Faults()


def _is_alone(connection: Connection, operation: str, campaign: Campaign) -> bool:
    """Whether the operation has no other campaign: none waits, and none had an answer lately."""
    row = connection.execute(
        sql("other_campaign"),
        {"operation": operation, "type_campaign": campaign[0], "campaign_id": campaign[1], "recent": RECENT},
    ).fetchone()
    return not (row and row[0])


def another(connection: Connection, operation: str, campaigns: Iterable[Campaign]) -> Record | None:
    """The newest record that waits and is of none of these campaigns."""
    values = {"operation": operation, "campaigns": [" ".join(campaign) for campaign in campaigns]}
    row = connection.execute(sql("another"), values).fetchone()
    return None if row is None else Record(*row)


def reopen(connection: Connection, breaker: Breaker, ids: Sequence[int]) -> None:
    """Put rejected records back to pending: it wasn't they who were refused. Each has a request left at least."""
    connection.execute(
        "UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL, attempts = least(attempts, %s)"
        " WHERE operation = %s AND id = ANY(%s) AND state = 'rejected'",
        (breaker.patience.calls - 1, breaker.operation, list(ids)),
    )


def take_back(connection: Connection, chunk_id: str, calls: Mapping[int, int]) -> None:
    """Put records of a chunk back to pending, so many requests less each: what they met was no answer to them."""
    connection.execute(
        sql("take_back"), {"chunk_id": chunk_id, "ids": list(calls.keys()), "calls": list(calls.values())}
    )
