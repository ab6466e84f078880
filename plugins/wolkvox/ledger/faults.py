"""
Counts records that fail, over all tasks of an operation, and finds the cause: a campaign, or the whole operation.

Times are those of the database's clock. Each function is one transaction when the connection is in autocommit mode.
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

RECENT = timedelta(days=1)  # a campaign with a record coded since is in use


def count_fault(connection: Connection, breaker: Breaker, fault: Fault) -> Faults:
    """
    Count a record that was refused or failed, over all tasks; suspend its campaign when that is at fault.

    Returns what this record shows: an outage, or campaigns in doubt; suspended campaigns are not in the result.

    Consecutive refused records are pending again when their campaign, or the whole operation, is at fault. The circuit
    breaker opens in the same transaction, and only after a record of another campaign has failed, if one waits.
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
    """Whether consecutive failures are an outage, when a run has no time or no record left for another request."""
    operation = breaker.operation
    with connection.transaction():
        lock_until_commit(connection, Lock.FAULTS, operation)
        failures = consecutive_failures.read(connection, operation, consecutive_failures.WHOLE_OPERATION)
        if failures is None or answered_since(connection, operation, failures.failed_since):
            return Faults()
        campaigns = consecutive_failures.campaigns_of(connection, failures.failed)
        if campaigns.total() < breaker.retry_policy.enough:
            return Faults()
        if len(campaigns) == 1 and not _is_alone(connection, operation, next(iter(campaigns))):
            return Faults()
        return _open(connection, breaker, fault.reason, fault)


def answered_since(connection: Connection, operation: str, since: datetime) -> bool:
    """Whether wolkvox has answered a request since."""
    return consecutive_failures.answered_since(connection, operation, consecutive_failures.WHOLE_OPERATION, since)


def _open(connection: Connection, breaker: Breaker, reason: str, fault: Fault) -> Faults:
    """Open the circuit breaker; what campaigns refused in a row is pending again."""
    if fault.refused:
        refused = connection.execute(
            "SELECT DISTINCT unnest(refused) FROM wolkvox.consecutive_failures WHERE operation = %s",
            (breaker.operation,),
        )
        reopen(connection, breaker, [record for (record,) in refused])
    return Faults(outage=reason, first=open_breaker(connection, breaker, reason, fault.explanation))


def _suspend(
    connection: Connection, breaker: Breaker, fault: Fault, failures: consecutive_failures.FailedInARow
) -> Faults:
    """Suspend the campaign: its refused records are pending again, and no longer count against the operation."""
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
        "UPDATE wolkvox.consecutive_failures SET failed = ARRAY(SELECT record.id FROM wolkvox.codification AS record"
        " WHERE record.id = ANY(failed) AND (record.type_campaign, record.campaign_id) <> (%s, %s))"
        " WHERE operation = %s AND type_campaign = '' AND campaign_id = ''",
        (*fault.campaign, breaker.operation),
    )
    return Faults()


def _is_alone(connection: Connection, operation: str, campaign: Campaign) -> bool:
    """Whether the operation has no other campaign, with waiting records or with one coded lately."""
    row = connection.execute(
        sql("other_campaign"),
        {"operation": operation, "type_campaign": campaign[0], "campaign_id": campaign[1], "recent": RECENT},
    ).fetchone()
    return not (row and row[0])


def another(connection: Connection, operation: str, campaigns: Iterable[Campaign]) -> Record | None:
    """The newest waiting record that is of none of these campaigns; None where there is none."""
    values = {"operation": operation, "campaigns": [" ".join(campaign) for campaign in campaigns]}
    row = connection.execute(sql("another"), values).fetchone()
    return None if row is None else Record(*row)


def reopen(connection: Connection, breaker: Breaker, ids: Sequence[int]) -> None:
    """Put rejected records back to pending, each with one request left at least: they were not at fault."""
    connection.execute(
        "UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL, attempts = least(attempts, %s)"
        " WHERE operation = %s AND id = ANY(%s) AND state = 'rejected'",
        (breaker.retry_policy.requests - 1, breaker.operation, list(ids)),
    )


def revert_attempts(connection: Connection, chunk_id: str, requests: Mapping[int, int]) -> None:
    """Put records of a chunk back to pending, each less the number of requests given, which were no attempts."""
    connection.execute(
        sql("revert_attempts"),
        {"chunk_id": chunk_id, "ids": list(requests.keys()), "requests": list(requests.values())},
    )
