"""Endpoints about one customer: what became of each contact, the evidence of it, and a run for this one alone."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, field_validator

from wolkvox.airflow_core.access import GetUserDep, MaySeeIds, MayTrigger, from_the_page, note, require_whole_ids
from wolkvox.airflow_core.dags import is_paused, send_customer
from wolkvox.names import DAG_ID
from wolkvox.page.downloads import attachment
from wolkvox.page.evidence import Evidence, as_csv, as_pdf
from wolkvox.page.reading import known_of
from wolkvox.page.rows import mask
from wolkvox.page.turns import in_turn
from wolkvox.page.words import words
from wolkvox.rules.contacts import read_id


class Customer(BaseModel):
    """One customer, asked for in a body: an id never stands in an address, for addresses are logged."""

    customer_id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
    full: bool = False
    language: Literal["en", "es"] = "en"

    @field_validator("customer_id")
    @classmethod
    def read(cls, typed: str) -> str:
        """
        The id as the ledger has it.

        Blanks alone are refused: to a run they would mean everybody.
        """
        customer_id = read_id(typed)
        if customer_id is None:
            raise ValueError("no customer")
        return customer_id


router = APIRouter(dependencies=[Depends(from_the_page)])


@router.post("/customer")
async def read_customer(
    customer: Customer, user: GetUserDep, may_see: MaySeeIds, may_trigger: MayTrigger
) -> dict[str, Any]:
    """Everything that is known of one customer."""
    await _note_customer(customer, user, may_see, "json")
    found = await in_turn(partial(_found, customer))
    return {
        "customer": found.customer,
        "zone": found.zone,
        "made_at": found.made_at.isoformat(),
        "contacts": found.contacts,
        "may_trigger": may_trigger and await in_turn(partial(is_paused, DAG_ID)) is not None,
    }


@router.post("/evidence.csv")
async def download_csv(customer: Customer, user: GetUserDep, may_see: MaySeeIds) -> StreamingResponse:
    """The same as a file to check."""
    await _note_customer(customer, user, may_see, "csv")
    content = await in_turn(
        lambda: as_csv(known_of(customer.customer_id, unmasked=customer.full), words(customer.language))
    )
    return attachment(_file(content), "wolkvox-evidence.csv", "text/csv; charset=utf-8")


@router.post("/evidence.pdf")
async def download_pdf(customer: Customer, user: GetUserDep, may_see: MaySeeIds) -> StreamingResponse:
    """The same as a file to read."""
    await _note_customer(customer, user, may_see, "pdf")
    content = await in_turn(
        lambda: as_pdf(known_of(customer.customer_id, unmasked=customer.full), words(customer.language))
    )
    return attachment(_file(content), "wolkvox-evidence.pdf", "application/pdf")


def _found(customer: Customer) -> Evidence:
    return known_of(customer.customer_id, unmasked=customer.full)


async def _note_customer(customer: Customer, user: Any, may_see: bool, kind: str) -> None:
    """Whole ids are noted, the id itself left out."""
    if customer.full:
        require_whole_ids(may_see=may_see)
        await in_turn(partial(note, user, "wolkvox_whole_ids", {"customer": mask(customer.customer_id), "as": kind}))


@router.post("/send")
async def send(customer: Customer, user: GetUserDep, may_trigger: MayTrigger) -> dict[str, Any]:
    """A run for this one customer, ahead of all that waits."""
    if not may_trigger:
        raise HTTPException(403, "Your login may not trigger the DAG.")

    def trigger() -> tuple[str | None, bool | None]:
        if is_paused(DAG_ID) is None:
            raise HTTPException(404, f"Airflow has no DAG {DAG_ID}.")
        run_id = send_customer(DAG_ID, customer.customer_id, user.get_name())
        note(user, "wolkvox_send_customer", {"customer": mask(customer.customer_id)}, run_id=run_id)
        return run_id, is_paused(DAG_ID)

    run_id, paused = await in_turn(trigger)
    return {"run": run_id, "dag": DAG_ID, "paused": paused}


def _file(content: bytes) -> BytesIO:
    file = BytesIO(content)
    file.seek(0, 2)
    return file
