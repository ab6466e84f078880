"""The requests of the wolkvox Manager API, and what their answers say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import requests
from urllib3.exceptions import HTTPError

from wolkvox.errors import BadToken, GatewayGaveUp, QuotaUsedUp, WolkvoxError, WrongEndpoint
from wolkvox.rules.answers import Answer, Kind, classify, read_document
from wolkvox.rules.exports import Exported, ExportHeader
from wolkvox.vendor.exports import Limited, read_export
from wolkvox.vendor.session import CONNECT_TIMEOUT, KeptConnection, new_session
from wolkvox.vendor.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

    from wolkvox.rules.records import Record

_START = 4_096  # bytes of an answer that is no export, to say why
_COUNT = re.compile(r"\s*-?[0-9]{1,9}\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """The vendor's own count of today's requests: the operation's limit, its use, and how many are left."""

    limit: int | None
    used: int | None
    left: int | None


class WolkvoxApi:
    """
    The wolkvox Manager API on one kept connection; close it, or use it as a context manager.

    :param settings: the connection's
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._connection = KeptConnection(settings)

    def prepare(self) -> None:
        """
        Refuse settings by which no request can be sent, before a record is claimed for one.

        :raises BadSetting: when TLS files or proxies can't be used
        """
        self._connection.prepare()

    def codify(self, record: Record) -> Answer:
        """Send one record; whatever happens, it comes back as an answer."""
        query = {"api": "codify", "type_campaign": record.type_campaign, "campaign_id": record.campaign_id}
        body = {"cod_act": record.cod_act, "comment": record.comment or "", "customer_id": record.customer_id}
        if record.cod_act_2 is not None:
            body["cod_act_2"] = record.cod_act_2
        return self._connection.request("PUT", "campaign.php", query, json.dumps(body).encode())[0]

    def token_info(self) -> TokenInfo:
        """Today's requests as the vendor counts them. Costs one request.

        :raises BadToken, WrongEndpoint, QuotaUsedUp, GatewayGaveUp, WolkvoxError: as the vendor answers
        """
        rows = self._information("token_info")
        row = rows[0] if rows else {}
        limit, used = _number(row.get("token_limit")), _number(row.get("all_token_today"))
        options = _number(row.get("available_consumption_options"))
        difference = limit - used if limit is not None and used is not None else None
        given = [left for left in (options, difference) if left is not None]
        return TokenInfo(limit, used, max(0, min(given)) if given else None)

    def activity_codes(self) -> frozenset[str]:
        """The disposition codes of the operation. Costs one request; errors as ``token_info``."""
        return frozenset(str(row["cod_act"]) for row in self._information("activity_codes") if row.get("cod_act"))

    def campaigns(self) -> list[dict[str, Any]]:
        """The operation's campaigns as wolkvox lists them. Costs one request; errors as ``token_info``."""
        return self._information("campaigns")

    @contextmanager
    def export(self, campaign_id: str, head: ExportHeader) -> Iterator[Iterator[Exported]]:
        """
        A campaign's customers with their codes, as a stream; ``head`` is filled in meanwhile. Costs one request.

        :raises QuotaUsedUp, GatewayGaveUp, WolkvoxError: there is none, or it can't be read to its end
        """
        query = {"api": "campaign_15", "campaign_id": campaign_id}
        limit, zone = self.settings.call_timeout, ZoneInfo(self.settings.export_timezone)
        try:
            with new_session(self.settings) as session:
                response = session.get(
                    f"{self.settings.base_url}/api/v2/campaign.php?{urlencode(query)}",
                    stream=True,
                    allow_redirects=False,
                    timeout=(CONNECT_TIMEOUT, limit),
                )
                if response.status_code != requests.codes.ok:
                    start = response.raw.read(_START, decode_content=True)
                    answer = classify(response.status_code, response.headers, start, datetime.now(timezone.utc))
                    raise _no_data("export", answer, self.settings.base_url)
                yield read_export(Limited(response.raw, limit), head, zone)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise WolkvoxError(f"The export was not received ({type(error).__name__}).") from None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> WolkvoxApi:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _information(self, api: str) -> list[dict[str, Any]]:
        """
        The ``data`` rows of an information request.

        It concerns no record, so what blocks it is no firewall that dislikes one: a redirect or a 405 shows a wrong
        address, a 401 a wrong token.
        """
        answer, body = self._connection.request("GET", "information.php", {"api": api}, None)
        if answer.kind is Kind.BAD_TOKEN or answer.code == "401":
            raise BadToken(
                f"wolkvox refused the token of connection {self.settings.conn_id!r} (code {answer.code}):"
                " put a valid one into its password."
            )
        if answer.kind is Kind.WRONG_ENDPOINT or answer.code == "405" or (answer.code or "").startswith("3"):
            raise WrongEndpoint(
                f"{self.settings.base_url} isn't a wolkvox API (code {answer.code}): correct the host of"
                f" connection {self.settings.conn_id!r}."
            )
        document = read_document(body) if answer.kind is Kind.CODED else None
        data = (document or {}).get("data")
        if not isinstance(data, list):
            raise _no_data(api, answer, self.settings.base_url)
        return [row for row in data if isinstance(row, dict)]


def _no_data(api: str, answer: Answer, address: str) -> WolkvoxError:
    """The error for an answer without data, by what follows from it."""
    message = f"wolkvox gave no {api} ({answer.reason or 'unreadable'}, code {answer.code}) at {address}"
    if answer.kind is Kind.QUOTA:
        return QuotaUsedUp(f"{message}: the day's requests are used up.")
    if answer.still_in_flight:
        return GatewayGaveUp(f"{message}: something on the way gave up waiting for it.")
    return WolkvoxError(f"{message}.")


def _number(value: object) -> int | None:
    """The vendor gives numbers as strings; None for what is none, or none the ledger could hold."""
    return int(str(value)) if _COUNT.fullmatch(str(value)) else None
