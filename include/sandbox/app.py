"""The sandbox over HTTP: the vendor's two pages, and some for its user: ``/stats``, ``/control``, ``/dial`` …"""

import asyncio
import html
import json
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from sandbox.answers import (
    CONNECTION_DROPPED,
    INVALID_CODE,
    NO_SUCH_API,
    NOT_FOUND,
    PARAMETERS_REQUIRED,
    QUOTA_USED_UP,
    TOKEN_MISSING,
    TOKEN_WRONG,
    TOO_MANY_AT_ONCE,
    Answer,
    Delivery,
    coded,
    json_answer,
)
from sandbox.state import Record, Sandbox, Settings, Stats

CAMPAIGN = "/api/v2/campaign.php"
INFORMATION = "/api/v2/information.php"
CODIFY = (CAMPAIGN, "PUT", "codify")
TOKEN_INFO = (INFORMATION, "GET", "token_info")
ACTIVITY_CODES = (INFORMATION, "GET", "activity_codes")
CAMPAIGNS = (INFORMATION, "GET", "campaigns")
EXPORT = (CAMPAIGN, "GET", "campaign_15")
TYPES_OF_CAMPAIGN = ("preview", "predictive")
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 s: the peer sees a reset, not an orderly end
RECORDS_SHOWN = 20


