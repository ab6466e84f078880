"""Delivers a day's report: to each recipient once, whatever became of the attempts before."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage

from wolkvox.delivery.mail import reason, send_message
from wolkvox.ledger.connection import connected, now_of
from wolkvox.ledger.notifications import begin_delivery, keep_recipients, mark_undelivered
from wolkvox.ledger.report_deliveries import has_report, mark_delivered, note_report

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Deliveries:
    """How many recipients had the report before, how many have it now, and why the others have not, by address."""

    before: int = 0
    delivered: int = 0
    undelivered: dict[str, str] = field(default_factory=dict)
    is_under_way: bool = False  # elsewhere: nothing was tried here


def deliver(
    ledger_conn_id: str,
    whose: tuple[str, str],
    day: datetime,
    recipients: Sequence[str],
    message: EmailMessage,
) -> Deliveries:
    """
    Mail the report to each recipient that doesn't have it yet, one attempt each, and note the outcome.

    :param whose: the operation, and the DAG that delivers
    :param day: when the reported day began
    :param message: without sender and recipient
    """
    done = Deliveries()
    with connected(ledger_conn_id) as ledger:
        if not begin_delivery(ledger, *whose):
            done.is_under_way = True
            return done
        report = note_report(ledger, *whose, day, now_of(ledger))
        keep_recipients(ledger, *whose, recipients)
        for recipient in recipients:
            if has_report(ledger, *whose, recipient, report):
                done.before += 1
                continue
            failure = _try(message, recipient)
            if failure is None:
                mark_delivered(ledger, *whose, recipient, report, now_of(ledger))
                done.delivered += 1
            else:
                mark_undelivered(ledger, *whose, recipient, failure, now_of(ledger))
                done.undelivered[recipient] = failure
    return done


def _try(message: EmailMessage, recipient: str) -> str | None:
    """Send the report to one recipient; why it was not delivered, None when it was."""
    own = deepcopy(message)
    own["To"] = recipient
    try:
        send_message(own)
    except Exception as error:
        log.warning("The report did not reach %s: %s", recipient, reason(error))
        return reason(error)
    return None
