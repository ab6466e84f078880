"""A flag that ends a task, which a signal handler may set at any time."""

from __future__ import annotations

import time

LOOK = 0.2  # seconds between two looks at the flag while waiting
STOPPED_PULLING = "Told to stop while contacts were pulled: none of this pull's are kept."


class Stop:
    """
    What ``threading.Event`` is to threads, for signals: nothing here takes a lock.

    A handler runs between two instructions of the very thread that waits. An Event's lock may be held just then,
    by that thread, and would never be let go.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        """End after the request in flight."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether the task is to stop."""
        return self._is_set

    def wait(self, timeout: float) -> bool:
        """Sleep for ``timeout`` seconds, or until the flag is set; whether it is."""
        deadline = time.monotonic() + timeout
        while not self._is_set and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, LOOK))
        return self._is_set
