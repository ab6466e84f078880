"""The evidence as a PDF to read and to print, line by line: a thousand contacts take seconds."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.pdfgen.canvas import Canvas

from wolkvox.page.dictionary import Dictionary
from wolkvox.page.evidence import Evidence
from wolkvox.page.limits import GaveUp

SHORT = 16  # digits of a digest that are enough to find it again
MOST_SAID = 300  # characters of an answer; the CSV has all of it
FONT, BOLD, SIZE, LEADING = "Helvetica", "Helvetica-Bold", 7, 9
WIDTHS = (110, 125, 125, 270, 130)
HEADS = ("event", "at", "answered_at", "answer", "run")
MARGIN, PADDING = 40, 3
_WIDTHS = getFont(FONT).widths  # of a character of 1,000 points


def as_pdf(evidence: Evidence, dictionary: Dictionary, gone: Callable[[], bool] = lambda: False) -> bytes:
    """
    The evidence on as many pages as it takes.

    :param gone: whether nobody waits for it any more
    :raises GaveUp: when nobody does
    """
    heading = evidence.heading(dictionary)
    digest = heading[-1][1]
    sheet = _Sheet(dictionary("evidence.title"), digest)
    sheet.line(dictionary("evidence.title"), BOLD, 14)
    for name, value in heading:
        sheet.row((name, value), (110, 650))
    for part in _wrapped(dictionary("evidence.note"), sum(WIDTHS)):
        sheet.line(part)
    if not evidence.contacts:
        sheet.line(dictionary("customer.none"), FONT, 10)
    for contact in evidence.contacts:
        if gone():
            raise GaveUp
        rows = list(_rows(contact, evidence, dictionary))
        sheet.keep_together(_title(contact, evidence, dictionary), [dictionary(f"evidence.{name}") for name in HEADS])
        for row in rows:
            sheet.row(row)
    return sheet.done()


class _Sheet:
    """Lines on pages, from the top; each page ends with its number and the digest."""

    def __init__(self, title: str, footer: str) -> None:
        self._buffer = io.BytesIO()
        self._canvas = Canvas(self._buffer, pagesize=landscape(A4), pageCompression=1)
        self._canvas.setTitle(title)
        self._footer = footer
        self._heads: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._at = landscape(A4)[1] - MARGIN
        self._canvas.setStrokeGray(0.6)
        self._canvas.setLineWidth(0.25)

    def _end(self) -> None:
        self._canvas.setFont(FONT, SIZE)
        self._canvas.drawString(MARGIN, 20, f"{self._footer}   {self._canvas.getPageNumber()}")
        self._canvas.showPage()

    def _make_room(self, height: float) -> None:
        if self._at - height >= MARGIN:
            return
        self._end()
        self._begin()
        if self._heads:
            self._draw([[head] for head in self._heads], WIDTHS, BOLD)

    def line(self, text: str, font: str = FONT, size: int = SIZE) -> None:
        """One line of text."""
        self._make_room(size + 3)
        self._at -= size + 3
        self._canvas.setFont(font, size)
        self._canvas.drawString(MARGIN, self._at, _printable(text))

    def keep_together(self, title: str, heads: list[str]) -> None:
        """A contact's title and the heads of its columns, and room for its first row."""
        self._heads = []
        self._make_room(6 * LEADING)
        self._at -= LEADING
        for part in _wrapped(title, sum(WIDTHS), 9):
            self.line(part, BOLD, 9)
        self._heads = heads
        self._draw([[head] for head in heads], WIDTHS, BOLD)

    def row(self, cells: Sequence[str], widths: Sequence[float] = WIDTHS) -> None:
        """One row of a table, with a line below it."""
        wrapped = [_wrapped(cell, width - 2 * PADDING) for cell, width in zip(cells, widths, strict=True)]
        self._make_room(max(map(len, wrapped)) * LEADING + PADDING)
        self._draw(wrapped, widths, FONT)

    def _draw(self, cells: Sequence[Sequence[str]], widths: Sequence[float], font: str) -> None:
        self._canvas.setFont(font, SIZE)
        left = float(MARGIN)
        for lines, width in zip(cells, widths, strict=True):
            for number, text in enumerate(lines):
                self._canvas.drawString(left + PADDING, self._at - (number + 1) * LEADING, text)
            left += width
        self._at -= max(map(len, cells)) * LEADING + PADDING
        self._canvas.line(MARGIN, self._at, left, self._at)

    def done(self) -> bytes:
        """The file."""
        self._end()
        self._canvas.save()
        return self._buffer.getvalue()


