"""
Tell people when an alert fires, when it resolved, and once a day in between.

By default that is an e-mail, as soon as Airflow has an SMTP connection; ``notifiers`` takes any other notifier. What
could not be delivered is due again with the next run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseNotifier, Variable, conf
from airflow.sdk.exceptions import AirflowException

from wolkvox.errors import BadSetting, WolkvoxError
from wolkvox.rules.firing import REMIND_AFTER, due, may_try, notice

if TYPE_CHECKING:
    from airflow.sdk import Context

    from wolkvox.ledger.connection import Connection

LOG = "log"  # the recipient where there is no other

Send = Callable[[str, str, Any], None]  # subject, text, context; raises when it isn't delivered

log = logging.getLogger(__name__)


class WolkvoxAlert(BaseNotifier):
    """
    Callback for ``verdict`` (success and failure) and for a DeadlineAlert: delivers what is due, and nothing twice.

    What is due is in the ledger, where ``verdict`` notes which alerts are firing; a run that changes nothing sends
    nothing, red or not. Each recipient counts as notified when its notifier has returned. Other notifiers find the
    message in their templates as ``{{ wolkvox.subject }}`` and ``{{ wolkvox.text }}``.

    :param to: addresses of the e-mail; none: those of the variable ``wolkvox_alert_to``
    :param notifiers: what carries the message instead of the e-mail
    :param ledger_conn_id: PostgreSQL connection of the ledger
    """

    def __init__(
        self,
        *,
        to: Sequence[str] | str = (),
        notifiers: Sequence[BaseNotifier] = (),
        ledger_conn_id: str = "wolkvox_ledger",
    ) -> None:
        super().__init__()
        self.to = to
        self.notifiers = notifiers
        self.ledger_conn_id = ledger_conn_id

    def notify(self, context: Context) -> None:
        """Deliver what is due."""
        if "deadline" in context:
            self._late(context)
            return
        ti = context["ti"]
        summary = ti.xcom_pull(task_ids=ti.task_id)
        if summary and "news" in summary:
            self._with_ledger(context, summary["operation"], summary["zone"])
        else:
            self._without_ledger(context, _message(context.get("exception")))

    def _late(self, context: Context) -> None:
        """Tell of a run that goes on after its deadline, as of any alert; without the ledger, tell it all the same."""
        from wolkvox.ledger.alerts import note_one
        from wolkvox.ledger.connection import clock, connected
        from wolkvox.ledger.runs import operation_of, run_is_over

        dag_id, run_id = _run(context)
        message = f"The run should have ended by {context['deadline']['deadline_time']}."  # type: ignore[typeddict-item]
        operation = None
        try:
            with connected(self.ledger_conn_id) as ledger:
                if run_is_over(ledger, dag_id, run_id):
                    return
                operation = operation_of(ledger, dag_id)
                if operation is not None:
                    note_one(ledger, operation, dag_id, "late", message, clock(ledger))
        except (WolkvoxError, AirflowException) as error:
            self.log.warning("The ledger doesn't know the late run: %s", _message(error))
            operation = None
        if operation is None:
            self._tell_all(context, f"{dag_id} takes too long", self._text(context, [message]))
        else:
            self._with_ledger(context, operation, "UTC")

    def _with_ledger(self, context: Context, operation: str, zone: str) -> None:
        from wolkvox.ledger.connection import connected

        try:
            with connected(self.ledger_conn_id) as ledger:
                self._deliver(ledger, context, operation, zone)
        except (WolkvoxError, AirflowException) as error:
            self.log.warning("What is due will be told with the next run: %s", _message(error))

    def _deliver(self, ledger: Connection, context: Context, operation: str, zone: str) -> None:
        """To each recipient what it is to be told of the DAG's alerts, one callback at a time."""
        from wolkvox.ledger.alerts import known_alerts
        from wolkvox.ledger.connection import clock
        from wolkvox.ledger.notifications import (
            begin_delivery,
            keep_recipients,
            mark_notified,
            mark_undelivered,
            notified,
            undelivered,
        )

        dag_id, _ = _run(context)
        if not begin_delivery(ledger, operation, dag_id):
            self.log.warning("Another callback is delivering alerts: the next run tells what it leaves.")
            return
        alerts, failing = known_alerts(ledger, operation, dag_id), undelivered(ledger, operation, dag_id)
        if not alerts and not failing:
            return
        recipients, logged = self._recipients(), set()
        keep_recipients(ledger, operation, dag_id, list(recipients))
        for name, send in recipients.items():
            now = clock(ledger)
            dues = due(alerts.values(), notified(ledger, operation, dag_id, name), now)
            if not dues or not may_try(failing.get(name), now):
                continue
            what, lines = notice(dues, zone)
            subject, text = f"{dag_id} {what}", self._text(context, lines)
            if text not in logged:
                self.log.warning("%s: %s", subject, text)
                logged.add(text)
            why = self._try(send, name, subject, text, context)
            if why is None:
                mark_notified(ledger, operation, dag_id, name, dues, clock(ledger))
            else:
                mark_undelivered(ledger, operation, dag_id, name, why, clock(ledger))

    def _without_ledger(self, context: Context, message: str) -> None:
        """
        Tell of a task that failed without a summary: each recipient once a day for the same message.

        The ledger, which remembers everything else that was told, may be just what is missing.
        """
        dag_id, _ = _run(context)
        name, now = f"wolkvox_told_{dag_id}", datetime.now(timezone.utc)
        known = _remembered(name)
        told = self._tell_all(
            context,
            f"{dag_id} failed",
            self._text(context, [message]),
            lambda recipient: not _was_told(known.get(recipient), message, now),
        )
        if told:
            _remember(name, known | {one: {"message": message, "at": now.isoformat()} for one in told})

    def _tell_all(
        self, context: Context, subject: str, text: str, wanted: Callable[[str], bool] = lambda _: True
    ) -> list[str]:
        """The recipients, of those that are wanted, whom the message reached."""
        recipients = {name: send for name, send in self._recipients().items() if wanted(name)}
        if recipients:
            self.log.warning("%s: %s", subject, text)
        return [name for name, send in recipients.items() if self._try(send, name, subject, text, context) is None]

    def _try(self, send: Send, recipient: str, subject: str, text: str, context: Context) -> str | None:
        """Send a message; why it was not delivered, None when it was. All others are tried whatever happens."""
        from wolkvox.mail import reason

        try:
            send(subject, text, context)
        except Exception as error:
            self.log.warning("The alert did not reach %s: %s", recipient, reason(error))
            return reason(error)
        return None

    def _recipients(self) -> dict[str, Send]:
        """Who is told, by the name under which the ledger keeps what was told."""
        if self.notifiers:
            return {_name(notifier, self.notifiers): partial(_carry, notifier) for notifier in self.notifiers}
        from wolkvox.mail import RECIPIENTS, AlertMail, mail_addresses

        found = mail_addresses(self.to)
        if found is None:
            return {LOG: lambda subject, text, context: None}
        for written in found.left_aside:
            self.log.warning("%r is no e-mail address: it is left aside. Correct alert_to or %s.", written, RECIPIENTS)
        if not found.usable:
            return {"e-mail": _no_address}
        return {
            address: lambda subject, text, context, address=address: AlertMail(address, subject, text)(context)  # type: ignore[misc]
            for address in found.usable
        }

    def _text(self, context: Context, lines: list[str]) -> str:
        dag_id, run_id = _run(context)
        return "\n".join([*lines, f"Run {run_id}: {_link(dag_id, run_id)}"])


