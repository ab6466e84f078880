"""Endpoints about one customer: what became of each contact, the evidence of it, and a run for this one alone."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, field_validator, model_validator

from wolkvox.airflow_core.access import from_the_page, note, noted_lately, require_whole_ids
from wolkvox.airflow_core.dags import is_paused, send_customer
from wolkvox.page.dictionary import dictionary
from wolkvox.page.downloads import attachment
from wolkvox.page.evidence import Evidence, as_csv
from wolkvox.page.limits import in_turn, while_wanted
from wolkvox.page.reading import customer_of, known_of, named
from wolkvox.page.viewed import MaySeeIds, MayTrigger, Viewed
from wolkvox.rules.ids import read_id
from wolkvox.rules.masking import mask

SEARCHES = 30  # of a login within ``SEARCHED``: an answer tells whether an id is a customer's
SEARCHED = timedelta(minutes=1)
NOTED = ("wolkvox_search", "wolkvox_whole_ids")  # in Airflow's audit log


class Customer(BaseModel):
    """
    One customer, asked for in a body: an id never stands in an address, for addresses are logged.

    ``record``: the customer of the ledger's record of that number, whose id the login need not know.
    """

    customer_id: Annotated[str | None, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")] = None
    record: Annotated[int | None, Field(ge=1, lt=2**63)] = None
    full: bool = False
    language: Literal["en", "es"] = "en"

    @field_validator("customer_id")
    @classmethod
    def read(cls, typed: str | None) -> str | None:
        """
        The id as the ledger has it.

        Blanks alone are refused: to a run they would mean everybody.
        """
        customer_id = None if typed is None else read_id(typed)
        if typed is not None and customer_id is None:
            raise ValueError("no customer")
        return customer_id

    @model_validator(mode="after")
    def one_of_both(self) -> Customer:
        """Either the id or the number of a record."""
        if (self.customer_id is None) == (self.record is None):
            raise ValueError("either customer_id or record")
        return self


router = APIRouter(dependencies=[Depends(from_the_page)])


@router.post("/customer")
async def read_customer(customer: Customer, of: Viewed, may_see: MaySeeIds, may_trigger: MayTrigger) -> dict[str, Any]:
    """Everything that is known of one customer."""
    evidence = await _search(customer, of, may_see, "json")
    return {
        "customer": evidence.customer,
        "zone": evidence.zone,
        "made_at": evidence.made_at.isoformat(),
        "contacts": evidence.contacts,
        "left_out": evidence.left_out,
        "may_trigger": may_trigger and await in_turn(partial(is_paused, of.of.dag_id)) is not None,
    }


@router.post("/evidence.csv")
async def download_csv(customer: Customer, of: Viewed, may_see: MaySeeIds) -> StreamingResponse:
    """The same as a file to check."""
    evidence = await _search(customer, of, may_see, "csv")
    content = await in_turn(lambda: as_csv(evidence, dictionary(customer.language)))
    return attachment(_file(content), "wolkvox-evidence.csv", "text/csv; charset=utf-8")


@router.post("/evidence.pdf")
async def download_pdf(request: Request, customer: Customer, of: Viewed, may_see: MaySeeIds) -> StreamingResponse:
    """The same as a file to read."""
    evidence = await _search(customer, of, may_see, "pdf")
    from wolkvox.page.evidence_pdf import as_pdf  # whose library is large, and seldom needed

    content = await while_wanted(request, lambda gone: as_pdf(evidence, dictionary(customer.language), gone))
    return attachment(_file(content), "wolkvox-evidence.pdf", "application/pdf")


async def _search(customer: Customer, of: Viewed, may_see: bool, kind: str) -> Evidence:
    """
    What is known of the customer; the search is noted in the audit log, the id itself left out.

    :raises HTTPException: 403 when the login may not see whole ids, 404 when there is no such record, 429 after too
        many searches
    """
    if customer.full:
        require_whole_ids(may_see=may_see)

    def search() -> Evidence:
        if noted_lately(of.user, NOTED, SEARCHED) >= SEARCHES:
            raise HTTPException(429, "Too many searches: wait a minute.")
        customer_id = _customer_id(customer, of)
        evidence = known_of(customer_id, unmasked=customer.full, of=of.of)
        seen = {"customer": mask(customer_id), "as": kind, "contacts": len(evidence.contacts) + evidence.left_out}
        event = "wolkvox_whole_ids" if customer.full else "wolkvox_search"
        note(of.user, event, seen, dag_id=of.of.dag_id)
        return evidence

    return await in_turn(search)


def _customer_id(customer: Customer, of: Viewed) -> str:
    """The id that is asked for, or that of the record's customer."""
    if customer.customer_id is not None:
        return customer.customer_id
    assert customer.record is not None
    evidence = customer_of(customer.record, of=of.of)
    if evidence is None:
        raise HTTPException(404, "The ledger has no such record, or it names no customer.")
    return evidence


@router.post("/send")
async def send(customer: Customer, of: Viewed, may_trigger: MayTrigger) -> dict[str, Any]:
    """A run for this one customer, ahead of all that waits."""
    dag_id = of.of.dag_id
    if not may_trigger:
        raise HTTPException(403, "Your login may not trigger the DAG.")

    def trigger() -> tuple[str | None, bool | None]:
        if is_paused(dag_id) is None:
            raise HTTPException(404, f"Airflow has no DAG {dag_id}.")
        customer_id = _customer_id(customer, of)
        run_id = send_customer(dag_id, named(customer_id, of.of), of.user.get_name())
        seen = {"customer": mask(customer_id)}
        note(of.user, "wolkvox_send_customer", seen, dag_id=dag_id, run_id=run_id)
        return run_id, is_paused(dag_id)

    run_id, paused = await in_turn(trigger)
    return {"run": run_id, "dag": dag_id, "paused": paused}


def _file(content: bytes) -> BytesIO:
    file = BytesIO(content)
    file.seek(0, 2)
    return file
