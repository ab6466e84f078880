"""A campaign's export: what wolkvox has of each customer, and whether it can be relied on. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from wolkvox.rules.answers import is_error, read_code, shown_error
from wolkvox.rules.export_dates import CLEAN, read_calls, read_last_dial, read_result, read_text
from wolkvox.rules.ids import is_no_code, is_no_id, read_id

MOST_RECORDS = 60_000  # that one download gives [vendor's page on limits]; more is not documented
MOST_BYTES = 256 * 2**20  # of a result [same page]
UNREADABLE = 0.01  # share of records without a readable id in an export that still says something of the others
FEWEST = 50  # contacts of which more than half are strangers: the export or the ids are wrong, rather than the contacts
_LONGEST = 200  # characters of an id or a code that can be one
# An id that hides some of its characters, or stands for them: ******6789, XXXX6789, …6789, ___6789, #9f86d081.
_MASKED = re.compile("[*•●■█▪◦…#?\N{REPLACEMENT CHARACTER}]|x{3,}|[-._]{3,}", re.IGNORECASE)
_WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)  # a code that went through a spreadsheet or a float: 5.0
_GROUPED = re.compile(r"\d{1,3}(?:[.,' ]\d{3})+", re.ASCII)  # 60,000
_GOOD_CODES = (0, 200)
_NOTHING = ("", "null", "none")
_LAST_PAGE = ("", "0", "1", "null", "none", "false")
# What hosts call the number of pages, or the next one, of a result that doesn't come as a whole.
MORE = frozenset(
    (
        *("pages", "total_pages", "page_count", "last_page", "next", "next_page", "next_url", "next_cursor"),
        *("has_more", "has_next", "more", "truncated", "partial", "incomplete"),
    )
)
# What PHP prints around an answer where its notices are switched on: a label, and the first word that follows.
_NOTICE = re.compile(r"\b(notice|deprecated|strict standards|warning|[a-z]* ?error)\b\W*(\w*)", re.IGNORECASE)
_TAG = re.compile("<[^>]*>")
_HARMLESS = ("notice", "deprecated", "strict standards")


class Exported(NamedTuple):
    """
    A customer of a campaign as wolkvox has it; texts as it writes them.

    ``dialled_at`` is when the customer was dialled last; None for never, or when that can't be read: ``unread_date``
    is its form then. ``result`` is what the last of so many ``calls`` came to, in capitals. ``is_open``: the dialler
    will dial the customer whatever code is shown, as far as the record says.
    """

    customer_id: str
    cod_act: str
    cod_act_2: str
    dialled_at: datetime | None = None
    unread_date: str = ""
    is_open: bool = False
    result: str = ""
    calls: int = 0


@dataclass(slots=True)
class ExportHeader:
    """
    What an export says of itself, besides its records.

    ``unreadable`` of its ``records`` have no id that can be read. ``more`` is the name of a field that says of further
    pages. ``around`` is the text before and after its JSON.
    """

    code: str | None = None
    campaign_id: str | None = None
    total: str | None = None
    records: int = 0
    ended: bool = False
    error: str | None = None
    more: str | None = None
    unreadable: int = 0
    around: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """
    What an export has of the customers that it is judged by.

    Of ``waiting`` contacts, which no export was compared with before, ``strangers`` aren't in it. Of ``confirmed``
    customers, whose code wolkvox took in the hour before, ``lacking`` aren't in it, and ``with_code`` carry that code.
    """

    waiting: int = 0
    strangers: int = 0
    confirmed: int = 0
    lacking: int = 0
    with_code: int = 0


def read_exported(row: Mapping[str, Any], zone: tzinfo) -> Exported | None:
    """
    Return a record of an export; None where it has no readable id.

    :param zone: of its timestamps
    """
    customer = _customer(row.get("id_cliente"))
    if customer is None:
        return None
    cod_act, cod_act_2 = _code(row.get("cod_rslt1")), _code(row.get("cod_rslt2"))
    last, result, calls = read_last_dial(row, zone), read_result(row), read_calls(row) or 0
    return Exported(customer, cod_act, cod_act_2, last.at, last.unread, _is_open(row), result, calls)


def _customer(value: object) -> str | None:
    """Return the id, its digits as they would stand in a row; None when it can't be read."""
    if isinstance(value, Decimal) and int(value.as_tuple().exponent) > 0:
        return None  # 1.0234E+9 has lost its last digits
    try:
        read = read_id(value)
    except ValueError:
        return None
    if read is None:
        return None
    text = read.replace("\x00", "").encode("utf-8", "replace").decode()
    return None if len(text) > _LONGEST or is_no_id(text) or _MASKED.search(text) else text


