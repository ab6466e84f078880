"""The address that a connection names, and the server behind it."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import Connection

from wolkvox.errors import BadSetting
from wolkvox.vendor.address import read_address
from wolkvox.vendor.extras import Extra


def address(host: str | None, server: object = None, **fields: Any) -> tuple[str, str]:
    extra = Extra("c", {"wolkvox_server": server})
    return read_address(Connection(conn_id="c", conn_type="wolkvox", host=host, **fields), extra)


@pytest.mark.parametrize(
    ("host", "server", "base_url", "name"),
    [
        (None, "0041", "https://wv0041.wolkvox.com", "0041"),
        ("https://wv0041.wolkvox.com/", None, "https://wv0041.wolkvox.com", "0041"),
        ("WV0041.wolkvox.com", "0041", "https://WV0041.wolkvox.com", "0041"),
        ("wvab12.wolkvox.com", "AB12", "https://wvab12.wolkvox.com", "AB12"),
        ("https://proxy.example/wolkvox/", "0041", "https://proxy.example/wolkvox", "0041"),
        ("https://proxy.example:8443", None, "https://proxy.example:8443", "proxy.example:8443"),
        ("localhost", None, "http://localhost", "localhost"),
    ],
)
def test_a_server_is_named_by_the_extra_field_or_by_its_host(
    host: str | None, server: str | None, base_url: str, name: str
) -> None:
    assert address(host, server) == (base_url, name)


@pytest.mark.parametrize("host", ["https//wv0041.wolkvox.com", "HTTP//h", "https", "http://h:99999", "h h"])
def test_what_is_no_plain_address_is_refused(host: str) -> None:
    with pytest.raises(BadSetting, match="The host of connection 'c' is no plain address"):
        address(host)


def test_a_port_may_stand_in_its_own_field_and_has_an_end() -> None:
    assert address("http://h", port=8090)[0] == "http://h:8090"
    with pytest.raises(BadSetting, match="no plain address"):
        address("http://h", port=65_536)


@pytest.mark.parametrize("server", [41, 0.5, "00 41", "-", "x" * 32])
def test_a_server_that_is_none_is_refused(server: object) -> None:
    with pytest.raises(BadSetting, match="wolkvox_server of connection 'c'"):
        address(None, server)
