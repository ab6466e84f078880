"""What the vendor's answers mean. Pure: status, headers and body go in, one ``Answer`` comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import NamedTuple, cast


class Kind(Enum):
    """What an answer says of its record."""

    CODED = auto()
    REJECTED = auto()  # this record is wrong for good
    NOT_FOUND = auto()  # no such record, or an endpoint that is away: many in a row tell
    OVERLOADED = auto()  # try the same record again, a bounded number of times
    CONFLICT = auto()  # the dialler holds this record now: it again, later; it says nothing of the others
    BUSY = auto()  # somebody else uses the token: the same record again, not an attempt of it
    MAINTENANCE = auto()  # the API is away for long; or something on the way blocks this request
    UNREACHABLE = auto()  # no connection: the record was never sent
    UNKNOWN = auto()  # sent, but nobody saw the answer: the record may be coded
    QUOTA = auto()  # the day's requests are used up
    BAD_TOKEN = auto()
    WRONG_ENDPOINT = auto()  # no such API at this address, says the API


@dataclass(frozen=True, slots=True)
class Answer:
    """
    The outcome of one request.

    ``reason`` is a short code without personal data, None for a success; ``msg`` is the vendor's own message, which
    belongs in the ledger only. ``retry_after`` is in seconds. ``still_in_flight``: the host may still work on the
    request, though a gateway on the way gave up.
    """

    kind: Kind
    reason: str | None = None
    code: str | None = None
    msg: str | None = None
    retry_after: float | None = None
    still_in_flight: bool = False


GAVE_UP = (502, 504, 520, 524)  # of a gateway, when the host behind it may have gone on
STILL_IN_FLIGHT = (504, 524)  # of these: that waited too long, while the other two lost their connection
NOT_NOW = (409, 423)  # of a dialler that holds the record
SUCCESS_CODES = ("ok", "success")
MOST_BRACES = 50  # that are tried as the beginning of the answer in a body that isn't JSON alone

BUSY_TEXT = "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS"
QUOTA_TEXT = "TOKEN LIMIT EXCEEDED"
TOKEN_TEXTS = ("VALIDATE TOKEN", "WOLKVOX-TOKEN")
NO_API_TEXT = "THE API YOU WANT TO CONSULT DOES NOT EXIST"

# What ``error`` holds where there is none: a text for nothing, or for success.
_NO_ERROR = re.compile(
    r"-?|0+|20[0-2]|\[]|{}|null|none|nil|undefined|false|no|n/?a|ok|success|[eé]xito|(no|without) errors?"
    r"|ningun[oa]|(ning[uú]n|sin|no hay) error(es)?"
)
_CODED_TEXT = re.compile(r"CUSTOMER_ID \S+ HAS BEEN CODED\.?")  # what the vendor documents as success
_ID = re.compile(r"\d{4,}")  # long enough to be a customer's
LONGEST_REFUSAL = 120
LONGEST_HINT = 1e9  # seconds: a longer ``Retry-After`` is one of these
LONGEST_MSG = 2_000  # characters of the vendor's message that are kept


def unknown(reason: str) -> Answer:
    """
    Return the outcome of a request whose answer nobody saw; ``reason``: timeout, reset, truncated, unreadable.

    After a time-out, wolkvox may still work on the request.
    """
    return Answer(Kind.UNKNOWN, f"unknown_{reason}", still_in_flight=reason == "timeout")


def unreachable(reason: str) -> Answer:
    """Return the outcome of a request that found no connection; ``reason``: refused, timeout, tls."""
    return Answer(Kind.UNREACHABLE, f"unreachable_{reason}")


def refusal(answer: Answer, customer_id: str) -> str:
    """
    Return a refusal's code and message without ids: the same text for the same refusal.

    It has at most 120 characters and no personal data.
    """
    message = (answer.msg or answer.reason or "").replace(customer_id, "…")
    return " ".join(f"{answer.code or ''} {_ID.sub('…', message)}".upper().split())[:LONGEST_REFUSAL]


class _Reply(NamedTuple):
    """What a rule looks at: ``text`` is the message in capitals, ``page``: it is no answer of the API's."""

    text: str
    page: bool
    document: Mapping[str, object] | None


