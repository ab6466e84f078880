"""What the vendor's answers mean. Pure: what came over the wire goes in, one ``Answer`` comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import cast


class Kind(Enum):
    """What an answer says of its record, and so what is done next."""

    CODED = auto()
    REJECTED = auto()  # this record is wrong for good
    NOT_FOUND = auto()  # no such record, or an endpoint that is away: many in a row tell
    OVERLOADED = auto()  # try the same record again, a bounded number of times
    CONFLICT = auto()  # the dialler holds this record at this moment: it again, later; it says nothing of the others
    BUSY = auto()  # somebody else uses the token: the same record again, not an attempt of it
    MAINTENANCE = auto()  # the API is away for long, backups for instance; or something on the way blocks this request
    UNREACHABLE = auto()  # no connection: the record was never sent
    UNKNOWN = auto()  # sent, but nobody saw the answer: the record may be coded
    QUOTA = auto()  # the day's requests are used up
    BAD_TOKEN = auto()
    WRONG_ENDPOINT = auto()  # no such API at this address, says the API


@dataclass(frozen=True, slots=True)
class Answer:
    """
    One call's outcome.

    ``reason`` is a short code without personal data; ``msg`` holds the vendor's own message and belongs in the
    ledger only. ``retry_after`` is in seconds. ``still_in_flight``: the host may still be at it,
    though a gateway on the way gave up.
    """

    kind: Kind
    reason: str | None = None
    code: str | None = None
    msg: str | None = None
    retry_after: float | None = None
    still_in_flight: bool = False


GAVE_UP = (502, 504, 520, 524)  # a gateway's word, when the host behind it may have gone on
STILL_IN_FLIGHT = (504, 524)  # of these: that waited too long, while the other two lost their connection
NOT_NOW = (409, 423)  # the message of a dialler that holds the record
SUCCESS_CODES = ("ok", "success")
MOST_BRACES = 50  # that are tried as the beginning of the answer in a body that isn't JSON alone

BUSY_TEXT = "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS"
QUOTA_TEXT = "TOKEN LIMIT EXCEEDED"
TOKEN_TEXTS = ("VALIDATE TOKEN", "WOLKVOX-TOKEN")
NO_API_TEXT = "THE API YOU WANT TO CONSULT DOES NOT EXIST"

# What ``error`` holds where there is none: a word for nothing, or for success.
_NO_ERROR = re.compile(
    r"-?|0+|20[0-2]|\[]|{}|null|none|nil|undefined|false|no|n/?a|ok|success|[eé]xito|(no|without) errors?"
    r"|ningun[oa]|(ning[uú]n|sin|no hay) error(es)?"
)
_CODED_TEXT = re.compile(r"CUSTOMER_ID \S+ HAS BEEN CODED\.?")  # what the vendor documents as success
_ID = re.compile(r"\d{4,}")  # long enough to be somebody's
LONGEST_REFUSAL = 120
LONGEST_HINT = 1e9  # seconds: a longer ``Retry-After`` is one of these
LONGEST_MSG = 2_000  # characters of the vendor's message that are kept


def unknown(reason: str) -> Answer:
    """
    The answer of a request whose answer nobody saw; ``reason``: timeout, reset, truncated, unreadable.

    Wolkvox may still be at one that was not waited for any longer.
    """
    return Answer(Kind.UNKNOWN, f"unknown_{reason}", still_in_flight=reason == "timeout")


def unreachable(reason: str) -> Answer:
    """The answer of a request that found no connection; ``reason`` is one of refused, timeout, tls."""
    return Answer(Kind.UNREACHABLE, f"unreachable_{reason}")


def refusal(answer: Answer, customer_id: str) -> str:
    """
    What was refused and in which message, ids left out: the same text for one and the same refusal.

    At most 120 characters, fit for the eyes of everybody.
    """
    message = (answer.msg or answer.reason or "").replace(customer_id, "…")
    return " ".join(f"{answer.code or ''} {_ID.sub('…', message)}".upper().split())[:LONGEST_REFUSAL]


def classify(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
    """
    Tell what a complete HTTP answer to a record means.

    The vendor puts the code into the body as well, as an int or a string, and a body may contradict the HTTP
    status: the worse of the two wins. A good code beside a message in ``error`` is a refusal. A body that
    has no code under a good status is an unknown outcome, unless it says the vendor's own sentence of success; noise
    around the JSON, as PHP prints it, is none. A page in place of the API's answer comes from something on the way,
    which blocks this request and perhaps no other: it says nothing of the token or the address.

    :param now: the moment a ``Retry-After`` that is a date is counted from, unless the answer has its own ``Date``
    """
    document = _unwrapped(read_document(body))
    code = None if document is None else read_code(document.get("code"))
    said = max(status, code or 0)
    msg = _message(document, body)
    text = " ".join(msg.upper().split())
    page = code is None and _is_a_page(body)
    retry_after = _seconds(headers.get("Retry-After"), _date(headers.get("Date")) or now)

    def answer(kind: Kind, reason: str | None = None) -> Answer:
        return Answer(kind, reason, str(said), msg or None, retry_after, said in STILL_IN_FLIGHT)

    if 200 <= status < 300 and code is None:
        return answer(Kind.CODED) if _says_coded(document) else answer(Kind.UNKNOWN, "unknown_unreadable")
    if 200 <= said < 300:
        return answer(Kind.REJECTED, f"refused_{said}") if _complains(document) else answer(Kind.CODED)
    if said in (400, 404) and NO_API_TEXT in text:
        return answer(Kind.WRONG_ENDPOINT, "wrong_endpoint")
    if said == 401 and not page and (document is not None or _names_token(text)):
        return answer(Kind.BAD_TOKEN, "bad_token")
    if said == 403:
        return answer(Kind.MAINTENANCE, "maintenance") if page else answer(*_forbidden(text))
    if said == 404:
        return answer(Kind.NOT_FOUND, "not_found")
    if said in GAVE_UP:
        return answer(Kind.UNKNOWN, f"unknown_{said}")
    if said in NOT_NOW:
        return answer(Kind.CONFLICT, f"conflict_{said}")
    if said in (408, 429) or 500 <= said < 600:
        return answer(Kind.OVERLOADED, f"overloaded_{said}")
    if said == 407:
        return answer(Kind.UNREACHABLE, "unreachable_proxy")
    if 300 <= said < 400 or said in (401, 405) or (page and 400 <= said < 500):
        return answer(Kind.MAINTENANCE, f"blocked_{said}")
    if 400 <= said < 500:
        return answer(Kind.REJECTED, f"refused_{said}")
    return answer(Kind.UNKNOWN, "unknown_unreadable")


def _forbidden(text: str) -> tuple[Kind, str]:
    """403 has four meanings, told apart by the API's message alone."""
    if BUSY_TEXT in text:
        return Kind.BUSY, "busy"
    if QUOTA_TEXT in text:
        return Kind.QUOTA, "quota"
    if _names_token(text):
        return Kind.BAD_TOKEN, "bad_token"
    return Kind.MAINTENANCE, "maintenance"


