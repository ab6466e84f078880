"""The page's endpoints. Every one of them asks Airflow whether the login may read the DAG."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from functools import partial
from html import escape
from typing import Annotated, Any, Literal

import psycopg
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from wolkvox.airflow_core.access import login_path, note, require_whole_ids
from wolkvox.errors import BadSetting, LedgerSlow, WolkvoxError
from wolkvox.page import customers, files, queries
from wolkvox.page.dictionary import LANGUAGES, dictionary
from wolkvox.page.downloads import attachment
from wolkvox.page.limits import Recent, in_turn
from wolkvox.page.reading import Days, first_screen, records_file, service_level, some_rows, some_runs
from wolkvox.page.report_file import report_file
from wolkvox.page.setup import first_steps
from wolkvox.page.table_csv import write_csv
from wolkvox.page.table_xlsx import write_xlsx
from wolkvox.page.viewed import MayConnect, MayEdit, MaySeeIds, Names, Text, Viewed, readable_slots, viewed
from wolkvox.rules.states import State
from wolkvox.rules.timestamps import FIRST_YEAR, LAST_YEAR

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
OF_THE_PAGE = {"Cache-Control": "private, no-cache"}
OF_ITS_FILES = {"Cache-Control": "private, max-age=31536000, immutable"}
PAGE = files.page()
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

log = logging.getLogger(__name__)

app = FastAPI(
    title="Wolkvox",
    dependencies=[Depends(viewed)],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)
_recent = Recent()
_service = Recent(seconds=60.0)


@app.middleware("http")
async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Nothing but the page's own files runs in it, nobody else frames it, and no rows stay in a browser's cache."""
    response = await call_next(request)
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@app.exception_handler(WolkvoxError)
@app.exception_handler(AirflowNotFoundException)
async def say_what_is_wrong(request: Request, error: Exception) -> Response:
    """A sentence for the person at the page; what the driver said, with its hosts and users, stays in the log."""
    log.warning("The Wolkvox page can't be shown: %s", error)
    key = _problem(error)
    if _is_for_a_person(request):
        return _sentence(request, key, 503)
    detail = {"detail": str(error)} if key in ("setting", "empty") else {}
    return JSONResponse({"problem": dictionary("en")(f"problem.{key}"), "key": key, **detail}, 503)


def _problem(error: Exception) -> str:
    """The key, in the dictionary, of what is wrong."""
    if isinstance(error, (BadSetting, AirflowNotFoundException)):
        return "setting"
    if isinstance(error.__cause__, psycopg.errors.UndefinedTable):
        return "empty"
    return "slow" if isinstance(error, LedgerSlow) else "away"


@app.exception_handler(StarletteHTTPException)
async def answer_a_person(request: Request, error: StarletteHTTPException) -> Response:
    """Who opens the page without a login gets the login, and then the page; who may not read it, a sentence."""
    if _is_for_a_person(request):
        if error.status_code == 401:
            return RedirectResponse(login_path(request))
        if error.status_code == 403:
            return _sentence(request, "no_rights", 403)
    return await http_exception_handler(request, error)


def _is_for_a_person(request: Request) -> bool:
    """Whether a browser shows the answer as it is, rather than the page."""
    return "text/html" in request.headers.get("accept", "")


def _sentence(request: Request, key: str, status: int) -> HTMLResponse:
    """A page of one sentence in each language, the one that the browser asks for first."""
    accepted = request.headers.get("accept-language", "").lower()
    languages = sorted(LANGUAGES, key=lambda language: not accepted.startswith(language))
    said = "".join(f'<p lang="{one}">{escape(dictionary(one)(f"problem.{key}"))}</p>' for one in languages)
    head = '<meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Wolkvox</title>'
    text = f'<!doctype html><html lang="{languages[0]}"><head>{head}</head><body>{said}</body></html>'
    return HTMLResponse(text, status)


def full_ids(may_see: MaySeeIds, full: bool = False) -> bool:
    """Whether whole ids are asked for; refused to whoever may not see them."""
    if full:
        require_whole_ids(may_see=may_see)
    return full


FullIds = Annotated[bool, Depends(full_ids)]

Dialled = Literal["after", "before", "vendor", "lag", "late_row", "outage", "quota", "refused", "invalid"]
Day = Annotated[date | None, Query(ge=date(FIRST_YEAR, 1, 1), le=date(LAST_YEAR, 12, 31))]


def wanted(
    state: Annotated[list[State] | None, Query()] = None,
    type_campaign: Text = None,
    campaign_id: Text = None,
    reason: Text = None,
    run: Text = None,
    dag: Text = None,
    chunk: Annotated[int | None, Query(ge=1, le=100_000)] = None,
    dialled: Dialled | None = None,
) -> queries.Filter:
    """The records that the address asks for, of whatever days."""
    return queries.Filter(
        states=tuple(state or State),
        type_campaign=type_campaign,
        campaign_id=campaign_id,
        reason=reason,
        run=run,
        dag=dag,
        chunk=chunk,
        dialled=dialled,
    )