class _Rule(NamedTuple):
    """What answers of these ``codes`` mean ``when`` this is so; ``{}`` in the reason stands for the code."""

    codes: Container[int]
    kind: Kind
    reason: str
    when: Callable[[_Reply], bool] = lambda _: True


def _says(text: str) -> Callable[[_Reply], bool]:
    return lambda reply: text in reply.text


def _is_page(reply: _Reply) -> bool:
    return reply.page


def _names_token(reply: _Reply) -> bool:
    return any(text in reply.text for text in TOKEN_TEXTS)


def _refuses_token(reply: _Reply) -> bool:
    return not reply.page and (reply.document is not None or _names_token(reply))


# What an answer that is no success means: the first rule that fits. 403 has four meanings: the message decides.
_RULES = (
    _Rule((400, 404), Kind.WRONG_ENDPOINT, "wrong_endpoint", _says(NO_API_TEXT)),
    _Rule((401,), Kind.BAD_TOKEN, "bad_token", _refuses_token),
    _Rule((403,), Kind.MAINTENANCE, "maintenance", _is_page),
    _Rule((403,), Kind.BUSY, "busy", _says(BUSY_TEXT)),
    _Rule((403,), Kind.QUOTA, "quota", _says(QUOTA_TEXT)),
    _Rule((403,), Kind.BAD_TOKEN, "bad_token", _names_token),
    _Rule((403,), Kind.MAINTENANCE, "maintenance"),
    _Rule((404,), Kind.NOT_FOUND, "not_found"),
    _Rule(GAVE_UP, Kind.UNKNOWN, "unknown_{}"),
    _Rule(NOT_NOW, Kind.CONFLICT, "conflict_{}"),
    _Rule((408, 429, *range(500, 600)), Kind.OVERLOADED, "overloaded_{}"),
    _Rule((407,), Kind.UNREACHABLE, "unreachable_proxy"),
    _Rule((*range(300, 400), 401, 405), Kind.MAINTENANCE, "blocked_{}"),
    _Rule(range(400, 500), Kind.MAINTENANCE, "blocked_{}", _is_page),
    _Rule(range(400, 500), Kind.REJECTED, "refused_{}"),
)
_SUCCESS = range(200, 300)
_UNREADABLE = Kind.UNKNOWN, "unknown_unreadable"


