"""
A table as a workbook of one sheet, written row by row: however long it is, it takes no memory.

Text is text whatever it looks like, so ``002`` and ``5731E45`` stay as they are and nothing is a formula; numbers are
numbers, and times are dates that a spreadsheet can sort and subtract. The parts are those of ISO/IEC 29500.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from wolkvox.page.table import Cell, Kind, Table

LONGEST = 32_767  # UTF-16 units that a cell can hold
AT_ONCE = 500  # rows that are packed at once
LEVEL = 1  # of compression: a higher one takes three times as long for a file that is a third smaller
WIDTHS = {"text": 18, "number": 10, "time": 22}  # of columns, in characters
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's clock has no zone
DAY = timedelta(days=1)

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_FILES = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

PARTS = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_FILES}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_FILES}/relationships">'
        f'<Relationship Id="rId1" Type="{_KIND}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_XML}<Relationships xmlns="{_FILES}/relationships">'
        f'<Relationship Id="rId1" Type="{_KIND}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_KIND}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_KIND}">'
        '<sheets><sheet name="Wolkvox" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/styles.xml": (
        f'{_XML}<styleSheet xmlns="{_MAIN}">'
        r'<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}
TEXT, TIME, HEAD = 1, 2, 3  # of ``cellXfs``

# What XML can't hold as it stands, and what a spreadsheet would take for such a character written out.
_STRANGE = re.compile(r"[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def write_xlsx(table: Table, file: IO[bytes]) -> None:
    """Write a workbook; its heads stay in sight, and its columns can be filtered."""
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=LEVEL) as workbook:
        for name, text in PARTS.items():
            workbook.writestr(name, text)
        with workbook.open("xl/worksheets/sheet1.xml", "w", force_zip64=False) as sheet:
            for part in _sheet(table):
                sheet.write(part.encode())


def _sheet(table: Table) -> Iterator[str]:
    """The sheet's XML, some rows at a time."""
    letters = [_letter(place) for place in range(len(table.heads))]
    yield _opening(table.kinds)
    yield _row(1, letters, table.heads, HEAD)
    last, rows = 1, []
    for last, row in enumerate(table.rows, 2):
        rows.append(_row(last, letters, row, TEXT))
        if len(rows) == AT_ONCE:
            yield "".join(rows)
            rows.clear()
    yield "".join(rows)
    yield _closing(f"A1:{letters[-1]}{last}")


def _letter(place: int) -> str:
    """The letter of one of the first 26 columns."""
    return chr(ord("A") + place)


def _opening(kinds: Sequence[Kind]) -> str:
    columns = (f'<col min="{n}" max="{n}" width="{WIDTHS[kind]}" customWidth="1"/>' for n, kind in enumerate(kinds, 1))
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{''.join(columns)}</cols><sheetData>"
    )


def _closing(place: str) -> str:
    """Filters on the heads, and no warning that digits are text."""
    return (
        f'</sheetData><autoFilter ref="{place}"/>'
        f'<ignoredErrors><ignoredError sqref="{place}" numberStoredAsText="1"/></ignoredErrors></worksheet>'
    )


def _row(number: int, letters: Sequence[str], cells: Sequence[Cell], style: int) -> str:
    parts = [f'<row r="{number}">']
    for letter, cell in zip(letters, cells, strict=True):
        if cell is None:
            continue
        if isinstance(cell, str):
            text = _escaped(cell)
            parts.append(
                f'<c r="{letter}{number}" t="inlineStr" s="{style}"><is><t xml:space="preserve">{text}</t></is></c>'
            )
        elif isinstance(cell, datetime):
            parts.append(f'<c r="{letter}{number}" s="{TIME}"><v>{(cell - EPOCH) / DAY:.10f}</v></c>')
        else:
            parts.append(f'<c r="{letter}{number}"><v>{int(cell)}</v></c>')
    parts.append("</row>")
    return "".join(parts)


def _escaped(text: str) -> str:
    """A text as XML holds it, as much of it as a cell does."""
    if 2 * len(text) > LONGEST:
        text = text.encode("utf-16-le")[: 2 * LONGEST].decode("utf-16-le", "ignore")
    return _STRANGE.sub(_entity, text) if _STRANGE.search(text) else text


def _entity(match: re.Match[str]) -> str:
    return _ENTITIES.get(match[0]) or f"_x{ord(match[0]):04X}_"
