"""Requests to wolkvox besides the records: each through a slot of the token, and one of the day's."""

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
from wolkvox.tasks.task import Task, lease_rules, register_token
from wolkvox.vendor.settings import Settings

PERMIT_TIMEOUT = 5.0  # seconds to wait for a free slot with a request that a run can do without

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one request through ``slot``; ``granted``: whether the day has one left."""

    granted: bool
    slot: RequestLease


@dataclass(frozen=True, slots=True)
class VendorClient:
    """Makes requests for a task, through the slots and on the account of its token."""

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
        Return the client of a task.

        :param lease_timeout: seconds to wait for a free slot, and never more than the task may
        """
        slots = lease_rules(settings, min(task.lease_timeout, lease_timeout))
        return cls(ledger, slots, register_token(ledger, settings), task.owner, task.stop)

    @contextmanager
    def permit(self, over_limit: int = 0) -> Iterator[Permit]:
        """
        Hold a slot for as long as one request takes.

        :param over_limit: requests that may be made although none are left
        """
        with lease_for_requests(self.ledger, self.slots, self.owner, self.stop) as slot:
            block = reserve(self.ledger, self.quota, 1, name=uuid4(), over_limit=over_limit)
            permit = Permit(block.requests > 0, slot)
            try:
                yield permit
            except WolkvoxError as error:
                self.heed(permit, error)
                raise
            finally:
                release_block(self.ledger, self.quota, block, 0)

    def heed(self, permit: Permit, error: WolkvoxError) -> None:
        """Note what an error means for all: no requests are left today, or this one may still be in flight."""
        if isinstance(error, QuotaUsedUp):
            mark_exhausted(self.ledger, self.quota)
        if isinstance(error, GatewayGaveUp):
            permit.slot.still_in_flight = True

    def ask(self, request: Callable[[], Result], over_limit: int = 0) -> Result | None:
        """
        Make one request, and return what it gives; None when it fails, or no slot is free for it.

        That stops nothing: a wrong address shows with the first record, and whoever holds the slots sends.

        :raises BadToken: nothing else can succeed
        """
        try:
            with self.permit(over_limit) as permit:
                if not permit.granted:
                    return None
                try:
                    return request()
                except BadToken:
                    raise
                except WolkvoxError as error:
                    self.heed(permit, error)
                    log.warning("%s The run goes on without it.", error)
                    return None
        except NoFreeSlot:
            log.info("Both slots of the token are taken: wolkvox isn't asked now, and the run goes on without it.")
            return None
