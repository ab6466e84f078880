"""What a connection says, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from wolkvox.errors import BadSetting
from wolkvox.rules.values import SWITCH
from wolkvox.vendor.address import read_address
from wolkvox.vendor.extras import Extra
from wolkvox.vendor.transport import TransportOptions, read_transport

if TYPE_CHECKING:
    from airflow.sdk import Connection

CALL_TIMEOUT = 65.0  # seconds: the vendor ends a request after 60 [vendor's page on codify], and a margin
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 1, 600  # seconds that ``call_timeout`` may be
EXPORT_FROM = 1_000  # waiting contacts of a campaign from which on its export costs less than they do
REQUESTS_PER_LICENSE = 1_000  # a day [same page]
TIMEZONE = "America/Bogota"  # of an operation that names none


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What the connection says, checked.

    ``operation`` is the key of everything the ledger keeps, ``server`` the wolkvox server's name; ``daily_requests`` is
    None when no licences are given; ``export_from`` is how many contacts of a campaign must wait for its export to be
    asked for before they are sent, None: never; ``skip_handled`` is whether customers are left out that the dialler is
    through with; ``call_timeout`` is how many seconds the client waits for an answer; ``token`` never leaves this
    object but as a header.

    Of exports, ``export_timezone`` is the zone of their dates, ``dates_are_dials`` whether a date is that of the last
    dial even where it is that of our own request, and ``code_changes_result`` whether codifying changes the result of a
    record that was not dialled.
    """

    conn_id: str
    base_url: str
    server: str
    operation: str
    token: str
    daily_requests: int | None
    quota_reserve: int
    quota_timezone: str
    call_timeout: float
    preflight: bool
    check_codes: bool
    export_from: int | None = None
    export_timezone: str = TIMEZONE
    dates_are_dials: bool = False
    code_changes_result: bool = True
    skip_handled: bool = False
    way: TransportOptions = field(default_factory=TransportOptions)

    @property
    def fingerprint(self) -> int:
        """A signed 32 bit digest of the token: tells tokens apart in the ledger without naming them."""
        return int.from_bytes(blake2b(self.token.encode(), digest_size=4).digest(), "big", signed=True)

    @property
    def in_flight_seconds(self) -> float:
        """
        How long a request that nobody waits for may still be in flight at wolkvox.

        That is the vendor's limit and a margin, however short the client's own time-out is.
        """
        return max(self.call_timeout, CALL_TIMEOUT)

    @property
    def identity(self) -> int:
        """Likewise of address and token together: what was an outage of another one is none of this one."""
        both = f"{self.base_url} {self.token}".encode()
        return int.from_bytes(blake2b(both, digest_size=4).digest(), "big", signed=True)

    def __repr__(self) -> str:
        return f"Settings({self.base_url}, operation {self.operation})"


def read_settings(connection: Connection, operation: str | None = None, timezone: str = TIMEZONE) -> Settings:
    """Check a connection's fields.

    :param operation: the name under which the ledger keeps its records; None: the server's
    :param timezone: the operation's, in which exports are written where the connection names no other one
    :raises BadSetting: naming the field and what it should be
    """
    extra = _extra(connection)
    token = _token(connection)
    base_url, server = read_address(connection, extra)
    daily_requests, quota_reserve = _quota(extra)
    preflight = extra.word("preflight", "true, false or codes", {**SWITCH, "codes": "codes"}, True)
    return Settings(
        conn_id=connection.conn_id,
        base_url=base_url,
        server=server,
        operation=operation or server,
        token=token,
        daily_requests=daily_requests,
        quota_reserve=quota_reserve,
        quota_timezone=extra.zone("quota_timezone", TIMEZONE),
        call_timeout=extra.number("call_timeout", CALL_TIMEOUT, SHORTEST_TIMEOUT, LONGEST_TIMEOUT),
        preflight=bool(preflight),
        check_codes=preflight == "codes",
        export_from=_export_from(extra),
        export_timezone=extra.zone("export_timezone", timezone),
        dates_are_dials=extra.word("export_date", "dial or change", {"dial": True, "change": False}, False),
        code_changes_result=extra.word("export_result", "change or keep", {"change": True, "keep": False}, True),
        skip_handled=extra.word("skip_handled", "true or false", SWITCH, False),
        way=read_transport(extra),
    )


def _extra(connection: Connection) -> Extra:
    values = connection.extra_dejson
    if not isinstance(values, dict):
        raise BadSetting(
            f'The extra of connection {connection.conn_id!r} must be a JSON object such as {{"licenses": 20}}.'
        )
    return Extra(connection.conn_id, values)


def _token(connection: Connection) -> str:
    token = (connection.password or "").strip()  # pasted with a blank, it would be another token to the ledger
    if not token:
        raise BadSetting(f"Connection {connection.conn_id!r} has no token: put it into the password field.")
    if token[0] == token[-1] and token[0] in "\"'":
        raise BadSetting(f"The token of connection {connection.conn_id!r} is in quotes: write it without them.")
    if not token.isascii() or not token.isprintable():
        raise BadSetting(
            f"The token of connection {connection.conn_id!r} holds characters that no HTTP header can carry."
        )
    return token


def _quota(extra: Extra) -> tuple[int | None, int]:
    """The requests of a day that the licences allow, None when none are given, and how many of them are kept back."""
    licenses = extra.number("licenses", None)
    daily_requests = None if licenses is None else int(licenses * REQUESTS_PER_LICENSE)
    reserve = extra.whole("quota_reserve", 0)
    if daily_requests is not None and 0 < reserve >= daily_requests:
        raise extra.bad(
            "quota_reserve",
            f"keeps {reserve} requests a day back, and the licences allow {daily_requests}: nothing could ever be sent."
            " Lower quota_reserve, or correct licenses.",
        )
    return daily_requests, reserve


def _export_from(extra: Extra) -> int | None:
    """How many contacts of a campaign must wait for its export to be asked for before they are sent; None: never."""
    mode = extra.word("export_preflight", "off, on or auto", {**SWITCH, "auto": "auto"}, False)
    if mode == "auto":
        return extra.whole("export_from", EXPORT_FROM, 1)
    return 1 if mode else None
