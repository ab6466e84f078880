"""Lines, rows and pictures on the pages of a PDF, written one after the other: a long file takes seconds."""

from __future__ import annotations

import io
from collections.abc import Sequence

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.pdfgen.canvas import Canvas

FONT, BOLD, SIZE, LEADING = "Helvetica", "Helvetica-Bold", 7, 9
MARGIN, PADDING = 40, 3
_WIDTHS = getFont(FONT).widths  # of a character of 1,000 points


class Sheet:
    """Landscape pages, written from the top; each ends with the footer and its number."""

    def __init__(self, title: str, footer: str) -> None:
        self._buffer = io.BytesIO()
        self._canvas = Canvas(self._buffer, pagesize=landscape(A4), pageCompression=1)
        self._canvas.setTitle(title)
        self._footer = footer
        self._heads: Sequence[str] = ()
        self._widths: Sequence[float] = ()
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
            self._draw_heads()

    def line(self, text: str, font: str = FONT, size: int = SIZE) -> None:
        """One line of text."""
        self._make_room(size + 3)
        self._at -= size + 3
        self._canvas.setFont(font, size)
        self._canvas.drawString(MARGIN, self._at, _printable(text))

    def table(self, title: str, heads: Sequence[str], widths: Sequence[float]) -> None:
        """A table's title and the heads of its columns, with room for its first row; heads come again on each page."""
        self._heads = ()
        self._make_room(6 * LEADING)
        self._at -= LEADING
        for part in wrapped(title, sum(widths), 9):
            self.line(part, BOLD, 9)
        self._heads, self._widths = heads, widths
        self._draw_heads()

    def row(self, cells: Sequence[str], widths: Sequence[float] | None = None) -> None:
        """One row, with a line below it; without widths: of the table."""
        widths = self._widths if widths is None else widths
        texts = [wrapped(cell, width - 2 * PADDING) for cell, width in zip(cells, widths, strict=True)]
        self._make_room(max(map(len, texts)) * LEADING + PADDING)
        self._draw(texts, widths, FONT)

    def pictures(self, pngs: Sequence[bytes], widths: Sequence[float], height: float) -> None:
        """Pictures beside one another, each as wide and as high as it is to be."""
        self._make_room(height + PADDING)
        self._at -= height + PADDING
        left = float(MARGIN)
        for png, width in zip(pngs, widths, strict=True):
            picture = ImageReader(io.BytesIO(png))
            self._canvas.drawImage(picture, left + PADDING, self._at, width - 2 * PADDING, height)
            left += width

    def legends(self, legends: Sequence[Sequence[tuple[str, str]]], widths: Sequence[float]) -> None:
        """What the colours of pictures mean, each a square and its text: one legend a picture."""
        self._make_room(LEADING + PADDING)
        self._at -= LEADING + PADDING
        self._canvas.setFont(FONT, SIZE)
        left = float(MARGIN)
        for legend, width in zip(legends, widths, strict=True):
            at = left + PADDING
            for colour, text in legend:
                self._canvas.setFillColor(HexColor(colour))
                self._canvas.rect(at, self._at, SIZE - 1, SIZE - 1, stroke=0, fill=1)
                self._canvas.setFillGray(0)
                self._canvas.drawString(at + LEADING, self._at, _printable(text))
                at += 2 * LEADING + _width(_printable(text), SIZE)
            left += width

    def _draw_heads(self) -> None:
        self._draw([[head] for head in self._heads], self._widths, BOLD)

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


def wrapped(text: str, width: float, size: int = SIZE) -> list[str]:
    """The text in lines of a width; a part without blanks that is wider is broken."""
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
