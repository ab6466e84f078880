"""A chart as a picture that every mail program shows: stacked bars on an axis, with numbers and units alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1_200, 400  # pixels: twice what it takes on a screen
LEFT, RIGHT, TOP, BOTTOM = 110, 20, 24, 46
LETTERS = 22
GRID, TEXT, PAPER = "#d9dde3", "#4a5361", "#ffffff"
TARGET = "#b42318"
STEPS = (2, 4, 6, 10)  # by which an axis ends, and times a power of ten: half of each is a whole number
MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Chart:
    """
    One bar a label, of one value for each of the ``colours``, the lowest first; ``line`` is drawn across all of them.

    ``tick`` writes a value of the axis.
    """

    labels: Sequence[str]
    bars: Sequence[Sequence[float]]
    colours: Sequence[str]
    tick: Callable[[float], str]
    line: float | None = None


def draw(chart: Chart) -> bytes:
    """The chart as a PNG."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(LETTERS)
    top = axis_end(max([sum(bar) for bar in chart.bars] + [chart.line or 0, 1]))

    def height(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top

    for value in (0, top / 2, top):
        pen.line((LEFT, height(value), WIDTH - RIGHT, height(value)), GRID, 2)
        pen.text((LEFT - 12, height(value)), chart.tick(value), TEXT, font, anchor="rm")
    room = (WIDTH - LEFT - RIGHT) / max(1, len(chart.bars))
    every = -(-len(chart.labels) // MOST_LABELS)
    for place, (label, bar) in enumerate(zip(chart.labels, chart.bars, strict=True)):
        left, below = LEFT + place * room, 0.0
        for value, colour in zip(bar, chart.colours, strict=True):
            if value > 0:
                pen.rectangle((left + room / 8, height(below + value), left + room * 7 / 8, height(below)), colour)
            below += value
        if place % every == 0:
            pen.text((left + room / 2, HEIGHT - BOTTOM + 10), label, TEXT, font, anchor="ma")
    if chart.line is not None:
        pen.line((LEFT, height(chart.line), WIDTH - RIGHT, height(chart.line)), TARGET, 4)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def axis_end(most: float) -> float:
    """The first round number that isn't below the highest bar."""
    power = 1.0
    while True:
        for step in STEPS:
            if step * power >= most:
                return step * power
        power *= 10
