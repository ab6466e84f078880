"""
A simulated day: a dialler calls while contacts come in, and what is told of it equals what the sandbox knows.

The clock of the dialler is set, and so are the ledger's moments after each run: all else is the real thing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import Database
from crew import Crew, age, another_night, connect, fill, stage, states, task, verdict
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook
from wolkvox.rules.audit import AuditRules
from wolkvox.rules.impact import MINUTES
from wolkvox.rules.protection import read_protection
from wolkvox.tasks.audit import audit_operation

BOGOTA = ZoneInfo("America/Bogota")
COLOMBIA = read_protection((Path(__file__).parents[2] / "include" / "protection" / "colombia.yaml").read_text())
CAMPAIGNS = ("17", "18")
MEMBERS, CONTACTED = 600, 150  # customers of a campaign
RECALLED = [f"{campaign}{n:03}" for campaign in CAMPAIGNS for n in (3, 4, 5)]
SCHEDULE, TICK = timedelta(minutes=15), timedelta(minutes=3)
CALLS = 6  # of the dialler in a tick: once through a campaign in five hours
LATE = timedelta(minutes=50)  # that one row in ten reaches the warehouse later
NO_CALLS_LEFT = ("10:00", "10:45")  # runs that meet an exhausted quota
QUERY = """
SELECT type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at, 'whatsapp', true
FROM contacted_customers WHERE contacted_at >= :window_start AND contacted_at < :window_end
"""


@dataclass
class Day:
    """The day before: from 8:00 on contacts come in until 12:30, and the dialler calls until 18:15."""

    ledger: Database
    warehouse: Database
    sandbox: SandboxServer
    crew: Crew
    contacted: dict[str, datetime] = field(default_factory=dict)
    in_warehouse: dict[str, datetime] = field(default_factory=dict)
    staged: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now = datetime.now(BOGOTA) - timedelta(days=1)
        self.begin = now.replace(hour=8, minute=0, second=0, microsecond=0)
        chance = random.Random(4)
        for campaign in CAMPAIGNS:
            for n in range(CONTACTED):
                customer, lag = f"{campaign}{n * 4:03}" if n > 5 else f"{campaign}{n:03}", timedelta()
                self.contacted[customer] = self.begin + timedelta(seconds=chance.randrange(4 * 3600 + 1800))
                if n % 10 == 9:
                    lag = LATE
                self.in_warehouse[customer] = self.contacted[customer] + lag

    def run(self) -> None:
        """Every quarter of an hour what happened since, then a run."""
        self.sandbox.control(members={c: [f"{c}{n:03}" for n in range(MEMBERS)] for c in CAMPAIGNS}, recalled=RECALLED)
        now, end = self.begin, self.begin + timedelta(hours=10, minutes=15)
        while now < end:
            for tick in self.ticks(now):
                self.sandbox.control(now=tick.isoformat())
                for campaign in CAMPAIGNS:
                    self.sandbox.dial(campaign, CALLS)
            since, now = now, now + SCHEDULE
            for customer, moment in self.in_warehouse.items():
                if since <= moment < now:
                    self.warehouse.execute(
                        "INSERT INTO contacted_customers VALUES ('preview', %s, %s, '5', NULL, NULL, %s)",
                        customer[:2],
                        customer,
                        self.contacted[customer],
                    )
                    self.staged[customer] = now
            self.send(now)

    def ticks(self, since: datetime) -> Iterator[datetime]:
        """The dialler's moments of a quarter of an hour: between two full minutes, as no other one is."""
        for place in range(SCHEDULE // TICK):
            yield since + place * TICK + timedelta(seconds=20)

    def send(self, now: datetime) -> None:
        """A run at this moment; what it wrote is of this moment, too."""
        exhausted = NO_CALLS_LEFT[0] <= f"{now:%H:%M}" <= NO_CALLS_LEFT[1]
        self.sandbox.control(now=(now + timedelta(seconds=30)).isoformat(), quota_used=20_000 if exhausted else 0)
        self.ledger.execute("UPDATE wolkvox.quota SET exhausted_at = NULL; DELETE FROM wolkvox.export")
        began, run = self.ledger.value("SELECT clock_timestamp()"), f"{now:%H:%M}"
        chunks, counts = stage(run, sql=QUERY, protection=COLOMBIA)
        verdict(run, counts, [self.crew.codify(chunk).tally() for chunk in chunks])
        for column, seconds in (("staged_at", 5), ("sent_at", 29), ("settled_at", 30)):
            self.ledger.execute(
                f"UPDATE wolkvox.codification SET {column} = %s WHERE {column} >= %s",
                now + timedelta(seconds=seconds),
                began,
            )
        self.ledger.execute(
            "UPDATE wolkvox.run SET began_at = %s, ended_at = %s WHERE dag_run_id = %s",
            now,
            now + timedelta(seconds=40),
            run,
        )


@dataclass
class Truth:
    """What the sandbox knows of the customers of a campaign, whatever an export shows."""

    after: set[str]  # dialled after they were codified
    before: dict[str, datetime]  # first dialled between contact and codification
    passed_over: set[str]  # would have been dialled

    @classmethod
    def of(cls, day: Day, campaign: str) -> Truth:
        truth = {
            name: [(who, datetime.fromisoformat(at)) for of, who, at in rows if of == campaign]
            for name, rows in day.sandbox.truth().items()
        }
        coded = dict(truth["coded"])
        contacted = {who: at for who, at in day.contacted.items() if who in coded}
        dialled = [(who, at) for who, at in truth["dialled"] if who in coded]
        after = {who for who, at in dialled if at > coded[who]}
        before: dict[str, datetime] = {}
        for who, at in dialled:
            if contacted[who] < at <= coded[who]:
                before.setdefault(who, at)
        return cls(after, before, {who for who, _ in truth["passed_over"]} - after)


def audit(**rules: Any) -> tuple[dict[str, Any], str | None]:
    another_night()
    with WolkvoxHook() as wolkvox:
        return audit_operation(task("audit", "wolkvox_audit"), wolkvox, AuditRules(**rules))


def cause(day: Day, customer: str, dialled: datetime) -> str:
    """Why a protected customer was dialled before being codified, by how the day was made."""
    if dialled < day.staged[customer] and day.in_warehouse[customer] - day.contacted[customer] == LATE:
        return "late_row"
    first, last = (day.begin.replace(hour=int(at[:2]), minute=int(at[3:])) for at in NO_CALLS_LEFT)
    return "quota" if day.contacted[customer] < last and dialled > first else "lag"


@pytest.mark.slow
@pytest.mark.parametrize("preflight", ["off", "on"])
def test_a_day_s_worth_is_what_the_sandbox_knows(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, preflight: str
) -> None:
    connect(sandbox, licenses=20, export_preflight=preflight, preflight="false", export_date="dial")
    day = Day(ledger, warehouse, sandbox, crew)
    day.run()
    sandbox.control(quota_used=0)
    ledger.execute("UPDATE wolkvox.quota SET exhausted_at = NULL, requests = 0; DELETE FROM wolkvox.export")
    assert states(ledger) == {"coded": 2 * CONTACTED}

    summary, complaint = audit()
    truths = {campaign: Truth.of(day, campaign) for campaign in CAMPAIGNS}
    causes: Counter[str] = Counter()
    seen: dict[str, datetime] = {}
    for campaign, truth in truths.items():
        assert len(truth.after) == 3
        # An export shows a customer's last dial: one who was dialled again later hides the first, if nobody looked.
        before = {who: at for who, at in truth.before.items() if preflight == "on" or who not in truth.after}
        seen |= before
        (told,) = ledger.rows(
            "SELECT coded, dialled_after, dialled_before, calls_prevented, minutes FROM wolkvox.impact"
            " WHERE campaign_id = %s",
            campaign,
        )
        assert told[:3] == (CONTACTED, 3, len(before))
        assert told[3] == pytest.approx(len(truth.passed_over), abs=1e-6)
        assert len(before) > 10
        assert sum(told[4]) == len(before)
        causes["vendor"] += len(truth.after)
        causes.update(cause(day, who, at) for who, at in before.items())
    lags = [(at - day.contacted[who]) / timedelta(minutes=1) for who, at in seen.items()]
    assert summary["impact"] == {
        "coded": 2 * CONTACTED,
        "dialled_after": 6,
        "dialled_before": len(seen),
        "calls_prevented": sum(len(truth.passed_over) for truth in truths.values()),
        "lag_sensitivity": {str(minutes): sum(lag >= minutes for lag in lags) for minutes in MINUTES},
    }
    assert summary["breaches"] == dict(causes)
    assert set(causes) == {"vendor", "late_row", "quota", "lag"}
    assert complaint is not None
    assert "6 customers were dialled after they had been codified: preview 17 (3), preview 18 (3)" in complaint


def customers(first: int, last: int) -> list[str]:
    return [f"customer-{n}" for n in range(first, last + 1)]


def _dial_later(ledger: Database, sandbox: SandboxServer, calls: int) -> None:
    """The dialler goes on, some minutes after all that the ledger knows."""
    age(ledger)
    sandbox.control(now=(datetime.now(BOGOTA) - timedelta(seconds=2)).isoformat())
    sandbox.dial("17", calls)


@pytest.mark.parametrize(
    ("setting", "moves", "dialled_after", "counted"),
    [
        ("dial", False, 2, 20),
        ("dial", True, 0, 0),  # most dates are those of our own requests: none is a dial, and people are told
        ("change", True, 2, 20),
        ("change", False, 2, 20),
        (None, False, 2, 20),
    ],
)
def test_whichever_date_an_export_shows_our_own_calls_are_no_dials(
    ledger: Database,
    warehouse: Database,
    sandbox: SandboxServer,
    crew: Crew,
    setting: str | None,
    moves: bool,
    dialled_after: int,
    counted: int,
) -> None:
    connect(sandbox, export_date=setting)
    long_ago = (datetime.now(BOGOTA) - timedelta(hours=1)).isoformat()
    sandbox.control(members={"17": customers(1, 40)}, coding_moves_date=moves, recalled=customers(1, 2), now=long_ago)
    sandbox.dial("17", 40)
    sandbox.control(now=(datetime.now(BOGOTA) - timedelta(minutes=20)).isoformat())  # as the ledger will have it
    fill(warehouse, 20)
    chunks, _ = stage()
    for chunk in chunks:
        crew.codify(chunk).tally()
    _dial_later(ledger, sandbox, 22)
    summary, complaint = audit()
    assert (summary["impact"]["coded"], summary["impact"]["dialled_after"]) == (counted, dialled_after)
    assert summary["breaches"] == {}, "no rules, no breaches"
    assert complaint is not None
    assert ("2 customers were dialled after they had been codified" in complaint) is (dialled_after == 2)
    assert ("set export_date of connection 'wolkvox_default' to change" in complaint) is (counted == 0)
    assert "customer-" not in f"{summary} {complaint}"


def test_calls_avoided_are_as_many_as_others_had_by_then(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    """A quarter of the list was dialled since: so would a quarter of those who were codified have been."""
    sandbox.control(members={"17": customers(1, 400)})
    fill(warehouse, 100, first=301)
    chunks, _ = stage()
    for chunk in chunks:
        crew.codify(chunk).tally()
    _dial_later(ledger, sandbox, 75)
    assert audit()[0]["impact"]["calls_prevented"] == 25
    sandbox.dial("17", 150)
    ledger.execute("UPDATE wolkvox.impact SET coded = 7")  # counted anew each time
    assert {name: audit()[0]["impact"][name] for name in ("coded", "calls_prevented")} == {
        "coded": 100,
        "calls_prevented": 75,
    }


def test_without_others_to_compare_with_no_call_is_claimed_to_be_avoided(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    sandbox.control(members={"17": customers(1, 5)})
    fill(warehouse, 5)
    for chunk in stage()[0]:
        crew.codify(chunk).tally()
    assert audit()[0]["impact"]["calls_prevented"] == 0


def test_a_protected_customer_whose_code_was_refused_is_told_apart(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    faults = {"customer-1": [{"kind": "invalid_code", "repeat": True}]}
    sandbox.control(members={"17": customers(1, 3)}, faults=faults)
    fill(warehouse, 1)
    rules = read_protection("timezone: America/Bogota\nrules: [{days: 2}]\n")
    for chunk in stage(protection=rules)[0]:
        crew.codify(chunk).tally()
    assert states(ledger) == {"rejected": 1}
    _dial_later(ledger, sandbox, 3)
    assert audit()[0]["breaches"] == {"refused": 1}


def test_a_backlog_that_will_be_there_when_calling_hours_begin_is_told(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    """The hours are made so that it is night now, and in the end day."""
    connect(sandbox, licenses=0.005)
    fill(warehouse, 20)
    now = datetime.now(BOGOTA)
    name = (now + timedelta(days=1)).strftime("%A").lower()
    night = read_protection(f"timezone: America/Bogota\nhours: {{{name}: '09:00-10:00'}}\nrules: [{{days: 1}}]\n")
    _, counts = stage(protection=night)
    summary, _ = verdict("run", counts, [], protection=night)
    assert summary["opened"] is False
    assert summary["left_at_opening"] == 20 - 4 - 5, "four calls are left today, five more come with the new day"
    assert "Calling hours begin" in summary["news"]["firing"]["opening"]
    day = read_protection(
        f"timezone: America/Bogota\nhours: {{{now.strftime('%A').lower()}: '00:00-24:00'}}\nrules: [{{days: 1}}]\n"
    )
    ledger.execute("UPDATE wolkvox.codification SET contacted_at = contacted_at - interval '1 day' WHERE id %% 2 = 0")
    summary, _ = verdict("run", counts, [], protection=day)
    assert (summary["opened"], summary["left_at_opening"]) == (True, 10)
