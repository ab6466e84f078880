"""Items of a generator that can't be interrupted, such as a database driver's, so that the wait for them can."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

from wolkvox.errors import Stopped
from wolkvox.stop import LOOK, STOPPED_PULLING, Stop

END_TIMEOUT = 2.0  # seconds that the thread is waited for at the end

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _End:
    """Nothing more comes; ``error``: and why."""

    error: BaseException | None


def ahead(items: Generator[Item, None, None], stop: Stop, cancel: Callable[[], None]) -> Generator[Item, None, None]:
    """
    The same items, made in a thread of their own, so that the wait for one ends when the task is to stop.

    A thread that doesn't end is left behind: it keeps no process alive.

    :param cancel: asks what ``items`` waits for to let go
    :raises Stopped: when ``stop`` was set
    """
    made: Queue[Item | _End] = Queue(maxsize=1)
    unwanted = Event()

    def put(thing: Item | _End) -> None:
        while not unwanted.is_set():
            with suppress(Full):
                return made.put(thing, timeout=LOOK)

    def make() -> None:
        error = None
        try:
            with closing(items):
                for item in items:
                    put(item)
                    if unwanted.is_set():
                        break
        except BaseException as raised:  # it is raised where the items are wanted
            error = raised
        put(_End(error))

    thread = Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            if stop.is_set():
                raise Stopped(STOPPED_PULLING)
            try:
                thing = made.get(timeout=LOOK)
            except Empty:
                continue
            if not isinstance(thing, _End):
                yield thing
            elif thing.error is None:
                return
            else:
                raise thing.error
    finally:
        unwanted.set()
        if thread.is_alive():
            Thread(target=cancel, daemon=True).start()  # which may have to wait, too
            thread.join(END_TIMEOUT)
