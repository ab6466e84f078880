"""When an alert fires and resolves, and what recipients are notified of. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from wolkvox.rules.zones import local_time

RESOLVES_AFTER = timedelta(hours=1)  # without its cause: one that comes and goes with every run is one alert
# One that fires again so soon is intermittent, and resolves after as long without its cause.
RELAPSE = timedelta(days=1)
REMIND_AFTER = timedelta(days=1)  # recipients are notified again of one that is still firing
KEPT = timedelta(days=7)  # after it resolved, for whoever can't be reached
LONGEST_DELAY = timedelta(hours=1)  # between two attempts to reach a recipient
MOST_LINES = 20  # of a message


@dataclass(frozen=True, slots=True)
class Alert:
    """
    An alert from when it fired to when it resolved (None: it is firing); ``firing_since`` distinguishes one such
    time from the next. ``seen_at``: when its cause was there last. ``again``: it had resolved less than a day before.
    """

    name: str
    message: str
    firing_since: datetime
    seen_at: datetime
    resolved_at: datetime | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Notified:
    """What a recipient was notified of, last at ``notified_at``: since when an alert fires, and whether it resolved."""

    firing_since: datetime
    resolved: bool
    notified_at: datetime


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A recipient that can't be reached ``since`` then, was tried last at ``tried_at``, and why."""

    recipient: str
    since: datetime
    tried_at: datetime
    reason: str


class NoticeKind(Enum):
    """What a recipient is notified of, in the order of a message's lines."""

    FIRING = "firing"
    AGAIN = "firing again"
    STILL = "still firing"
    RESOLVED = "resolved"
    MISSED = "fired and resolved while the recipient could not be reached"


Due = tuple[NoticeKind, Alert]


def fire(before: Alert | None, name: str, message: str, now: datetime) -> Alert:
    """Return the alert whose cause is there now: new, still firing, or firing again."""
    if before is None:
        return Alert(name, message, now, now)
    if before.resolved_at is None:
        return replace(before, message=message, seen_at=now)
    return Alert(name, message, now, now, again=now - before.resolved_at < RELAPSE)


def rest(before: Alert, now: datetime) -> Alert:
    """Return the alert whose cause is gone: resolved after ``RESOLVES_AFTER``, or ``RELAPSE`` if it fired again."""
    if before.resolved_at is None and _apart(now, before.seen_at) >= (RELAPSE if before.again else RESOLVES_AFTER):
        return replace(before, resolved_at=now)
    return before


def due(alerts: Iterable[Alert], notified: Mapping[str, Notified], now: datetime) -> list[Due]:
    """
    Return what a recipient is to be notified of now, by kind, then the oldest first.

    Only the newest state of each alert counts. An alert that fired and resolved before the recipient could be reached
    is one notice with both times, however short it was: what went wrong in one run may need a person.

    :param notified: what the recipient was notified of, by the alert's name
    """
    kinds = ((_kind(alert, notified.get(alert.name), now), alert) for alert in alerts)
    notices = [(kind, alert) for kind, alert in kinds if kind is not None]
    order = list(NoticeKind)
    return sorted(notices, key=lambda one: (order.index(one[0]), one[1].firing_since, one[1].name))


def _kind(alert: Alert, notified: Notified | None, now: datetime) -> NoticeKind | None:
    unheard = notified is None or notified.firing_since != alert.firing_since
    if notified is None or unheard:
        firing = NoticeKind.AGAIN if alert.again else NoticeKind.FIRING
        return NoticeKind.MISSED if alert.resolved_at else firing
    if alert.resolved_at:
        return None if notified.resolved else NoticeKind.RESOLVED
    return NoticeKind.STILL if _apart(now, notified.notified_at) >= REMIND_AFTER else None


def may_try(failing: Undelivered | None, now: datetime) -> bool:
    """Whether a recipient is tried now: after a failure with the next run, then after delays that double."""
    if failing is None:
        return True
    return _apart(now, failing.tried_at) >= min(failing.tried_at - failing.since, LONGEST_DELAY)


def _apart(now: datetime, then: datetime) -> timedelta:
    """Return the time between the two: a clock that was ahead once holds no notice back until that time comes."""
    return abs(now - then)


def notice(dues: list[Due], zone: str) -> tuple[str, list[str]]:
    """
    Return what the message says of the DAG, and its lines, at most ``MOST_LINES``.

    :param dues: at least one
    :param zone: in which times are written
    """
    lines = [_line(kind, alert, zone) for kind, alert in dues[:MOST_LINES]]
    if len(dues) > MOST_LINES:
        lines.append(f"And {len(dues) - MOST_LINES} more alerts: see the page.")
    new = {alert.name for kind, alert in dues if kind in (NoticeKind.FIRING, NoticeKind.AGAIN)}
    still = {alert.name for kind, alert in dues if kind is NoticeKind.STILL}
    if any(map(_is_red, new)):
        return "failed", lines
    if new:
        return "takes too long" if new == {"late"} else "is degraded", lines
    if still:
        return "is still failing" if any(map(_is_red, still)) else "is still degraded", lines
    return "is better", lines


def _line(kind: NoticeKind, alert: Alert, zone: str) -> str:
    if kind is NoticeKind.FIRING:
        return alert.message
    if kind is NoticeKind.MISSED:
        assert alert.resolved_at is not None
        fired, resolved = local_time(alert.firing_since, zone), local_time(alert.resolved_at, zone)
        return f"Resolved: {alert.message} It fired at {fired} and resolved at {resolved}."
    return f"{kind.value.capitalize()}: {alert.message}"


def _is_red(name: str) -> bool:
    return name.startswith("red:") or name == "outage"
