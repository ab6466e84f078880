"""Notes which recipients have a day's report, as notifications of an alert that never fires. Times are the ledger's."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.notifications import mark_notified, notified
from wolkvox.rules.firing import Alert, NoticeKind, Undelivered

REPORT = "report"  # the name of that alert; it fires when the reported day begins
TRIED = timedelta(days=2)  # since the last attempt: after that, nobody sends such a report any more


def note_report(connection: Connection, operation: str, dag_id: str, day: datetime, now: datetime) -> Alert:
    """Note that the report of the day that began then is to be delivered; returns what its deliveries are noted by."""
    report = Alert(REPORT, "", firing_since=day, seen_at=now, resolved_at=now)
    connection.execute(sql("note_alert"), {**asdict(report), "operation": operation, "dag_id": dag_id})
    return report


def has_report(connection: Connection, operation: str, dag_id: str, recipient: str, report: Alert) -> bool:
    """Whether a recipient has the report."""
    last = notified(connection, operation, dag_id, recipient).get(REPORT)
    return last is not None and last.firing_since == report.firing_since


def mark_delivered(
    connection: Connection, operation: str, dag_id: str, recipient: str, report: Alert, now: datetime
) -> None:
    """Note that a recipient has the report."""
    mark_notified(connection, operation, dag_id, recipient, [(NoticeKind.RESOLVED, report)], now)


def undelivered_reports(connection: Connection, operation: str) -> dict[str, Undelivered]:
    """The recipients that an operation's reports don't reach, by name; the one since the earliest time first."""
    rows = connection.execute(
        "SELECT recipient, since, tried_at, reason FROM wolkvox.undelivered"
        " INNER JOIN wolkvox.alert USING (operation, dag_id)"
        " WHERE operation = %s AND alert = %s AND tried_at > clock_timestamp() - %s ORDER BY since, recipient",
        (operation, REPORT, TRIED),
    )
    return {row[0]: Undelivered(*row) for row in rows}
