"""
Tell somebody when something begins to go wrong, when it is over, and once a day in between.

By default that is an e-mail, as soon as Airflow has an SMTP connection; ``notifiers`` takes any other notifier.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseHook, BaseNotifier, Variable, conf
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

from wolkvox.errors import WolkvoxError

if TYPE_CHECKING:
    from airflow.sdk import Context

TELL_AGAIN = timedelta(days=1)  # how long the same words are not told again
RECIPIENTS = "wolkvox_alert_to"  # Airflow variable: addresses, separated by commas

log = logging.getLogger(__name__)


class WolkvoxAlert(BaseNotifier):
    """
    Callback for ``verdict`` (success and failure) and for a DeadlineAlert: tells of changes, and of nothing twice.

    What changed is in the summary that ``verdict`` returned; a run without news sends nothing, red or not. Other
    notifiers find the message in their templates as ``{{ wolkvox.subject }}`` and ``{{ wolkvox.text }}``.

    :param to: addresses of the e-mail; none: those of the variable ``wolkvox_alert_to``
    :param notifiers: what carries the message instead of the e-mail
    :param ledger_conn_id: PostgreSQL connection of the ledger, asked whether a late run is over by now
    """

    def __init__(
        self,
        *,
        to: Sequence[str] = (),
        notifiers: Sequence[BaseNotifier] = (),
        ledger_conn_id: str = "wolkvox_ledger",
    ) -> None:
        super().__init__()
        self.to = to
        self.notifiers = notifiers
        self.ledger_conn_id = ledger_conn_id

    def notify(self, context: Context) -> None:
        """Send the message, if there is one to send."""
        found = self._found(context)
        if not found:
            return
        what, lines = found
        dag_id, run_id = _run(context)
        subject, text = f"{dag_id} {what}", "\n".join([*lines, f"Run {run_id}: {_link(dag_id, run_id)}"])
        self.log.warning("%s: %s", subject, text)
        told: Any = {**context, "wolkvox": {"subject": subject, "text": text}}
        for notifier in self.notifiers or email(subject, text, self.to):
            notifier(told)

    def _found(self, context: Mapping[str, Any]) -> tuple[str, list[str]] | None:
        """What happened, and why; None when nobody has to know."""
        if "deadline" in context:
            if _is_over(self.ledger_conn_id, *_run(context)):
                return None
            return "takes too long", [f"The run should have ended by {context['deadline']['deadline_time']}."]
        ti = context["ti"]
        summary = ti.xcom_pull(task_ids=ti.task_id)
        if summary and "news" in summary:
            return message(summary["news"])
        words = _words(context.get("exception"))
        return ("failed", [words]) if _is_news(_run(context)[0], words) else None


def message(news: Mapping[str, Mapping[str, str]]) -> tuple[str, list[str]] | None:
    """
    What is to be told, and its lines; None when nothing changed. Pure.

    :param news: conditions by name that began, last for a day, or ended
    """
    began, lasts, ended = news["began"], news["lasts"], news["ended"]
    lines = [
        *began.values(),
        *(f"Still: {words}" for words in lasts.values()),
        *(f"Over: {words}" for words in ended.values()),
    ]
    if not lines:
        return None
    if any(map(_is_red, began)):
        return "failed", lines
    if began:
        return "is degraded", lines
    if lasts:
        return "is still failing" if any(map(_is_red, lasts)) else "is still degraded", lines
    return "is better", lines


def _is_red(name: str) -> bool:
    return name.startswith("red:") or name == "outage"


def _link(dag_id: str, run_id: str) -> str:
    """The run's address; without a host when Airflow was never told its own."""
    path = f"dags/{quote(dag_id, '')}/runs/{quote(run_id, '')}"
    base_url = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base_url}/{path}" if urlsplit(base_url).netloc else f"{path} in Airflow"


def _is_over(ledger_conn_id: str, dag_id: str, run_id: str) -> bool:
    """Whether a late run has ended meanwhile, and was told of if there was anything to tell."""
    from wolkvox.ledger.connection import connected

    try:
        with connected(ledger_conn_id) as ledger:
            row = ledger.execute(
                "SELECT state <> 'running' FROM wolkvox.run WHERE dag_id = %s AND dag_run_id = %s", (dag_id, run_id)
            ).fetchone()
    except (WolkvoxError, AirflowException):
        return False
    return bool(row and row[0])


def _is_news(dag_id: str, words: str) -> bool:
    """
    Whether a verdict that could not be reached is to be told of: once a day for the same words.

    The ledger, which remembers everything else that was told, may be just what is missing.
    """
    name = f"wolkvox_told_{dag_id}"
    now = datetime.now(timezone.utc)
    try:
        known = json.loads(Variable.get(name, default=None) or "{}")
        if known.get("words") == words and now - datetime.fromisoformat(known["at"]) < TELL_AGAIN:
            return False
        Variable.set(name, json.dumps({"words": words, "at": now.isoformat()}))
    except Exception as error:
        log.warning("What was told is not known (%s): telling it, perhaps again.", type(error).__name__)
    return True


def email(subject: str, text: str, to: Sequence[str] = ()) -> list[BaseNotifier]:
    """
    An e-mail ``to`` addresses, or those of the variable ``wolkvox_alert_to``, or the SMTP connection's own sender.

    Nothing when Airflow has no SMTP connection.
    """
    try:
        connection = BaseHook.get_connection(conf.get("email", "email_conn_id", fallback="smtp_default"))
    except AirflowNotFoundException:
        return []
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    sender = connection.extra_dejson.get("from_email")
    known = ",".join(to) or Variable.get(RECIPIENTS, default=None) or sender
    if not known:
        raise WolkvoxError(f"The alert has no address: set the variable {RECIPIENTS!r} or the connection's from_email.")
    literal = "{% raw %}" + escape(text).replace("{%", "{ %").replace("\n", "<br>\n") + "{% endraw %}"
    return [SmtpNotifier(to=[part.strip() for part in known.split(",")], subject=subject, html_content=literal)]


def _run(context: Mapping[str, Any]) -> tuple[str, str]:
    """The ids of the DAG and its run; a deadline's context has plain values."""
    run = context["dag_run"]
    return (run["dag_id"], run["dag_run_id"]) if isinstance(run, Mapping) else (run.dag_id, run.run_id)


def _words(error: object) -> str:
    """An error's message if it is one of ours or Airflow's; others may quote a customer's data."""
    if isinstance(error, (WolkvoxError, AirflowException)):
        return str(error)
    return f"{type(error).__name__}: see the log of the task." if error else "See the log of the task."