def _name(notifier: BaseNotifier, among: Sequence[BaseNotifier]) -> str:
    """A notifier's class, numbered where there are several."""
    alike = [one for one in among if type(one) is type(notifier)]
    place = [one is notifier for one in alike].index(True)
    return type(notifier).__name__ + (f" {place + 1}" if place else "")


def _carry(notifier: BaseNotifier, subject: str, text: str, context: Any) -> None:
    # A copy: a notifier's templates are filled in once and for all.
    copy(notifier)({**context, "wolkvox": {"subject": subject, "text": text}})


def _no_address(subject: str, text: str, context: Any) -> None:
    raise BadSetting("there is no address: set the variable wolkvox_alert_to, or the SMTP connection's from_email")


def _link(dag_id: str, run_id: str) -> str:
    """The run's address; without a host when Airflow was never told its own."""
    path = f"dags/{quote(dag_id, '')}/runs/{quote(run_id, '')}"
    base_url = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base_url}/{path}" if urlsplit(base_url).netloc else f"{path} in Airflow"


def _remembered(name: str) -> dict[str, Any]:
    """What each recipient was told without the ledger."""
    try:
        known = json.loads(Variable.get(name, default=None) or "{}")
    except Exception as error:
        log.warning("What was told is not known (%s): telling it, perhaps again.", type(error).__name__)
        return {}
    return known if isinstance(known, dict) else {}


def _remember(name: str, told: Mapping[str, Any]) -> None:
    try:
        Variable.set(name, json.dumps(told))
    except Exception as error:
        log.warning("What was told can't be kept (%s): it is told again.", type(error).__name__)


def _was_told(known: object, message: str, now: datetime) -> bool:
    """Whether somebody was told the same message within a day."""
    try:
        return (
            isinstance(known, dict)
            and known["message"] == message
            and now - datetime.fromisoformat(known["at"]) < REMIND_AFTER
        )
    except (KeyError, TypeError, ValueError):
        return False


def _run(context: Mapping[str, Any]) -> tuple[str, str]:
    """The ids of the DAG and its run; a deadline's context has plain values."""
    run = context["dag_run"]
    return (run["dag_id"], run["dag_run_id"]) if isinstance(run, Mapping) else (run.dag_id, run.run_id)


def _message(error: object) -> str:
    """An error's message if it is one of ours or Airflow's; others may quote a customer's data."""
    if isinstance(error, (WolkvoxError, AirflowException)):
        return str(error)
    return f"{type(error).__name__}: see the log of the task." if error else "See the log of the task."
