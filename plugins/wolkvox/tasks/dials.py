"""The dials that exports show of customers after they were contacted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from wolkvox.ledger.connection import Connection
from wolkvox.ledger.impact import count_dates, forget_own_dates, note_dials
from wolkvox.rules.export_dates import DateCount
from wolkvox.rules.records import Campaign
from wolkvox.vendor.settings import Settings


@dataclass(slots=True)
class Dials:
    """
    Notes the dials of one export after the other; what their dates are is judged over all of them.

    :param since: of contacts
    :param loaded_at: when the contacts were loaded that exports are compared with
    """

    ledger: Connection
    settings: Settings
    since: datetime
    loaded_at: datetime
    dates: DateCount = field(default_factory=DateCount)

    def note(self, campaign: Campaign, begun: datetime) -> DateCount:
        """
        Note the dials of the campaign whose export is loaded, and return the count of its dates.

        :param begun: when the export was asked for
        """
        counted = count_dates(self.ledger, campaign, begun)
        self.dates.add(counted)
        believed = self.settings.dates_are_dials and not self.contradicted
        note_dials(self.ledger, self.settings.operation, campaign, self.since, self.loaded_at, dates_are_dials=believed)
        return counted

    @property
    def contradicted(self) -> bool:
        """Whether the settings say that dates are those of dials, and most are those of our own requests."""
        return self.settings.dates_are_dials and self.dates.are_ours

    def end(self) -> None:
        """Delete what was noted before it showed that the settings are wrong about the dates."""
        if self.contradicted:
            forget_own_dates(self.ledger)
