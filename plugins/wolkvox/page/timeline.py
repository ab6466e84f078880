"""What became of one customer's contacts, step by step, as the page and the evidence tell it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

from wolkvox.page.queries import Contact, Dial, EarlierRequest
from wolkvox.page.rows import without_ids
from wolkvox.rules.ages import DIGEST_AFTER
from wolkvox.rules.campaigns import Listed
from wolkvox.rules.digests import begin
from wolkvox.rules.masking import mask
from wolkvox.rules.states import ANSWERED, State


@dataclass(frozen=True, slots=True)
class Event:
    """
    Something that happened to a contact.

    ``name`` is one of contacted, pulled, sent (``until``: when it was answered), sending, waiting, and, without a
    request: superseded, expired, held, invalid, failed, and earlier (``requests`` whose answers were not kept).
    What wolkvox showed afterwards is dialled (``reason``: why, although the customer was protected), confirmed,
    mismatch or missing. ``noted_at``: when it was written down, where that may be after its day was digested.
    """

    name: str
    at: datetime | None
    until: datetime | None = None
    state: str | None = None
    reason: str | None = None
    code: str | None = None
    message: str | None = None
    run: str | None = None
    requests: int | None = None
    noted_at: datetime | None = None


def timelines(
    contacts: Sequence[Contact],
    requests: Iterable[EarlierRequest],
    dials: Iterable[Dial] = (),
    listed: Mapping[str, Listed] | None = None,
    digested: Mapping[date, str] | None = None,
    *,
    unmasked: bool,
) -> list[dict[str, Any]]:
    """
    Every contact with its events, the newest contact first.

    :param digested: the digests of days that are digested
    """
    earlier: dict[int, list[EarlierRequest]] = {}
    for request in requests:
        earlier.setdefault(request.record, []).append(request)
    dialled: dict[int, list[Dial]] = {}
    for dial in dials:
        dialled.setdefault(dial.record, []).append(dial)
    later = _superseded_by(contacts)
    names = {campaign_id: one.name for campaign_id, one in (listed or {}).items()}
    return [
        {
            "campaign_name": names.get(contact.campaign_id or ""),
            **_describe(
                contact,
                with_dials(events(contact, earlier.get(contact.id, [])), dialled.get(contact.id, [])),
                later.get(contact.id),
                digested or {},
                unmasked=unmasked,
            ),
        }
        for contact in contacts
    ]


def events(contact: Contact, earlier: Sequence[EarlierRequest]) -> list[Event]:
    """What happened to a contact, in the order of time."""
    requests = [
        Event(
            "sent",
            request.sent_at,
            request.settled_at,
            request.state,
            request.reason,
            request.response_code,
            request.response_msg,
        )
        for request in earlier
        if request.sent_at is not None
    ]
    if _was_answered(contact, earlier):
        last = (contact.state, contact.reason, contact.response_code, contact.response_msg, contact.dag_run_id)
        requests.append(Event("sent", contact.sent_at, contact.settled_at, *last))
    events = [
        Event("contacted", contact.contacted_at),
        Event("pulled", contact.staged_at),
        *(
            [Event("earlier", None, requests=contact.attempts - len(requests))]
            if contact.attempts > len(requests)
            else []
        ),
        *requests,
    ]
    if contact.state == State.SENDING:
        events.append(Event("sending", contact.sent_at, state=contact.state, run=contact.dag_run_id))
    elif contact.state == State.PENDING:
        events.append(Event("waiting", contact.not_before, state=contact.state, reason=contact.reason))
    elif not _was_answered(contact, earlier):
        settled = contact.settled_at
        events.append(Event(contact.state, settled, state=contact.state, reason=contact.reason, run=contact.dag_run_id))
    if contact.audit:
        events.append(Event(contact.audit, contact.audited_at, code=contact.shown))
    elif contact.confirmed_at:
        events.append(Event("confirmed", contact.confirmed_at))
    return events


def with_dials(happened: Sequence[Event], dials: Sequence[Dial]) -> list[Event]:
    """The same events with dials among them, each before the first one that came later."""
    events = list(happened)
    for dial in dials:
        later = (place for place, event in enumerate(events) if event.at is not None and event.at > dial.dialled_at)
        reason = dial.breach and f"breach_{dial.breach}"
        dialled = Event("dialled", dial.dialled_at, reason=reason, noted_at=dial.noted_at)
        events.insert(next(later, len(events)), dialled)
    return events


def _was_answered(contact: Contact, earlier: Sequence[EarlierRequest]) -> bool:
    """Whether the contact's state is what its last request's answer led to."""
    sent = {request.sent_at for request in earlier}
    return contact.state in ANSWERED and contact.sent_at is not None and contact.sent_at not in sent


def _superseded_by(contacts: Sequence[Contact]) -> Mapping[int, datetime | None]:
    """For each superseded contact, when the customer was contacted again in the same campaign."""
    newest: dict[tuple[str | None, str | None], Contact] = {}
    events: dict[int, datetime | None] = {}
    for contact in contacts:  # the newest first
        campaign = (contact.type_campaign, contact.campaign_id)
        if contact.state == State.SUPERSEDED and campaign in newest:
            events[contact.id] = newest[campaign].contacted_at
        if contact.state != State.INVALID:
            newest[campaign] = contact
    return events


def _describe(
    contact: Contact,
    happened: Sequence[Event],
    later: datetime | None,
    digested: Mapping[date, str],
    *,
    unmasked: bool,
) -> dict[str, Any]:
    day = contact.settled_at and contact.settled_at.astimezone(timezone.utc).date()
    digest = digested.get(day) if day else None
    return {
        "type_campaign": contact.type_campaign,
        "campaign_id": contact.campaign_id,
        "cod_act": contact.cod_act,
        "channel": contact.channel,
        "direct": contact.direct,
        "customer_id": contact.customer_id if unmasked else mask(contact.customer_id),
        "contacted_at": _iso(contact.contacted_at),
        "protected_until": _iso(contact.protected_until),
        "state": contact.state,
        "reason": contact.reason,
        "superseded_by": _iso(later),
        "dag_id": contact.dag_id,
        "digested": digest,
        "events": [
            {
                "name": event.name,
                "at": _iso(event.at),
                "until": _iso(event.until),
                "state": event.state,
                "reason": event.reason,
                "code": event.code,
                "message": event.message if unmasked else without_ids(event.message, contact.customer_id),
                "run": event.run,
                "requests": event.requests,
                # What an export showed later than that came after the digest.
                "digested": bool(digest and day and (not event.noted_at or event.noted_at < begin(day) + DIGEST_AFTER)),
            }
            for event in happened
        ],
    }


def _iso(timestamp: datetime | None) -> str | None:
    return None if timestamp is None else timestamp.isoformat()
