"""Items of a generator that can't be interrupted, such as a database driver's, so that the wait for them can."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

from wolkvox.errors import Stopped
from wolkvox.stop import LOOK, STOPPED_PULLING, Stop

END_TIMEOUT = 2.0  # seconds that the thread is waited for at the end

Item = TypeVar("Item")


def ahead(items: Generator[Item, None, None], stop: Stop, cancel: Callable[[], None]) -> Generator[Item, None, None]:
    """
    The same items, made in a thread of their own, so that the wait for one ends when the task is to stop.

    A thread that doesn't end is left behind: it keeps no process alive.

    :param cancel: asks what ``items`` waits for to let go
    :raises Stopped: when ``stop`` was set
    """
    maker = _Maker(items)
    try:
        while not isinstance(made := maker.take(stop), _End):
            yield made
        if made.error is not None:
            raise made.error
    finally:
        maker.end(cancel)


@dataclass(frozen=True, slots=True)
class _End:
    """No item follows; ``error``: and why."""

    error: BaseException | None


class _Maker(Generic[Item]):
    """Makes items in a thread, one ahead of the one that is wanted."""

    def __init__(self, items: Generator[Item, None, None]) -> None:
        self._items = items
        self._made: Queue[Item | _End] = Queue(maxsize=1)
        self._unwanted = Event()
        self._thread = Thread(target=self._make, name="ahead", daemon=True)
        self._thread.start()

    def take(self, stop: Stop) -> Item | _End:
        """The next item, or the end.

        :raises Stopped: when ``stop`` was set
        """
        while not stop.is_set():
            with suppress(Empty):
                return self._made.get(timeout=LOOK)
        raise Stopped(STOPPED_PULLING)

    def end(self, cancel: Callable[[], None]) -> None:
        """Make no more items."""
        self._unwanted.set()
        if self._thread.is_alive():
            Thread(target=cancel, daemon=True).start()  # which may have to wait, too
            self._thread.join(END_TIMEOUT)

    def _make(self) -> None:
        error = None
        try:
            with closing(self._items):
                for item in self._items:
                    self._put(item)
                    if self._unwanted.is_set():
                        break
        except BaseException as raised:  # it is raised where the items are wanted
            error = raised
        self._put(_End(error))

    def _put(self, made: Item | _End) -> None:
        while not self._unwanted.is_set():
            with suppress(Full):
                return self._made.put(made, timeout=LOOK)
