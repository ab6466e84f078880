"""A connection's extra field: each value by its key, or what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from wolkvox.errors import BadSetting
from wolkvox.vendor.extras import KEYS, Extra


def extra(**values: Any) -> Extra:
    return Extra("c", values)


@pytest.mark.parametrize("key", [key for key in KEYS if len(key) > 5])
def test_a_key_that_is_ours_but_for_a_letter_is_refused(key: str) -> None:
    with pytest.raises(BadSetting, match=f"has no key '{key[:-1]}': did you mean "):
        extra(**{key[:-1]: 1})
    extra(**{key: 1, "timeout": 5, "headers": {}})


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_key_without_a_value_has_its_default(nothing: object) -> None:
    values = extra(licenses=nothing, quota_timezone=nothing, preflight=nothing)
    assert values.number("licenses", None) is None
    assert values.number("licenses", 2.5) == 2.5
    assert values.whole("licenses", 7) == 7
    assert values.zone("quota_timezone", "America/Lima") == "America/Lima"
    assert values.word("preflight", "yes or no", {"yes": True}, False) is False
    assert values.text("missing") == ""


@pytest.mark.parametrize("zone", [0, False, {}, "Lima", "Etc/GMT-5"])
def test_what_is_no_zone_is_refused_rather_than_left_out(zone: object) -> None:
    with pytest.raises(BadSetting, match="quota_timezone of connection 'c' must be a zone such as America/Bogota"):
        extra(quota_timezone=zone).zone("quota_timezone", "America/Lima")


def test_bounds_belong_to_a_number_s_range() -> None:
    assert [extra(licenses=value).number("licenses", None, 1, 5) for value in (1, "5")] == [1, 5]
    wrong: list[object] = [0.9, "5.1", True, []]
    for value in wrong:
        with pytest.raises(BadSetting, match="licenses of connection 'c' must be a number from 1 to 5"):
            extra(licenses=value).number("licenses", None, 1, 5)