def _rows(contact: Mapping[str, Any], evidence: Evidence, dictionary: Dictionary) -> Iterator[tuple[str, ...]]:
    """A contact's events, as the cells of their rows."""
    for event in contact["events"]:
        moments = [evidence.local_time(event[name]) or "" for name in ("at", "until")]
        name = dictionary(f"event.{event['name']}", number=event["requests"] or 0)
        if contact["digested"] and not event["digested"]:
            name = f"{name} {dictionary('evidence.later')}"
        yield name, *moments, _answer(event, dictionary), event["run"] or ""


def _answer(event: Mapping[str, Any], dictionary: Dictionary) -> str:
    """State, reason, and what was answered."""
    said = " · ".join(str(part) for part in (event["code"], event["message"]) if part)
    if len(said) > MOST_SAID:
        said = f"{said[:MOST_SAID]}… {dictionary('evidence.cut')}"
    why = dictionary.reason(event["reason"]) if event["reason"] else ""
    state = dictionary(f"state.{event['state']}") if event["state"] else ""
    return " - ".join(part for part in (state, why, said) if part)


def _title(contact: Mapping[str, Any], evidence: Evidence, dictionary: Dictionary) -> str:
    """A contact in one line."""
    reached = [contact["channel"], _direct(contact["direct"], dictionary)]
    parts = [
        " ".join(filter(None, (contact["type_campaign"], contact["campaign_id"], contact["campaign_name"]))) or "?",
        evidence.local_time(contact["contacted_at"]) or "?",
        *[part for part in reached if part],
        dictionary(f"state.{contact['state']}"),
    ]
    if contact["protected_until"]:
        parts.append(dictionary("customer.protected", moment=evidence.local_time(contact["protected_until"]) or ""))
    if contact["digested"]:
        parts.append(dictionary("evidence.digested", digest=contact["digested"][:SHORT]))
    if contact["superseded_by"]:
        parts.append(dictionary("customer.superseded_by", moment=evidence.local_time(contact["superseded_by"]) or ""))
    return " · ".join(parts)


def _direct(direct: bool | None, dictionary: Dictionary) -> str | None:
    return None if direct is None else dictionary("direct.yes" if direct else "direct.no")


def _wrapped(text: str, width: float, size: int = SIZE) -> list[str]:
    """The text in lines of a width; words that are wider are broken."""
    lines, line, room = [], "", width
    for word in _printable(text).split(" "):
        needs = _width(f" {word}" if line else word, size)
        if needs <= room:
            line, room = f"{line} {word}" if line else word, room - needs
            continue
        if line:
            lines.append(line)
        *whole, line = _broken(word, width, size)
        lines += whole
        room = width - _width(line, size)
    return [*lines, line]


def _broken(word: str, width: float, size: int) -> list[str]:
    """A word in pieces that fit."""
    pieces = []
    while (wide := _width(word, size)) > width:
        fits = max(1, int(len(word) * width / wide * 0.9))
        pieces.append(word[:fits])
        word = word[fits:]
    return [*pieces, word]


def _width(text: str, size: int) -> float:
    """How wide a text is that the PDF's own fonts can show: the library's own measure takes most of the time."""
    return sum(map(_WIDTHS.__getitem__, text.encode("cp1252"))) * size / 1_000


def _printable(text: str) -> str:
    """What the PDF's own fonts can show; anything else is a question mark in it, and whole in the CSV."""
    return " ".join(text.splitlines()).encode("cp1252", "replace").decode("cp1252")
