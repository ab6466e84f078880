"""Endpoints about one customer: what became of each contact, the evidence of it, and a run for this one alone."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, field_validator

from wolkvox.airflow_core.access import from_the_page, note, require_whole_ids
from wolkvox.airflow_core.dags import is_paused, send_customer
from wolkvox.page.dictionary import dictionary
from wolkvox.page.downloads import attachment
from wolkvox.page.evidence import Evidence, as_csv, as_pdf
from wolkvox.page.limits import in_turn
from wolkvox.page.reading import known_of
from wolkvox.page.rows import mask
from wolkvox.page.shown import Looked, MaySeeIds, MayTrigger
from wolkvox.rules.ids import read_id


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
    customer: Customer, looked: Looked, may_see: MaySeeIds, may_trigger: MayTrigger
) -> dict[str, Any]:
    """Everything that is known of one customer."""
    await _note_customer(customer, looked, may_see, "json")
    found = await in_turn(partial(_found, customer, looked))
    return {
        "customer": found.customer,
        "zone": found.zone,
        "made_at": found.made_at.isoformat(),
        "contacts": found.contacts,
        "may_trigger": may_trigger and await in_turn(partial(is_paused, looked.of.dag_id)) is not None,
    }


@router.post("/evidence.csv")
async def download_csv(customer: Customer, looked: Looked, may_see: MaySeeIds) -> StreamingResponse:
    """The same as a file to check."""
    await _note_customer(customer, looked, may_see, "csv")
    content = await in_turn(lambda: as_csv(_found(customer, looked), dictionary(customer.language)))
    return attachment(_file(content), "wolkvox-evidence.csv", "text/csv; charset=utf-8")


@router.post("/evidence.pdf")
async def download_pdf(customer: Customer, looked: Looked, may_see: MaySeeIds) -> StreamingResponse:
    """The same as a file to read."""
    await _note_customer(customer, looked, may_see, "pdf")
    content = await in_turn(lambda: as_pdf(_found(customer, looked), dictionary(customer.language)))
    return attachment(_file(content), "wolkvox-evidence.pdf", "application/pdf")


def _found(customer: Customer, looked: Looked) -> Evidence:
    return known_of(customer.customer_id, unmasked=customer.full, of=looked.of)


async def _note_customer(customer: Customer, looked: Looked, may_see: bool, kind: str) -> None:
    """Whole ids are noted, the id itself left out."""
    if customer.full:
        require_whole_ids(may_see=may_see)
        seen = {"customer": mask(customer.customer_id), "as": kind}
        await in_turn(partial(note, looked.user, "wolkvox_whole_ids", seen, dag_id=looked.of.dag_id))


@router.post("/send")
async def send(customer: Customer, looked: Looked, may_trigger: MayTrigger) -> dict[str, Any]:
    """A run for this one customer, ahead of all that waits."""
    dag_id = looked.of.dag_id
    if not may_trigger:
        raise HTTPException(403, "Your login may not trigger the DAG.")

    def trigger() -> tuple[str | None, bool | None]:
        if is_paused(dag_id) is None:
            raise HTTPException(404, f"Airflow has no DAG {dag_id}.")
        run_id = send_customer(dag_id, customer.customer_id, looked.user.get_name())
        seen = {"customer": mask(customer.customer_id)}
        note(looked.user, "wolkvox_send_customer", seen, dag_id=dag_id, run_id=run_id)
        return run_id, is_paused(dag_id)

    run_id, paused = await in_turn(trigger)
    return {"run": run_id, "dag": dag_id, "paused": paused}


def _file(content: bytes) -> BytesIO:
    file = BytesIO(content)
    file.seek(0, 2)
    return file
