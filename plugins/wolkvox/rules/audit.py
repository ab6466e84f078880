"""The findings of an audit, and what a person has to look at. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from wolkvox.rules.ages import AUDITED_FOR
from wolkvox.rules.export_dates import DateCount

NAMED = 20  # campaigns that a sentence names: it travels through XCom


@dataclass(frozen=True, slots=True)
class Findings:
    """
    Coded contacts of a campaign, by what its export shows of the customer.

    ``confirmed``: our code; ``open_again``: our code, and the customer will be dialled all the same, for the record was
    recalled or is there twice; ``overtaken``: something else, as an agent has dialled since or the protection is over;
    ``mismatch``: another code; ``missing``: none.
    """

    confirmed: int = 0
    open_again: int = 0
    overtaken: int = 0
    mismatch: int = 0
    missing: int = 0

    @property
    def wrong(self) -> int:
        """How many contacts a person should look at."""
        return self.open_again + self.mismatch + self.missing

    @property
    def judged(self) -> int:
        """How many contacts the export says something of."""
        return self.confirmed + self.overtaken + self.wrong


@dataclass(frozen=True, slots=True)
class AuditRules:
    """
    How an audit compares.

    ``days``: how far back, at most 31. ``resend_missing``: whether contacts of which wolkvox shows no code are offered
    again. ``most_unconfirmed``: share of the contacts that may not be confirmed, or dialled all the same, and of the
    dialled records whose date may not be readable.
    """

    days: int = AUDITED_FOR.days
    resend_missing: bool = False
    most_unconfirmed: float = 0.01


@dataclass(slots=True)
class AuditResult:
    """
    The findings of an audit, by campaign ("preview 17").

    ``coded``: how many coded contacts each campaign has, ``not_verifiable``: campaigns without an export that can be
    relied on, ``dates``: of the exports of the others.
    """

    coded: dict[str, int] = field(default_factory=dict)
    campaigns: dict[str, Findings] = field(default_factory=dict)
    not_verifiable: list[str] = field(default_factory=list)
    dates: dict[str, DateCount] = field(default_factory=dict)
    offered_again: int = 0

    def counts(self) -> Counter[str]:
        """Return the findings of all campaigns together."""
        counts = Counter(asdict(Findings()))
        for findings in self.campaigns.values():
            counts.update(asdict(findings))
        return counts

    def unread(self) -> dict[str, int]:
        """Return how many records have a date that can't be read, by campaign."""
        return {name: dates.unread for name, dates in self.dates.items() if dates.unread}

    def all_dates(self) -> DateCount:
        """Return the dates of all campaigns together."""
        every = DateCount()
        for dates in self.dates.values():
            every.add(dates)
        return every


def same_code(one: str, other: str) -> bool:
    """Whether two ways to write a code mean the same: in capitals or not, with zeros in front or without."""
    return one.lower().lstrip("0") == other.lower().lstrip("0") and bool(one) == bool(other)


def complaints(
    result: AuditResult,
    dialled_after: Mapping[str, int],
    coded: int,
    most: float,
    conn_id: str,
    *,
    dates_are_dials: bool,
) -> list[str]:
    """
    Return why a person has to look at an audit, and at what: a sentence each.

    :param dialled_after: customers dialled after they had been codified, by campaign
    :param coded: codified customers of the days that this was counted of
    :param most: share of the contacts that may be wrong
    :param conn_id: connection whose settings may have to be changed
    :param dates_are_dials: whether the settings say that a date in an export is that of a dial, whatever was codified
    """
    dates = result.all_dates()
    sentences = [_unverified(result), _unconfirmed(result, most), _dialled(dialled_after, coded, most)]
    if dates.unread > most * dates.dialled:
        sentences.append(_unread(result.unread(), dates, conn_id))
    if dates_are_dials and dates.are_ours:
        sentences.append(
            f"Most dates in the exports ({dates.ours} of {dates.dated}) are those of our own requests, so they say"
            f" nothing of dials: set export_date of connection {conn_id!r} to change."
        )
    return [sentence for sentence in sentences if sentence]


def _unverified(result: AuditResult) -> str | None:
    """Count campaigns where no contact is coded: their customers are protected all the same."""
    number, what = result.coded, "coded contacts"
    if not any(number.values()):
        number, what = dict.fromkeys(number, 1), "campaigns"
    without, every = sum(number[name] for name in result.not_verifiable), sum(number.values())
    if 2 * without < every or not result.not_verifiable:
        return None
    return (
        f"Nothing can be said of {without} of {every} {what}, for the exports of these campaigns can't be had or relied"
        f" on: {_some(result.not_verifiable)}. The task's log says why of each. Mend that, or pause this DAG if your"
        " wolkvox gives no exports."
    )


def _unconfirmed(result: AuditResult, most: float) -> str | None:
    wrong = sum(findings.wrong for findings in result.campaigns.values())
    if wrong <= most * sum(findings.judged for findings in result.campaigns.values()):
        return None
    named = _some(
        f"{name} ({_detail(findings)})" for name, findings in sorted(result.campaigns.items()) if findings.wrong
    )
    opened = result.counts()["open_again"]
    why = " Records that are open again were recalled, or recycled, or are in the campaign twice." if opened else ""
    return (
        f"wolkvox doesn't show what it was sent of {wrong} contacts: {named}.{why} The ledger names them"
        " (wolkvox.codification, column audit)."
    )


def _detail(findings: Findings) -> str:
    parts = {"missing": findings.missing, "open again": findings.open_again, "with another code": findings.mismatch}
    return ", ".join(f"{number} {what}" for what, number in parts.items() if number)


def _dialled(dialled_after: Mapping[str, int], coded: int, most: float) -> str | None:
    dialled = {name: number for name, number in dialled_after.items() if number}
    if sum(dialled.values()) <= most * coded:
        return None
    named = _some(f"{name} ({number})" for name, number in sorted(dialled.items()))
    return (
        f"{sum(dialled.values())} customers were dialled after they had been codified: {named}. Were their records"
        " recalled, or the campaign recycled? The ledger names them (wolkvox.dial), the page's time line shows each."
    )


def _unread(unread: Mapping[str, int], dates: DateCount, conn_id: str) -> str:
    named = _some(f"{name} ({number})" for name, number in sorted(unread.items()))
    return (
        f"Whether customers were dialled can't be verified, for the dates of {dates.unread} of {dates.dialled} dialled"
        f" records can't be read, or are ahead of the clock: {named}. One of them is written {dates.form!r}. If they"
        f" are ahead, set export_timezone of connection {conn_id!r}; else please report the form of the dates."
    )


def _some(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more
