"""
The page's work, a little at a time: Airflow's own API answers from the same process and the same threads.

What asks the ledger waits for one of a few turns, without a thread, and runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from threading import Event
from time import monotonic
from typing import Any, TypeVar

from anyio import CapacityLimiter, fail_after, sleep, to_thread
from fastapi import HTTPException, Request

from wolkvox.errors import LedgerSlow

TURNS = 3  # requests that ask the ledger at once
WAIT = 15.0  # seconds that one waits for its turn
FRESH = 3.0  # seconds that what was read is shown to others
MOST_KEPT = 32
LOOK_EVERY = 0.5  # seconds between two looks whether somebody still waits for a long work
CLIENT_CLOSED = 499  # nginx's code for a request whose client has left

Result = TypeVar("Result")

_turns = CapacityLimiter(TURNS)


async def in_turn(work: Callable[[], Result], gone: Callable[[], Awaitable[bool]] | None = None) -> Result:
    """
    Do some work that blocks.

    :param gone: whether the client went away meanwhile: nothing is done for it then
    :raises LedgerSlow: when there was no turn for ``WAIT`` seconds
    :raises HTTPException: when nobody waits for it any more
    """
    claim = object()
    try:
        with fail_after(WAIT):
            await _turns.acquire_on_behalf_of(claim)
    except TimeoutError:
        raise LedgerSlow("The page has too much to do.") from None
    try:
        if gone is not None and await gone():
            raise HTTPException(CLIENT_CLOSED)
        return await to_thread.run_sync(work, limiter=CapacityLimiter(1))
    finally:
        _turns.release_on_behalf_of(claim)


class GaveUp(Exception):
    """Nobody waits for the work any more."""


async def while_wanted(request: Request, work: Callable[[Callable[[], bool]], Result]) -> Result:
    """
    Do some work that blocks, as ``in_turn`` does; it asks whether its client has left, and gives up then.

    :raises HTTPException: when nobody waits for it any more
    """
    gone = Event()

    async def watch() -> None:
        while not await request.is_disconnected():
            await sleep(LOOK_EVERY)
        gone.set()

    watching = asyncio.create_task(watch())
    try:
        return await in_turn(lambda: work(gone.is_set))
    except GaveUp:
        raise HTTPException(CLIENT_CLOSED) from None
    finally:
        watching.cancel()


class Recent:
    """What was read lately, by what was asked; however many ask for the same at once, it is read once."""

    def __init__(self, seconds: float = FRESH) -> None:
        self._seconds = seconds
        self._reads: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    async def get(self, asked: Hashable, read: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The answer, or the error, of the last seconds, or a new one."""
        began, reading = self._reads.get(asked, (float("-inf"), None))
        if reading is None or (reading.done() and monotonic() - began > self._seconds):
            if len(self._reads) >= MOST_KEPT:
                self._reads.clear()
            reading = asyncio.create_task(read())
            self._reads[asked] = monotonic(), reading
        return await asyncio.shield(reading)  # whoever goes away leaves it to the others
