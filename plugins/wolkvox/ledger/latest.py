"""Counts what alerts are judged by: the outcomes of the latest records, and arrivals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.records import Campaign
from wolkvox.rules.shares import FEWEST, LONGEST_WINDOW, WINDOW, Arrivals, Latest, Outcomes

WEEKS = 4  # of the past that a silence is compared with
# The newest records of the hour that are counted: more of them hardly change a share, and a verdict costs milliseconds
# however fast records are sent.
MOST = 10_000


def latest(connection: Connection, operation: str, suspended: Sequence[Campaign], now: datetime) -> Latest:
    """
    Outcomes and arrivals of the last hour, or of the latest ``FEWEST`` records of a day where the hour has fewer.

    :param suspended: the suspended campaigns: their rejected trials are left out, they have an alert of their own
    """
    params = {
        "operation": operation,
        "now": now,
        "window": WINDOW,
        "longest": LONGEST_WINDOW,
        "fewest": FEWEST,
        "most": MOST,
        "types": [campaign[0] for campaign in suspended],
        "campaigns": [campaign[1] for campaign in suspended],
    }
    outcomes = connection.execute(sql("latest_outcomes"), params).fetchone()
    arrivals = connection.execute(sql("latest_arrivals"), params).fetchone()
    assert outcomes is not None
    assert arrivals is not None
    return Latest(Outcomes(*outcomes), Arrivals(*arrivals))


def arrivals(connection: Connection, operation: str) -> tuple[datetime | None, list[timedelta]]:
    """
    When a record came in last, and how long none had come in at this hour and weekday of past weeks.

    Weeks before the first arrival are left out.
    """
    rows = connection.execute(sql("arrivals"), {"operation": operation, "weeks": WEEKS}).fetchall()
    newest, usual = rows[0][0], [at - last for last, at in rows[1:] if last is not None]
    return newest, usual
