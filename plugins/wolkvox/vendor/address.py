"""The address that a connection names, and the wolkvox server behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wolkvox.errors import BadSetting
from wolkvox.vendor.extras import Extra

if TYPE_CHECKING:
    from airflow.sdk import Connection

_SERVER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,30}")
_SERVER_HOST = re.compile(r"wv([0-9A-Za-z-]+)\.wolkvox\.com", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?P<site>https?://(?P<host>[0-9a-z._-]+|\[[0-9a-f:.]+\]))(:(?P<port>[0-9]{1,5}))?(?P<path>/[0-9a-z._~/-]*)?",
    re.IGNORECASE,
)
_HIGHEST_PORT = 65_535
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def read_address(connection: Connection, extra: Extra) -> tuple[str, str]:
    """
    Return the address without a trailing slash, and the server's name: that of the extra field, else the host's own.

    :raises BadSetting: naming the field and what it should be
    """
    server = _server(extra)
    base_url = _base_url(connection, server)
    parts = urlsplit(base_url)
    match = _SERVER_HOST.fullmatch(parts.hostname or "")
    if server and match and match[1].lower() != server.lower():
        raise BadSetting(
            f"Connection {extra.conn_id!r} contradicts itself: its host is server {match[1]}, its wolkvox_server"
            f" {server}. Leave one of them out, or make them the same: the ledger keeps each operation's records by it."
        )
    return base_url, server or (match[1] if match else parts.netloc)


def _server(extra: Extra) -> str:
    """The server's short name in the extra field; empty when there is none."""
    if isinstance(extra.values.get("wolkvox_server"), (int, float)):
        raise extra.bad(
            "wolkvox_server",
            'arrived as a number, which has lost its leading zeros: write it in quotes, as in "0041".',
        )
    server = extra.text("wolkvox_server")
    if server and not _SERVER.fullmatch(server):
        raise extra.bad("wolkvox_server", "must be the server's short name, letters and digits as in 0041.")
    return server


def _base_url(connection: Connection, server: str) -> str:
    """The address without a trailing slash."""
    address = _ADDRESS.fullmatch(_host(connection, server))
    port = int((address and address["port"]) or connection.port or 0)
    if address is None or port > _HIGHEST_PORT or address["host"].lower() in ("http", "https"):  # https//wv0041…
        raise BadSetting(
            f"The host of connection {connection.conn_id!r} is no plain address: it should look like"
            " https://wv0041.wolkvox.com."
        )
    return f"{address['site']}{f':{port}' if port else ''}{(address['path'] or '').rstrip('/')}"


def _host(connection: Connection, server: str) -> str:
    """The host as given, else the server's own, with its scheme."""
    host = (connection.host or "").strip() or (f"wv{server}.wolkvox.com" if server else "")
    if not host:
        raise BadSetting(
            f"Connection {connection.conn_id!r} has no address: give the host, https://wv0041.wolkvox.com for instance."
        )
    if "://" in host:
        return host
    bare = host.partition(":")[0]
    return f"{connection.schema or ('http' if bare in _LOOPBACK else 'https')}://{host}"
