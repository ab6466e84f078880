"""A campaign's export as a stream: up to 256 MB that are never in memory as a whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

import ijson

from wolkvox.errors import WolkvoxError
from wolkvox.rules.exports import MOST_BYTES, Exported, ExportHeader, read_exported, tells_of_more
from wolkvox.vendor.json_stream import JsonStream, Readable

SCALARS = ("string", "number", "boolean", "null")
NESTED = ("start_map", "start_array")
ENDS = ("end_map", "end_array", *SCALARS)
RECORD = "records.item"
FIELDS = ("id_cliente", "cod_rslt1", "cod_rslt2", "fecha", "llamadas", "resultado")
OF_A_RECORD = {f"{RECORD}.{name}": name for name in FIELDS}
OF_THE_HEAD = {"code": "code", "campaign_id": "campaign_id", "total_records": "total"}
LONGEST = 1_000  # characters of an error that are kept


class Limited:
    """
    Bytes of an answer, within the vendor's limits.

    :param seconds: after which it is given up, however slowly it goes on
    """

    def __init__(self, source: Any, seconds: float) -> None:
        self._source, self._until, self._left = source, time.monotonic() + seconds, MOST_BYTES

    def read(self, size: int) -> bytes:
        """The next bytes, as they were before they were compressed.

        :raises WolkvoxError: there are too many of them, or they take too long
        """
        # What has come by now: to wait for so many bytes could take for ever, a byte now and then.
        data: bytes = self._source.read1(size, decode_content=True) if size else b""
        self._left -= len(data)
        if self._left < 0:
            raise WolkvoxError("The export is larger than wolkvox says it can be.")
        if time.monotonic() > self._until:
            raise WolkvoxError("The export takes too long.")
        return data


def read_export(source: Readable, head: ExportHeader, zone: tzinfo) -> Iterator[Exported]:
    """
    The records of an export, one by one; ``head`` is filled in meanwhile, and complete after the last one.

    :param zone: of its dates
    :raises WolkvoxError: when it can't be read, saying nothing of what stands in it
    """
    stream = JsonStream(source)
    record: dict[str, Any] = {}
    try:
        for prefix, event, value in ijson.parse(stream):
            if prefix == RECORD and event == "start_map":
                record = {}
            elif prefix in OF_A_RECORD and event in SCALARS:
                record[OF_A_RECORD[prefix]] = value
            elif prefix == RECORD and event in ENDS:
                head.records += 1
                exported = read_exported(record, zone) if event == "end_map" else None  # what is no object names nobody
                if exported is None:
                    head.unreadable += 1
                else:
                    yield exported
            elif not prefix.startswith(RECORD) and event in (*SCALARS, *NESTED):
                _note(head, prefix, event, value)
    except (ijson.JSONError, UnicodeDecodeError, ValueError):  # which quote what they can't read
        raise WolkvoxError("The export is cut off, or no JSON.") from None
    head.around, head.ended = stream.around, True


def _note(head: ExportHeader, prefix: str, event: str, value: Any) -> None:
    """Note a value beside the records, which describes the export as a whole."""
    first, _, _ = prefix.partition(".")
    text = "" if value is None else str(value).strip()
    if first == "error":
        head.error = f"{head.error or ''} {text}".strip()[:LONGEST]
    elif prefix in OF_THE_HEAD:
        setattr(head, OF_THE_HEAD[prefix], text if event in SCALARS else f"({event.removeprefix('start_')})")
    elif tells_of_more(name := prefix.rpartition(".")[2], value):
        head.more = name
