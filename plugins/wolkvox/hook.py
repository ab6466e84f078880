"""HTTP to the wolkvox Manager API: one kept-alive connection, one request per record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import requests
from airflow.providers.http.hooks.http import HttpHook
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from wolkvox import __version__
from wolkvox.errors import BadSetting, BadToken, GatewayGaveUp, QuotaUsedUp, WolkvoxError, WrongEndpoint
from wolkvox.provider import HIDDEN, LABELS, PLACEHOLDERS
from wolkvox.rules.answers import Answer, Kind, classify, read_document
from wolkvox.rules.exports import Exported, ExportHeader
from wolkvox.vendor.exchange import broken, use_plain_exchange
from wolkvox.vendor.exports import Limited, read_export
from wolkvox.vendor.settings import TIMEZONE, Settings, read_settings

if TYPE_CHECKING:
    from types import TracebackType

    from airflow.sdk import Connection

    from wolkvox.rules.records import Record

CONNECT_TIMEOUT = 5.0  # seconds
_START = 4_096  # bytes of an answer that is no export, to tell why
USER_AGENT = f"wolkvox-codify/{__version__}"  # firewalls answer 403 to whoever has no name
_COUNT = re.compile(r"\s*-?[0-9]{1,9}\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """The vendor's own count of today's calls: the operation's limit, its use, and what is left."""

    limit: int | None
    used: int | None
    left: int | None


