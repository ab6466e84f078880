# ruff: noqa: E501 - a table of values reads best with one kind a line
"""Rows of pandas, numpy, Arrow and Polars, read with these packages in an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from fresh_environment import ROOT, uv

pytestmark = pytest.mark.slow

PACKAGES = ("pandas", "pyarrow", "polars", "tzdata")
READ = """
import json
from datetime import datetime, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from wolkvox.rules.contacts import COLUMNS, OPTIONAL, read_contact
from wolkvox.rules.tables import mappings

ZONE = ZoneInfo("America/Bogota")
NOON = "2026-03-02T12:00:00+00:00"
GOOD = dict(zip(COLUMNS, ("preview", "17", "1001", "5", None, "by chat", NOON)))


def read(**changes):
    row = {**GOOD, **changes}
    contact = read_contact([row.get(name) for name in (*COLUMNS, *OPTIONAL)], operation="0041", zone=ZONE)
    return {**contact._asdict(), "key": contact.key.hex(), "contacted_at": str(contact.contacted_at)}


MISSING = {"pd.NA": pd.NA, "pd.NaT": pd.NaT, "np.nan": np.nan, "NaT64": np.datetime64("NaT"), "float32": np.float32("nan"),
           "array": np.array(np.nan), "arrow": pa.scalar(None, pa.string())}
IDS = {"str_": np.str_("1001"), "int64": np.int64(1001), "uint8": np.uint8(101), "float64": np.float64(1001),
       "float32": np.float32(1001), "array": np.array("1001"), "int array": np.array(1001), "bytes_": np.bytes_(b"1001"),
       "object": np.array("1001", object), "arrow": pa.scalar("1001"), "arrow int": pa.scalar(1001),
       "arrow decimal": pa.scalar(Decimal("1001.00")), "decimal": np.array(Decimal("1001"), object)}
NO_IDS = {"list": np.array(["1001"]), "two": np.array([1, 2]), "bool_": np.bool_(True), "lost": np.float32(1023456789),
          "series": pd.Series(["1001"]), "frame": pd.DataFrame({"a": [1]}), "empty": np.array([]), "complex": np.complex64(1),
          "timestamp": pd.Timestamp(NOON), "interval": pd.Timedelta("1h"), "arrow list": pa.array(["1001"]),
          "structure": np.zeros((), [("a", "i4")]), "polars": pl.Series(["1001"])}
MOMENTS = {"datetime64": np.datetime64("2026-03-02T07:00:00"), "ns": np.datetime64("2026-03-02T07:00:00.123456789"),
           "timestamp": pd.Timestamp("2026-03-02 07:00"), "aware": pd.Timestamp(NOON), "day": np.datetime64("2026-03-02"),
           "array": np.array("2026-03-02T07:00:00", "datetime64[ns]"), "nanoseconds": pd.Timestamp("2026-03-02 07:00:00.123456789"),
           "arrow": pa.scalar(datetime(2026, 3, 2, 12, tzinfo=timezone.utc))}
DIRECT = {"true": np.bool_(True), "false": np.bool_(False), "one": np.int8(1), "zero": np.float32(0), "na": pd.NA,
          "array": np.array(False), "arrow": pa.scalar(True)}

columns = {name: [GOOD[name]] * 2 for name in COLUMNS}
columns |= {"customer_id": [1001, None], "contacted_at": [pd.Timestamp(NOON), pd.NaT], "direct": [True, None]}
tables = {
    "pandas": pd.DataFrame(columns),
    "pandas, nullable": pd.DataFrame(columns).convert_dtypes(),
    "pandas, arrow": pd.DataFrame(columns).convert_dtypes(dtype_backend="pyarrow"),
    "pandas, indexed": pd.DataFrame(columns).set_index(pd.Index([7, 9], name="row")),
    "polars": pl.DataFrame({**columns, "contacted_at": [datetime.fromisoformat(NOON), None]}),
    "arrow": pa.table({**columns, "contacted_at": [datetime.fromisoformat(NOON), None]}),
}


def of_table(table):
    return [(one["customer_id"], one["direct"], one["reason"]) for one in (read(**row) for row in mappings(table))]


print(json.dumps({
    "missing": {name: [read(comment=value)["comment"], read(cod_act_2=value)["cod_act_2"], read(comment=value)["reason"],
                       read(customer_id=value)["reason"], read(contacted_at=value)["reason"]]
                for name, value in MISSING.items()},
    "ids": {name: read(customer_id=value)["customer_id"] for name, value in IDS.items()},
    "no ids": {name: read(customer_id=value)["reason"] for name, value in NO_IDS.items()},
    "no columns": sorted({read(**{column: value})["reason"] or column for value in NO_IDS.values() for column in COLUMNS}),
    "moments": {name: read(contacted_at=value)["contacted_at"] for name, value in MOMENTS.items()},
    "direct": {name: read(direct=value)["direct"] for name, value in DIRECT.items()},
    "tables": {name: of_table(table) for name, table in tables.items()},
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the reader makes of each value."""
    folder = tmp_path_factory.mktemp("frames") / "venv"
    uv("venv", "--python", sys.executable, folder)
    uv("pip", "install", "--python", folder / "bin" / "python", *PACKAGES)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    command = [str(folder / "bin" / "python"), "-W", "error", "-c", READ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_a_missing_value_is_none_whatever_spells_it(said: dict[str, Any]) -> None:
    nothing = [None, None, None, "customer_id_missing", "contacted_at_missing"]
    assert said["missing"] == dict.fromkeys(said["missing"], nothing)


def test_a_number_or_text_of_numpy_or_arrow_is_the_id_it_stands_for(said: dict[str, Any]) -> None:
    assert said["ids"] == {name: "101" if name == "uint8" else "1001" for name in said["ids"]}


def test_what_is_no_single_value_is_no_id_and_breaks_nothing(said: dict[str, Any]) -> None:
    lost = {"lost": "customer_id_not_whole"}
    assert said["no ids"] == dict.fromkeys(said["no ids"], "customer_id_not_text") | lost


def test_times_of_numpy_pandas_and_arrow_are_read_in_the_operations_zone(said: dict[str, Any]) -> None:
    assert {name: moment[:19] for name, moment in said["moments"].items()} == {
        name: "2026-03-02 05:00:00" if name == "day" else "2026-03-02 12:00:00" for name in said["moments"]
    }


def test_booleans_of_numpy_and_arrow_say_whether_both_sides_spoke(said: dict[str, Any]) -> None:
    assert said["direct"] == {
        "true": True,
        "false": False,
        "one": True,
        "zero": False,
        "na": None,
        "array": False,
        "arrow": True,
    }


def test_a_table_gives_its_rows(said: dict[str, Any]) -> None:
    rows = [["1001", True, None], [None, None, "customer_id_missing"]]
    assert said["tables"] == dict.fromkeys(said["tables"], rows)
