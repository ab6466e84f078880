"""
The page's work, a little at a time: Airflow's own API answers from the same process and the same threads.

What asks the ledger waits for one of a few turns, without a thread, and runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Any, TypeVar

from anyio import CapacityLimiter, fail_after, to_thread

from wolkvox.errors import LedgerSlow

TURNS = 3  # requests that ask the ledger at once
WAIT = 15.0  # seconds that one waits for its turn
FRESH = 3.0  # seconds that what was read is shown to others
MOST_KEPT = 32

Result = TypeVar("Result")

_turns = CapacityLimiter(TURNS)


async def in_turn(work: Callable[[], Result]) -> Result:
    """
    Do some work that blocks.

    :raises LedgerSlow: when there was no turn for ``WAIT`` seconds
    """
    claim = object()
    try:
        with fail_after(WAIT):
            await _turns.acquire_on_behalf_of(claim)
    except TimeoutError:
        raise LedgerSlow("The page has too much to do.") from None
    try:
        return await to_thread.run_sync(work, limiter=CapacityLimiter(1))
    finally:
        _turns.release_on_behalf_of(claim)


class Recent:
    """What was read lately, by what was asked; however many ask for the same at once, one of them reads."""

    def __init__(self, seconds: float = FRESH) -> None:
        self._seconds = seconds
        self._kept: dict[Hashable, tuple[float, Any]] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}

    async def get(self, asked: Hashable, read: Callable[[], Awaitable[Result]]) -> Result:
        """The answer of the last seconds, or a new one."""
        lock = self._locks.setdefault(asked, asyncio.Lock())
        async with lock:
            read_at, result = self._kept.get(asked, (float("-inf"), None))
            if monotonic() - read_at < self._seconds:
                return result  # type: ignore[no-any-return]  # what ``read`` gave
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
                self._locks = {asked: lock}
            result = await read()
            self._kept[asked] = monotonic(), result
            return result
