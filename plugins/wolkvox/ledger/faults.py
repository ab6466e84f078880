"""
Whose fault it is when records fail, counted over all tasks of an operation: a campaign's, or everybody's.

Times are those of the database's clock; each function is one transaction of its own when the connection is
in autocommit mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from wolkvox.ledger import consecutive_failures
from wolkvox.ledger.breaker import Breaker, open_breaker
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
    operation, retry_policy, refused = breaker.operation, breaker.retry_policy, fault.refused
    with connection.transaction():
        lock_until_commit(connection, Lock.FAULTS, operation)
        limit = retry_policy.refusals if refused else retry_policy.outages
        own = consecutive_failures.add(connection, operation, fault.campaign, fault, limit)
        enough = is_campaigns(0 if refused else len(own.failed), len(own.refused) if refused else 0, retry_policy)
        if enough and (refused or answered_since(connection, operation, own.failed_since)):
            return _suspend(connection, breaker, fault, own)
        if fault.conflict:
            return Faults()
        most = most_of_one(retry_policy) if refused else limit
        whole = consecutive_failures.add(connection, operation, consecutive_failures.WHOLE_OPERATION, fault, most)
        campaigns = consecutive_failures.campaigns_of(connection, whole.refused if refused else whole.failed)
        is_everybody = (
            refuses_everything(retry_policy, campaigns) if refused else campaigns.total() >= retry_policy.outages
        )
        if not is_everybody:
            return Faults()
        others_wait = another(connection, operation, campaigns) is not None
        if not is_settled(len(campaigns), fault, retry_policy, others_wait=others_wait):
            return Faults(in_doubt=frozenset(campaigns))
        if refused or len(campaigns) > 1 or _is_alone(connection, operation, fault.campaign):
            return _open(connection, breaker, EVERYTHING_REFUSED if refused else fault.reason, fault)
        return _suspend(connection, breaker, fault, own)


def judge(connection: Connection, breaker: Breaker, fault: Fault) -> Faults:
    """Whether the records that failed in a row are an outage, when a run has no time or no record left to tell."""
    operation = breaker.operation
    with connection.transaction():
        lock_until_commit(connection, Lock.FAULTS, operation)
        failures = consecutive_failures.read(connection, operation, consecutive_failures.WHOLE_OPERATION)
        if failures is None or answered_since(connection, operation, failures.failed_since):
            return Faults()
        campaigns = consecutive_failures.campaigns_of(connection, failures.failed)
        if campaigns.total() < breaker.retry_policy.sure:
            return Faults()
        if len(campaigns) == 1 and not _is_alone(connection, operation, next(iter(campaigns))):
            return Faults()
        return _open(connection, breaker, fault.reason, fault)


def answered_since(connection: Connection, operation: str, since: datetime) -> bool:
    """Whether wolkvox has answered anybody since."""
    return consecutive_failures.answered_since(connection, operation, consecutive_failures.WHOLE_OPERATION, since)


def _open(connection: Connection, breaker: Breaker, reason: str, fault: Fault) -> Faults:
    """Nobody is rejected for it: what campaigns refused in a row is pending again."""
    if fault.refused:
        refused = connection.execute(
            "SELECT DISTINCT unnest(refused) FROM wolkvox.consecutive_failures WHERE operation = %s",
            (breaker.operation,),
        )
        reopen(connection, breaker, [record for (record,) in refused])
    return Faults(outage=reason, first=open_breaker(connection, breaker, reason, fault.explanation))


def _suspend(connection: Connection, breaker: Breaker, fault: Fault, failures: consecutive_failures.Failures) -> Faults:
    """The campaign is at fault: none of its records is settled for it, and they tell nothing of the operation."""
    connection.execute(
        sql("suspend"),
        {
            "operation": breaker.operation,
            "type_campaign": fault.campaign[0],
            "campaign_id": fault.campaign[1],
            "reason": fault.reason,
            "message": fault.message,
            "pause": timedelta(seconds=breaker.retry_policy.first_suspension),
        },
    )
    reopen(connection, breaker, failures.refused)
    consecutive_failures.forget(connection, breaker.operation, fault.campaign)
    connection.execute(
        "UPDATE wolkvox.consecutive_failures SET failed = ARRAY(SELECT id FROM wolkvox.codification"
        " WHERE id = ANY(failed) AND (type_campaign, campaign_id) <> (%s, %s))"
        " WHERE operation = %s AND failures.type_campaign = '' AND failures.campaign_id = ''",
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
        (breaker.retry_policy.requests - 1, breaker.operation, list(ids)),
    )


def revert_attempts(connection: Connection, chunk_id: str, requests: Mapping[int, int]) -> None:
    """Put records of a chunk back to pending, so many requests less each: what they met was no answer to them."""
    connection.execute(
        sql("revert_attempts"),
        {"chunk_id": chunk_id, "ids": list(requests.keys()), "requests": list(requests.values())},
    )
