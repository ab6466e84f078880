"""Every fault the sandbox can make, each on a record of its own, and what becomes of it."""

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, NamedTuple

from conftest import Database
from crew import Crew, connect, fill, stage
from sandbox_server import SandboxServer

from wolkvox.rules.retry_policy import RetryPolicy

BUSY = "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"
REQUIRED = "SOME PARAMETERS ARE REQUIRED"
OOPS = "<html>502 Bad Gateway</html>"


class Planned(NamedTuple):
    """What is planned for a record, and how it must end; ``requests`` are the requests the server saw of it."""

    faults: list[dict[str, Any]]
    state: str = "coded"
    reason: str | None = None
    code: str | None = "202"
    msg: str | None = "customer_id {} has been coded"
    requests: int = 1
    attempts: int = 1


def status(number: int, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": number, **more}


def soon() -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=1), usegmt=True)


PLAN = {
    "no fault": Planned([]),
    "500, then ok": Planned([status(500)], requests=2, attempts=2),
    "500 for ever": Planned(
        [status(500, msg="oops", repeat=True)], "pending", "overloaded_500", "500", "oops", requests=3, attempts=3
    ),
    "429 with Retry-After": Planned([status(429, headers={"Retry-After": "1"})], requests=2, attempts=2),
    "Retry-After is a date": Planned([status(503, headers={"Retry-After": soon()})], requests=2, attempts=2),
    "Retry-After is garbage": Planned(
        [status(503, headers={"Retry-After": "\u00b2 -1e9 soon"})], requests=2, attempts=2
    ),
    "Retry-After overflows": Planned(
        [status(503, headers={"Retry-After": "1 Jan 99999999999999999999 00:00:00 +99999999999"})],
        requests=2,
        attempts=2,
    ),
    "reset before the effect": Planned([{"kind": "reset_before"}], "pending", "unknown_reset", None, None),
    "reset after the effect": Planned([{"kind": "reset_after"}], "pending", "unknown_reset", None, None),
    "truncated": Planned([{"kind": "truncated"}], "pending", "unknown_truncated", None, None),
    "HTML 502": Planned([status(502, body=OOPS, repeat=True)], "pending", "unknown_502", "502", OOPS),
    "HTML 503, then ok": Planned([status(503, body=OOPS)], requests=2, attempts=2),
    "409, then ok": Planned([status(409, msg="is being dialled")], requests=2, attempts=2),
    "success in the code, failure in the message": Planned(
        [status(200, body='{"code": 200, "error": "customer is in a call", "msg": ""}')],
        "rejected",
        "refused_200",
        "200",
        "customer is in a call",
    ),
    "HTML 200": Planned(
        [{"kind": "html_200"}],
        "pending",
        "unknown_unreadable",
        "200",
        "<html><head><title>wolkvox</title></head><body><h1>wolkvox</h1></body></html>",
    ),
    "403 concurrency": Planned([{"kind": "concurrency"}] * 2, requests=3),
    "403 maintenance": Planned([{"kind": "maintenance"}] * 2, requests=3, attempts=3),
    "403 maintenance, 403 concurrency, 500": Planned(
        [{"kind": "maintenance"}, {"kind": "concurrency"}, status(500)], requests=4, attempts=3
    ),
    "string code": Planned([{"kind": "string_code"}]),
    "HTTP 202": Planned([{"kind": "http_202"}]),
    "body 400 under HTTP 200": Planned([{"kind": "body_400"}], "rejected", "refused_400", "400", REQUIRED),
    "400": Planned([status(400, msg=REQUIRED)], "rejected", "refused_400", "400", REQUIRED),
    "404": Planned([{"kind": "not_found"}], "rejected", "not_found", "404", "NO RECORDS FOUND"),
    "422": Planned([{"kind": "invalid_code"}], "rejected", "refused_422", "422", "El codAct no es valido"),
    "slow": Planned([{"kind": "slow", "seconds": 1.0}]),
}


def test_each_record_ends_as_the_table_says_with_the_vendors_message(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    customers = {f"customer-{n}": planned for n, planned in enumerate(PLAN.values(), start=1)}
    sandbox.control(faults={customer: planned.faults for customer, planned in customers.items()})
    fill(warehouse, len(PLAN))
    chunks, _ = stage()
    retry_policy = RetryPolicy(tries=3, first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0)
    tallies = [worker.tally() for worker in [crew.codify(chunk, request_retries=retry_policy) for chunk in chunks]]

    requests = sandbox.stats()["calls_per_record"]
    for name, (customer, planned) in zip(PLAN, customers.items(), strict=True):
        ended = ledger.rows(
            "SELECT state, reason, response_code, response_msg, %s::int, attempts FROM wolkvox.codification"
            " WHERE customer_id = %s",
            requests[f"preview/17/{customer}"],
            customer,
        )[0]
        msg = planned.msg and planned.msg.format(customer)
        assert ended == (planned.state, planned.reason, planned.code, msg, planned.requests, planned.attempts), name

    assert sum(tally["unknown"] for tally in tallies) == 5
    assert sum(tally["resent"] for tally in tallies) == sum(planned.attempts > 1 for planned in PLAN.values())
    assert sum(tally["requests"] for tally in tallies) == sum(planned.requests for planned in PLAN.values())
    assert sandbox.stats()["peak_in_flight"] <= 2


def test_an_outcome_nobody_saw_is_settled_by_the_next_run(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(faults={"customer-1": [{"kind": "reset_after"}], "customer-2": [{"kind": "truncated"}]})
    fill(warehouse, 4)
    for run in ("first", "second", "third"):
        for worker in [crew.codify(chunk) for chunk in stage(run)[0]]:
            worker.tally()
    assert ledger.rows("SELECT customer_id, state, reason, attempts FROM wolkvox.codification ORDER BY 1") == [
        ("customer-1", "coded", None, 2),
        ("customer-2", "coded", None, 2),
        ("customer-3", "coded", None, 1),
        ("customer-4", "coded", None, 1),
    ]
    assert sandbox.stats()["codify_calls"] == 6
