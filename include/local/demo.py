"""``python -m local.demo``: a day of contacts, codified against the sandbox, and both sides' counts compared."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from local.airflow_api import AirflowApi, call
from local.settings import STATE, Stack, StackError, databases
from local.stack import DAG, airflow_api, start, summary

AUDIT = "wolkvox_audit"
TIMEOUT = 360.0  # seconds the run may take
LATENCY = 0.01  # seconds that the sandbox takes for a request
SPOKEN = 10.0  # seconds between two lines of progress where there is no terminal

UNKNOWN = [f"C{n}" for n in range(7, 241, 7)]
REFUSED = [f"C{n}" for n in range(5, 241, 15) if n % 7]
DIALLED = "15501"  # the campaign whose list the sandbox's dialler goes through meanwhile
OTHERS = [str(710000000 + n) for n in range(3000)]  # its customers whom nobody reached
EARLY = 20  # dials at a time, before the run; each of MINUTES says how long after the contact
MINUTES = (0, 0, 1, 1, 3, 3, 4, 7, 8, 12, 20, 25, 40, 70, 150)
LATER = 2400  # dials after it

HICCUPS = [str(700000000 + n) for n in range(1000, 9001, 2000)]

SENT = ("coded", "rejected", "failed")
SETTLED = (*SENT, "invalid", "superseded", "expired")
EXPECTED = {
    "coded": 10001 + 900 + 240 - len(UNKNOWN) - len(REFUSED),
    "rejected": len(UNKNOWN) + len(REFUSED),
    "invalid": 60,
    "superseded": 200,
}

console = Console()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the three sides say once the run is over."""

    run_state: str
    verdict: dict[str, Any]
    ledger: Counter[tuple[str, str]]  # records by campaign and state
    attempts: int
    sandbox: dict[str, Any]

    @property
    def states(self) -> Counter[str]:
        """The ledger's records by state."""
        states: Counter[str] = Counter()
        for (_, state), count in self.ledger.items():
            states[state] += count
        return states

    @property
    def seen(self) -> Counter[str]:
        """Records that the sandbox got, by campaign."""
        return Counter(record.rsplit("/", 1)[0] for record in self.sandbox["calls_per_record"])


def main() -> None:
    """Run the demo; exits 1 when the two sides differ or the run fails."""
    began = time.monotonic()
    try:
        stack = start(STATE, os.environ, demo=True)
        window = seed(stack)
        set_sandbox(stack, window[0])
        api = airflow_api(stack)
        run_id = trigger(api, *window)
        state = watch(stack, api, run_id)
        outcome = count(stack, api, run_id, state)
        dial(stack, LATER)
        findings = audit(api)
        truth = dialled(stack)
    except StackError as error:
        sys.exit(f"\n{error}")
    except (OSError, psycopg.OperationalError) as error:
        sys.exit(f"\nThe stack stopped answering ({error}): see `make status` and {STATE / 'logs'}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The stack is still up: `make down` stops it.")
    console.print(table(outcome))
    print(f"{totals(outcome)}\n\n{summary(stack)}\n", flush=True)
    faults = differences(outcome)
    if findings.get("confirmed") != outcome.sandbox["coded"]:
        faults.append(f"the audit found {findings}, the sandbox has {outcome.sandbox['coded']} coded")
    impact = findings.get("impact", {})
    if (impact.get("dialled_before"), impact.get("dialled_after")) != truth:
        faults.append(f"the audit counts {impact}, the sandbox dialled {truth} customers before and after the code")
    if faults:
        sys.exit("The demo failed:\n" + "\n".join(f"- {what}" for what in faults))
    print(
        f"Ledger, sandbox and XCom agree: {outcome.sandbox['coded']:,} customers coded, each exactly once, at most"
        f" {outcome.sandbox['peak_in_flight']} requests at a time. {time.monotonic() - began:.0f} s in all."
        f" The audit confirms all {findings['confirmed']:,} codes. The sandbox's dialler called"
        f" {impact['dialled_before']} of these customers before they were codified and {impact['dialled_after']} after;"
        f" codifying prevented about {impact['calls_prevented']:,} calls."
        " The stack is still up: `make down` stops it."
    )


def seed(stack: Stack) -> tuple[datetime, datetime]:
    """Fill the demo's warehouse with the day before yesterday's contacts; the window they lie in."""
    start = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=48)
    statement = Path(__file__).with_name("demo_contacts.sql").read_text()
    with psycopg.connect(stack.uri(databases(demo=True)["warehouse"])) as warehouse:
        rows = warehouse.execute(statement.encode(), {"start": start}).rowcount
    console.print(f"{rows:,} contacts are in the demo's warehouse", highlight=False)
    return start, start + timedelta(hours=24)


