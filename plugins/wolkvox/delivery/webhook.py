"""Signed webhooks as a way to deliver alerts: an event a request, with a key that resolves it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import requests
from airflow.sdk import BaseHook, BaseNotifier

from wolkvox.errors import BadSetting
from wolkvox.rules.alert_events import Event

if TYPE_CHECKING:
    from airflow.sdk import Context

HEADER = "Wolkvox-Signature"
TIMEOUT = 10.0  # seconds for a server that says nothing: recipients wait in line


class WolkvoxWebhook(BaseNotifier):
    """
    A notifier for ``WolkvoxAlert(notifiers=[…])`` that posts each event of an alert as JSON, signed.

    :param conn_id: a connection whose host is the whole address, and whose password is the secret of the signature
    """

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id

    def notify(self, context: Context) -> None:
        """
        Post the events, in their order.

        :raises BadSetting: when one isn't taken; all are posted again with the next run, under the same keys
        """
        message: Any = context["wolkvox"]  # type: ignore[typeddict-item]
        address, secret = self._settings()
        for event in message["events"]:
            self._post(address, secret, event)

    def _settings(self) -> tuple[str, str]:
        """The address and the secret."""
        connection = BaseHook.get_connection(self.conn_id)
        address, secret = connection.host or "", connection.password
        if not address.startswith(("https://", "http://")) or not secret:
            raise BadSetting(
                f"Connection {self.conn_id!r} needs the webhook's whole address, with https://, as its host and the"
                " secret of the signature as its password."
            )
        return address, secret

    def _post(self, address: str, secret: str, event: Event) -> None:
        body = json.dumps(event).encode()
        headers = {"Content-Type": "application/json", HEADER: signature(secret, body, int(time.time()))}
        try:
            answer = requests.post(address, body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:  # its text has the address, which may be a secret
            raise BadSetting(f"The webhook of {self.conn_id!r} gave no answer: {type(error).__name__}.") from None
        if not 200 <= answer.status_code < 300:
            raise BadSetting(f"The webhook of {self.conn_id!r} answered HTTP {answer.status_code}.")


def signature(secret: str, body: bytes, timestamp: int) -> str:
    """
    The header that proves who sent a body, and when.

    :param timestamp: seconds since 1970; it is signed too, so that a receiver can refuse what is old
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
