"""Numbers, shares and lengths of time as the reader of a report writes them; ``formats.js`` does so for the page."""

from __future__ import annotations

NOTHING = "-"
_SWAPPED = str.maketrans(",.", ".,")  # Spanish writes 1.234,5


def number(value: float | None, language: str, digits: int = 0) -> str:
    """A number with the language's separators, without zeros at the end of its ``digits`` decimals."""
    if value is None:
        return NOTHING
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.translate(_SWAPPED) if language == "es" else text


def percent(share: float | None, language: str) -> str:
    """A share of 1; only all of it is 100 %."""
    if share is None:
        return NOTHING
    written = share if share == 1 else min(share, 0.999)
    digits = 0 if 0.1 <= written <= 0.9 else 1
    return number(100 * written, language, digits) + ("\u00a0%" if language == "es" else "%")


def duration(seconds: float | None, language: str) -> str:
    """A length of time in its two largest units."""
    if seconds is None:
        return NOTHING
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return _parts(hours, "h", minutes % 60, "min", language)
    return _parts(hours // 24, "d", hours % 24, "h", language)


def _parts(first: int, unit: str, second: int, smaller: str, language: str) -> str:
    return f"{number(first, language)} {unit}" + (f" {second} {smaller}" if second else "")