def set_sandbox(stack: Stack, begin: datetime) -> None:
    """Make the sandbox lack some customers, reject some codes, answer 500 now and then, and dial."""
    faults = {customer: [{"kind": "invalid_code", "repeat": True}] for customer in REFUSED}
    faults |= {customer: [{"kind": "status", "status": 500}] for customer in HICCUPS}
    call(f"{stack.sandbox_url}/reset", "POST")
    call(
        f"{stack.sandbox_url}/control",
        "PUT",
        {
            "latency": LATENCY,
            "unknown_customers": UNKNOWN,
            "faults": faults,
            "members": {DIALLED: [*(str(700000000 + n) for n in range(1, 10_002)), *OTHERS]},
        },
    )
    for place, minutes in enumerate(MINUTES, start=1):
        now = begin + timedelta(seconds=8 * EARLY * place + 4, minutes=minutes)  # a contact every eight seconds
        call(f"{stack.sandbox_url}/control", "PUT", {"now": now.isoformat()})
        dial(stack, EARLY)
    call(f"{stack.sandbox_url}/control", "PUT", {"now": None})


def dial(stack: Stack, dials: int) -> None:
    """Let the sandbox's dialler make so many calls."""
    call(f"{stack.sandbox_url}/dial", "POST", {"campaign_id": DIALLED, "calls": dials})


def dialled(stack: Stack) -> tuple[int, int]:
    """Return how many customers the sandbox dialled before they were codified, and how many after."""
    truth = call(f"{stack.sandbox_url}/truth")
    coded = {customer: at for campaign, customer, at in truth["coded"] if campaign == DIALLED}
    called = [(customer, at) for _, customer, at in truth["dialled"] if customer in coded]
    after = {customer for customer, at in called if at > coded[customer]}
    return len({customer for customer, _ in called} - after), len(after)


def trigger(api: AirflowApi, window_start: datetime, window_end: datetime) -> str:
    """Start the DAG on the window; the run's id."""
    now = datetime.now(timezone.utc)
    run_id = f"demo__{now:%Y%m%dT%H%M%S}"
    window = {"window_start": window_start.isoformat(), "window_end": window_end.isoformat()}
    params = {**window, "run_minutes": TIMEOUT / 60}  # all in one run, however slow the machine
    api.send("POST", f"/dags/{DAG}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": params})
    console.print(f"Triggered {DAG}, run {run_id}", highlight=False)
    return run_id


