"""Told to stop: a flag that a signal handler may set at any moment."""

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
        self._told = False

    def set(self) -> None:
        """End after the request in flight."""
        self._told = True

    def is_set(self) -> bool:
        """Whether somebody said so."""
        return self._told

    def wait(self, timeout: float) -> bool:
        """Sleep for so many seconds, or until told to stop; whether that was so."""
        deadline = time.monotonic() + timeout
        while not self._told and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, LOOK))
        return self._told
