"""
A customer's time line as a file: CSV for whoever checks it, PDF for whoever reads it.

Both name the operation, the zone of all moments, when they were made, and the SHA-256 of the same rows: the lines of
the CSV from its heading on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.page.dictionary import Dictionary
from wolkvox.page.rows import harmless

COLUMNS = (
    "type_campaign",
    "campaign_id",
    "customer_id",
    "cod_act",
    "channel",
    "direct",
    "contacted_at",
    "event",
    "at",
    "answered_at",
    "state",
    "reason",
    "code",
    "message",
    "run",
    "protected_until",
    "digested",
)


SHORT = 16  # digits of a digest that are enough to find it again


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What was known of a customer at a moment.

    :param contacts: as ``timeline.timelines`` tells them
    """

    operation: str
    customer: str
    zone: str
    made_at: datetime
    contacts: Sequence[Mapping[str, Any]]

    def table(self) -> str:
        """The rows as CSV text, moments on the zone's clock."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in self.rows():
            writer.writerow([harmless(row[column]) for column in COLUMNS])
        return buffer.getvalue()

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row for each event, the newest contact first."""
        for contact in self.contacts:
            told = {name: contact[name] for name in ("type_campaign", "campaign_id", "customer_id", "cod_act")}
            for event in contact["events"]:
                yield {
                    **told,
                    "channel": contact["channel"],
                    "direct": contact["direct"],
                    "contacted_at": self.now_of(contact["contacted_at"]),
                    "event": event["name"],
                    "at": self.now_of(event["at"]),
                    "answered_at": self.now_of(event["until"]),
                    "state": event["state"],
                    "reason": event["reason"],
                    "code": event["code"],
                    "message": event["message"],
                    "run": event["run"],
                    "protected_until": self.now_of(contact["protected_until"]),
                    "digested": contact["digested"] if event["digested"] else None,
                }

    def now_of(self, moment: str | None) -> str | None:
        """A moment on the zone's clock, to the millisecond, with its offset."""
        if moment is None:
            return None
        return datetime.fromisoformat(moment).astimezone(ZoneInfo(self.zone)).isoformat(timespec="milliseconds")

    @property
    def digest(self) -> str:
        """The SHA-256 of ``table``, in UTF-8."""
        return sha256(self.table().encode()).hexdigest()

    def heading(self, dictionary: Dictionary) -> list[tuple[str, str]]:
        """What the file says of itself."""
        made_at = self.now_of(self.made_at.isoformat()) or ""
        return [
            (dictionary("evidence.operation"), self.operation),
            (dictionary("evidence.customer"), self.customer),
            (dictionary("evidence.zone"), self.zone),
            (dictionary("evidence.made_at"), made_at),
            (dictionary("evidence.contacts"), str(len(self.contacts))),
            ("SHA-256", self.digest),
        ]


def as_csv(evidence: Evidence, dictionary: Dictionary) -> bytes:
    """What the file says of itself, an empty line, and the rows."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows([*evidence.heading(dictionary), ()])
    return ("\ufeff" + buffer.getvalue() + evidence.table()).encode()


def as_pdf(evidence: Evidence, dictionary: Dictionary) -> bytes:
    """The same to read and to print, on as many pages as it takes."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, Table

    styles = getSampleStyleSheet()
    small = styles["BodyText"].clone("small", fontSize=7, leading=8.5, splitLongWords=1)

    def cell(text: object) -> Paragraph:
        return Paragraph(escape(_printable(str(text))), small)

    parts: list[Flowable] = [Paragraph(escape(dictionary("evidence.title")), styles["Title"])]
    parts.append(
        Table([[cell(name), cell(value)] for name, value in evidence.heading(dictionary)], colWidths=[110, 650])
    )
    parts.append(Paragraph(escape(dictionary("evidence.note")), small))
    for contact in evidence.contacts:
        parts += [
            Spacer(1, 8),
            Paragraph(escape(_printable(_title(contact, evidence, dictionary))), styles["Heading4"]),
        ]
        lines = [[cell(dictionary(f"evidence.{name}")) for name in ("event", "at", "answered_at", "answer", "run")]]
        for event in contact["events"]:
            said = " · ".join(str(part) for part in (event["code"], event["message"]) if part)
            why = dictionary.reason(event["reason"]) if event["reason"] else ""
            state = dictionary(f"state.{event['state']}") if event["state"] else ""
            answer = " - ".join(part for part in (state, why, said) if part)
            moments = [evidence.now_of(event[name]) or "" for name in ("at", "until")]
            name = dictionary(f"event.{event['name']}", number=event["requests"] or 0)
            if contact["digested"] and not event["digested"]:
                name = f"{name} {dictionary('evidence.later')}"
            lines.append([cell(text) for text in (name, *moments, answer, event["run"] or "")])
        table = LongTable(lines, colWidths=[110, 125, 125, 270, 130], repeatRows=1)
        table.setStyle([("GRID", (0, 0), (-1, -1), 0.25, colors.grey), ("VALIGN", (0, 0), (-1, -1), "TOP")])
        parts.append(table)
    if not evidence.contacts:
        parts.append(Paragraph(escape(dictionary("customer.none")), styles["BodyText"]))

    def number(canvas: Any, document: Any) -> None:
        canvas.setFont("Helvetica", 7)
        canvas.drawString(40, 20, f"{evidence.digest}   {document.page}")

    buffer = io.BytesIO()
    title = dictionary("evidence.title")
    document = SimpleDocTemplate(
        buffer, pagesize=landscape(A4), title=title, leftMargin=40, rightMargin=40, topMargin=36, bottomMargin=36
    )
    document.build(parts, onFirstPage=number, onLaterPages=number)
    return buffer.getvalue()


def _title(contact: Mapping[str, Any], evidence: Evidence, dictionary: Dictionary) -> str:
    """A contact in one line."""
    reached = [contact["channel"], _direct(contact["direct"], dictionary)]
    parts = [
        " ".join(filter(None, (contact["type_campaign"], contact["campaign_id"], contact["campaign_name"]))) or "?",
        evidence.now_of(contact["contacted_at"]) or "?",
        *[part for part in reached if part],
        dictionary(f"state.{contact['state']}"),
    ]
    if contact["protected_until"]:
        parts.append(dictionary("customer.protected", moment=evidence.now_of(contact["protected_until"]) or ""))
    if contact["digested"]:
        parts.append(dictionary("evidence.digested", digest=contact["digested"][:SHORT]))
    if contact["superseded_by"]:
        parts.append(dictionary("customer.superseded_by", moment=evidence.now_of(contact["superseded_by"]) or ""))
    return " · ".join(parts)


def _direct(direct: bool | None, dictionary: Dictionary) -> str | None:
    return None if direct is None else dictionary("direct.yes" if direct else "direct.no")


def _printable(text: str) -> str:
    """What the PDF's own fonts can show; anything else is a question mark in it, and whole in the CSV."""
    return text.encode("cp1252", "replace").decode("cp1252")