def watch(stack: Stack, api: AirflowApi, run_id: str) -> str:
    """Show the ledger fill up until the run has ended; its state."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeElapsedColumn(),
    )
    began = time.monotonic()
    spoken = began
    pace = Pace()
    with (
        psycopg.connect(stack.uri(databases(demo=True)["ledger"]), autocommit=True) as ledger,
        Display(*columns, console=console, disable=not console.is_terminal) as progress,
    ):
        bar = progress.add_task("", total=None, pace="")
        while True:
            now = time.monotonic()
            run = api.get(f"/dags/{DAG}/dagRuns/{run_id}")
            states = _states(ledger)
            settled = sum(states[state] for state in SETTLED)
            total = sum(states.values())
            speed = pace.tell(now, sum(states[state] for state in SENT), total - settled)
            progress.states = " ".join(f"{state} {count:,}" for state, count in sorted(states.items())) or "staging"
            progress.update(bar, completed=settled, total=total or None, pace=speed)
            if run["state"] in ("success", "failed"):
                return str(run["state"])
            if not console.is_terminal and now - spoken >= SPOKEN:
                console.print(f"{now - began:4.0f} s  {progress.states}  {speed}", highlight=False, soft_wrap=True)
                spoken = now
            if now - began > TIMEOUT:
                raise StackError(
                    f"The run is {run['state']} after {TIMEOUT:.0f} s; the ledger holds: {progress.states}"
                )
            time.sleep(1)


class Display(Progress):
    """The bar, with the ledger's states above it."""

    states = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn."""
        yield Text(self.states)
        yield self.make_tasks_table(self.tasks)


class Pace:
    """How fast records are sent, from what was counted in the last seconds."""

    WINDOW = 10.0  # seconds

    def __init__(self) -> None:
        self._counts: list[tuple[float, int]] = []

    def tell(self, now: float, sent: int, left: int) -> str:
        """Records a second and the time the rest will take, from what is sent at ``now``, in seconds."""
        self._counts = [(when, count) for when, count in self._counts if now - when <= self.WINDOW] + [(now, sent)]
        (_when, count), seconds = self._counts[0], now - self._counts[0][0]
        if sent == count or not seconds:
            return ""
        rate = (sent - count) / seconds
        return f"{rate:.0f}/s, {left / rate:.0f} s left"


def _states(ledger: psycopg.Connection) -> Counter[str]:
    return Counter(dict(ledger.execute("SELECT state, count(*) FROM wolkvox.codification GROUP BY state").fetchall()))


def count(stack: Stack, api: AirflowApi, run_id: str, run_state: str) -> Outcome:
    """What the run, the ledger and the sandbox say."""
    entry = api.get(f"/dags/{DAG}/dagRuns/{run_id}/taskInstances/verdict/xcomEntries/return_value")
    with psycopg.connect(stack.uri(databases(demo=True)["ledger"])) as ledger:
        records = ledger.execute(
            "SELECT concat_ws('/', type_campaign, campaign_id), state, count(*) FROM wolkvox.codification GROUP BY 1, 2"
        ).fetchall()
        row = ledger.execute("SELECT coalesce(sum(attempts), 0) FROM wolkvox.codification").fetchone()
    assert row is not None
    return Outcome(
        run_state=run_state,
        verdict=entry["value"] if entry else {},
        ledger=Counter({(campaign, state): number for campaign, state, number in records}),
        attempts=int(row[0]),
        sandbox=call(f"{stack.sandbox_url}/stats"),
    )


def audit(api: AirflowApi) -> dict[str, Any]:
    """Run the audit; return its summary."""
    run_id = f"demo__{datetime.now(timezone.utc):%Y%m%dT%H%M%S}"
    api.send("POST", f"/dags/{AUDIT}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": {}})
    console.print(f"Triggered {AUDIT}, run {run_id}", highlight=False)
    began = time.monotonic()
    while api.get(f"/dags/{AUDIT}/dagRuns/{run_id}")["state"] not in ("success", "failed"):
        if time.monotonic() - began > TIMEOUT:
            raise StackError(f"The audit takes more than {TIMEOUT:.0f} s.")
        time.sleep(0.5)
    entry = api.get(f"/dags/{AUDIT}/dagRuns/{run_id}/taskInstances/audit/xcomEntries/return_value")
    return dict(entry["value"]) if entry else {}


def table(outcome: Outcome) -> Table:
    """The ledger by campaign and state, beside the records that the sandbox got."""
    states = [state for state in (*SETTLED, "pending", "sending") if outcome.states[state]]
    result = Table(
        box=SIMPLE_HEAD, pad_edge=False, show_edge=False, title="Records in the ledger, and seen by the sandbox"
    )
    result.add_column("campaign", no_wrap=True)
    for heading in (*states, "sent", "seen"):
        result.add_column(heading, justify="right")
    campaigns = sorted({campaign for campaign, _ in outcome.ledger} | set(outcome.seen))
    for campaign in campaigns:
        counts = [outcome.ledger[campaign, state] for state in states]
        sent = sum(outcome.ledger[campaign, state] for state in SENT)
        result.add_row(campaign, *map(_number, (*counts, sent, outcome.seen[campaign])))
    sums = [outcome.states[state] for state in states]
    sent = sum(outcome.states[state] for state in SENT)
    result.add_section()
    result.add_row("all", *map(_number, (*sums, sent, outcome.seen.total())), style="bold")
    return result


def totals(outcome: Outcome) -> str:
    """The three counts of the same thing, one a line."""
    verdict, sandbox = outcome.verdict, outcome.sandbox
    return "\n".join(
        (
            f"ledger         {outcome.states['coded']:>7,} coded  {outcome.attempts:>7,} requests",
            f"verdict, XCom  {verdict.get('coded', 0):>7,} coded  {verdict.get('requests', 0):>7,} requests"
            f"  {verdict.get('quota_requests') or 0:>7,} of the day's quota",
            f"sandbox        {sandbox['coded']:>7,} coded  {sandbox['codify_calls']:>7,} requests"
            f"  {sandbox['quota_used']:>7,} of the day's quota  {sandbox['peak_in_flight']} in flight at most",
        )
    )


def _number(value: int) -> str:
    return f"{value:,}"


def differences(outcome: Outcome) -> list[str]:
    """Return a sentence for each difference; an empty list when all sides agree."""
    states, sandbox, verdict = outcome.states, outcome.sandbox, outcome.verdict
    sent_by_campaign = Counter({campaign: 0 for campaign, _ in outcome.ledger})
    for (campaign, state), number in outcome.ledger.items():
        sent_by_campaign[campaign] += number if state in SENT else 0
    again = {record for record, requests in sandbox["calls_per_record"].items() if requests > 1}
    checks = {
        f"the DAG run is {outcome.run_state}": outcome.run_state == "success",
        f"the ledger holds {dict(states)} instead of {EXPECTED}": states == EXPECTED,
        f"the ledger has {states['coded']} coded, the sandbox {sandbox['coded']}": states["coded"] == sandbox["coded"],
        f"sent by campaign: ledger {dict(sent_by_campaign)}, sandbox {dict(outcome.seen)}": +sent_by_campaign
        == outcome.seen,
        f"requests: ledger {outcome.attempts}, verdict {verdict.get('requests')}, sandbox {sandbox['codify_calls']}": {
            outcome.attempts,
            verdict.get("requests"),
        }
        == {sandbox["codify_calls"]},
        f"the verdict's XCom differs from the ledger: {verdict}": all(
            verdict.get(state) == states[state] for state in SENT
        ),
        f"{len(again)} records were sent more than once, {len(HICCUPS)} should": len(again) == len(HICCUPS),
        f"{sandbox['peak_in_flight']} requests were in flight at once": sandbox["peak_in_flight"] <= 2,
    }
    return [what for what, right in checks.items() if not right]


if __name__ == "__main__":
    main()
