"""What the sandbox says: the documented answers, and the broken ones a network can make of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Delivery(Enum):
    """How much of an answer reaches the client."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    NONE = "none"


@dataclass(frozen=True)
class Answer:
    """
    One answer to one request.

    :param label: under what ``calls_by_status`` counts it: the code in the body, else the HTTP status
    :param effect: whether the record is coded
    :param seconds: how long the request takes from its receipt; None for the set latency
    """

    label: str
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: bool = False
    delivery: Delivery = Delivery.WHOLE
    seconds: float | None = None


def json_answer(code: int | str, *, status: int, effect: bool = False, **content: Any) -> Answer:
    """A JSON body whose ``code`` need not agree with the HTTP ``status``."""
    body = json.dumps({"code": code, **content}).encode()
    return Answer(label=str(code), status=status, body=body, effect=effect)


def refusal(code: int, msg: str) -> Answer:
    """The vendor's shape of an error: the code in the body is the HTTP status too."""
    return json_answer(code, status=code, error=None, msg=msg)


def coded(customer_id: str, *, code: int | str = 202, status: int = 200) -> Answer:
    """The documented success, word for word; the HTTP status beside it is not documented."""
    msg = f"customer_id {customer_id} has been coded"
    return json_answer(code, status=status, effect=True, error=None, msg=msg)


def page(status: int, title: str) -> Answer:
    """An HTML page where JSON was expected, as a proxy or a maintenance notice sends it."""
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()
    return Answer(label=str(status), status=status, body=body, content_type="text/html")


TOKEN_MISSING = refusal(401, "PLEASE ENTER THE WOLKVOX-TOKEN")
TOKEN_WRONG = refusal(403, "PLEASE VALIDATE TOKEN")
TOO_MANY_AT_ONCE = refusal(403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)")
QUOTA_USED_UP = refusal(403, "TOKEN LIMIT EXCEEDED")
NO_SUCH_API = refusal(400, "THE API YOU WANT TO CONSULT DOES NOT EXIST")
PARAMETERS_REQUIRED = refusal(400, "SOME PARAMETERS ARE REQUIRED")
INVALID_CODE = refusal(422, "El codAct no es valido")
NOT_FOUND = refusal(404, "NO RECORDS FOUND")  # the text is the sandbox's own: the vendor documents none
CONNECTION_DROPPED = Answer(label="reset", delivery=Delivery.NONE)
