"""An export as hosts write it is read piece by piece like a tidy one; what can't be one is told."""

from __future__ import annotations

import io
import json
from zoneinfo import ZoneInfo

import pytest

from wolkvox.errors import WolkvoxError
from wolkvox.rules.exports import Exported, ExportHeader
from wolkvox.vendor.exports import read_export
from wolkvox.vendor.json_stream import AROUND, JsonStream

RECORDS = '"records": [{"id_cliente": "1023456789", "cod_rslt1": "5", "comentarios": "Ñandú"}, {"id_cliente": "7"}]'
TEXT = f'{{"code": "200", "total_records": "2", "campaign_id": "17", {RECORDS}}}'
PLAIN = TEXT.encode()
NOTICE = b"<br />\n<b>Notice</b>: Undefined index: x in <b>/var/www/a.php</b> on line <b>3</b><br />\n"


class Pieces:
    """A source that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = io.BytesIO(data), size

    def read(self, size: int) -> bytes:
        return self._data.read(min(size, self._size))


def read(data: bytes, size: int = 65_536) -> tuple[ExportHeader, list[Exported]]:
    head = ExportHeader()
    return head, list(read_export(Pieces(data, size), head, ZoneInfo("UTC")))


@pytest.mark.parametrize("size", [1, 7, 65_536])
@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        b"\xef\xbb\xbf" + PLAIN,
        b"\r\n \n" + PLAIN + b"\n\n",
        TEXT.encode("latin-1"),
        PLAIN.replace(b"and", b"\n\ta\x0bnd"),
        NOTICE + PLAIN,
        PLAIN + NOTICE,
        NOTICE * 3 + b"\xef\xbb\xbf" + PLAIN + NOTICE * 3,
    ],
)
def test_an_export_is_read_however_untidy_its_host_is(data: bytes, size: int) -> None:
    head, exported = read(data, size)
    assert [one.customer_id for one in exported] == ["1023456789", "7"]
    assert (head.code, head.campaign_id, head.total, head.records, head.unreadable) == ("200", "17", "2", 2, 0)
    assert head.ended


@pytest.mark.parametrize(
    "data", [NOTICE + PLAIN, PLAIN + NOTICE, b"<html>" + PLAIN, PLAIN + b" and", b"[" + PLAIN + b"]"]
)
def test_what_stands_around_an_export_is_kept_to_be_judged(data: bytes) -> None:
    assert read(data)[0].around != ""
    assert read(b"\xef\xbb\xbf \n" + PLAIN + b"\x00\n")[0].around == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN[:-1],
        PLAIN[:-20],
        PLAIN + PLAIN,
        PLAIN + b"\n" + NOTICE + b'{"code": 200}',
        TEXT.encode("utf-16"),
        b"{" * 1_000,
        PLAIN.replace(b"records", b"rec\x00ords", 1)[:-2],
    ],
)
@pytest.mark.parametrize("size", [1, 65_536])
def test_what_is_no_single_json_object_is_no_export(data: bytes, size: int) -> None:
    with pytest.raises(WolkvoxError, match="cut off, or no JSON"):
        read(data, size)


def test_large_ones_pass_through_in_pieces() -> None:
    records = [{"id_cliente": str(number), "comentarios": "x" * 100} for number in range(5_000)]
    data = NOTICE + json.dumps({"code": "200", "records": records}).encode() + NOTICE
    head, exported = read(data, 10_000)
    assert (len(exported), head.records, head.ended) == (5_000, 5_000, True)
    stream = JsonStream(Pieces(data, 65_536))
    assert len(stream.read(65_536)) <= len(NOTICE) + 3 * AROUND


@pytest.mark.parametrize(
    ("records", "unreadable"),
    [
        ('[1, "2", null, [3], {"id_cliente": "4"}]', 4),
        ('[{"id_cliente": {"id": "4"}}, {"id_cliente": ["4"]}]', 2),
        ('[{"ID_CLIENTE": "4"}, {"id_cliente": "5", "id_cliente": "6"}]', 1),
        ('[{"datos": {"id_cliente": "4"}}]', 1),
    ],
)
def test_records_that_name_nobody_are_counted(records: str, unreadable: int) -> None:
    head, exported = read(f'{{"records": {records}}}'.encode())
    assert (head.unreadable, head.records) == (unreadable, unreadable + len(exported))


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ('"error": "PARTIAL"', "PARTIAL"),
        ('"error": {"code": 0, "message": "PARTIAL"}', "0 PARTIAL"),
        ('"error": ["PARTIAL", "RESULT"]', "PARTIAL RESULT"),
        ('"error": []', ""),
        ('"error": null', ""),
    ],
)
def test_an_error_is_kept_whatever_it_is_made_of(written: str, error: str) -> None:
    assert (read(f"{{{written}, {RECORDS}}}".encode())[0].error or "") == error


@pytest.mark.parametrize("written", ['"pages": 4', '"pagination": {"next": "x"}', '"meta": {"total_pages": 2.0}'])
def test_further_pages_are_noted_before_or_after_the_records(written: str) -> None:
    assert read(f"{{{written}, {RECORDS}}}".encode())[0].more is not None
    assert read(f"{{{RECORDS}, {written}}}".encode())[0].more is not None
    assert read(PLAIN)[0].more is None
