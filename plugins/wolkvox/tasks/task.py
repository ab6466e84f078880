"""What every task of a run gets: who it is, when to stop, and wolkvox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from wolkvox.ledger.connection import Connection
from wolkvox.ledger.leases import LeaseRules, Owner
from wolkvox.ledger.quota import QuotaRules, account_of
from wolkvox.rules.answers import Answer
from wolkvox.rules.exports import Exported, ExportHeader
from wolkvox.rules.records import Record
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Run
from wolkvox.stop import Stop
from wolkvox.vendor.settings import Settings


class TokenInfo(Protocol):
    """The vendor's own count of the day's requests."""

    @property
    def limit(self) -> int | None:
        """Requests a day; None when it doesn't say, as the others."""

    @property
    def used(self) -> int | None:
        """Requests made today by all tokens of the operation."""

    @property
    def left(self) -> int | None:
        """Requests left."""


class Wolkvox(Protocol):
    """The vendor, as the tasks need it."""

    @property
    def settings(self) -> Settings:
        """The settings of the connection."""

    def prepare(self) -> None:
        """Refuse settings by which no request can be sent."""

    def codify(self, record: Record) -> Answer:
        """Send one record; whatever happens, it comes back as an answer."""

    def token_info(self) -> TokenInfo:
        """Today's requests as the vendor counts them. Costs one request."""

    def campaigns(self) -> list[dict[str, Any]]:
        """The operation's campaigns as wolkvox lists them. Costs one request."""

    def export(self, campaign_id: str, head: ExportHeader) -> AbstractContextManager[Iterator[Exported]]:
        """A campaign's customers with their codes. Costs one request."""

    def activity_codes(self) -> frozenset[str]:
        """The operation's disposition codes. Costs one request."""


@dataclass(frozen=True, slots=True)
class Task:
    """
    The task instance at work: where its ledger is, who it is, when it is to stop, and how it tries again.

    ``lease_timeout``: seconds to wait for a slot of the token.
    """

    ledger_conn_id: str
    owner: Owner
    stop: Stop
    lease_timeout: float
    retry_policy: RetryPolicy


def run_of(task: Task, settings: Settings) -> Run:
    """Return the run of a task."""
    return Run(settings.operation, task.owner.dag_id, task.owner.dag_run_id)


def lease_rules(settings: Settings, timeout: float) -> LeaseRules:
    """Return how the slots of a connection's token are leased."""
    return LeaseRules(settings.fingerprint, settings.operation, settings.in_flight_seconds, timeout)


def register_token(ledger: Connection, settings: Settings) -> QuotaRules:
    """Note the token in the ledger, as one of its account, and return the quota of its requests."""
    account = account_of(ledger, settings.fingerprint, settings.server)
    return QuotaRules(account, settings.daily_requests, settings.quota_reserve, settings.quota_timezone)
