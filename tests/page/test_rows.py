"""What leaves the ledger: masked, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from wolkvox.page.queries import Record
from wolkvox.page.rows import as_csv, describe, mask

RECORD = Record(
    id=1,
    type_campaign="preview",
    campaign_id="15501",
    customer_id="573001234567",
    cod_act="ACT",
    state="rejected",
    reason="refused_422",
    response_code="422",
    response_msg="customer_id 573001234567, tel. 6015551234, is wrong",
    attempts=1,
    contacted_at=datetime(2026, 3, 1, tzinfo=timezone.utc),
    settled_at=None,
    not_before=None,
    dag_id="wolkvox_codify",
    dag_run_id="run",
    in_chunk=True,
    chunk_number=2,
    listed_at=datetime(2026, 3, 1, tzinfo=timezone.utc),
)


@pytest.mark.parametrize(
    ("customer_id", "masked"),
    [("573001234567", "•••567"), ("1234567", "•••567"), ("123456", "•••"), ("1", "•••"), ("", "•••"), (None, None)],
)
def test_at_most_three_characters_of_an_id_are_shown(customer_id: str | None, masked: str | None) -> None:
    assert mask(customer_id) == masked


def test_the_vendors_words_are_masked_too() -> None:
    assert describe(RECORD, unmasked=False)["response_msg"] == "customer_id •••, tel. •••, is wrong"
    assert describe(RECORD, unmasked=True)["response_msg"] == RECORD.response_msg


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(start: str) -> None:
    record = replace(RECORD, customer_id=f"{start}cmd", response_msg=f"{start}1+1")
    lines = list(csv.DictReader("".join(as_csv([record], unmasked=True)).lstrip("\ufeff").splitlines(keepends=True)))
    assert lines[0]["customer_id"] == f"'{start}cmd"
    assert lines[0]["response_msg"] == f"'{start}1+1"
    assert lines[0]["attempts"] == "1"


@pytest.mark.parametrize("code", ["002", "5731E45", "1-2", "0000000012", "573001234567", "1/2"])
def test_excel_keeps_ids_and_codes_as_they_are(code: str) -> None:
    record = replace(RECORD, customer_id=code, cod_act=code, campaign_id=code)
    (line,) = csv.DictReader(
        "".join(as_csv([record], unmasked=True, excel="es")).lstrip("\ufeff").splitlines(), delimiter=";"
    )
    assert {line[name] for name in ("customer_id", "cod_act", "campaign_id")} == {f'="{code}"'}
    (line,) = csv.DictReader("".join(as_csv([record], unmasked=True)).lstrip("\ufeff").splitlines())
    assert line["cod_act"] == code


@pytest.mark.parametrize("start", ["=", "+", "@", "\t", " ="])
def test_no_id_is_a_formula_in_excel_either(start: str) -> None:
    text = "".join(as_csv([replace(RECORD, customer_id=f"{start}cmd()")], unmasked=True, excel="en"))
    (line,) = csv.DictReader(text.lstrip("\ufeff").splitlines(keepends=True))
    assert line["customer_id"] == f"'{start}cmd()"


def test_a_list_of_dials_has_when_and_why_in_its_file_too() -> None:
    dialled = replace(RECORD, dialled_at=datetime(2026, 3, 2, tzinfo=timezone.utc), breach="vendor")
    (line,) = csv.DictReader("".join(as_csv([dialled], unmasked=False, dialled=True)).lstrip("\ufeff").splitlines())
    assert (line["dialled_at"], line["breach"]) == ("2026-03-02T00:00:00+00:00", "vendor")
    assert "breach" not in "".join(as_csv([dialled], unmasked=False)).splitlines()[0]


def test_a_row_is_named_by_its_records_number() -> None:
    assert describe(RECORD, unmasked=False)["id"] == 1