def days(since: Day = None, until: Day = None) -> Days:
    """The days that the address asks for."""
    return Days(since, until)


Wanted = Annotated[queries.Filter, Depends(wanted)]
Chosen = Annotated[Days, Depends(days)]


@app.get("/")
def page() -> HTMLResponse:
    """The page itself, without figures."""
    return HTMLResponse(PAGE, headers=OF_THE_PAGE)


@app.get("/static/{version}/{name}")
def static(version: str, name: str) -> FileResponse:
    """One of the page's files; one of another release is not kept, for what it is here it isn't there."""
    if name not in files.FILES:
        raise HTTPException(404)
    headers = OF_ITS_FILES if version == files.VERSION else OF_THE_PAGE
    return FileResponse(files.FILES[name], headers=headers)


@app.get("/overview")
async def read_overview(
    chosen: Chosen, viewed: Viewed, names: Names, may_see: MaySeeIds, may_edit: MayEdit, tab: Text = None
) -> dict[str, Any]:
    """Every figure of the first screen, or that a DAG has none; ``tab`` names the DAG on whose tab it is."""
    if viewed.foreign:
        return {"foreign": viewed.foreign}
    read = partial(first_screen, chosen, tab, of=viewed.of)
    figures = await _recent.get((viewed.of, tab, chosen), lambda: in_turn(read))
    slots = await in_turn(partial(readable_slots, figures["slots"], viewed.user))
    return {**figures, "slots": slots, **names, "may_see_ids": may_see, "may_edit": may_edit}


@app.get("/service")
async def read_service(chosen: Chosen, viewed: Viewed) -> dict[str, Any]:
    """How many contacts came within the target on the chosen days (none: today), by campaign and by channel."""
    read = partial(service_level, chosen, of=viewed.of)
    return await _service.get((viewed.of, chosen), lambda: in_turn(read))


@app.get("/setup")
async def read_setup(viewed: Viewed, may_connect: MayConnect) -> dict[str, Any]:
    """What of the first steps is done."""
    return {"steps": await in_turn(partial(first_steps, viewed.of)), "may_connect": may_connect}


@app.get("/runs")
async def read_runs(
    chosen: Chosen, viewed: Viewed, names: Names, dag: Text = None, before: datetime | None = None
) -> dict[str, Any]:
    """Runs, the newest first, and where the next ones begin."""
    return {**await in_turn(partial(some_runs, chosen, dag, before, viewed.of)), **names}


@app.get("/rows")
async def read_rows(
    request: Request,
    viewed: Viewed,
    names: Names,
    may_see: MaySeeIds,
    wanted: Wanted,
    chosen: Chosen,
    full: FullIds,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> dict[str, Any]:
    """The latest records that fit, and where the next ones begin."""
    if full:
        await _note_ids(viewed, _filter(request))
    page_of_rows = await in_turn(partial(some_rows, wanted, chosen, full, before, viewed.of))
    return {**page_of_rows, **names, "may_see_ids": may_see}


Language = Literal["en", "es"]


@app.get("/rows.csv")
async def download_csv(
    request: Request, viewed: Viewed, wanted: Wanted, chosen: Chosen, full: FullIds, language: Language | None = None
) -> StreamingResponse:
    """The same records as a file for a person in their language; without a language, for a program."""
    if full:
        await _note_ids(viewed, {**_filter(request), "as": "csv"})
    read = partial(records_file, wanted, chosen, unmasked=full, language=language, write=write_csv, of=viewed.of)
    return attachment(await in_turn(read, request.is_disconnected), "wolkvox.csv", "text/csv; charset=utf-8")


@app.get("/rows.xlsx")
async def download_xlsx(
    request: Request, viewed: Viewed, wanted: Wanted, chosen: Chosen, full: FullIds, language: Language = "en"
) -> StreamingResponse:
    """The same records as a workbook in a language."""
    if full:
        await _note_ids(viewed, {**_filter(request), "as": "xlsx"})
    read = partial(records_file, wanted, chosen, unmasked=full, language=language, write=write_xlsx, of=viewed.of)
    return attachment(await in_turn(read, request.is_disconnected), "wolkvox.xlsx", XLSX)


@app.get("/report.pdf")
async def download_report(
    request: Request, viewed: Viewed, chosen: Chosen, language: Language = "en"
) -> StreamingResponse:
    """The report of the chosen days, of yesterday where none are chosen, as a file to read."""
    content = await in_turn(partial(report_file, chosen, language, viewed.of), request.is_disconnected)
    if content is None:
        raise HTTPException(404, "A report has days among the last 30 only.")
    return attachment(content, "wolkvox-report.pdf", "application/pdf")


async def _note_ids(viewed: Viewed, of: dict[str, Any]) -> None:
    await in_turn(partial(note, viewed.user, "wolkvox_whole_ids", of, dag_id=viewed.of.dag_id))


def _filter(request: Request) -> dict[str, Any]:
    """What an address asks for, for the audit log: it never holds a customer's id."""
    return {name: request.query_params.getlist(name) for name in request.query_params}


app.include_router(customers.router)