def classify(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
    """
    Return what a complete HTTP answer to a record means.

    The vendor puts the code into the body as well, as an int or a string, and a body may contradict the HTTP
    status: the worse of the two wins. A good code beside a message in ``error`` is a refusal. A body that
    has no code under a good status is an unknown outcome, unless it has the vendor's own sentence of success; noise
    around the JSON, as PHP prints it, is none. A page in place of the API's answer comes from something on the way,
    which blocks this request and perhaps no other: it says nothing of the token or the address.

    :param now: the time a ``Retry-After`` that is a date is counted from, unless the answer has its own ``Date``
    """
    document = _unwrapped(read_document(body))
    code = None if document is None else read_code(document.get("code"))
    worse = max(status, code or 0)
    msg = _message(document, body)
    if worse in _SUCCESS:
        kind, reason = _of_success(worse, document, has_code=code is not None)
    else:
        text = " ".join(msg.upper().split())
        kind, reason = _of_failure(worse, _Reply(text, code is None and _is_a_page(body), document))
    retry_after = _seconds(headers.get("Retry-After"), _date(headers.get("Date")) or now)
    return Answer(kind, reason, str(worse), msg or None, retry_after, worse in STILL_IN_FLIGHT)


def _of_success(code: int, document: Mapping[str, object] | None, *, has_code: bool) -> tuple[Kind, str | None]:
    if not has_code:
        return (Kind.CODED, None) if _says_coded(document) else _UNREADABLE
    return (Kind.REJECTED, f"refused_{code}") if _complains(document) else (Kind.CODED, None)


def _of_failure(code: int, reply: _Reply) -> tuple[Kind, str]:
    for rule in _RULES:
        if code in rule.codes and rule.when(reply):
            return rule.kind, rule.reason.format(code)
    return _UNREADABLE


def _is_a_page(body: bytes) -> bool:
    """Whether the body is a page or empty, and so not the API's."""
    return not body.strip() or _text(body).lstrip().startswith("<")


def _complains(document: Mapping[str, object] | None) -> bool:
    return document is not None and is_error(document.get("error"))


def is_error(error: object) -> bool:
    """Whether the value of ``error`` says that something is wrong: it is neither empty nor a text for success."""
    return bool(error) and not _NO_ERROR.fullmatch(" ".join(str(error).lower().split()).rstrip(".!"))


def shown_error(error: object) -> str:
    """Return the error's message without ids, at most 120 characters."""
    return " ".join(_ID.sub("…", str(error)).split())[:LONGEST_REFUSAL]


def _says_coded(document: Mapping[str, object] | None) -> bool:
    """Whether ``msg`` is the vendor's own sentence of success, with nothing to the contrary."""
    if document is None or _complains(document):
        return False
    return bool(_CODED_TEXT.fullmatch(" ".join(str(document.get("msg")).upper().split())))


def _unwrapped(document: dict[str, object] | None) -> dict[str, object] | None:
    """Return the object that holds the outcome: the document, or the one object under its ``data``."""
    if document is None or "code" in document:
        return document
    match document.get("data"):
        case [dict() as inner] | (dict() as inner) if "code" in inner:
            return {**inner, "error": document["error"]} if _complains(document) else inner
    return document


def _text(body: bytes) -> str:
    """Return the body's text: UTF-8, or cp1252 as PHP hosts write it, whatever their header says."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def read_document(body: bytes) -> dict[str, object] | None:
    """
    Return the JSON object in the body, or None. Text around it and raw line feeds in it don't matter.

    Of several objects, as a host prints with its debugging on, it is the first one that has a code, else the first.
    """
    text = _text(body)
    decoder = json.JSONDecoder(strict=False)
    first: dict[str, object] | None = None
    end = 0
    for _ in range(MOST_BRACES):
        begin = text.find("{", end)
        if begin < 0:
            break
        try:
            document, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            end = begin + 1
            continue
        if "code" in document:
            return cast("dict[str, object]", document)
        first = first or document
    return first


def read_code(code: object) -> int | None:
    """Return the body's code, an int or digits; 0 for 0, "", "000" and "OK"; None for what is no code."""
    if isinstance(code, bool) or not isinstance(code, (int, float, str)):
        return None
    digits = str(code).strip().removesuffix(".0")
    if digits == "" or digits.lower() in SUCCESS_CODES:
        return 0
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else -1
    return number if number == 0 or 200 <= number < 600 else None


def _message(document: Mapping[str, object] | None, body: bytes) -> str:
    """Return ``msg`` and ``error``, or the raw body where there is no JSON."""
    if document is None:
        message = _text(body)
    else:
        parts = (document.get("msg"), document.get("error"))
        message = " ".join(str(part) for part in parts if part not in (None, "", "null"))
    storable = message[:LONGEST_MSG].encode("utf-8", "replace").decode()  # no lone surrogates from JSON escapes
    return storable.replace("\x00", "\N{REPLACEMENT CHARACTER}").strip()


def _seconds(value: str | None, now: datetime) -> float | None:
    """Return ``Retry-After`` in seconds from now, given as seconds or as an HTTP date; None when there is none."""
    if not value:
        return None
    if value.isascii() and value.strip().isdigit():
        return min(float(value), LONGEST_HINT) or None
    date = _date(value)
    seconds = (date - now).total_seconds() if date else 0.0
    return seconds if seconds > 0 else None


def _date(value: str | None) -> datetime | None:
    """Return an HTTP date; None for what is none."""
    try:
        date = parsedate_to_datetime(value) if value else None
    except (TypeError, ValueError):
        return None
    return date.replace(tzinfo=timezone.utc) if date and date.tzinfo is None else date
