"""The evidence as a PDF to read and to print, line by line: a thousand contacts take seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wolkvox.page.dictionary import Dictionary
from wolkvox.page.evidence import Evidence
from wolkvox.page.limits import GaveUp
from wolkvox.page.sheet import BOLD, FONT, Sheet, wrapped

SHORT = 16  # digits of a digest that are enough to find it again
MOST_SAID = 300  # characters of an answer; the CSV has all of it
WIDTHS = (110, 125, 125, 270, 130)
HEADS = ("event", "at", "answered_at", "answer", "run")


def as_pdf(evidence: Evidence, dictionary: Dictionary, gone: Callable[[], bool] = lambda: False) -> bytes:
    """
    The evidence on as many pages as it takes.

    :param gone: whether nobody waits for it any more
    :raises GaveUp: when nobody does
    """
    heading = evidence.heading(dictionary)
    digest = heading[-1][1]
    sheet = Sheet(dictionary("evidence.title"), digest)
    sheet.line(dictionary("evidence.title"), BOLD, 14)
    for name, value in heading:
        sheet.row((name, value), (110, 650))
    for part in wrapped(dictionary("evidence.note"), sum(WIDTHS)):
        sheet.line(part)
    heads = [dictionary(f"evidence.{name}") for name in HEADS]
    if not evidence.contacts:
        sheet.line(dictionary("customer.none"), FONT, 10)
    for contact in evidence.contacts:
        if gone():
            raise GaveUp
        rows = list(_rows(contact, evidence, dictionary))
        sheet.table(_title(contact, evidence, dictionary), heads, WIDTHS)
        for row in rows:
            sheet.row(row)
    return sheet.done()


def _rows(contact: Mapping[str, Any], evidence: Evidence, dictionary: Dictionary) -> Iterator[tuple[str, ...]]:
    """A contact's events, as the cells of their rows."""
    for event in contact["events"]:
        timestamps = [evidence.local_time(event[name]) or "" for name in ("at", "until")]
        name = dictionary(f"event.{event['name']}", number=event["requests"] or 0)
        if contact["digested"] and not event["digested"]:
            name = f"{name} {dictionary('evidence.later')}"
        yield name, *timestamps, _answer(event, dictionary), event["run"] or ""


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
        parts.append(dictionary("customer.protected", timestamp=evidence.local_time(contact["protected_until"]) or ""))
    if contact["digested"]:
        parts.append(dictionary("evidence.digested", digest=contact["digested"][:SHORT]))
    if contact["superseded_by"]:
        later = evidence.local_time(contact["superseded_by"]) or ""
        parts.append(dictionary("customer.superseded_by", timestamp=later))
    return " · ".join(parts)


def _direct(direct: bool | None, dictionary: Dictionary) -> str | None:
    return None if direct is None else dictionary("direct.yes" if direct else "direct.no")
