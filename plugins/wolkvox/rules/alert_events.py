"""Alerts as events for other systems, each with the key that opens an incident there and resolves it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wolkvox.rules.firing import Alert, Due, NoticeKind

VERSION = 1  # of the events: a key that goes, or means something else, makes the next one
ACTIONS = {
    NoticeKind.FIRING: ("trigger",),
    NoticeKind.AGAIN: ("trigger",),
    NoticeKind.STILL: ("trigger",),
    NoticeKind.RESOLVED: ("resolve",),
    NoticeKind.MISSED: ("trigger", "resolve"),
}

Event = dict[str, Any]


def alert_events(dues: Sequence[Due], operation: str, dag_id: str) -> list[Event]:
    """
    Return the events of what a recipient is to be notified of, in its order.

    An alert has one ``key`` for all its life; an event that comes twice changes nothing where keys are understood.
    """
    return [_event(action, kind, alert, operation, dag_id) for kind, alert in dues for action in ACTIONS[kind]]


def plain_event(dag_id: str, message: str) -> Event:
    """Return the event of a message that no alert is behind, as the ledger is away: nothing resolves it."""
    return {"version": VERSION, "action": "notice", "key": None, "dag_id": dag_id, "message": message}


def _event(action: str, kind: NoticeKind, alert: Alert, operation: str, dag_id: str) -> Event:
    return {
        "version": VERSION,
        "action": action,
        "key": f"{operation}/{dag_id}/{alert.name}",
        "operation": operation,
        "dag_id": dag_id,
        "alert": alert.name,
        "notice": kind.value,
        "message": alert.message,
        "firing_since": alert.firing_since.isoformat(),
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at and action == "resolve" else None,
    }
