"""Records as files: in the reader's language, on the operation's clock, and as they are, whatever they look like."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timezone
from typing import IO, Any, TypeAlias
from zipfile import ZipFile

import pytest
from listed_record import RECORD as LISTED
from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell

from wolkvox.page.dictionary import LANGUAGES, dictionary
from wolkvox.page.queries import Record
from wolkvox.page.table import Table, for_people, for_programs
from wolkvox.page.table_csv import write_csv
from wolkvox.page.table_xlsx import LONGEST, write_xlsx

RECORD = LISTED._replace(
    contacted_at=datetime(2026, 3, 1, 3, 4, 5, 678_901, tzinfo=timezone.utc), channel="voice", direct=True
)
BOGOTA = "America/Bogota"
CODES = ["002", "5731E45", "1-2", "0000000012", "573001234567", "1/2", "TRUE", " 7 ", "#N/A", "=1+1", "a<b>&c", "ñ"]

Writer: TypeAlias = Callable[[Table, IO[bytes]], None]


def written(write: Writer, table: Table) -> io.BytesIO:
    file = io.BytesIO()
    write(table, file)
    file.seek(0)
    return file


def as_csv(table: Table, separator: str = ",") -> list[dict[str, str]]:
    text = written(write_csv, table).read().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))


def as_xlsx(table: Table) -> list[dict[str, Cell | MergedCell]]:
    """The rows of the workbook, as a library reads it that isn't the product's."""
    heads, *rows = load_workbook(written(write_xlsx, table)).worksheets[0].iter_rows()
    return [dict(zip([str(head.value) for head in heads], row, strict=True)) for row in rows]


def shown(*records: Record, language: str = "en", zone: str = BOGOTA, **options: Any) -> Table:
    return for_people(records, dictionary(language), zone, **{"unmasked": True, **options})


@pytest.mark.parametrize(
    ("language", "separator", "customer", "state", "reason", "contacted", "kind", "direct"),
    [
        (
            *("en", ",", "customer", "rejected", "wolkvox rejected it; its message says why. (refused_422)"),
            *("contacted (America/Bogota)", "kind of contact", "direct contact"),
        ),
        (
            *("es", ";", "cliente", "rechazado", "wolkvox lo rechazó; su mensaje dice por qué. (refused_422)"),
            *("contactado (America/Bogota)", "tipo de contacto", "contacto directo"),
        ),
    ],
)
def test_a_file_for_a_person_is_in_their_language_and_on_the_operations_clock(
    language: str, separator: str, customer: str, state: str, reason: str, contacted: str, kind: str, direct: str
) -> None:
    (line,) = as_csv(shown(RECORD, language=language), separator)
    (row,) = as_xlsx(shown(RECORD, language=language))
    assert list(line) == list(row)
    for name, text in ((customer, "573001234567"), (kind, direct)):
        assert (line[name], row[name].value) == (text, text)
    assert {state, reason} < set(line.values())
    assert {state, reason} < {cell.value for cell in row.values()}
    assert line[contacted] == "2026-02-28 22:04:05"
    assert row[contacted].value == datetime(2026, 2, 28, 22, 4, 5)  # noqa: DTZ001 - its head names the zone


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_columns_of_a_file_have_the_same_head(language: str) -> None:
    heads = shown(RECORD, language=language, dialled=True).heads
    assert len({*heads}) == len(heads)


@pytest.mark.parametrize("code", CODES)
def test_a_workbook_keeps_ids_and_codes_as_text(code: str) -> None:
    (row,) = as_xlsx(shown(RECORD._replace(customer_id=code, cod_act=code, campaign_id=code)))
    for name in ("customer", "code", "campaign id"):
        assert (row[name].value, row[name].data_type, row[name].number_format) == (code, "s", "@")


def test_numbers_of_a_workbook_are_numbers_and_times_are_dates() -> None:
    (row,) = as_xlsx(shown(RECORD))
    assert [(row[name].value, row[name].data_type) for name in ("requests", "chunk")] == [(1, "n"), (2, "n")]
    moment = row["contacted (America/Bogota)"]
    assert moment.data_type == "d"
    assert moment.number_format == r"yyyy\-mm\-dd\ hh:mm:ss"
    assert row["settled (America/Bogota)"].value is None


def test_the_heads_of_a_workbook_stay_in_sight_and_filter_its_columns() -> None:
    sheet = load_workbook(written(write_xlsx, shown(RECORD, RECORD))).worksheets[0]
    assert sheet.sheet_view.pane is not None
    assert (sheet.sheet_view.pane.state, sheet.freeze_panes, sheet.auto_filter.ref) == ("frozen", "A2", "A1:Q3")


def test_a_workbook_holds_any_text_of_the_ledger_and_as_much_as_a_cell_can() -> None:
    strange = "\x01 _x0041_ \r\n"
    file = written(write_xlsx, shown(RECORD._replace(cod_act=strange, response_msg="𝄞" * LONGEST)))
    with ZipFile(file) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert ">_x0001_ _x005F_x0041_ _x000D_\n<" in sheet, "as ISO/IEC 29500 writes what XML can't hold"
    assert sheet.count("𝄞") == LONGEST // 2


def test_a_workbook_of_thousands_of_rows_has_each_of_them_once() -> None:
    records = [RECORD._replace(attempts=number) for number in range(1, 1_234)]
    with ZipFile(written(write_xlsx, shown(*records))) as parts:
        assert parts.read("xl/worksheets/sheet1.xml").count(b"<row ") == 1_234
    rows = as_xlsx(shown(*records, unmasked=False))
    assert [row["requests"].value for row in rows] == list(range(1, 1_234))
    assert rows[-1]["customer"].value == "•••567"


def test_a_file_for_a_program_has_the_ledgers_own_names_and_times_with_their_offset() -> None:
    (line,) = as_csv(for_programs([RECORD], unmasked=False))
    assert (line["state"], line["reason"], line["attempts"]) == ("rejected", "refused_422", "1")
    assert line["contacted_at"] == "2026-03-01T03:04:05.678901+00:00"
    assert (line["customer_id"], line["response_msg"]) == ("•••567", "customer_id •••, tel. •••, is wrong")
    assert "breach" not in line


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n"])
@pytest.mark.parametrize("language", [None, "en"])
def test_a_spreadsheet_takes_no_cell_of_a_csv_for_a_formula(start: str, language: str | None) -> None:
    record = RECORD._replace(customer_id=f"{start}cmd", response_msg=f"{start}1+1")
    (line,) = as_csv(for_programs([record], unmasked=True) if language is None else shown(record, language=language))
    assert {f"'{start}cmd", f"'{start}1+1"} < set(line.values())


def test_a_list_of_dials_has_when_and_why_in_its_files_too() -> None:
    dialled = RECORD._replace(dialled_at=datetime(2026, 3, 2, tzinfo=timezone.utc), breach="vendor")
    (line,) = as_csv(for_programs([dialled], unmasked=False, dialled=True))
    assert (line["dialled_at"], line["breach"]) == ("2026-03-02T00:00:00+00:00", "vendor")
    (row,) = as_xlsx(shown(dialled, language="es", dialled=True))
    assert row["causa"].value == "aunque codificado"
    assert row["marcado (America/Bogota)"].value == datetime(2026, 3, 1, 19)  # noqa: DTZ001 - its head names the zone