class WolkvoxHook(HttpHook):
    """
    Talk to the wolkvox Manager API.

    A hook keeps one connection open for its life; close it, or use it as a context manager. The session, with
    proxies, certificates and verification, is HttpHook's; records go straight through the connection pool
    underneath it, which costs half the processor time of a requests call.

    :param wolkvox_conn_id: connection with the address (``https://wv0041.wolkvox.com``) as host and the token as
        password. Extra: ``wolkvox_server``, ``licenses``, ``quota_timezone`` (America/Bogota), ``quota_reserve``
        (0 requests), ``call_timeout`` (65 seconds), ``preflight`` (true: ask for the token's use at the start of a
        run; "codes": check the disposition codes as well; false: neither), ``verify``, ``proxies``, ``cert``
    :param operation: name under which the ledger keeps the records; None: the server's
    :param timezone: the operation's, in which exports are written where the connection names no other one
    """

    conn_name_attr = "wolkvox_conn_id"
    default_conn_name = "wolkvox_default"
    conn_type = "wolkvox"
    hook_name = "Wolkvox"

    def __init__(
        self, wolkvox_conn_id: str = default_conn_name, operation: str | None = None, timezone: str = TIMEZONE
    ) -> None:
        super().__init__(method="PUT", http_conn_id=wolkvox_conn_id)
        self.wolkvox_conn_id = wolkvox_conn_id
        self.operation = operation
        self.timezone = timezone

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Labels of the connection form, where Airflow asks the hook for them and not the provider."""
        return {"hidden_fields": HIDDEN, "relabeling": LABELS, "placeholders": PLACEHOLDERS}

    @cached_property
    def settings(self) -> Settings:
        """The connection's settings, checked.

        :raises BadSetting: when one is missing or can't be used, saying which
        """
        return read_settings(self.get_connection(self.wolkvox_conn_id), self.operation, self.timezone)

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """A session as HttpHook makes it, with the token in its headers and none of our settings."""
        session = super().get_conn(None, extra_options)
        way = self.settings.way
        session.proxies, session.verify, session.cert = dict(way.proxies), way.verify, way.cert
        session.headers = requests.structures.CaseInsensitiveDict(
            {
                "wolkvox-token": self.settings.token,
                "wolkvox_server": self.settings.server,
                "Content-Type": "application/json",
                "Accept": "application/json",
                "User-Agent": USER_AGENT,
                **(headers or {}),
            }
        )
        session.auth = None
        return session

    def _set_base_url(self, connection: Connection) -> None:
        self.base_url = self.settings.base_url
        self._base_url_initialized = True

    @cached_property
    def _session(self) -> requests.Session:
        return self.get_conn()

    @cached_property
    def _pool(self) -> HTTPConnectionPool:
        """The connection pool that requests itself would use for this address."""
        session = self._session
        request = session.prepare_request(requests.Request("GET", self.settings.base_url))
        # The session's own values first: left out, the environment's bundle would win over them.
        options = session.merge_environment_settings(
            request.url, session.proxies, session.stream, session.verify, session.cert
        )
        adapter = session.get_adapter(self.settings.base_url)
        assert isinstance(adapter, HTTPAdapter)
        try:
            pool = cast(
                "HTTPConnectionPool",
                adapter.get_connection_with_tls_context(
                    request, options["verify"], proxies=options["proxies"], cert=options["cert"]
                ),
            )
            adapter.cert_verify(  # type: ignore[no-untyped-call]
                pool, self.settings.base_url, options["verify"], options["cert"]
            )
        except OSError as error:
            raise BadSetting(f"verify, cert or proxies of connection {self.wolkvox_conn_id!r}: {error}.") from error
        use_plain_exchange(pool)
        self._path = adapter.request_url(request, options["proxies"]).rstrip("/")
        self._headers = dict(request.headers)
        self._timeout = Timeout(connect=CONNECT_TIMEOUT, total=self.settings.call_timeout)
        return pool

    def prepare(self) -> None:
        """
        Look at what a request needs, before a record is claimed for one.

        :raises BadSetting: when TLS files or proxies can't be used
        """
        self._pool  # noqa: B018 - made once, of the connection

    def codify(self, record: Record) -> Answer:
        """Send one record; whatever happens, it comes back as an answer."""
        query = {"api": "codify", "type_campaign": record.type_campaign, "campaign_id": record.campaign_id}
        body = {"cod_act": record.cod_act, "comment": record.comment or "", "customer_id": record.customer_id}
        if record.cod_act_2 is not None:
            body["cod_act_2"] = record.cod_act_2
        return self._call("PUT", "campaign.php", query, json.dumps(body).encode())[0]

    def token_info(self) -> TokenInfo:
        """Today's requests as the vendor counts them. Costs one request.

        :raises BadToken, WrongEndpoint, QuotaUsedUp, GatewayGaveUp, WolkvoxError: as the vendor answers
        """
        rows = self._read("token_info")
        row = rows[0] if rows else {}
        limit, used = _number(row.get("token_limit")), _number(row.get("all_token_today"))
        options = _number(row.get("available_consumption_options"))
        counted = limit - used if limit is not None and used is not None else None
        known = [left for left in (options, counted) if left is not None]
        return TokenInfo(limit, used, max(0, min(known)) if known else None)

    def activity_codes(self) -> frozenset[str]:
        """The disposition codes of the operation. Costs one request; errors as ``token_info``."""
        return frozenset(str(row["cod_act"]) for row in self._read("activity_codes") if row.get("cod_act"))

    def campaigns(self) -> list[dict[str, Any]]:
        """The operation's campaigns as wolkvox lists them. Costs one request; errors as ``token_info``."""
        return self._read("campaigns")

    @contextmanager
    def export(self, campaign_id: str, head: ExportHeader) -> Iterator[Iterator[Exported]]:
        """
        A campaign's customers with their codes, as a stream; ``head`` is filled in meanwhile. Costs one request.

        :raises QuotaUsedUp, GatewayGaveUp, WolkvoxError: there is none, or it can't be read to its end
        """
        query = {"api": "campaign_15", "campaign_id": campaign_id}
        limits = (CONNECT_TIMEOUT, self.settings.call_timeout)
        session = self.get_conn()
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter())  # the hook's own is for whole answers
        try:
            response = session.get(
                f"{self.settings.base_url}/api/v2/campaign.php?{urlencode(query)}",
                stream=True,
                allow_redirects=False,
                timeout=limits,
            )
            if response.status_code != requests.codes.ok:
                start = response.raw.read(_START, decode_content=True)
                answer = classify(response.status_code, response.headers, start, datetime.now(timezone.utc))
                raise _untold("export", answer, self.settings.base_url)
            source, zone = Limited(response.raw, self.settings.call_timeout), ZoneInfo(self.settings.export_timezone)
            yield read_export(source, head, zone)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise WolkvoxError(f"The export was not received ({type(error).__name__}).") from None
        finally:
            session.close()

    def test_connection(self) -> tuple[bool, str]:
        """Ask for the token's use: one request. Tells the person at the form what is wrong, never the token."""
        try:
            info = self.token_info()
        except WolkvoxError as error:
            return False, str(error)
        finally:
            self.close()
        return True, f"wolkvox answers; requests left today: {'not known' if info.left is None else info.left}"

    def close(self) -> None:
        """Close the connection."""
        if "_session" in self.__dict__:
            self._session.close()

    def __enter__(self) -> WolkvoxHook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, api: str) -> list[dict[str, Any]]:
        """
        The ``data`` rows of an information request.

        It concerns no record, so what blocks it is no firewall that dislikes one: a redirect or a 405 shows a wrong
        address, a 401 a wrong token.
        """
        answer, body = self._call("GET", "information.php", {"api": api}, None)
        if answer.kind is Kind.BAD_TOKEN or answer.code == "401":
            raise BadToken(
                f"wolkvox refused the token of connection {self.wolkvox_conn_id!r} (code {answer.code}):"
                " put a valid one into its password."
            )
        if answer.kind is Kind.WRONG_ENDPOINT or answer.code == "405" or (answer.code or "").startswith("3"):
            raise WrongEndpoint(
                f"{self.settings.base_url} isn't a wolkvox API (code {answer.code}): correct the host of"
                f" connection {self.wolkvox_conn_id!r}."
            )
        document = read_document(body) if answer.kind is Kind.CODED else None
        data = (document or {}).get("data")
        if not isinstance(data, list):
            raise _untold(api, answer, self.settings.base_url)
        return [row for row in data if isinstance(row, dict)]

    def _call(self, method: str, page: str, query: dict[str, str], body: bytes | None) -> tuple[Answer, bytes]:
        """One request on the kept connection: never redirected, never repeated."""
        pool = self._pool
        try:
            response = pool.urlopen(
                method,
                f"{self._path}/api/v2/{page}?{urlencode(query)}",
                body=body,
                headers=self._headers,
                retries=False,
                redirect=False,
                assert_same_host=False,  # through a proxy the path is the whole address
                timeout=self._timeout,
            )
        except HTTPError as error:
            return broken(error), b""
        return classify(response.status, response.headers, response.data, datetime.now(timezone.utc)), response.data


def _untold(what: str, answer: Answer, where: str) -> WolkvoxError:
    """Why wolkvox didn't tell, by what follows from it."""
    said = f"wolkvox gave no {what} ({answer.reason or 'unreadable'}, code {answer.code}) at {where}"
    if answer.kind is Kind.QUOTA:
        return QuotaUsedUp(f"{said}: the day's requests are used up.")
    if answer.still_in_flight:
        return GatewayGaveUp(f"{said}: something on the way gave up waiting for it.")
    return WolkvoxError(f"{said}.")


def _number(value: object) -> int | None:
    """The vendor gives numbers as strings; None for what is none, or none the ledger could hold."""
    return int(str(value)) if _COUNT.fullmatch(str(value)) else None
