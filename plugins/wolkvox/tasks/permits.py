"""VendorClient wolkvox something beside the records: in a slot of the token, and counted as a request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from wolkvox.errors import BadToken, GatewayGaveUp, NoFreeSlot, QuotaUsedUp, WolkvoxError
from wolkvox.ledger.connection import Connection
from wolkvox.ledger.leases import LeaseRules, Owner, RequestLease, lease_for_requests
from wolkvox.ledger.quota import QuotaRules, mark_exhausted, release_block, reserve
from wolkvox.stop import Stop
from wolkvox.tasks.task import Task, lease_rules, quota_rules
from wolkvox.vendor.settings import Settings

PERMIT_TIMEOUT = 5.0  # seconds to wait for a free slot with a question that a run can do without

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Permit:
    """The turn of one request; ``granted``: whether there is a request left for it."""

    granted: bool
    slot: RequestLease


@dataclass(frozen=True, slots=True)
class VendorClient:
    """By whom, through which slots and on whose account wolkvox is asked."""

    ledger: Connection
    slots: LeaseRules
    quota: QuotaRules
    owner: Owner
    stop: Stop

    @classmethod
    def of(
        cls, task: Task, settings: Settings, ledger: Connection, lease_timeout: float = PERMIT_TIMEOUT
    ) -> VendorClient:
        """
        A task's.

        :param lease_timeout: seconds to wait for a free slot, and never more than the task may
        """
        slots = lease_rules(settings, min(task.lease_timeout, lease_timeout))
        return cls(ledger, slots, quota_rules(ledger, settings), task.owner, task.stop)

    @contextmanager
    def turn(self, beyond: int = 0) -> Iterator[Permit]:
        """
        A slot for as long as one request takes.

        :param beyond: requests that may be made although none are left
        """
        with lease_for_requests(self.ledger, self.slots, self.owner, self.stop) as slot:
            block = reserve(self.ledger, self.quota, 1, name=uuid4(), over_limit=beyond)
            turn = Permit(block.requests > 0, slot)
            try:
                yield turn
            except WolkvoxError as error:
                self.heed(turn, error)
                raise
            finally:
                release_block(self.ledger, self.quota, block, 0)

    def heed(self, turn: Permit, error: WolkvoxError) -> None:
        """Let all know what wolkvox's answer means for them: no requests are left today, or this one may go on."""
        if isinstance(error, QuotaUsedUp):
            mark_exhausted(self.ledger, self.quota)
        if isinstance(error, GatewayGaveUp):
            turn.slot.still_in_flight = True

    def ask(self, call: Callable[[], Result], beyond: int = 0) -> Result | None:
        """
        Make one request. None when wolkvox doesn't tell, or no slot is free for it.

        That stops nothing: a wrong address shows with the first record, and whoever holds the slots sends.

        :raises BadToken: nothing else can succeed
        """
        try:
            with self.turn(beyond) as turn:
                if not turn.granted:
                    return None
                try:
                    return call()
                except BadToken:
                    raise
                except WolkvoxError as error:
                    self.heed(turn, error)
                    log.warning("%s The run goes on without it.", error)
                    return None
        except NoFreeSlot:
            log.info("Both slots of the token are taken: wolkvox isn't asked now, and the run goes on without it.")
            return None
