"""
A customer's time line as evidence: a CSV for whoever checks it, and what ``evidence_pdf`` prints for whoever reads it.

Both name the operation, the zone of all times, when they were made, and the SHA-256 of the same rows: the lines of
the CSV from its heading on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What was known of a customer at a time.

    :param contacts: as ``timeline.timelines`` gives them, the newest first
    :param left_out: how many older ones there are
    """

    operation: str
    customer: str
    zone: str
    made_at: datetime
    contacts: Sequence[Mapping[str, Any]]
    left_out: int = 0

    def table(self) -> str:
        """The rows as CSV text, times on the zone's clock."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in self.rows():
            writer.writerow([harmless(row[column]) for column in COLUMNS])
        return buffer.getvalue()

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row for each event, the newest contact first."""
        for contact in self.contacts:
            of_contact = {name: contact[name] for name in ("type_campaign", "campaign_id", "customer_id", "cod_act")}
            for event in contact["events"]:
                yield {
                    **of_contact,
                    "channel": contact["channel"],
                    "direct": contact["direct"],
                    "contacted_at": self.local_time(contact["contacted_at"]),
                    "event": event["name"],
                    "at": self.local_time(event["at"]),
                    "answered_at": self.local_time(event["until"]),
                    "state": event["state"],
                    "reason": event["reason"],
                    "code": event["code"],
                    "message": event["message"],
                    "run": event["run"],
                    "protected_until": self.local_time(contact["protected_until"]),
                    "digested": contact["digested"] if event["digested"] else None,
                }

    def local_time(self, timestamp: str | None) -> str | None:
        """A time on the zone's clock, to the millisecond, with its offset."""
        if timestamp is None:
            return None
        return datetime.fromisoformat(timestamp).astimezone(ZoneInfo(self.zone)).isoformat(timespec="milliseconds")

    @property
    def digest(self) -> str:
        """The SHA-256 of ``table``, in UTF-8."""
        return sha256(self.table().encode()).hexdigest()

    def heading(self, dictionary: Dictionary) -> list[tuple[str, str]]:
        """What the file says of itself."""
        made_at = self.local_time(self.made_at.isoformat()) or ""
        return [
            (dictionary("evidence.operation"), self.operation),
            (dictionary("evidence.customer"), self.customer),
            (dictionary("evidence.zone"), self.zone),
            (dictionary("evidence.made_at"), made_at),
            (dictionary("evidence.contacts"), self._counted(dictionary)),
            ("SHA-256", self.digest),
        ]

    def _counted(self, dictionary: Dictionary) -> str:
        listed = len(self.contacts)
        if not self.left_out:
            return str(listed)
        return dictionary("evidence.newest", listed=listed, all=listed + self.left_out)


def as_csv(evidence: Evidence, dictionary: Dictionary) -> bytes:
    """What the file says of itself, an empty line, and the rows."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows([*evidence.heading(dictionary), ()])
    return ("\ufeff" + buffer.getvalue() + evidence.table()).encode()
