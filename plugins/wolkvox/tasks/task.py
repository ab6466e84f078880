"""What every task of a run is handed: who it is, when to stop, and wolkvox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from wolkvox.ledger.connection import Connection
from wolkvox.ledger.quota import QuotaRules, account_of
from wolkvox.ledger.slots import Holder, SlotRules
from wolkvox.rules.answers import Answer
from wolkvox.rules.exports import Exported, Head
from wolkvox.rules.patience import Patience
from wolkvox.rules.records import Record
from wolkvox.rules.runs import Run
from wolkvox.stop import Stop
from wolkvox.vendor.settings import Settings


class TokenInfo(Protocol):
    """The vendor's own count of the day's calls."""

    @property
    def limit(self) -> int | None:
        """Calls a day; None when it doesn't say, as the others."""

    @property
    def used(self) -> int | None:
        """Calls made today by all tokens of the operation."""

    @property
    def left(self) -> int | None:
        """Calls left."""


class Wolkvox(Protocol):
    """The vendor, as the tasks need it."""

    @property
    def settings(self) -> Settings:
        """What the connection says."""

    def prepare(self) -> None:
        """Refuse settings by which no request can be sent."""

    def codify(self, record: Record) -> Answer:
        """Send one record; whatever happens, it comes back as an answer."""

    def token_info(self) -> TokenInfo:
        """Today's calls as the vendor counts them. Costs one call."""

    def campaigns(self) -> list[dict[str, Any]]:
        """The operation's campaigns as wolkvox lists them. Costs one call."""

    def export(self, campaign_id: str, head: Head) -> AbstractContextManager[Iterator[Exported]]:
        """A campaign's customers with their codes. Costs one call."""

    def activity_codes(self) -> frozenset[str]:
        """The operation's disposition codes. Costs one call."""


@dataclass(frozen=True, slots=True)
class Task:
    """
    The task instance at work: where its ledger is, who it is, when it is to stop, and how patient it is.

    ``slot_patience``: seconds to wait for a slot of the token.
    """

    ledger_conn_id: str
    holder: Holder
    stop: Stop
    slot_patience: float
    patience: Patience


def run_of(task: Task, settings: Settings) -> Run:
    """The run a task belongs to."""
    return Run(settings.operation, task.holder.dag_id, task.holder.dag_run_id)


def slot_rules(settings: Settings, patience: float) -> SlotRules:
    """The slots of a connection's token."""
    return SlotRules(settings.fingerprint, settings.operation, settings.in_flight_seconds, patience)


def quota_rules(ledger: Connection, settings: Settings) -> QuotaRules:
    """The quota of a connection's token."""
    account = account_of(ledger, settings.fingerprint, settings.server)
    return QuotaRules(account, settings.daily_calls, settings.quota_reserve, settings.quota_timezone)
