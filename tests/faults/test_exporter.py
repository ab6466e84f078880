"""
An exporter that varies all that an exporter may do, around what is true in the sandbox: no contact is settled wrongly.

What nobody could tell is left out: a part of an export that says of itself that it is whole, in a campaign of which
wolkvox took no code lately; and another campaign's export that shares customers with ours and doesn't say its number.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from conftest import Database
from crew import connect, task
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sandbox_server import SandboxServer

from sandbox.state import QUOTA_ZONE, Record, Sandbox
from sandbox.state import Settings as SandboxSettings
from wolkvox.hook import WolkvoxHook
from wolkvox.rules.exports import Exported, ExportHeader
from wolkvox.rules.runs import Run
from wolkvox.tasks.exports import settle_by_exports
from wolkvox.tasks.permits import VendorClient
from wolkvox.vendor.exports import read_export

NOW = datetime.now(timezone.utc).replace(microsecond=0)
CONTACTED_AT = NOW - timedelta(hours=3)
IDS = [str(1_023_456_000 + 7 * n) for n in range(12)]
OTHERS = [str(2_023_456_000 + 7 * n) for n in range(12)]
INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, chunk_id,
    sent_at, settled_at, staged_at
)
SELECT gen_random_uuid(), '0041', 'preview', '17', %s, '5', %s, %s, %s, %s, %s, %s
"""
EXAMPLES = settings(
    max_examples=200,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY = settings(EXAMPLES, max_examples=3_000)


class Row(NamedTuple):
    """A record of the campaign as it is in truth; ``dialled_at`` is ISO on the sandbox's clock."""

    customer_id: str
    code: str
    calls: int
    dialled_at: str
    result: str


@dataclass(frozen=True)
class World:
    """
    What is true: members of the campaign, and contacts that wait.

    ``confirmed`` customers were codified by us two minutes ago. ``old`` contacts are looked for no longer.
    """

    rows: list[Row]
    confirmed: list[str]
    waiting: list[str]
    old: bool

    def of(self, customer: str) -> list[Row]:
        return [row for row in self.rows if row.customer_id == customer]

    def may_be(self, customer: str, state: str, reason: str | None) -> bool:
        """Whether a contact of the customer may end so."""
        rows = self.of(customer)
        alone = bool(rows) and all(row.code and row.result != "CLEAN" for row in rows)
        contacted_at = CONTACTED_AT.astimezone(QUOTA_ZONE).strftime("%Y-%m-%d %H:%M:%S")
        match state, reason:
            case "coded", "already_coded":
                return alone and all(row.code == "5" and row.dialled_at < contacted_at for row in rows)
            case "rejected", "already_handled":
                return alone and any(row.code != "5" for row in rows)
            case "rejected" | "pending", "not_in_campaign":
                return rows == []
        return state == "pending"


STATUSES = [None, None, "5", "5 recalled", "99", "99 recalled"]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """The sandbox dials some of its members before the contacts, and some since: without a code, or recalled."""
    statuses = draw(st.dictionaries(st.sampled_from(IDS), st.sampled_from(STATUSES), min_size=5, max_size=10))
    codes = {customer: status.split()[0] for customer, status in statuses.items() if status}
    recalled = [customer for customer, status in statuses.items() if status and status.endswith("recalled")]
    confirmed = draw(st.just([]) | st.lists(st.sampled_from(sorted(statuses)), max_size=2, unique=True))
    sandbox = Sandbox("token", SandboxSettings())
    sandbox.control({"members": {"17": list(statuses)}, "now": (CONTACTED_AT - timedelta(days=2)).isoformat()})
    sandbox.dial("17", draw(st.integers(0, 6)))
    sandbox.control({"codes": {"17": codes}, "recalled": recalled})
    sandbox.control({"now": (CONTACTED_AT + timedelta(hours=1)).isoformat()})
    sandbox.dial("17", draw(st.sampled_from([0, 0, 3])))
    sandbox.control({"now": (NOW - timedelta(minutes=2)).isoformat()})
    for customer in confirmed:
        sandbox.code(Record("preview", "17", customer), "5", "")
    rows = [Row(one.customer_id, one.cod_act, one.calls, one.date, one.result) for one in sandbox.exported("17")]
    for row in draw(st.lists(st.sampled_from(rows), max_size=2)):
        if row.customer_id not in confirmed:
            rows.append(draw(st.sampled_from([row, row._replace(code="", result="CLEAN")])))
    others = [customer for customer in IDS if customer not in confirmed]
    waiting = draw(st.lists(st.sampled_from(others), min_size=6, max_size=10, unique=True))
    return World(rows, confirmed, waiting, draw(st.booleans()))


SPELLINGS: dict[str, Any] = {
    "plain": str,
    "dots": lambda one: f"{int(one):,}".replace(",", "."),
    "hard blanks": lambda one: f"{int(one):,}".replace(",", "\xa0"),
    "kind": lambda one: f"CC {one}",
    "kind and hyphen": lambda one: f"NIT-{one}",
    "integer": int,
    "float": float,
    "float as text": lambda one: f"{one}.0",
    "unseen mark": lambda one: f"{one[:3]}\u200b{one[3:]}",
    "quotes": lambda one: f'="{one}"',
    "wide": lambda one: "".join(chr(0xFF10 + int(digit)) for digit in one),
    "zeros": lambda one: f"00{one}",
    "a number of its own": lambda one: str(IDS.index(one) + 1) if one in IDS else "99",
}
HIDDEN: dict[str, Any] = {
    "masked": lambda one: f"******{one[-4:]}",
    "crossed out": lambda one: f"XXXXXX{one[-4:]}",
    "rounded": lambda one: f"{float(one):.4E}",
    "null": lambda one: None,
    "empty": lambda one: "",
    "hashed": lambda one: f"#{int(one):x}",
    "damaged": lambda one: f"{one[:4]}\ufffd{one[5:]}",
}
DATES: dict[str, Any] = {
    "ISO": str,
    "with a T": lambda date: date.replace(" ", "T"),
    "digits": lambda date: "".join(filter(str.isdigit, date)),
    "UTC": lambda date: f"{local(date).astimezone(timezone.utc):%Y-%m-%d %H:%M:%SZ}",
    "day first": lambda date: f"{local(date):%d/%m/%Y %H:%M:%S}",
    "of twelve hours": lambda date: f"{local(date):%Y-%m-%d %I:%M:%S %p}",
    "empty": lambda date: "",
}
ENCODINGS = {
    "UTF-8": lambda text: text.encode(),
    "with a mark": lambda text: text.encode("utf-8-sig"),
    "ISO-8859-1": lambda text: text.encode("latin-1", "replace"),
    "UTF-16": lambda text: text.encode("utf-16"),
}
HEADS: dict[str, dict[str, Any]] = {
    "tidy": {},
    "silent": {"total_records": "", "campaign_id": "", "code": ""},
    "floats": {"code": 200.0, "campaign_id": 17.0},
    "an error": {"error": "RESULT IS PARTIAL"},
    "an error, and silent": {"error": "RESULT IS PARTIAL", "total_records": "", "code": "0"},
    "a total in thousands": {"total_records": "60,000"},
    "pages": {"pages": 3, "total_records": ""},
    "another campaign": {"campaign_id": "18"},
    "another code": {"code": "500"},
}
OF_A_PART = ("an error", "an error, and silent", "a total in thousands", "pages")  # with half of the records
FIELDS = ("id_cliente", "cod_rslt1", "resultado", "llamadas", "fecha")


def local(date: str) -> datetime:
    return datetime.fromisoformat(date).replace(tzinfo=QUOTA_ZONE)


@dataclass(frozen=True)
class Exporter:
    """How an export is written, and what of the campaign is in it."""

    spelling: str
    hidden: str | None
    every: int
    date: str
    encoding: str
    head: str
    kind: str
    renamed: str | None
    without: int

    def write(self, world: World) -> bytes:
        """The export."""
        rows = self._rows(world)
        records = [self._record(place, row) for place, row in enumerate(rows)]
        head = {
            "code": "200",
            "error": None,
            "total_records": str(len(records)),
            "campaign_id": "17",
            **HEADS[self.head],
        }
        if self.kind == "a part":
            head["total_records"] = str(len(world.rows))
        data: bytes = ENCODINGS[self.encoding](json.dumps({**head, "records": records}, ensure_ascii=False))
        if self.kind == "cut off":
            return data[: len(data) // 2]
        if self.kind == "with a line feed":
            return data.replace(b'"id_cliente": "', b'"id_cliente": "\n')
        if self.kind == "with notices":
            return b"<b>Notice</b>: Undefined index: x in a.php\n" + data + b"\nNotice: again"
        return data

    def _rows(self, world: World) -> list[Row]:
        if self.kind == "of other customers":
            return [row._replace(customer_id=OTHERS[IDS.index(row.customer_id)]) for row in world.rows]
        if self.kind == "an old copy" and world.confirmed:  # without the codes, and without some of the members
            return [
                row._replace(code="", result="CLEAN")
                if row.customer_id in world.confirmed
                else row._replace(result="ANSWER")
                for place, row in enumerate(world.rows)
                if place % 3 != self.without % 3
            ]
        if self.head in OF_A_PART:
            return world.rows[: max(1, len(world.rows) // 2)]
        if self.kind == "a part" or (self.kind == "a part that says it is whole" and world.confirmed):
            lost = world.confirmed[0] if world.confirmed else world.rows[self.without % len(world.rows)].customer_id
            rows = [row for row in world.rows if row.customer_id != lost]
            return rows[: max(1, len(rows) // 2)]
        return world.rows

    def _record(self, place: int, row: Row) -> dict[str, Any]:
        is_hidden = self.hidden is not None and place % self.every == 0
        written = {
            "id_cliente": (HIDDEN[str(self.hidden)] if is_hidden else SPELLINGS[self.spelling])(row.customer_id),
            "nombre": "Ñandú",
            "cod_rslt1": row.code,
            "cod_rslt2": "",
            "resultado": row.result,
            "llamadas": str(row.calls),
            "fecha": DATES[self.date](row.dialled_at) if row.dialled_at else "",
        }
        return {f"x_{name}" if name == self.renamed else name: value for name, value in written.items()}


KINDS = [
    *("a part", "a part that says it is whole", "an old copy", "of other customers", "cut off", "with a line feed"),
    "with notices",
]
PLAIN = Exporter("plain", None, 1, "ISO", "UTF-8", "tidy", "whole", None, 0)
FLAWS: dict[str, st.SearchStrategy[Any]] = {
    "spelling": st.sampled_from(sorted(SPELLINGS)),
    "hidden": st.sampled_from(sorted(HIDDEN)),
    "date": st.sampled_from(sorted(DATES)),
    "encoding": st.sampled_from(sorted(ENCODINGS)),
    "head": st.sampled_from(sorted(HEADS)),
    "kind": st.sampled_from(KINDS),
    "renamed": st.sampled_from(FIELDS),
    "without": st.integers(0, 20),
}


@st.composite
def exporters(draw: st.DrawFn) -> Exporter:
    """Tidy but for a few things."""
    flaws = draw(st.lists(st.sampled_from(["kind", "hidden", "head", *FLAWS]), min_size=1, max_size=2, unique=True))
    return replace(PLAIN, every=draw(st.sampled_from([1, 2, 3, 4])), **{name: draw(FLAWS[name]) for name in flaws})


class Vendor:
    """wolkvox, of which nothing but one export is asked."""

    def __init__(self, data: bytes, *, skip_handled: bool) -> None:
        self.settings = replace(WolkvoxHook().settings, skip_handled=skip_handled)
        self._data = data

    @contextmanager
    def export(self, campaign_id: str, head: ExportHeader) -> Iterator[Iterator[Exported]]:
        assert campaign_id == "17"
        yield read_export(io.BytesIO(self._data), head, ZoneInfo("America/Bogota"))


def insert(ledger: Database, world: World) -> None:
    ledger.execute("DELETE FROM wolkvox.codification; DELETE FROM wolkvox.export")
    coded_at = NOW - timedelta(minutes=2)
    staged_at = NOW - timedelta(days=2 if world.old else 0)
    for customer in world.confirmed:
        ledger.execute(INSERT, customer, CONTACTED_AT, "coded", "chunk", coded_at, coded_at, coded_at)
    for customer in world.waiting:
        ledger.execute(INSERT, customer, CONTACTED_AT, "pending", None, None, None, staged_at)


def settled(
    ledger: Database, world: World, exporter: Exporter, *, skip_handled: bool
) -> list[tuple[str, str, str | None]]:
    """Each waiting contact's customer, and what became of it by this export."""
    insert(ledger, world)
    vendor: Any = Vendor(exporter.write(world), skip_handled=skip_handled)
    asking = VendorClient.of(task(), vendor.settings, ledger.connection)
    settle_by_exports(asking, vendor, Run("0041", "dag", "run"), 3_600.0)
    return ledger.rows(
        "SELECT customer_id, state, reason FROM wolkvox.codification WHERE customer_id = ANY(%s)", world.waiting
    )


def check(ledger: Database, world: World, exporter: Exporter, *, skip_handled: bool) -> None:
    for customer, state, reason in settled(ledger, world, exporter, skip_handled=skip_handled):
        assert world.may_be(customer, state, reason), (customer, state, reason, world.of(customer))


@given(world=worlds(), exporter=exporters(), skip_handled=st.booleans())
@EXAMPLES
def test_no_contact_is_settled_that_the_truth_contradicts(
    ledger: Database, sandbox: SandboxServer, world: World, exporter: Exporter, skip_handled: bool
) -> None:
    connect(sandbox, export_preflight="on")
    check(ledger, world, exporter, skip_handled=skip_handled)


@given(world=worlds())
@settings(EXAMPLES, max_examples=40)
def test_a_tidy_export_settles_all_that_needs_no_request(
    ledger: Database, sandbox: SandboxServer, world: World
) -> None:
    """Who believes nothing is never wrong, and of no use."""
    connect(sandbox, export_preflight="on")
    found = settled(ledger, world, PLAIN, skip_handled=True)
    some_are_there = any(world.of(customer) for customer in world.waiting)
    for customer, state, reason in found:
        if some_are_there and not world.of(customer):
            assert (state, reason) == ("rejected" if world.old else "pending", "not_in_campaign")
        for truly in (("coded", "already_coded"), ("rejected", "already_handled")):
            if world.may_be(customer, *truly):
                assert (state, reason) == truly


@pytest.mark.minutes
@given(world=worlds(), exporter=exporters(), skip_handled=st.booleans())
@MANY
def test_no_contact_is_settled_that_the_truth_contradicts_in_thousands_of_exports(
    ledger: Database, sandbox: SandboxServer, world: World, exporter: Exporter, skip_handled: bool
) -> None:
    connect(sandbox, export_preflight="on")
    check(ledger, world, exporter, skip_handled=skip_handled)
