"""Who is notified of alerts, and what carries a message to each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from wolkvox.errors import BadSetting
from wolkvox.rules.alert_events import Event

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier

LOG = "log"  # the recipient where there is no other


class Message(NamedTuple):
    """What a recipient is sent: as a mail has it, and as the events that other systems read."""

    subject: str
    text: str
    events: Sequence[Event]


Send = Callable[[Message, Any], None]  # the message and Airflow's context; raises when it isn't delivered

log = logging.getLogger(__name__)


def recipients(to: Sequence[str] | str, notifiers: Sequence[BaseNotifier], webhook: str = "") -> dict[str, Send]:
    """
    What carries a message to each recipient, by the name under which the ledger keeps what was delivered.

    :param to: addresses of the e-mail; none: those of the variable ``wolkvox_alert_to``
    :param notifiers: what carries the message instead of the e-mail
    :param webhook: connection to a webhook that gets it too; none: empty
    """
    senders: dict[str, Send] = (
        {_name(one, notifiers): partial(_carry, one) for one in notifiers} if notifiers else _by_mail(to)
    )
    if webhook:
        from wolkvox.delivery.webhook import WolkvoxWebhook

        senders[f"webhook {webhook}"] = partial(_carry, WolkvoxWebhook(webhook))
    return senders


def _by_mail(to: Sequence[str] | str) -> dict[str, Send]:
    """What mails a message to each address."""
    from wolkvox.delivery.mail import RECIPIENTS, mail_addresses

    addresses = mail_addresses(to)
    if addresses is None:
        return {LOG: lambda message, context: None}
    for written in addresses.left_aside:
        log.warning("%r is no e-mail address: it is left aside. Correct alert_to or %s.", written, RECIPIENTS)
    if not addresses.usable:
        return {"e-mail": _no_address}
    return {address: partial(_mail, address) for address in addresses.usable}


def _name(notifier: BaseNotifier, among: Sequence[BaseNotifier]) -> str:
    """A notifier's class, numbered where there are several."""
    same_class = [one for one in among if type(one) is type(notifier)]
    place = [one is notifier for one in same_class].index(True)
    return type(notifier).__name__ + (f" {place + 1}" if place else "")


def _carry(notifier: BaseNotifier, message: Message, context: Any) -> None:
    # A copy: a notifier's templates are filled in once and for all.
    copy(notifier)({**context, "wolkvox": message._asdict()})


def _mail(address: str, message: Message, context: Any) -> None:
    from wolkvox.delivery.mail import AlertMail

    AlertMail(address, message.subject, message.text)(context)


def _no_address(message: Message, context: Any) -> None:
    raise BadSetting("there is no address: set the variable wolkvox_alert_to, or the SMTP connection's from_email")
