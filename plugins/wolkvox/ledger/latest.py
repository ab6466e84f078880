"""What alerts are judged by: the latest records' outcomes, what came in, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.records import Campaign
from wolkvox.rules.shares import FEWEST, LONGEST_WINDOW, WINDOW, Arrivals, Latest, Outcomes

WEEKS = 4  # of the past that tell what is usual
# Records of the hour that are looked at, the newest ones: more of them change no share, and a verdict should cost
# milliseconds however fast records are sent.
MOST = 10_000


def latest(connection: Connection, operation: str, suspended: Sequence[Campaign], now: datetime) -> Latest:
    """
    The records of the last hour, or where they are fewer than ``FEWEST`` the latest ones of a day.

    :param suspended: campaigns that are suspended: that they reject their trials is known, and an alert of its own
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
    When something new came in last, and how long nothing had come in at this hour and weekday of past weeks.

    Weeks from before the first arrival are left out.
    """
    rows = connection.execute(sql("arrivals"), {"operation": operation, "weeks": WEEKS}).fetchall()
    newest, usual = rows[0][0], [moment - last for last, moment in rows[1:] if last is not None]
    return newest, usual
