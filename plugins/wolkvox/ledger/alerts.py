"""Notes which alerts are firing, and since when. The caller passes the ledger's time, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.locks import Lock, lock_until_commit
from wolkvox.rules.firing import KEPT, Alert, fire, rest


@dataclass(frozen=True, slots=True)
class AlertChanges:
    """The alerts that began to fire, and those that resolved, each in one sentence by its name."""

    firing: dict[str, str] = field(default_factory=dict)
    resolved: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, dict[str, str]]:
        """For XCom."""
        return asdict(self)


def known_alerts(connection: Connection, operation: str, dag_id: str) -> dict[str, Alert]:
    """The alerts of a DAG that are firing or resolved lately, by name."""
    rows = connection.execute(
        "SELECT alert, message, firing_since, seen_at, resolved_at, again FROM wolkvox.alert"
        " WHERE operation = %s AND dag_id = %s",
        (operation, dag_id),
    )
    return {row[0]: Alert(*row) for row in rows}


def note(
    connection: Connection, operation: str, dag_id: str, current: Mapping[str, str], now: datetime
) -> AlertChanges:
    """
    Note the alerts whose cause is there now; the DAG's others resolve once it is gone for long enough.

    Of two verdicts at once, the second one reads what the first one noted.

    :param current: each alert's sentence by its name
    """
    with connection.transaction():
        kept = _locked(connection, operation, dag_id)
        noted = {name: fire(kept.get(name), name, message, now) for name, message in current.items()}
        noted |= {name: rest(alert, now) for name, alert in kept.items() if name not in current}
        _keep(connection, operation, dag_id, noted)
        connection.execute(
            "DELETE FROM wolkvox.alert WHERE operation = %s AND dag_id = %s AND resolved_at < %s",
            (operation, dag_id, now - KEPT),
        )
    return AlertChanges(
        firing={name: alert.message for name, alert in noted.items() if _is_new(alert, kept.get(name))},
        resolved={name: alert.message for name, alert in noted.items() if alert.resolved_at == now},
    )


def note_one(connection: Connection, operation: str, dag_id: str, name: str, message: str, now: datetime) -> None:
    """Note that the cause of one alert is there now; the others stay as they are."""
    with connection.transaction():
        kept = _locked(connection, operation, dag_id)
        _keep(connection, operation, dag_id, {name: fire(kept.get(name), name, message, now)})


def _is_new(alert: Alert, before: Alert | None) -> bool:
    return before is None or before.firing_since != alert.firing_since


def _locked(connection: Connection, operation: str, dag_id: str) -> dict[str, Alert]:
    """The DAG's alerts, locked until the transaction's end."""
    lock_until_commit(connection, Lock.ALERTS, f"{operation} {dag_id}")
    return known_alerts(connection, operation, dag_id)


def _keep(connection: Connection, operation: str, dag_id: str, noted: Mapping[str, Alert]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            sql("note_alert"), [{**asdict(alert), "operation": operation, "dag_id": dag_id} for alert in noted.values()]
        )
