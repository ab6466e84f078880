"""The check of whom a DAG's alerts reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wolkvox.delivery.mail import RECIPIENTS, mail_addresses, try_server
from wolkvox.errors import BadSetting
from wolkvox.ledger.connection import connected
from wolkvox.ledger.notifications import undelivered
from wolkvox.ledger.report_deliveries import undelivered_reports
from wolkvox.notifier import WolkvoxAlert
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.firing import Undelivered


def check_mail(stage: WolkvoxStageOperator) -> str:
    """Whom the DAG's alerts reach. No message is sent.

    :raises BadSetting: when alerts or the operation's reports don't reach somebody
    """
    _refuse_undelivered(stage)
    alert = _alert(stage)
    if alert is None:
        return "none: no task of this DAG has a WolkvoxAlert among its callbacks"
    if alert.notifiers:
        return "none: alerts go to " + ", ".join(type(notifier).__name__ for notifier in alert.notifiers)
    addresses = mail_addresses(alert.to)
    if addresses is None:
        where = f"go to the webhook of connection {alert.webhook!r}" if alert.webhook else "are in the log"
        return f"none: there is no SMTP connection, alerts {where} only"
    if addresses.left_aside or not addresses.usable:
        wrong = ", ".join(map(repr, addresses.left_aside)) or "nothing"
        raise BadSetting(
            f"{wrong} is no e-mail address: correct alert_to of the operation, or the variable {RECIPIENTS}."
            f" Alerts go to {len(addresses.usable)} others."
        )
    return f"{try_server()} takes a connection; alerts go to {len(addresses.usable)} address(es)"


def _refuse_undelivered(stage: WolkvoxStageOperator) -> None:
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        operation = stage.wolkvox().settings.operation
        alerts, reports = undelivered(ledger, operation, stage.dag_id), undelivered_reports(ledger, operation)
    wrong = [
        *_sentence("Alerts don't reach", alerts, "They are due again with each run."),
        *_sentence("Reports don't reach", reports, "The next one is due in the morning."),
    ]
    if wrong:
        raise BadSetting(" ".join(wrong))


def _sentence(what: str, failing: Mapping[str, Undelivered], then: str) -> list[str]:
    """Whom something doesn't reach since when, and why; nothing where it reaches all."""
    if not failing:
        return []
    first = next(iter(failing.values()))
    return [f"{what} {', '.join(failing)} since {first.since:%Y-%m-%d %H:%M} UTC: {first.reason}. {then}"]


def _alert(stage: WolkvoxStageOperator) -> WolkvoxAlert | None:
    """The callback that delivers the DAG's alerts."""
    dag = stage.get_dag()
    assert dag is not None
    for task in dag.tasks:
        given = task.on_failure_callback or ()
        for callback in given if isinstance(given, Sequence) else [given]:
            if isinstance(callback, WolkvoxAlert):
                return callback
    return None
