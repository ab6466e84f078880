"""A report has the page's own figures, in the reader's language, in the mail as in the PDF."""

from __future__ import annotations

import io
import subprocess
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from conftest import Database
from debian import program
from PIL import Image
from sandbox_server import SandboxServer

from wolkvox.page.dictionary import LANGUAGES
from wolkvox.page.formats import duration, number, percent
from wolkvox.page.reading import EVER, Days, first_screen, service_level
from wolkvox.page.report import Report, compose
from wolkvox.page.report_chart import HEIGHT, TARGET, WIDTH, Chart, axis_end, draw
from wolkvox.page.report_data import ReportData, read_report
from wolkvox.page.report_mail import as_mail
from wolkvox.page.report_pdf import as_pdf
from wolkvox.rules.spans import Span, hours_of, last_days

ZONE = "America/Bogota"
SECRET = "573001234567"


def yesterday() -> Span:
    """The day before this one on the operation's clock."""
    return last_days(datetime.now(ZoneInfo(ZONE)), ZONE, 2)[0]


def put(ledger: Database, hour: int, lag: int = 120, state: str = "coded", **columns: Any) -> int:
    """One record, settled in an hour of yesterday so many seconds after the contact; its number."""
    settled = yesterday().starts_at + timedelta(hours=hour, minutes=30)
    row = {
        "contact_key": uuid4(),
        "operation": "0041",
        "type_campaign": "preview",
        "campaign_id": "1",
        "customer_id": SECRET,
        "contacted_at": settled - timedelta(seconds=lag),
        "staged_at": settled,
        "settled_at": None if state == "pending" else settled,
        "state": state,
        **columns,
    }
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    statement = f"INSERT INTO wolkvox.codification ({names}) VALUES ({places}) RETURNING id"
    return int(ledger.value(statement, *row.values()))


@pytest.fixture
def a_day(ledger: Database, sandbox: SandboxServer) -> Database:
    """A ledger with a day of everything."""
    for hour, lag in ((8, 60), (8, 120), (9, 180), (17, 3_600)):
        put(ledger, hour, lag, channel="whatsapp")
    put(ledger, 10, state="rejected", reason="refused_422", response_msg="El codAct no es válido")
    put(ledger, 10, state="invalid", reason="customer_id_missing")
    put(ledger, 11, state="failed", reason="overloaded_500")
    put(ledger, 12, state="pending")
    put(ledger, -24, 60)
    ledger.execute("INSERT INTO wolkvox.campaign VALUES ('0041', '1', 'preview', 'Cobranza años', 'started')")
    dialled = put(ledger, 7, 60, campaign_id="2")
    ledger.execute(
        "INSERT INTO wolkvox.dial (codification_id, dialled_at, breach) VALUES (%s, %s, 'vendor')",
        dialled,
        yesterday().starts_at + timedelta(hours=20),
    )
    return ledger


def read(chosen: Days = EVER) -> ReportData:
    data = read_report(chosen)
    assert data is not None
    return data


def tiles(report: Report) -> dict[str, str]:
    return {tile.title: tile.value for tile in report.tiles}


def table(report: Report, title: str) -> list[list[str]]:
    (found,) = [one for one in report.tables if one.title.startswith(title)]
    return [list(row) for row in found.rows]


