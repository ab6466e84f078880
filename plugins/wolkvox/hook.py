"""Airflow's hook for the wolkvox Manager API; the requests themselves are in ``vendor.api``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.http.hooks.http import HttpHook

from wolkvox.errors import WolkvoxError
from wolkvox.provider import HIDDEN, LABELS, PLACEHOLDERS
from wolkvox.vendor.api import TokenInfo, WolkvoxApi
from wolkvox.vendor.session import configure
from wolkvox.vendor.settings import TIMEZONE, Settings, read_settings

if TYPE_CHECKING:
    from types import TracebackType

    import requests
    from airflow.sdk import Connection

    from wolkvox.rules.answers import Answer
    from wolkvox.rules.exports import Exported, ExportHeader
    from wolkvox.rules.records import Record


class WolkvoxHook(HttpHook):
    """
    Talk to the wolkvox Manager API.

    A hook keeps one connection open for its life; close it, or use it as a context manager. ``get_conn`` and ``run``
    are HttpHook's, with the token in the headers.

    :param wolkvox_conn_id: connection with the address (``https://wv0041.wolkvox.com``) as host and the token as
        password. Its extra may have the keys of ``provider.FIELDS``, ``verify``, ``proxies`` and ``cert``
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

    @cached_property
    def api(self) -> WolkvoxApi:
        """The API that the connection leads to; errors as ``settings``."""
        return WolkvoxApi(self.settings)

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """A session as HttpHook makes it, with the token in its headers and none of our settings."""
        session = super().get_conn(None, extra_options)
        configure(session, self.settings, headers)
        return session

    def _set_base_url(self, connection: Connection) -> None:
        self.base_url = self.settings.base_url
        self._base_url_initialized = True

    def prepare(self) -> None:
        """As ``WolkvoxApi.prepare``."""
        self.api.prepare()

    def codify(self, record: Record) -> Answer:
        """As ``WolkvoxApi.codify``."""
        return self.api.codify(record)

    def token_info(self) -> TokenInfo:
        """As ``WolkvoxApi.token_info``."""
        return self.api.token_info()

    def activity_codes(self) -> frozenset[str]:
        """As ``WolkvoxApi.activity_codes``."""
        return self.api.activity_codes()

    def campaigns(self) -> list[dict[str, Any]]:
        """As ``WolkvoxApi.campaigns``."""
        return self.api.campaigns()

    def export(self, campaign_id: str, head: ExportHeader) -> AbstractContextManager[Iterator[Exported]]:
        """As ``WolkvoxApi.export``."""
        return self.api.export(campaign_id, head)

    def test_connection(self) -> tuple[bool, str]:
        """Ask for the token's use: one request. Returns whether it worked, and what is wrong, never the token."""
        try:
            info = self.token_info()
        except WolkvoxError as error:
            return False, str(error)
        finally:
            self.close()
        return True, f"wolkvox answers; requests left today: {'not known' if info.left is None else info.left}"

    def close(self) -> None:
        """Close the connection."""
        if "api" in self.__dict__:
            self.api.close()

    def __enter__(self) -> WolkvoxHook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
