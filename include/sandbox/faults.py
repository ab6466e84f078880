"""Planned faults: how the request for a given customer goes wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from http import HTTPStatus
from typing import Any

from sandbox.answers import (
    CONNECTION_DROPPED,
    INVALID_CODE,
    NOT_FOUND,
    PARAMETERS_REQUIRED,
    QUOTA_USED_UP,
    TOO_MANY_AT_ONCE,
    Answer,
    Delivery,
    coded,
    json_answer,
    page,
)


@dataclass(frozen=True)
class Fault:
    """
    One planned fault.

    :param kind: a key of ``KINDS``
    :param repeat: stays in force instead of being used up by one request
    :param seconds: for ``slow``: how long the request takes
    :param status: for ``status``: the HTTP status, with ``headers`` and a ``body`` or ``code`` and ``msg``
    """

    kind: str
    repeat: bool = False
    seconds: float = 0.0
    status: int = 500
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    code: int | str | None = None
    msg: str = ""

    def answer(self, customer_id: str) -> Answer:
        """The answer to a request for this customer."""
        return KINDS[self.kind](self, customer_id)


def _status(fault: Fault, customer_id: str) -> Answer:
    if fault.body is None:
        code = fault.status if fault.code is None else fault.code
        answer = json_answer(code, status=fault.status, error=None, msg=fault.msg)
    else:
        answer = replace(page(fault.status, ""), body=fault.body.encode())
    return replace(answer, headers=fault.headers)


KINDS: Mapping[str, Callable[[Fault, str], Answer]] = {
    "status": _status,
    "reset_before": lambda fault, customer: CONNECTION_DROPPED,
    "reset_after": lambda fault, customer: replace(CONNECTION_DROPPED, effect=True),
    "truncated": lambda fault, customer: replace(coded(customer), delivery=Delivery.TRUNCATED, label="truncated"),
    "slow": lambda fault, customer: replace(coded(customer), seconds=fault.seconds),
    "html_200": lambda fault, customer: page(200, "wolkvox"),
    "string_code": lambda fault, customer: coded(customer, code="202"),
    "http_202": lambda fault, customer: coded(customer, status=202),
    "body_400": lambda fault, customer: replace(PARAMETERS_REQUIRED, status=200),
    "concurrency": lambda fault, customer: TOO_MANY_AT_ONCE,
    "maintenance": lambda fault, customer: page(403, "403 Forbidden"),
    "quota": lambda fault, customer: QUOTA_USED_UP,
    "not_found": lambda fault, customer: NOT_FOUND,
    "invalid_code": lambda fault, customer: INVALID_CODE,
}
"""Kinds of fault and the answers they give: ``reset_after`` and those built on ``coded`` code the record."""


def read_faults(plan: Any) -> list[Fault]:
    """A list of faults from JSON; raises ValueError that names what is not understood."""
    if not isinstance(plan, list):
        raise ValueError(f"expected a list of faults, got {plan!r}")
    return [_read_fault(fault) for fault in plan]


def _read_fault(fault: Any) -> Fault:
    if not isinstance(fault, dict) or fault.get("kind") not in KINDS:
        raise ValueError(f"a fault needs a kind, one of {', '.join(KINDS)}; got {fault!r}")
    if unknown := fault.keys() - {field.name for field in fields(Fault)}:
        raise ValueError(f"unknown settings of a fault: {', '.join(sorted(unknown))}")
    read = Fault(**fault)
    if not isinstance(read.seconds, int | float) or read.status not in set(HTTPStatus):
        raise ValueError(f"seconds must be a number and status one of HTTP's; got {fault!r}")
    return read
