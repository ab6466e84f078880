"""What each recipient was notified of where the ledger can't be reached: an Airflow variable a DAG."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from airflow.sdk import Variable

from wolkvox.rules.firing import REMIND_AFTER

log = logging.getLogger(__name__)


class Memory:
    """
    The last message of each recipient, for a day.

    :param dag_id: the DAG whose alerts they are
    """

    def __init__(self, dag_id: str) -> None:
        self._name = f"wolkvox_notified_{dag_id}"
        self._last = self._read()

    def has(self, recipient: str, message: str, now: datetime) -> bool:
        """Whether the recipient had the same message within a day."""
        last = self._last.get(recipient)
        try:
            return (
                isinstance(last, dict)
                and last["message"] == message
                and now - datetime.fromisoformat(last["at"]) < REMIND_AFTER
            )
        except (KeyError, TypeError, ValueError):
            return False

    def keep(self, recipients: Iterable[str], message: str, now: datetime) -> None:
        """Keep that the recipients have the message; only logs where it can't be kept."""
        last = self._last | {one: {"message": message, "at": now.isoformat()} for one in recipients}
        try:
            Variable.set(self._name, json.dumps(last))
        except Exception as error:
            log.warning("Who was notified can't be kept (%s): they are notified again.", type(error).__name__)

    def _read(self) -> dict[str, Any]:
        try:
            last = json.loads(Variable.get(self._name, default=None) or "{}")
        except Exception as error:
            log.warning("Who was notified is not known (%s): all are, perhaps again.", type(error).__name__)
            return {}
        return last if isinstance(last, dict) else {}
