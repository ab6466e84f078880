"""Proxies and certificates, as a connection's extra field has them."""

from __future__ import annotations

from typing import Any

import pytest

from wolkvox.errors import BadSetting
from wolkvox.vendor.extras import Extra
from wolkvox.vendor.transport import TransportOptions, read_transport


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ({}, TransportOptions({}, True, None)),
        ({"proxies": "", "verify": "", "cert": ""}, TransportOptions({}, True, None)),
        ({"verify": " "}, TransportOptions({}, True, None)),  # nothing is written there: certificates are checked
        ({"verify_ssl": "off"}, TransportOptions({}, False, None)),
        ({"verify": "/ca.pem", "verify_ssl": False}, TransportOptions({}, "/ca.pem", None)),
        ({"proxy": "proxy:3128"}, TransportOptions({"http": "proxy:3128", "https": "proxy:3128"}, True, None)),
        (
            {"proxies": '{"HTTPS": "socks5h://p:1", "http": ""}'},
            TransportOptions({"https": "socks5h://p:1"}, True, None),
        ),
        ({"cert": "/c.pem"}, TransportOptions({}, True, "/c.pem")),
        ({"cert": '["/c.pem", "/k.pem"]'}, TransportOptions({}, True, ("/c.pem", "/k.pem"))),
    ],
)
def test_options_are_read_as_people_and_uris_write_them(values: dict[str, Any], options: TransportOptions) -> None:
    assert read_transport(Extra("c", values)) == options


@pytest.mark.parametrize("key", ["proxies", "verify", "cert"])
def test_a_message_names_the_key_and_repeats_no_value(key: str) -> None:
    with pytest.raises(BadSetting, match=f"^{key} of connection 'c'") as raised:
        read_transport(Extra("c", {key: {"s3cret": ["s3cret"]}}))
    assert "s3cret" not in str(raised.value)