def _names_token(text: str) -> bool:
    return any(message in text for message in TOKEN_TEXTS)


def _is_a_page(body: bytes) -> bool:
    """Whether something on the way says so, in a page or without a word, and not the API."""
    return not body.strip() or _text(body).lstrip().startswith("<")


def _complains(document: Mapping[str, object] | None) -> bool:
    return document is not None and is_error(document.get("error"))


def is_error(error: object) -> bool:
    """Whether the value of ``error`` says that something is wrong: it is neither empty nor a word for success."""
    return bool(error) and not _NO_ERROR.fullmatch(" ".join(str(error).lower().split()).rstrip(".!"))


def shown_error(error: object) -> str:
    """The error's message, at most 120 characters, ids left out: fit for the eyes of everybody."""
    return " ".join(_ID.sub("…", str(error)).split())[:LONGEST_REFUSAL]


def _says_coded(document: Mapping[str, object] | None) -> bool:
    """Whether ``msg`` is the vendor's own sentence of success, with nothing to the contrary."""
    if document is None or _complains(document):
        return False
    return bool(_CODED_TEXT.fullmatch(" ".join(str(document.get("msg")).upper().split())))


def _unwrapped(document: dict[str, object] | None) -> dict[str, object] | None:
    """The object that holds the outcome: the document, or the one object under its ``data``."""
    if document is None or "code" in document:
        return document
    match document.get("data"):
        case [dict() as inner] | (dict() as inner) if "code" in inner:
            return {**inner, "error": document["error"]} if _complains(document) else inner
    return document


def _text(body: bytes) -> str:
    """The body's text: UTF-8, or what PHP hosts of this language write instead, whatever their header says."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def read_document(body: bytes) -> dict[str, object] | None:
    """
    The JSON object in the body, or None: what stands before and after it and raw line feeds in it are put up with.

    Of several objects, as a host prints whose debugging was left on, the first one that has a code.
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
    """The body's code, which may be an int or digits; 0 for 0, "", "000" and "OK", None for what is no code."""
    if isinstance(code, bool) or not isinstance(code, (int, float, str)):
        return None
    digits = str(code).strip().removesuffix(".0")
    if digits == "" or digits.lower() in SUCCESS_CODES:
        return 0
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else -1
    return number if number == 0 or 200 <= number < 600 else None


def _message(document: Mapping[str, object] | None, body: bytes) -> str:
    """The vendor's message: ``msg``, else ``error``, else the raw body."""
    if document is None:
        message = _text(body)
    else:
        spoken = (document.get("msg"), document.get("error"))
        message = " ".join(str(part) for part in spoken if part not in (None, "", "null"))
    storable = message[:LONGEST_MSG].encode("utf-8", "replace").decode()  # no lone surrogates from JSON escapes
    return storable.replace("\x00", "\N{REPLACEMENT CHARACTER}").strip()


def _seconds(value: str | None, now: datetime) -> float | None:
    """``Retry-After`` in seconds from now, given as seconds or as an HTTP date; None when there is none."""
    if not value:
        return None
    if value.isascii() and value.strip().isdigit():
        return min(float(value), LONGEST_HINT) or None
    moment = _date(value)
    seconds = (moment - now).total_seconds() if moment else 0.0
    return seconds if seconds > 0 else None


def _date(value: str | None) -> datetime | None:
    """An HTTP date; None for what is none."""
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (TypeError, ValueError):
        return None
    return moment.replace(tzinfo=timezone.utc) if moment and moment.tzinfo is None else moment