class Api:
    """
    The vendor's pages as one ASGI endpoint.

    A request is in flight from its receipt until its handling ends, even when its client has gone, as with a
    PHP back end; it has left before its answer does, so that a client which waits for answers never overlaps.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        received_at = asyncio.get_running_loop().time()
        request = Request(scope, receive)
        self.sandbox.connected(scope["client"])
        refused = self._refuse_token(request.headers.get("wolkvox-token"))
        if refused:
            self.sandbox.unauthorised()
            answer = refused
        else:
            answer = await self._count(request, received_at)
        await _deliver(answer, scope, receive, send)

    def _refuse_token(self, token: str | None) -> Answer | None:
        if not token:
            return TOKEN_MISSING
        return None if token == self.sandbox.token else TOKEN_WRONG

    async def _count(self, request: Request, received_at: float) -> Answer:
        answer = CONNECTION_DROPPED
        admitted = self.sandbox.enter()
        try:
            answer = await self._handle(request, received_at, admitted)
        except ClientDisconnect:
            pass  # gone before its request was whole: nothing to do, nobody to answer
        finally:
            self.sandbox.leave(admitted=admitted, label=answer.label)
        return answer

    async def _handle(self, request: Request, received_at: float, admitted: bool) -> Answer:
        asked = _read(request, await request.body())
        within_quota = self.sandbox.spend()
        if asked.api == CODIFY:
            self.sandbox.count_codify(asked.record)
        if not admitted:
            return TOO_MANY_AT_ONCE
        if not within_quota:
            return QUOTA_USED_UP
        return await self._take_time(self._decide(asked), asked, received_at)

    def _decide(self, asked: "_Asked") -> Answer:
        if asked.api == CODIFY:
            return self._codify(asked.record, asked.cod_act)
        if asked.api == TOKEN_INFO:
            return json_answer("0", status=200, error="", msg="", data=[self.sandbox.token_info()])
        if asked.api == ACTIVITY_CODES:
            return self._activity_codes()
        if asked.api == CAMPAIGNS:
            return self._campaigns()
        if asked.api == EXPORT:
            return self._export(asked.campaign_id)
        return NO_SUCH_API

    def _codify(self, record: Record | None, cod_act: str) -> Answer:
        if record is None:
            return PARAMETERS_REQUIRED
        fault = self.sandbox.next_fault(record.customer_id)
        if fault:
            return fault.answer(record.customer_id)
        codes = self.sandbox.settings.activity_codes
        if codes is not None and cod_act not in codes:
            return INVALID_CODE
        campaigns = self.sandbox.settings.campaigns
        if campaigns is not None and campaigns.get(record.campaign_id) != record.type_campaign:
            return NOT_FOUND
        members = self.sandbox.settings.members
        if record.customer_id not in members.get(record.campaign_id, [record.customer_id]):
            return NOT_FOUND
        if record.customer_id in self.sandbox.settings.unknown_customers:
            return NOT_FOUND
        return coded(record.customer_id)

    def _activity_codes(self) -> Answer:
        codes = self.sandbox.settings.activity_codes
        if codes is None:
            return NOT_FOUND
        data = [{"cod_act": code, "description_cod_act": code} for code in codes]
        return json_answer("0", status=200, error="", msg="", data=data)

    def _campaigns(self) -> Answer:
        campaigns = self.sandbox.settings.campaigns
        if campaigns is None:
            return NOT_FOUND
        data = [
            {"campaign_id": number, "campaign_name": f"Campaign {number}", "type_campaign": kind, "status": "Started"}
            for number, kind in campaigns.items()
        ]
        return json_answer("0", status=200, error="", msg="", data=data)

    def _export(self, campaign_id: str) -> Answer:
        records = [
            {
                "id_cliente": one.customer_id,
                "cod_rslt1": one.cod_act,
                "cod_rslt2": one.cod_act_2,
                "resultado": one.result,
                "fecha": one.date,
                "llamadas": str(one.calls),
            }
            for one in self.sandbox.exported(campaign_id)
        ]
        if not records:
            return NOT_FOUND
        head = {"code": "200", "total_records": str(len(records)), "campaign_id": campaign_id}
        return Answer("200", body=json.dumps({**head, "records": records}).encode())

    async def _take_time(self, answer: Answer, asked: "_Asked", received_at: float) -> Answer:
        settings = self.sandbox.settings
        seconds = settings.latency if answer.seconds is None else answer.seconds
        done_at = received_at + min(seconds, settings.request_limit)
        await asyncio.sleep(done_at - asyncio.get_running_loop().time())
        if seconds > settings.request_limit:
            return CONNECTION_DROPPED
        if answer.effect and asked.record:
            self.sandbox.code(asked.record, asked.cod_act, asked.cod_act_2)
        return answer


class _Asked(NamedTuple):
    api: tuple[str, str, str]
    record: Record | None
    cod_act: str
    cod_act_2: str
    campaign_id: str


def _read(request: Request, body: bytes) -> _Asked:
    query = request.query_params
    api = (request.scope["path"], request.method, query.get("api", ""))
    fields = _fields(body) if api == CODIFY else {}
    codes = fields.get("cod_act", ""), fields.get("cod_act_2", "")
    return _Asked(api, _record(query, fields), *codes, query.get("campaign_id", ""))


def _fields(body: bytes) -> dict[str, str]:
    """The JSON object of strings in a codify body; empty when it is anything else."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        return {}
    return fields


def _record(query: Mapping[str, str], fields: Mapping[str, str]) -> Record | None:
    """The record of a codify request; None when a required parameter is missing or not as documented."""
    type_campaign, campaign_id = query.get("type_campaign", ""), query.get("campaign_id", "")
    if type_campaign not in TYPES_OF_CAMPAIGN or not (campaign_id.isascii() and campaign_id.isdigit()):
        return None
    if not fields.get("cod_act") or not fields.get("customer_id") or "comment" not in fields:
        return None
    return Record(type_campaign, campaign_id, fields["customer_id"])


async def _deliver(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    if answer.delivery is Delivery.WHOLE:
        headers = dict(answer.headers)
        response = Response(answer.body, answer.status, headers=headers, media_type=answer.content_type)
        await response(scope, receive, send)
        return
    transport = _transport(send)
    if answer.delivery is Delivery.TRUNCATED:
        length = str(len(answer.body)).encode()
        headers_sent = [(b"content-type", answer.content_type.encode()), (b"content-length", length)]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers_sent})
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        transport.close()
    elif not transport.is_closing():
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass  # an endpoint that returned earlier would be answered for by uvicorn


