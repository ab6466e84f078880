"""Asking wolkvox something beside the records: in a slot of the token, and counted as a request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from wolkvox.errors import BadToken, GatewayGaveUp, NoFreeSlot, QuotaUsedUp, WolkvoxError
from wolkvox.ledger.connection import Connection
from wolkvox.ledger.quota import QuotaRules, exhaust, give_back, reserve
from wolkvox.ledger.slots import CallSlot, Holder, SlotRules, slot_for_calls
from wolkvox.stop import Stop
from wolkvox.tasks.task import Task, quota_rules, slot_rules
from wolkvox.vendor.settings import Settings

ASK_PATIENCE = 5.0  # seconds to wait for a free slot with a question that a run can do without

log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn of one call; ``granted``: whether there is a call left for it."""

    granted: bool
    slot: CallSlot


@dataclass(frozen=True, slots=True)
class Asking:
    """By whom, through which slots and on whose account wolkvox is asked."""

    ledger: Connection
    slots: SlotRules
    quota: QuotaRules
    holder: Holder
    stop: Stop

    @classmethod
    def of(cls, task: Task, settings: Settings, ledger: Connection, slot_patience: float = ASK_PATIENCE) -> Asking:
        """
        A task's.

        :param slot_patience: seconds to wait for a free slot, and never more than the task may
        """
        slots = slot_rules(settings, min(task.slot_patience, slot_patience))
        return cls(ledger, slots, quota_rules(ledger, settings), task.holder, task.stop)

    @contextmanager
    def turn(self, beyond: int = 0) -> Iterator[Turn]:
        """
        A slot for as long as one call takes.

        :param beyond: calls that may be made although none are left
        """
        with slot_for_calls(self.ledger, self.slots, self.holder, self.stop) as slot:
            block = reserve(self.ledger, self.quota, 1, name=uuid4(), beyond=beyond)
            turn = Turn(block.calls > 0, slot)
            try:
                yield turn
            except WolkvoxError as error:
                self.heed(turn, error)
                raise
            finally:
                give_back(self.ledger, self.quota, block, 0)

    def heed(self, turn: Turn, error: WolkvoxError) -> None:
        """Let all know what wolkvox's answer means for them: no calls are left today, or this one may go on."""
        if isinstance(error, QuotaUsedUp):
            exhaust(self.ledger, self.quota)
        if isinstance(error, GatewayGaveUp):
            turn.slot.goes_on = True

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
