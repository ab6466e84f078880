"""The page's endpoints. Every one of them asks Airflow whether the login may read the DAG."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import psycopg
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dag import DagModel
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from wolkvox.errors import BadSetting, LedgerSlow, WolkvoxError
from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.connection import Connection, clock
from wolkvox.ledger.faults import outage, parked
from wolkvox.ledger.figures import figures
from wolkvox.ledger.quota import QuotaRules
from wolkvox.ledger.reports import seconds_per_call
from wolkvox.page import queries
from wolkvox.page.links import DAG_ID
from wolkvox.page.overview import Known, last_settled, overview
from wolkvox.page.rows import as_csv, describe
from wolkvox.rules.spans import last_days, last_hours
from wolkvox.vendor.settings import Settings

LEDGER = "wolkvox_ledger"
WOLKVOX = "wolkvox_default"

PAGE = 100  # rows shown at once
CSV_ROWS = 100_000  # rows of a download
BATCH = 5_000  # rows read at once for it

STATIC = Path(__file__).parent / "static"
FILES = {path.name: path for path in STATIC.iterdir() if path.suffix in (".css", ".js")}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}

log = logging.getLogger(__name__)

app = FastAPI(
    title="Wolkvox",
    dependencies=[Depends(requires_access_dag("GET", param_dag_id=DAG_ID))],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)


@app.middleware("http")
async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Nothing but the page's own files runs in it, and nobody else frames it."""
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


@app.exception_handler(WolkvoxError)
@app.exception_handler(AirflowNotFoundException)
def say_what_is_wrong(request: Request, error: Exception) -> JSONResponse:
    """A sentence for the person at the page; what the driver said, with its hosts and users, stays in the log."""
    log.warning("The Wolkvox page can't be shown: %s", error)
    if isinstance(error, (BadSetting, AirflowNotFoundException)):
        return JSONResponse({"problem": f"A connection is missing or incomplete. {error}"}, 503)
    if isinstance(error.__cause__, psycopg.errors.UndefinedTable):
        return JSONResponse({"problem": str(error)}, 503)
    if isinstance(error, LedgerSlow):
        return JSONResponse({"problem": "The ledger took too long to answer. Choose less, or try again."}, 503)
    problem = f"The ledger (connection {LEDGER!r}) can't be reached. The api-server's log says why."
    return JSONResponse({"problem": problem}, 503)


def may_edit(user: GetUserDep) -> bool:
    """Whether the login may edit the DAG, and so see whole customer ids."""
    details = DagDetails(id=DAG_ID, team_name=DagModel.get_team_name(DAG_ID))
    return get_auth_manager().is_authorized_dag(method="PUT", details=details, user=user)


MayEdit = Annotated[bool, Depends(may_edit)]


def full_ids(may_edit: MayEdit, full: bool = False) -> bool:
    """Whether whole ids are asked for; refused to whoever may not edit the DAG."""
    if full and not may_edit:
        raise HTTPException(403, "Whole customer ids are for those who may edit the DAG.")
    return full


FullIds = Annotated[bool, Depends(full_ids)]

State = Literal["pending", "sending", "coded", "rejected", "failed", "invalid", "superseded", "expired"]
Text = Annotated[str | None, Query(max_length=1_000, pattern=r"^[^\x00]*$")]  # PostgreSQL takes no NUL


def wanted(
    state: Annotated[list[State] | None, Query()] = None,
    type_campaign: Text = None,
    campaign_id: Text = None,
    reason: Text = None,
    run: Text = None,
    dag: Text = None,
    chunk: Annotated[int | None, Query(ge=1, le=100_000)] = None,
) -> queries.Filter:
    """The records that the address asks for."""
    return queries.Filter(
        states=tuple(state or queries.STATES),
        type_campaign=type_campaign,
        campaign_id=campaign_id,
        reason=reason,
        run=run,
        dag=dag,
        chunk=chunk,
    )


Wanted = Annotated[queries.Filter, Depends(wanted)]


def settings() -> Settings:
    """The wolkvox connection's settings."""
    return WolkvoxHook(WOLKVOX).settings


@app.get("/")
def page() -> FileResponse:
    """The page itself, without figures."""
    return FileResponse(STATIC / "index.html")


@app.get("/static/{name}")
def static(name: str) -> FileResponse:
    """One of the page's files."""
    if name not in FILES:
        raise HTTPException(404)
    return FileResponse(FILES[name])


@app.get("/overview")
def read_overview(may_edit: MayEdit) -> dict[str, Any]:
    """Every figure of the first screen."""
    chosen = settings()
    with queries.snapshot(LEDGER) as ledger:
        return {**overview(know(ledger, chosen, clock(ledger))), "may_edit": may_edit}


@app.get("/rows")
def read_rows(
    wanted: Wanted,
    full: FullIds,
    may_edit: MayEdit,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> dict[str, Any]:
    """The latest records that fit, and where the next ones begin."""
    operation = settings().operation
    with queries.snapshot(LEDGER) as ledger:
        found = queries.rows(ledger, operation, wanted, limit=PAGE + 1, before=before)
    shown = found[:PAGE]
    return {
        "rows": [describe(record, unmasked=full) for record in shown],
        "before": shown[-1].id if len(found) > PAGE else None,
        "may_edit": may_edit,
    }


@app.get("/rows.csv")
def download(wanted: Wanted, full: FullIds) -> StreamingResponse:
    """The same records as a file."""
    lines = csv_lines(settings().operation, wanted, full)
    first = next(lines)  # fails here, and not in the middle of a file, when the ledger can't be reached
    headers = {"Content-Disposition": 'attachment; filename="wolkvox.csv"'}
    return StreamingResponse(_chain(first, lines), media_type="text/csv; charset=utf-8", headers=headers)


def csv_lines(operation: str, wanted: queries.Filter, unmasked: bool) -> Iterator[str]:
    """The lines of a download, read batch by batch in one snapshot."""
    with queries.snapshot(LEDGER) as ledger:
        read = partial(queries.rows, ledger, operation, wanted)
        yield from as_csv(_batches(read), unmasked=unmasked)


def _batches(read: Callable[..., list[queries.Record]]) -> Iterator[queries.Record]:
    before = None
    for _ in range(CSV_ROWS // BATCH):
        batch = read(limit=BATCH, before=before)
        yield from batch
        if len(batch) < BATCH:
            return
        before = batch[-1].id


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def know(ledger: Connection, settings: Settings, now: datetime) -> Known:
    """Ask the ledger for all that the first screen shows."""
    operation = settings.operation
    rules = QuotaRules(operation, settings.daily_calls, settings.quota_reserve, settings.quota_timezone)
    hours, days = last_hours(now), last_days(now, settings.quota_timezone)
    counted = figures(ledger, operation, hours, days)
    return Known(
        now=now,
        resets_at=rules.resets_at(now),
        own_limit=rules.own_limit,
        hours=hours,
        days=days,
        figures=counted,
        staged=queries.staged(ledger, operation, [*hours, *days]),
        unfinished=queries.unfinished(ledger, operation),
        last_runs=queries.last_runs(ledger, operation, last_settled([counted[day] for day in days])),
        today=queries.today(ledger, operation, rules.today(now), rules.own_limit),
        slots=queries.slots(ledger, settings.fingerprint),
        parked=parked(ledger, operation),
        outage=outage(ledger, operation, settings.identity),
        unbegun=queries.unbegun(ledger, operation),
        runs=queries.runs(ledger, operation),
        call_seconds=seconds_per_call(ledger, operation),
    )
