"""E-mail as a way to deliver alerts: to whom, through which connection, and whether the server takes one."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from functools import cached_property
from html import escape

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import BaseHook, Variable, conf
from airflow.sdk.exceptions import AirflowNotFoundException

from wolkvox.errors import BadSetting
from wolkvox.rules.addresses import Addresses, read_addresses

RECIPIENTS = "wolkvox_alert_to"  # Airflow variable: addresses, as people write them
TIMEOUT = 10  # seconds for a server that says nothing, unless the connection says otherwise: recipients wait in line

log = logging.getLogger(__name__)


class OneAttempt(SmtpHook):
    """Airflow's hook, without its six attempts in a third of a second: the next run tries again."""

    @property
    def smtp_retry_limit(self) -> int:
        """Further attempts: none, unless the connection asks for some."""
        return int(self.conn.extra_dejson.get("retry_limit", 0))

    @property
    def timeout(self) -> int:
        """Seconds."""
        return int(self.conn.extra_dejson.get("timeout", TIMEOUT))

    def send(self, message: EmailMessage) -> None:
        """Send a whole message, once connected; raises what the server answers instead of taking it."""
        assert isinstance(self._smtp_client, smtplib.SMTP)
        self._smtp_client.send_message(message)


class AlertMail(SmtpNotifier):
    """
    One message to one address, so that each delivery has its own outcome.

    :param to: the address
    :param subject: in one line, without templates
    :param text: plain text, sent as it stands
    """

    def __init__(self, to: str, subject: str, text: str) -> None:
        # The message may quote what wolkvox answered: nothing in it is a template.
        literal = "{% raw %}" + escape(text).replace("{%", "{ %").replace("\n", "<br>\n") + "{% endraw %}"
        super().__init__(to=[to], subject=subject, html_content=literal)

    @cached_property
    def hook(self) -> SmtpHook:
        """The connection to the server."""
        return OneAttempt(smtp_conn_id=self.smtp_conn_id)


def mail_addresses(to: Sequence[str] | str = ()) -> Addresses | None:
    """
    Where alerts are mailed: ``to``, else the variable ``wolkvox_alert_to``, else the SMTP connection's own sender.

    None when Airflow has no SMTP connection.
    """
    try:
        connection = BaseHook.get_connection(_conn_id())
    except AirflowNotFoundException:
        return None
    given = read_addresses(*([to] if isinstance(to, str) else to))
    if given.usable or given.left_aside:
        return given
    return read_addresses(Variable.get(RECIPIENTS, default=None) or connection.extra_dejson.get("from_email") or "")


def send_message(message: EmailMessage) -> None:
    """
    Send a whole message, which names its recipient, from the SMTP connection's sender.

    :raises BadSetting: when there is no such connection, or it names no sender
    """
    hook = OneAttempt(smtp_conn_id=_conn_id())
    try:
        connection = BaseHook.get_connection(hook.smtp_conn_id)
    except AirflowNotFoundException:
        raise BadSetting(f"there is no SMTP connection {hook.smtp_conn_id!r}: make one") from None
    sender = connection.extra_dejson.get("from_email")
    if not sender:
        raise BadSetting(f"the SMTP connection {hook.smtp_conn_id!r} names no sender: set its from_email")
    message["From"] = sender
    with hook:
        hook.send(message)


def try_server() -> str:
    """
    Open a connection to the mail server, as for a message, and send none; returns the server's name.

    :raises BadSetting: when it takes none, with its reason
    """
    hook = OneAttempt(smtp_conn_id=_conn_id())
    try:
        with hook:
            return f"{hook.host}:{hook.port}" if hook.port else hook.host
    except Exception as error:
        raise BadSetting(
            f"The mail server of connection {_conn_id()!r} takes no connection: {reason(error)}. Check its host, port,"
            " login, password, disable_ssl and disable_tls."
        ) from None


def reason(error: BaseException) -> str:
    """Why a message was not delivered, in one line; of an unknown error only the name: it may quote a secret."""
    detail: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused) and error.recipients:
        code, detail = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, detail = error.smtp_code, error.smtp_error
    elif isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}, {error.strerror}"
    else:
        return str(error) if isinstance(error, BadSetting) else type(error).__name__
    text = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
    return " ".join("".join(one if one.isprintable() else " " for one in f"{code} {text}").split())


def _conn_id() -> str:
    return str(conf.get("email", "email_conn_id", fallback=SmtpHook.default_conn_name))