def text_of(pdf: bytes, folder: Path) -> str:
    """What a reader of PDFs finds in one, in one line."""
    path = folder / "report.pdf"
    path.write_bytes(pdf)
    reader = program("pdftotext", "poppler-utils")
    found = subprocess.run([reader, "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    return " ".join(found.split())


def test_a_report_has_the_pages_own_figures_of_yesterday(a_day: Database) -> None:
    data = read()
    day = data.since
    assert data.is_one_day
    chosen = Days(day, day)
    screen, service = first_screen(chosen, airflow=lambda _: None), service_level(chosen)
    assert data.service["all"] == service["all"]
    assert data.service["campaigns"] == service["campaigns"]
    for part in ("campaigns", "reasons", "breaches", "ages"):
        assert data.overview[part] == screen[part], part
    report = compose(data, "en")
    assert report.subject == f"wolkvox 0041, {day}: 80% within 6 min"
    assert tiles(report) == {
        "Within 6 min": "80%",
        "Lag, median": "2 min",
        "Coded": "5",
        "Rejected": "1",
        "Invalid": "1",
        "Failed": "1",
        "Dialled although codified": "-",
        "Waiting": "1",
    }
    assert table(report, "Within 6 min, by campaign") == [
        ["preview 1 Cobranza años", "4", "75%", "51 min"],
        ["preview 2", "1", "100%", "60 s"],
    ]
    assert table(report, "Dialled") == [["The customer had been codified, and was dialled all the same.", "1"]]
    assert ["rejected", "1", "El codAct no es válido"] in [
        [row[0], row[2], row[3]] for row in table(report, "Rejected, invalid or failed")
    ]
    assert SECRET not in repr(report)


def test_the_chart_of_a_day_has_a_bar_an_hour_which_add_up_to_the_day(a_day: Database) -> None:
    lag, records = compose(read(), "en").pictures
    assert len(lag.chart.bars) == 24
    assert lag.chart.labels[8] == "08:00"
    assert lag.chart.bars[8] == pytest.approx((1.5, 0.45))
    assert [sum(bar[place] for bar in records.chart.bars) for place in range(3)] == [5, 2, 1]
    assert lag.chart.line == 6


def test_several_days_have_a_bar_each(a_day: Database) -> None:
    day = read().since
    data = read(Days(day - timedelta(days=1), day))
    report = compose(data, "en")
    assert report.title == f"Report of {day - timedelta(days=1)} to {day}"
    assert [sum(bar) for bar in report.pictures[1].chart.bars] == [1, 8]
    assert tiles(report)["Coded"] == "6"


def test_days_that_the_ledger_no_longer_counts_have_no_report(ledger: Database, sandbox: SandboxServer) -> None:
    assert read_report(Days(date(2020, 1, 1), date(2020, 1, 2))) is None


def test_a_day_without_contacts_says_so(ledger: Database, sandbox: SandboxServer) -> None:
    report = compose(read(), "es")
    assert report.subject.endswith("no se codificó nada")
    assert {tiles(report)[name] for name in ("En menos de 6 min", "Demora, mediana")} == {"-"}
    assert as_pdf(report).startswith(b"%PDF")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_read_back_says_what_the_report_says(a_day: Database, language: str, tmp_path: Path) -> None:
    report = compose(read(), language)
    text = text_of(as_pdf(report), tmp_path)
    legends = [text for one in report.pictures for _, text in one.legend]
    texts = [report.title, *legends, *(one.title for one in report.tables), *tiles(report), *tiles(report).values()]
    for said in (*texts, "Cobranza años", "El codAct no es válido"):
        assert " ".join(said.split()) in text, said
    assert "?" not in text
    assert SECRET not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_has_its_charts_in_it_and_the_same_as_text_and_as_pdf(a_day: Database, language: str) -> None:
    report = compose(read(), language)
    mail = as_mail(report, b"%PDF-1", "wolkvox-2026-01-31.pdf")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert isinstance(plain, EmailMessage)
    assert isinstance(html, EmailMessage)
    for said in (report.title, *tiles(report), *(one.title for one in report.tables)):
        assert said in plain.get_content(), said
        assert said in html.get_content(), said
    assert f'lang="{language}"' in html.get_content()
    pictures = {
        part["Content-ID"]: part.get_content() for part in mail.walk() if part.get_content_type() == "image/png"
    }
    for name in ("lag", "records"):
        assert f'src="cid:{name}"' in html.get_content()
        assert Image.open(io.BytesIO(pictures[f"<{name}>"])).size == (WIDTH, HEIGHT)
    (attached,) = [part for part in mail.iter_attachments() if part.get_filename()]
    assert (attached.get_content_type(), attached.get_content()) == ("application/pdf", b"%PDF-1")


def test_nothing_that_wolkvox_said_is_html_in_the_mail(ledger: Database, sandbox: SandboxServer) -> None:
    put(ledger, 8, state="rejected", reason="refused_422", response_msg="<script>alert(1)</script>")
    html = as_mail(compose(read(), "en"), b"", "x.pdf").get_body(("html",))
    assert isinstance(html, EmailMessage)
    assert "<script" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()


def test_a_bar_is_as_high_as_its_value_and_the_target_lies_across() -> None:
    png = draw(Chart(["1", "2"], [[50.0], [100.0]], ["#067647"], str, 80.0))
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    green = [sum(picture.getpixel((x, y)) == (6, 118, 71) for y in range(HEIGHT)) for x in (360, 900)]
    assert green[1] == pytest.approx(2 * green[0], abs=8)
    red = tuple(int(TARGET[place : place + 2], 16) for place in (1, 3, 5))
    assert any(picture.getpixel((600, y)) == red for y in range(HEIGHT))
    assert [axis_end(most) for most in (1, 3, 99, 101)] == [2, 4, 100, 200]


def test_numbers_are_the_languages_own() -> None:
    assert [number(1234567, one) for one in LANGUAGES] == ["1,234,567", "1.234.567"]
    assert [percent(0.985, one) for one in LANGUAGES] == ["98.5%", "98,5\u00a0%"]
    assert [percent(share, "en") for share in (1, 0.9999, 0.5, 0.05, None)] == ["100%", "99.9%", "50%", "5%", "-"]
    assert [duration(seconds, "en") for seconds in (89, 360, 7_260, 200_000, None)] == [
        *("89 s", "6 min", "2 h 1 min", "2 d 7 h", "-"),
    ]


def test_a_day_on_which_the_clock_is_changed_has_as_many_hours_as_it_had() -> None:
    zone = "America/New_York"
    sunday = last_days(datetime(2026, 3, 8, 17, tzinfo=ZoneInfo("UTC")), zone, 1)[0]
    hours = hours_of(sunday)
    assert (len(hours), hours[0].starts_at, hours[-1].ends_at) == (23, sunday.starts_at, sunday.ends_at)


def test_the_report_of_a_day_with_200000_contacts_takes_less_than_ten_seconds(
    ledger: Database, sandbox: SandboxServer
) -> None:
    day = yesterday()
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, channel,"
        " contacted_at, staged_at, settled_at, state, reason)"
        " SELECT gen_random_uuid(), '0041', 'preview', (n %% 20)::text, n::text, 'sms', at - n %% 900 * interval '1 s',"
        " at, at, CASE WHEN n %% 20 = 0 THEN 'rejected' ELSE 'coded' END, CASE WHEN n %% 20 = 0 THEN 'refused_422' END"
        " FROM (SELECT n, %s + n * interval '0.4 s' AS at FROM generate_series(1, 200000) AS n) AS settled",
        day.starts_at,
    )
    ledger.execute("ANALYZE")
    began = perf_counter()
    report = compose(read(), "es")
    as_mail(report, as_pdf(report), "wolkvox.pdf").as_bytes()
    took = perf_counter() - began
    print(f"The report of 200,000 contacts took {took:.1f} s")
    assert tiles(report)["Codificados"] == "190.000"
    assert took < 10
