"""The connection to the address of a wolkvox connection: its session, and the one that requests are sent on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import NamedTuple, cast
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from wolkvox import __version__
from wolkvox.errors import BadSetting
from wolkvox.rules.answers import Answer, classify
from wolkvox.vendor.exchange import broken, use_plain_exchange
from wolkvox.vendor.settings import Settings

CONNECT_TIMEOUT = 5.0  # seconds
USER_AGENT = f"wolkvox-codify/{__version__}"  # firewalls answer 403 to whoever has no name


def configure(session: requests.Session, settings: Settings, headers: Mapping[str, str] | None = None) -> None:
    """Give a session the connection's token, proxies and certificates; ``headers`` come on top."""
    way = settings.way
    session.proxies, session.verify, session.cert = dict(way.proxies), way.verify, way.cert
    session.headers = CaseInsensitiveDict(
        {
            "wolkvox-token": settings.token,
            "wolkvox_server": settings.server,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            **(headers or {}),
        }
    )
    session.auth = None


def new_session(settings: Settings) -> requests.Session:
    """A session of its own, configured."""
    session = requests.Session()
    configure(session, settings)
    return session


class KeptConnection:
    """
    One connection that is kept open, for one request after the other.

    Requests go straight through the connection pool that ``requests`` would use, which costs half the processor time.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def prepare(self) -> None:
        """
        Make what a request needs, before a record is claimed for one.

        :raises BadSetting: when TLS files or proxies can't be used
        """
        self._route  # noqa: B018 - made once

    def request(self, method: str, page: str, query: Mapping[str, str], body: bytes | None) -> tuple[Answer, bytes]:
        """One request, never redirected, never repeated; its answer and the body of that."""
        route = self._route
        try:
            response = route.pool.urlopen(
                method,
                f"{route.path}/api/v2/{page}?{urlencode(query)}",
                body=body,
                headers=route.headers,
                retries=False,
                redirect=False,
                assert_same_host=False,  # through a proxy the path is the whole address
                timeout=route.timeout,
            )
        except HTTPError as error:
            return broken(error), b""
        return classify(response.status, response.headers, response.data, datetime.now(timezone.utc)), response.data

    def close(self) -> None:
        """Close the connection for good."""
        if "_session" in self.__dict__:
            self._session.close()

    @cached_property
    def _session(self) -> requests.Session:
        return new_session(self._settings)

    @cached_property
    def _route(self) -> _Route:
        settings, session = self._settings, self._session
        request = session.prepare_request(requests.Request("GET", settings.base_url))
        # The session's own values first: left out, the environment's bundle would win over them.
        options = session.merge_environment_settings(
            request.url, session.proxies, session.stream, session.verify, session.cert
        )
        adapter = session.get_adapter(settings.base_url)
        assert isinstance(adapter, HTTPAdapter)
        try:
            pool = cast(
                "HTTPConnectionPool",
                adapter.get_connection_with_tls_context(
                    request, options["verify"], proxies=options["proxies"], cert=options["cert"]
                ),
            )
            adapter.cert_verify(  # type: ignore[no-untyped-call]
                pool, settings.base_url, options["verify"], options["cert"]
            )
        except OSError as error:
            raise BadSetting(f"verify, cert or proxies of connection {settings.conn_id!r}: {error}.") from error
        use_plain_exchange(pool)
        path = adapter.request_url(request, options["proxies"]).rstrip("/")
        timeout = Timeout(connect=CONNECT_TIMEOUT, total=settings.call_timeout)
        return _Route(pool, path, dict(request.headers), timeout)


class _Route(NamedTuple):
    """What each request needs: the pool, the beginning of its path, its headers and time-outs."""

    pool: HTTPConnectionPool
    path: str
    headers: dict[str, str]
    timeout: Timeout
