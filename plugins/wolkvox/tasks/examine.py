"""Finds out what an operation's wolkvox does where nothing is documented, with a handful of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from wolkvox.errors import WolkvoxError
from wolkvox.ledger.connection import connected, now_of
from wolkvox.rules.answers import Kind
from wolkvox.rules.audit import same_code
from wolkvox.rules.campaigns import misfit, read_campaigns
from wolkvox.rules.export_dates import AHEAD
from wolkvox.rules.exports import Exported, ExportHeader, why_unfit
from wolkvox.rules.records import Record
from wolkvox.tasks.permits import Permit, VendorClient
from wolkvox.tasks.task import Task, TokenInfo, Wolkvox

MOST_REQUESTS = 6  # at most: the requests left and an export before and after, the campaigns, and the code itself


class Observed(NamedTuple):
    """One thing that was examined; ``message`` is what was seen, in one line without personal data."""

    name: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A customer of a campaign who may be codified: one whom the dialler has dialled, who is to be left alone."""

    type_campaign: str
    campaign_id: str
    customer_id: str
    cod_act: str


@dataclass(slots=True)
class Examination:
    """
    The requests, one after the other; ``settings`` is what a connection's extra should say by what was seen.

    :param pause: waits between the code and the second export; False: to stop
    """

    task: Task
    wolkvox: Wolkvox
    subject: Subject
    pause: Callable[[], bool]
    settings: dict[str, Any] = field(default_factory=dict)

    def observe(self) -> Iterator[Observed]:
        """Yield what was seen, one thing at a time; end with the first one that makes the others pointless."""
        with connected(self.task.ledger_conn_id, self.task.stop) as ledger:
            client = VendorClient.of(self.task, self.wolkvox.settings, ledger, self.task.lease_timeout)
            before = self._counts(client)
            if before.limit:
                self.settings["licenses"] = before.limit // 1_000
            yield Observed("requests", True, f"the day's limit is {before.limit}, {before.used} are used")
            yield self._campaign(client)
            try:
                first = self._export(client)
            except WolkvoxError as error:
                self.settings["export_preflight"] = "off"
                yield Observed("export", False, str(error))
                return
            if first is None:
                yield Observed("export", False, "the campaign has no customer of exactly that id: nothing was sent")
                return
            self.settings["export_preflight"] = "auto"
            was_dialled = first.dialled_at or first.unread_date
            dialled = "has been dialled" if was_dialled else "has not been dialled, as far as it says"
            yield Observed("export", True, f"it is whole, and the customer is in it, who {dialled}")
            answer, codified_at = self._codify(client), now_of(ledger)
            yield answer
            if not answer.ok or not self.pause():
                return
            yield from self._afterwards(first, self._export(client), codified_at)
            after = self._counts(client)
            counted = None if after.used is None or before.used is None else after.used - before.used
            yield Observed("counting", counted is not None, f"wolkvox counted {counted} requests where five were ours")

    def _campaign(self, client: VendorClient) -> Observed:
        listed = read_campaigns(client.ask(self.wolkvox.campaigns) or [])
        wrong = misfit((self.subject.type_campaign, self.subject.campaign_id), listed) if listed else None
        self.settings["preflight"] = "true"
        if not listed:
            return Observed("campaigns", False, "wolkvox lists none: campaigns are not checked before sending")
        return Observed("campaigns", wrong is None, wrong[1] if wrong else "the campaign is listed, of that type")

    def _codify(self, client: VendorClient) -> Observed:
        of = self.subject
        with _granted(client) as permit:
            answer = self.wolkvox.codify(
                Record(0, of.type_campaign, of.campaign_id, of.customer_id, of.cod_act, None, None)
            )
            permit.slot.still_in_flight = answer.still_in_flight
        ok = answer.kind is Kind.CODED
        return Observed("code", ok, f"wolkvox answered {answer.code}" + ("" if ok else f" ({answer.reason})"))

    def _afterwards(self, before: Exported, after: Exported | None, codified_at: datetime) -> Iterator[Observed]:
        """Yield what the second export shows, if it shows the code: one that doesn't may be a copy of the first."""
        if after is None:
            yield Observed("shown", False, "the customer is no longer in the export")
            return
        if same_code(before.cod_act, self.subject.cod_act):
            yield Observed("shown", False, "the customer carried the code before: take another customer or code")
            return
        shows = same_code(after.cod_act, self.subject.cod_act)
        yield Observed("shown", shows, f"the export {'shows' if shows else 'does not show'} the code")
        if not shows:
            yield Observed("date", False, "nothing is said of it, for the export may be a copy from before the code")
            return
        changed = before.result != after.result
        self.settings["export_result"] = "change" if changed else "keep"
        yield Observed("result", True, f"codifying {'changes' if changed else 'keeps'} it")
        yield self._date(before, after, codified_at)

    def _date(self, before: Exported, after: Exported, codified_at: datetime) -> Observed:
        unread = before.unread_date or after.unread_date
        if unread:
            return Observed("date", False, f"it can't be read, so dials are not verifiable: it is written {unread!r}")
        if before.dialled_at is None or after.dialled_at is None:
            return Observed("date", False, "whether codifying moves it can't be seen: take a customer who was dialled")
        moved = before.dialled_at != after.dialled_at
        apart = after.dialled_at - codified_at
        if apart > AHEAD or (moved and apart < -AHEAD):
            hours = round(apart.total_seconds() / 3_600, 1)
            message = f"it is {hours:+g} h from our clock: export_timezone must be the zone in which it is written"
            return Observed("date", False, message)
        self.settings["export_date"] = "change" if moved else "dial"
        return Observed("date", True, "codifying moves the date" if moved else "the date is that of the last dial")

    def _counts(self, client: VendorClient) -> TokenInfo:
        with _granted(client):
            return self.wolkvox.token_info()

    def _export(self, client: VendorClient) -> Exported | None:
        """
        Return the customer as the campaign's export has them.

        :raises WolkvoxError: it can't be relied on
        """
        head, customer = ExportHeader(), None
        with _granted(client), self.wolkvox.export(self.subject.campaign_id, head) as exported:
            for one in exported:
                if one.customer_id == self.subject.customer_id:
                    customer = one
        why = why_unfit(head, self.subject.campaign_id)
        if why:
            raise WolkvoxError(f"The export can't be relied on: {why.rstrip('.')}.")
        return customer


@contextmanager
def _granted(client: VendorClient) -> Iterator[Permit]:
    """
    Give leave to make one request.

    :raises WolkvoxError: no requests are left today
    """
    with client.permit() as permit:
        if not permit.granted:
            raise WolkvoxError("No requests are left today: nothing more was asked.")
        yield permit
