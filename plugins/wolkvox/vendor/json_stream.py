"""One JSON object out of a stream of bytes, as hosts write it that were never tidied up."""

from __future__ import annotations

import codecs
import re
from typing import Protocol

AROUND = 65_536  # bytes before and after the object that may be something else
_BEGIN = re.compile(rb'\{\s*"')
_CONTROL = bytes(range(32))
_BLANKS = bytes.maketrans(_CONTROL, b" " * len(_CONTROL))


class Readable(Protocol):
    """What bytes come from."""

    def read(self, size: int) -> bytes:
        """At most so many of them; none at the end."""


class JsonStream:
    """
    The object's bytes, which a strict reader can take.

    As whole answers are read: what stands before and after it is left out (and kept in ``around``), bytes that are no
    UTF-8 become replacement characters, and raw line feeds in texts become blanks.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = b""
        self._began = self._over = False
        self.around = ""

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""
        while size and not self._over:
            data = self._source.read(size)
            self._held += data
            self._over = not data
            ready = self._ready()
            if tidy := self._decoder.decode(ready, final=self._over).encode().translate(_BLANKS):
                return tidy
        return b""

    def _ready(self) -> bytes:
        """What can't be part of the text behind the object, as far as is known by now."""
        if not self._began and (self._over or len(self._held) > AROUND):
            self._began = True
            if begin := _BEGIN.search(self._held):
                self._leave_out(self._held[: begin.start()])
                self._held = self._held[begin.start() :]
        if not self._over:
            ready, self._held = self._held[:-AROUND], self._held[-AROUND:]
            return ready
        end = self._held.rfind(b"}") + 1 or len(self._held)
        self._leave_out(self._held[end:])
        return self._held[:end]

    def _leave_out(self, data: bytes) -> None:
        self.around = f"{self.around} {data.decode(errors='replace')}".strip("\ufeff\x00\t\r\n ")
