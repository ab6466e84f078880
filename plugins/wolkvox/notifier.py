"""
The notifier that delivers alerts: when one fires, when it is resolved, and once a day in between.

By default that is an e-mail, as soon as Airflow has an SMTP connection; ``notifiers`` takes any other notifier. What
could not be delivered is due again with the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseNotifier, conf
from airflow.sdk.exceptions import AirflowException

from wolkvox.delivery.recipients import Message, Send, recipients
from wolkvox.errors import WolkvoxError
from wolkvox.rules.alert_events import alert_events, plain_event
from wolkvox.rules.firing import Due, due, may_try, notice

if TYPE_CHECKING:
    from airflow.sdk import Context

    from wolkvox.ledger.connection import Connection


class WolkvoxAlert(BaseNotifier):
    """
    Callback for ``verdict`` (success and failure) and for a DeadlineAlert: delivers what is due, and nothing twice.

    What is due is in the ledger, where ``verdict`` notes which alerts are firing; a run that changes nothing sends
    nothing, red or not. Each recipient counts as notified when its notifier has returned. Other notifiers find the
    message in their templates as ``{{ wolkvox.subject }}`` and ``{{ wolkvox.text }}``, and its alerts one by one in
    ``wolkvox.events``.

    :param to: addresses of the e-mail; none: those of the variable ``wolkvox_alert_to``
    :param notifiers: what carries the message instead of the e-mail
    :param webhook: connection to a webhook that gets each alert as a signed event too; none: empty
    :param ledger_conn_id: PostgreSQL connection of the ledger
    """

    def __init__(
        self,
        *,
        to: Sequence[str] | str = (),
        notifiers: Sequence[BaseNotifier] = (),
        webhook: str = "",
        ledger_conn_id: str = "wolkvox_ledger",
    ) -> None:
        super().__init__()
        self.to = to
        self.notifiers = notifiers
        self.webhook = webhook
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
        """Deliver the alert of a run that is under way after its deadline; without the ledger too."""
        from wolkvox.ledger.alerts import note_one
        from wolkvox.ledger.connection import connected, now_of
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
                    note_one(ledger, operation, dag_id, "late", message, now_of(ledger))
        except (WolkvoxError, AirflowException) as error:
            self.log.warning("The ledger doesn't know the late run: %s", _message(error))
            operation = None
        if operation is None:
            self._send_to_all(context, _plain(context, "takes too long", message))
        else:
            self._with_ledger(context, operation, "UTC")

    def _with_ledger(self, context: Context, operation: str, zone: str) -> None:
        from wolkvox.ledger.connection import connected

        try:
            with connected(self.ledger_conn_id) as ledger:
                self._deliver(ledger, context, operation, zone)
        except (WolkvoxError, AirflowException) as error:
            self.log.warning("What is due is delivered with the next run: %s", _message(error))

    def _deliver(self, ledger: Connection, context: Context, operation: str, zone: str) -> None:
        """Send each recipient the alerts that are due to it, one callback at a time."""
        from wolkvox.ledger.alerts import known_alerts
        from wolkvox.ledger.connection import now_of
        from wolkvox.ledger.notifications import begin_delivery, keep_recipients, notified, undelivered

        dag_id, _ = _run(context)
        if not begin_delivery(ledger, operation, dag_id):
            self.log.warning("Another callback is delivering alerts: the next run delivers what it leaves.")
            return
        alerts, failing = known_alerts(ledger, operation, dag_id), undelivered(ledger, operation, dag_id)
        if not alerts and not failing:
            return
        senders, logged = recipients(self.to, self.notifiers, self.webhook), set()
        keep_recipients(ledger, operation, dag_id, list(senders))
        for name, send in senders.items():
            now = now_of(ledger)
            dues = due(alerts.values(), notified(ledger, operation, dag_id, name), now)
            if not dues or not may_try(failing.get(name), now):
                continue
            headline, lines = notice(dues, zone)
            events = alert_events(dues, operation, dag_id)
            message = Message(f"{dag_id} {headline}", _text(context, lines), events)
            if message.text not in logged:
                self.log.warning("%s: %s", message.subject, message.text)
                logged.add(message.text)
            self._note(ledger, (operation, dag_id, name), dues, self._try(send, name, message, context))

    @staticmethod
    def _note(ledger: Connection, recipient: tuple[str, str, str], dues: Sequence[Due], failure: str | None) -> None:
        """Note that alerts were delivered to a recipient (operation, DAG, name), or why they were not."""
        from wolkvox.ledger.connection import now_of
        from wolkvox.ledger.notifications import mark_notified, mark_undelivered

        if failure is None:
            mark_notified(ledger, *recipient, dues, now_of(ledger))
        else:
            mark_undelivered(ledger, *recipient, failure, now_of(ledger))

    def _without_ledger(self, context: Context, message: str) -> None:
        """
        Deliver the message of a task that failed without a summary, once a day to each recipient.

        The ledger, which remembers all other deliveries, may be just what is missing.
        """
        from wolkvox.delivery.memory import Memory

        dag_id, _ = _run(context)
        memory, now = Memory(dag_id), datetime.now(timezone.utc)
        reached = self._send_to_all(
            context, _plain(context, "failed", message), lambda recipient: not memory.has(recipient, message, now)
        )
        if reached:
            memory.keep(reached, message, now)

    def _send_to_all(
        self, context: Context, message: Message, is_due: Callable[[str], bool] = lambda _: True
    ) -> list[str]:
        """The recipients, of those to whom the message is due, that it reached."""
        senders = {
            name: send for name, send in recipients(self.to, self.notifiers, self.webhook).items() if is_due(name)
        }
        if senders:
            self.log.warning("%s: %s", message.subject, message.text)
        return [name for name, send in senders.items() if self._try(send, name, message, context) is None]

    def _try(self, send: Send, recipient: str, message: Message, context: Context) -> str | None:
        """Send a message; why it was not delivered, None when it was. All others are tried whatever happens."""
        from wolkvox.delivery.mail import reason

        try:
            send(message, context)
        except Exception as error:
            self.log.warning("The alert did not reach %s: %s", recipient, reason(error))
            return reason(error)
        return None


def _plain(context: Context, headline: str, sentence: str) -> Message:
    """The message of a sentence that the ledger knows no alert for."""
    dag_id, _ = _run(context)
    return Message(f"{dag_id} {headline}", _text(context, [sentence]), [plain_event(dag_id, sentence)])


def _text(context: Context, lines: list[str]) -> str:
    """The lines of a message, and where the run is."""
    dag_id, run_id = _run(context)
    return "\n".join([*lines, f"Run {run_id}: {_link(dag_id, run_id)}"])


def _link(dag_id: str, run_id: str) -> str:
    """The run's address; without a host where Airflow has none in its configuration."""
    path = f"dags/{quote(dag_id, '')}/runs/{quote(run_id, '')}"
    base_url = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base_url}/{path}" if urlsplit(base_url).netloc else f"{path} in Airflow"


def _run(context: Mapping[str, Any]) -> tuple[str, str]:
    """The ids of the DAG and its run; a deadline's context has plain values."""
    run = context["dag_run"]
    return (run["dag_id"], run["dag_run_id"]) if isinstance(run, Mapping) else (run.dag_id, run.run_id)


def _message(error: object) -> str:
    """An error's message if it is one of ours or Airflow's; others may quote a customer's data."""
    if isinstance(error, (WolkvoxError, AirflowException)):
        return str(error)
    return f"{type(error).__name__}: see the log of the task." if error else "See the log of the task."
