"""Suspended campaigns of an operation, known to all of its tasks, by the database's clock."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.records import Campaign, Record
from wolkvox.rules.retry_policy import TRIALS, RetryPolicy

CAMPAIGNS_AT_ONCE = 20  # suspended campaigns that one worker tries at once


class SuspendedCampaign(NamedTuple):
    """A suspended campaign: the reason, the message behind it, since when, and when it is tried next."""

    type_campaign: str
    campaign_id: str
    reason: str
    message: str | None
    since: datetime
    until: datetime


def suspended_campaigns(connection: Connection, operation: str) -> list[SuspendedCampaign]:
    """The campaigns that are suspended, the latest one last."""
    rows = connection.execute(
        "SELECT type_campaign, campaign_id, reason, message, since, until FROM wolkvox.suspended_campaign"
        " WHERE operation = %s ORDER BY since, type_campaign, campaign_id",
        (operation,),
    )
    return [SuspendedCampaign(*row) for row in rows]


def resume(connection: Connection, operation: str, campaign: Campaign) -> None:
    """Resume a campaign: a record of it was coded."""
    connection.execute(
        "DELETE FROM wolkvox.suspended_campaign WHERE operation = %s AND type_campaign = %s AND campaign_id = %s",
        (operation, *campaign),
    )


def campaign_trials(connection: Connection, operation: str, retry_policy: RetryPolicy, most: int) -> list[Record]:
    """
    The trial records of suspended campaigns whose delay is over; their next delay begins.

    At most ``TRIALS`` of each, first those that were never sent.

    :param most: records that may be sent, one or more
    """
    params = {
        "operation": operation,
        "first": retry_policy.first_suspension,
        "longest": retry_policy.longest_suspension,
        "most": min(CAMPAIGNS_AT_ONCE, max(1, most // TRIALS)),
    }
    connection.execute(sql("resume_empty"), params)
    due = connection.execute(sql("due_trials"), params).fetchall()
    if not due:
        return []
    values = {
        "operation": operation,
        "types": [kind for kind, _ in due],
        "campaigns": [campaign for _, campaign in due],
        "trials": min(TRIALS, most),
    }
    return [Record(*row) for row in connection.execute(sql("trials"), values)]