def _code(value: object) -> str:
    """Return a code; empty where there is none, or a text that can't be sent as a code."""
    text = read_text(value) if not isinstance(value, (float, Decimal)) else str(value)
    whole = _WHOLE.fullmatch(text)
    code = whole[1] if whole else text
    return "" if is_no_code(code) or not any(map(str.isalnum, code)) else code[:_LONGEST]


def _is_open(row: Mapping[str, Any]) -> bool:
    """Whether the record was recalled or recycled, or doesn't say that it wasn't."""
    return None in (row.get("resultado"), row.get("llamadas")) or read_result(row) == CLEAN


def tells_of_more(name: str, value: object) -> bool:
    """Whether a field of an export's head says that the records are not all."""
    return name in MORE and str("" if value is None else value).strip().lower().removesuffix(".0") not in _LAST_PAGE


def why_unfit(head: ExportHeader, campaign_id: str, most_unreadable: float = UNREADABLE) -> str | None:
    """
    Return why nothing may be concluded from an export; None: it is whole and of this campaign.

    :param most_unreadable: share of the records whose id may be unreadable. 0 where it matters who is *not* there: each
        of these records may be the customer in question
    """
    if why := _why_no_answer(head):
        return why
    named = (head.campaign_id or "").strip().removesuffix(".0")
    if named.lower() not in _NOTHING and named != campaign_id:
        return "it is of another campaign"
    if why := _why_partial(head):
        return why
    if head.unreadable > most_unreadable * head.records:
        return (
            f"{head.unreadable} of its {head.records} records have no id in the field id_cliente that can be read: it"
            " is missing, empty, masked or cut. Look at it in wolkvox Manager, and correct or remove these records"
        )
    return None


def _why_no_answer(head: ExportHeader) -> str | None:
    """Return why an export is no whole answer of the API; None: it is one."""
    if not head.ended:
        return "it ends in the middle"
    if head.code is not None and read_code(head.code) not in _GOOD_CODES:
        return f"its code is {head.code[:20]}"
    if is_error(head.error):
        return f"it says that something is wrong: {shown_error(head.error)}"
    return None if _is_harmless(head.around) else "there is text around its JSON that is no notice of PHP"


def _why_partial(head: ExportHeader) -> str | None:
    """Return why an export has not all of its campaign's records, or may lack some; None: it has all."""
    if head.records == 0:
        return "it has no records"
    if head.records >= MOST_RECORDS:
        return f"it has {head.records} records, and may lack others"
    if head.more:
        return f"it is one page of several (its field {head.more} says so)"
    if not _agrees(head.total, head.records):
        return f"it has {head.records} records, and its total_records is {head.total!s:.20}"
    return None


def _agrees(total: str | None, records: int) -> bool:
    """Whether the total that an export gives, if any, is the number of its records."""
    text = (total or "").strip().removesuffix(".0")
    if text.lower() in _NOTHING:
        return True
    if _GROUPED.fullmatch(text):
        text = re.sub(r"\D", "", text)
    return text.isascii() and text.isdigit() and int(text) == records


def _is_harmless(around: str) -> bool:
    """Whether the text around an export's JSON is notices of PHP, or nothing: a page or an error may have cut it."""
    if not around:
        return True
    notices = _NOTICE.findall(_TAG.sub(" ", around))
    return bool(notices) and all(
        label.lower() in _HARMLESS or (label.lower() == "warning" and next_word.lower() == "undefined")
        for label, next_word in notices
    )


def why_contradicted(compared: Compared) -> str | None:
    """Return why an export can't be what wolkvox has now, although it is whole; None: nothing speaks against it."""
    if compared.lacking or 2 * compared.with_code < compared.confirmed:
        return (
            f"of {compared.confirmed} customers whose code wolkvox took in the hour before, it lacks"
            f" {compared.lacking} and shows the code of {compared.with_code}: it is an old copy, a part, or writes ids"
            " otherwise"
        )
    if compared.waiting >= FEWEST and 2 * compared.strangers > compared.waiting:
        return (
            f"{compared.strangers} of {compared.waiting} contacts that wait are of customers who aren't in it. Compare"
            " how the warehouse and wolkvox write ids, and whether the contacts are of this campaign"
        )
    return None


def strangers_are_known(compared: Compared) -> bool:
    """
    Whether a customer who isn't in an export may be taken for a stranger to the campaign.

    Of few contacts, at least one must be in it: that shows that it writes ids as we do. Without, a handful of requests
    is cheaper than customers who are dialled because nobody could read the export.
    """
    return compared.strangers < compared.waiting


def absent_are_known(compared: Compared) -> bool:
    """
    Whether customers who were not in an earlier export, and aren't in this one, may be taken for strangers.

    That one wrote ids as we do; this one may not, when it has none of the others.
    """
    return compared.waiting == 0 or strangers_are_known(compared)
