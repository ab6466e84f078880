"""
Tell somebody that a run failed, took too long, or is degraded.

By default that is an e-mail, as soon as Airflow has an SMTP connection; ``notifiers`` takes any other notifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseHook, BaseNotifier, Variable, conf
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

from wolkvox.errors import WolkvoxError

if TYPE_CHECKING:
    from airflow.sdk import Context

RECIPIENTS = "wolkvox_alert_to"  # Airflow variable: addresses, separated by commas


def degradations(
    summary: Mapping[str, Any], *, refusals: float, backlog_age: timedelta, quota: float, now: datetime
) -> list[str]:
    """
    What is not as it should be in a run that didn't fail; empty when all is well. Pure.

    :param summary: what ``verdict`` returned
    :param refusals: share of the records answered for that may be refused or failed, and of the new rows that may
        be unsendable
    :param backlog_age: how long a contact may wait
    :param quota: share of the day's calls from which it is told
    """
    found = []
    if summary.get("failed_ratio", 0) > refusals:
        found.append(
            f"{summary['failed_ratio']:.1%} of the records were refused or failed ({summary['rejected']} rejected,"
            f" {summary['failed']} failed); {refusals:.1%} is the threshold."
        )
    invalid = summary.get("invalid", 0) + summary.get("codes_unknown", 0)
    came = summary.get("new", 0) + summary.get("invalid", 0)
    if invalid > came * refusals:
        found.append(
            f"{invalid} rows can't be sent, where {came} came in; {refusals:.1%} is the threshold. The ledger says why"
            " (state invalid, column reason)."
        )
    oldest = summary.get("oldest_waiting")
    if oldest and now - datetime.fromisoformat(oldest) > backlog_age:
        found.append(
            f"The oldest of {summary['waiting']} waiting contacts is of {oldest}: more than"
            f" {backlog_age.total_seconds() / 3600:.0f} hours ago."
        )
    limit, calls = summary.get("quota_limit"), summary.get("quota_calls", 0)
    if limit is not None and calls >= limit * quota:
        found.append(f"{calls} of today's {limit} calls are used; a new day begins at {summary['quota_resets_at']}.")
    return found


class WolkvoxAlert(BaseNotifier):
    """
    Callback for ``verdict`` (success and failure) and for a DeadlineAlert.

    A run that is neither failed nor late nor degraded sends nothing. Other notifiers find the message in their
    templates as ``{{ wolkvox.subject }}`` and ``{{ wolkvox.text }}``.

    :param notifiers: what carries the message instead of the e-mail
    :param refusals: share of refused or failed records, or of unsendable rows, from which a run counts as degraded
    :param backlog_age: likewise, age of the oldest waiting contact
    :param quota: likewise, share of the day's calls that are used
    """

    def __init__(
        self,
        *,
        notifiers: Sequence[BaseNotifier] = (),
        refusals: float = 0.02,
        backlog_age: timedelta = timedelta(hours=24),
        quota: float = 0.9,
    ) -> None:
        super().__init__()
        self.notifiers = notifiers
        self.refusals = refusals
        self.backlog_age = backlog_age
        self.quota = quota

    def notify(self, context: Context) -> None:
        """Send the message, if there is one to send."""
        found = self._found(context)
        if not found:
            return
        what, lines = found
        dag_id, run_id = _run(context)
        base_url = conf.get("api", "base_url", fallback="").rstrip("/")
        url = f"{base_url}/dags/{quote(dag_id, '')}/runs/{quote(run_id, '')}"
        subject, text = f"{dag_id} {what}", "\n".join([*lines, f"Run {run_id}: {url}"])
        self.log.warning("%s: %s", subject, text)
        told: Any = {**context, "wolkvox": {"subject": subject, "text": text}}
        for notifier in self.notifiers or email(subject, text):
            notifier(told)

    def _found(self, context: Mapping[str, Any]) -> tuple[str, list[str]] | None:
        """What happened, and why; None when nothing did."""
        if "deadline" in context:
            return "takes too long", [f"The run should have ended by {context['deadline']['deadline_time']}."]
        if context.get("exception") or context.get("reason"):  # a task that succeeded has an exception of None
            return "failed", [_words(context.get("exception"))]
        ti = context["ti"]
        summary = ti.xcom_pull(task_ids=ti.task_id) or {}
        now = datetime.now(timezone.utc)
        lines = degradations(summary, refusals=self.refusals, backlog_age=self.backlog_age, quota=self.quota, now=now)
        return ("is degraded", lines) if lines else None


def email(subject: str, text: str) -> list[BaseNotifier]:
    """
    An e-mail to the addresses of the variable ``wolkvox_alert_to``, or else to the SMTP connection's own sender.

    Nothing when Airflow has no SMTP connection.
    """
    try:
        connection = BaseHook.get_connection(conf.get("email", "email_conn_id", fallback="smtp_default"))
    except AirflowNotFoundException:
        return []
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    sender = connection.extra_dejson.get("from_email")
    to = Variable.get(RECIPIENTS, default=None) or sender
    if not to:
        raise WolkvoxError(f"The alert has no address: set the variable {RECIPIENTS!r} or the connection's from_email.")
    literal = "{% raw %}" + escape(text).replace("{%", "{ %").replace("\n", "<br>\n") + "{% endraw %}"
    return [SmtpNotifier(to=[part.strip() for part in to.split(",")], subject=subject, html_content=literal)]


def _run(context: Mapping[str, Any]) -> tuple[str, str]:
    """The ids of the DAG and its run; a deadline's context has plain values."""
    run = context["dag_run"]
    return (run["dag_id"], run["dag_run_id"]) if isinstance(run, Mapping) else (run.dag_id, run.run_id)


def _words(error: object) -> str:
    """An error's message if it is one of ours or Airflow's; others may quote a customer's data."""
    if isinstance(error, (WolkvoxError, AirflowException)):
        return str(error)
    return f"{type(error).__name__}: see the log of the task." if error else "See the log of the task."