def _transport(send: Send) -> asyncio.Transport:
    """The connection an answer goes to: uvicorn's ``send`` is a method of the cycle that holds it."""
    cycle: Any = getattr(send, "__self__")  # noqa: B009 - no ASGI type has it
    transport: asyncio.Transport = cycle.transport
    return transport


class Desk:
    """What the user of the sandbox sees and sets; no token needed, none of it counted."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def stats(self, request: Request) -> Response:
        """What was seen: JSON, or a small page for a browser."""
        stats = self.sandbox.stats()
        if "text/html" in request.headers.get("accept", ""):
            return Response(_page(stats).encode(errors="replace"), media_type="text/html")
        return Response(json.dumps(stats), media_type="application/json")

    async def control(self, request: Request) -> Response:
        """Change settings; 400 with the reason, and nothing changed, when one is not understood."""
        try:
            change = json.loads(await request.body())
            if not isinstance(change, dict):
                raise ValueError("expected a JSON object of settings")
            self.sandbox.control(change)
        except (ValueError, TypeError) as error:
            return Response(f"{error}\n", 400, media_type="text/plain")
        return Response(status_code=204)

    async def dial(self, request: Request) -> Response:
        """The dialler makes so many calls in a campaign; 400 without a campaign or a number."""
        try:
            asked = json.loads(await request.body())
            self.sandbox.dial(str(asked["campaign_id"]), int(asked["calls"]))
        except (ValueError, TypeError, KeyError) as error:
            return Response(f"expected campaign_id and calls: {error}\n", 400, media_type="text/plain")
        return Response(status_code=204)

    async def truth(self, request: Request) -> Response:
        """What the dialler did, and which codes it got."""
        return Response(json.dumps(self.sandbox.truth()), media_type="application/json")

    async def reset(self, request: Request) -> Response:
        """Start over."""
        self.sandbox.reset()
        return Response(status_code=204)


def _page(stats: Stats) -> str:
    figures = {name: value for name, value in stats.items() if not isinstance(value, dict)}
    statuses = dict(sorted(stats["calls_by_status"].items()))
    often = sorted(stats["calls_per_record"].items(), key=lambda record: -record[1])[:RECORDS_SHOWN]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>wolkvox sandbox</title>'
        "<h1>wolkvox sandbox</h1>"
        + _table("What it saw", figures)
        + _table("Requests by status", statuses)
        + _table(f"Records with the most requests (at most {RECORDS_SHOWN})", dict(often))
    )


def _table(caption: str, rows: Mapping[str, object]) -> str:
    cells = "".join(
        f'<tr><th scope="row" align="left">{html.escape(name)}</th><td align="right">{value}</td></tr>'
        for name, value in rows.items()
    )
    return f"<table><caption>{caption}</caption>{cells}</table>"


def create_app(environment: Mapping[str, str]) -> Router:
    """
    The sandbox as the environment sets it: SANDBOX_TOKEN, SANDBOX_LICENSES, SANDBOX_LATENCY (seconds).

    A bare router, without Starlette's middleware: it saves a function call, and hands uvicorn's own ``send`` on.
    """
    token = environment.get("SANDBOX_TOKEN")
    if not token:
        raise RuntimeError("SANDBOX_TOKEN must be set to the token that the sandbox accepts")
    settings = Settings(
        latency=float(environment.get("SANDBOX_LATENCY", Settings.latency)),
        licenses=int(environment.get("SANDBOX_LICENSES", Settings.licenses)),
    )
    sandbox = Sandbox(token, settings)
    api, desk = Api(sandbox), Desk(sandbox)
    return Router(
        [
            Route(CAMPAIGN, api),
            Route(INFORMATION, api),
            Route("/stats", desk.stats),
            Route("/control", desk.control, methods=["PUT"]),
            Route("/reset", desk.reset, methods=["POST"]),
            Route("/dial", desk.dial, methods=["POST"]),
            Route("/truth", desk.truth),
        ]
    )


app = create_app(os.environ)
