"""A year of nights of retention, and all that happens meanwhile: verify accuses nobody, and finds what was tampered."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from conftest import Database, Databases
from contact_rows import row

from local.postgres import binaries
from wolkvox.errors import BadSetting
from wolkvox.ledger.claiming import Wanted, claim
from wolkvox.ledger.digests import Verified, operations, verify_digests
from wolkvox.ledger.staging import Staged, load
from wolkvox.rules.ages import Ages
from wolkvox.rules.contacts import Contact, read_contact
from wolkvox.rules.runs import Allowance, Resend, Run
from wolkvox.tasks.retention import Retired, retire

pytestmark = pytest.mark.timeout(900)  # a minute, and several on a machine that is busy

BEGIN = datetime(2025, 1, 1, 3, 30, tzinfo=timezone.utc)
DAY = timedelta(days=1)
AGES = Ages(keep=timedelta(days=120), anonymise_after=timedelta(days=60), expire_after=timedelta(days=31))
SECRET = "of the operation"
RENAMED, CLOSED = 150, 200  # days
LOST, ANOTHER = range(180, 183), 183
BACKUP, RESTORED = 217, 220
AHEAD, AHEAD_BY = 260, timedelta(days=70)
# Unqualified functions are looked for here first: all of the product's statements see this clock.
CLOCK = """
CREATE SCHEMA clock;
CREATE TABLE clock.ahead (by interval NOT NULL);
INSERT INTO clock.ahead VALUES ('0');
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT pg_catalog.now() + by FROM clock.ahead';
CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT pg_catalog.clock_timestamp() + by FROM clock.ahead';
ALTER TABLE wolkvox.codification ALTER staged_at SET DEFAULT clock.now();
ALTER TABLE wolkvox.answer ALTER replaced_at SET DEFAULT clock.now();
ALTER TABLE wolkvox.dial ALTER noted_at SET DEFAULT clock.clock_timestamp();
SET search_path = clock, pg_catalog, public;
"""
SETTLE = """
UPDATE wolkvox.codification
SET state = CASE WHEN customer_id LIKE 'no%' THEN 'rejected' ELSE 'coded' END, response_code = '202', attempts = 1,
    response_msg = 'of ' || customer_id, sent_at = now() - interval '2 seconds', settled_at = now()
WHERE state = 'pending' AND operation = %s AND customer_id NOT LIKE 'waits%%'
"""
AUDIT = """
WITH synced_at AS (
    UPDATE wolkvox.codification SET audited_at = now(), confirmed_at = now()
    WHERE state = 'coded' AND settled_at > now() - interval '3 days' AND audited_at IS NULL
    RETURNING id
)
INSERT INTO wolkvox.dial (codification_id, dialled_at, breach)
SELECT id, now() - interval '1 hour', 'vendor' FROM synced_at WHERE mod(id, 5) = 0
"""
LATE_DIALS = """
INSERT INTO wolkvox.dial (codification_id, dialled_at)
SELECT id, now() FROM wolkvox.codification
WHERE settled_at BETWEEN now() - interval '51 days' AND now() - interval '50 days'
"""


class Year:
    """A ledger whose clock a test sets."""

    def __init__(self, ledger: Database) -> None:
        self.ledger = ledger
        self.red: dict[int, str] = {}
        ledger.execute(CLOCK)
        name = ledger.uri.rpartition("/")[2]
        ledger.execute(f"ALTER DATABASE {name} SET search_path = clock, pg_catalog, public")

    def at(self, moment: datetime) -> None:
        self.ledger.execute("UPDATE clock.ahead SET by = %s - pg_catalog.clock_timestamp()", moment)

    def pull(self, operation: str, contacts: list[Contact], resend: Resend | None = None) -> Staged:
        run = Run(operation, f"wolkvox_{operation}", "run")
        staged = load(self.ledger.connection, contacts, run, lambda: SECRET)
        if resend:
            self.ledger.execute(
                "INSERT INTO wolkvox.run (operation, dag_id, dag_run_id, window_start, window_end)"
                " VALUES (%s, %s, %s, now(), now()) ON CONFLICT DO NOTHING",
                run.operation,
                run.dag_id,
                run.dag_run_id,
            )
            claim(self.ledger.connection, run, staged, Allowance(), Wanted(AGES.expire_after, 60.0, resend=resend))
        return staged

    def settle(self, operation: str) -> None:
        self.ledger.connection.execute(SETTLE.replace("'no%'", "'no%%'").encode(), (operation,))

    def night(self, number: int, secret: str | None = SECRET) -> Retired | None:
        def no_new_one() -> str:
            assert number == 0
            return SECRET

        try:
            done = retire("wolkvox_ledger", AGES, lambda: None if number == 0 else secret, no_new_one)
        except BadSetting as error:
            self.red[number] = str(error)
            return None
        if done.complaints:
            self.red[number] = " ".join(done.complaints)
        return done

    def verify(self) -> dict[str, Verified]:
        connection = self.ledger.connection
        return {name: verify_digests(connection, name, SECRET) for name in operations(connection)}

    def findings(self) -> list[str]:
        return [f"{name} {sentence}" for name, one in self.verify().items() for sentence in one.findings]


def contacts(operation: str, now: datetime, day: int) -> list[Contact]:
    """What the warehouse has of a day: some are rejected, wait for ever, are dated ahead, or can't be read."""
    found = [row(customer_id=f"yes-{day}", contacted_at=now), row(customer_id=f"no-{day}", contacted_at=now)]
    if day % 30 == 3:
        found.append(row(customer_id=f"waits-{day}", contacted_at=now))
        found.append(row(customer_id="1023456789", campaign_id="ana@example.com", contacted_at=now))
    if day % 40 == 5:
        found.append(row(customer_id=f"waits-ahead-{day}", contacted_at=now + 100 * DAY))
        found.append(row(customer_id=f"no-ahead-{day}", contacted_at=now + 50 * DAY))
    return [read_contact(one, operation=operation, zone=timezone.utc) for one in found]


def dump(program: str, *arguments: str) -> None:
    subprocess.run([str(binaries() / program), *arguments], check=True, capture_output=True)


def live(year: Year, day: int, backup: Path) -> None:
    """What happens from one night to the next."""
    now, ledger = BEGIN + day * DAY, year.ledger
    year.at(now)
    if day == RESTORED:
        ledger.execute("DROP SCHEMA wolkvox CASCADE")
        dump("pg_restore", "--exit-on-error", f"--dbname={ledger.uri}", str(backup))
    if day == AHEAD:
        run_ahead(year, now)
    else:
        year.night(day, None if day in LOST else "another one" if day == ANOTHER else SECRET)
    year.at(now + timedelta(hours=8))
    for operation in (main(day), *(["bank"] if day < CLOSED else [])) if day % 2 else ():
        year.pull(operation, contacts(operation, now + timedelta(hours=7), day))
        year.settle(operation)
    if day % 50 == 25 and day > 86:  # a window of long ago, whose customers are anonymous by now
        then = day - 86
        again = contacts(main(then), BEGIN + then * DAY + timedelta(hours=7), then)
        gone = day > AHEAD and BEGIN + then * DAY < BEGIN + AHEAD * DAY + AHEAD_BY - AGES.keep
        assert year.pull(main(then), again).new == (len(again) if gone else 0)
    if day % 45 == 20:
        resend(year, main(day), now)
    if day == 65:  # what was dated ahead and has a digest since is sent as a record of its own
        ahead = (
            "SELECT customer_id, state FROM wolkvox.codification WHERE customer_id LIKE '%%-ahead-5' AND"
            " operation = 'sales' AND state <> 'expired' ORDER BY id"
        )
        assert ledger.rows(ahead) == [("no-ahead-5", "rejected"), ("later-ahead-5", "coded")]
    ledger.connection.execute(AUDIT.encode())
    ledger.connection.execute(LATE_DIALS.encode())
    if day == CLOSED - 1:
        ledger.execute("UPDATE wolkvox.codification SET state = 'sending', sent_at = now() WHERE state = 'pending'")
    if day == BACKUP:
        dump("pg_dump", "--schema=wolkvox", "--format=custom", f"--file={backup}", ledger.uri)


def main(day: int) -> str:
    """The operation that is renamed in the course of the year."""
    return "sales" if day < RENAMED else "ventas"


def resend(year: Year, operation: str, now: datetime) -> None:
    """Somebody has what was rejected sent again, and it is taken now."""
    assert year.pull(operation, [], Resend("rejected", now - 20 * DAY, now)).reopened > 1
    year.ledger.execute(
        "UPDATE wolkvox.codification SET customer_id = replace(customer_id, 'no', 'later')"
        " WHERE state = 'pending' AND starts_with(customer_id, 'no')"
    )
    year.settle(operation)


def run_ahead(year: Year, now: datetime) -> None:
    """For an hour of a night, the clock is months ahead."""
    year.at(now + AHEAD_BY)
    year.pull("ventas", contacts("ventas", now + AHEAD_BY, AHEAD))
    year.settle("ventas")
    year.night(AHEAD)
    year.at(now)
    assert year.verify()["ventas"].early > 60
    assert year.findings() == []


@pytest.fixture(scope="module")
def year(databases: Databases, ledger_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """The ledger after a year."""
    backup = tmp_path_factory.mktemp("year") / "ledger.dump"
    with pytest.MonkeyPatch.context() as patch, databases.made(ledger_template) as ledger:
        patch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", ledger.uri)
        year = Year(ledger)
        for day in range(365):
            live(year, day, backup)
            if day % 60 == 59:
                assert year.findings() == [], f"day {day}"
        year.at(BEGIN + 365 * DAY)
        year.night(365)
        yield year


def test_no_night_is_red_without_work_for_somebody(year: Year) -> None:
    assert sorted(year.red) == [*LOST, ANOTHER]
    assert all("is missing" in year.red[day] and "Put it back" in year.red[day] for day in LOST)
    assert "holds another secret than before" in year.red[ANOTHER]


def test_verify_accuses_nobody_and_says_what_it_could_not_compare(year: Year) -> None:
    found = year.verify()
    assert sorted(found) == ["bank", "sales", "ventas"]
    assert year.findings() == []
    for one in found.values():
        assert (one.digests[-1].day, one.early) == ((BEGIN + 329 * DAY).date(), 0)
        assert one.compared == 84, "up to what is deleted after 120 days"
        assert one.compared + one.deleted == len(one.digests)


def test_nobody_is_known_any_longer_than_was_promised(year: Year) -> None:
    old = year.ledger.rows(
        "SELECT customer_id, settled_at FROM wolkvox.codification"
        " WHERE greatest(contacted_at, settled_at) < now() - interval '60 days'"
        " AND NOT starts_with(customer_id, '#') OR settled_at < now() - interval '220 days'"
    )
    assert old == []
    assert year.ledger.value("SELECT count(*) FROM wolkvox.codification WHERE settled_at IS NULL") < 10
    everything = str(year.ledger.rows("SELECT * FROM wolkvox.codification WHERE starts_with(customer_id, '#')"))
    assert "example.com" not in everything + str(year.ledger.rows("SELECT * FROM wolkvox.monthly_total"))


SEALED = "operation = 'ventas' AND settled_at > now() - interval '100 days' AND settled_at < now() - interval '40 days'"
ONE = f"(SELECT min(id) FROM wolkvox.codification WHERE {SEALED} AND state = 'coded')"
# One that the audit noted before the day was digested.
DIALLED = (
    "SELECT min(dial.ctid) FROM wolkvox.dial JOIN wolkvox.codification ON id = codification_id"
    f" WHERE {SEALED} AND breach = 'vendor'"
)
SET = "UPDATE wolkvox.codification SET {} WHERE id = " + ONE
LAST_WEEK = "(SELECT max(day) - 4 FROM wolkvox.daily_digest)"
TAMPERED = {
    "a contact is deleted": f"DELETE FROM wolkvox.codification WHERE id = {ONE}",
    "a failure is made a success": f"UPDATE wolkvox.codification SET state = 'coded' WHERE {SEALED}"
    " AND state = 'rejected'",
    "a success is made a failure": SET.format("state = 'failed'"),
    "a settlement is moved within its day": SET.format("settled_at = settled_at - interval '1 minute'"),
    "a settlement is moved to another day": SET.format("settled_at = settled_at - interval '1 day'"),
    "a request is moved": SET.format("sent_at = sent_at - interval '3 hours'"),
    "a customer is exchanged": SET.format("customer_id = 'somebody'"),
    "an anonymous customer is exchanged": SET.format("customer_id = '#' || md5('somebody')"),
    "a conversation is denied": SET.format("direct = true"),
    "a code is exchanged": SET.format("cod_act = '141'"),
    "a campaign is exchanged": SET.format("campaign_id = '18'"),
    "a contact is made later": SET.format("contacted_at = contacted_at + interval '1 hour'"),
    "a protection is shortened": SET.format("protected_until = now()"),
    "an answer's code is changed": SET.format("response_code = '500'"),
    "requests are denied": SET.format("attempts = 0"),
    "a confirmation is made up": SET.format("confirmed_at = now()"),
    "a finding of the audit is made up": SET.format("audit = 'missing'"),
    "a contact is given to another operation": SET.format("operation = 'bank'"),
    "a contact is taken out as if it waited": SET.format("state = 'pending', settled_at = NULL"),
    "a run is exchanged": SET.format("dag_run_id = 'another'"),
    "a dial is deleted": f"DELETE FROM wolkvox.dial WHERE ctid = ({DIALLED})",
    "a breach is excused": f"UPDATE wolkvox.dial SET breach = NULL WHERE ctid = ({DIALLED})",
    "a dial is said to have come later": f"UPDATE wolkvox.dial SET noted_at = now() WHERE ctid = ({DIALLED})",
    "an earlier answer is deleted": "DELETE FROM wolkvox.answer WHERE codification_id IN"
    f" (SELECT id FROM wolkvox.codification WHERE {SEALED})",
    "an earlier answer is made up": f"INSERT INTO wolkvox.answer (codification_id, state, attempts)"
    f" VALUES ({ONE}, 'failed', 1)",
    "a contact is made up": "INSERT INTO wolkvox.codification (contact_key, operation, state, settled_at)"
    f" SELECT gen_random_uuid(), operation, 'coded', settled_at FROM wolkvox.codification WHERE id = {ONE}",
    "a contact of before the first day is made up": "INSERT INTO wolkvox.codification"
    " (contact_key, operation, state, settled_at)"
    " VALUES (gen_random_uuid(), 'ventas', 'coded', now() - interval '300 days')",
    "the oldest days are deleted with their digests": "DELETE FROM wolkvox.daily_digest WHERE day <"
    " (SELECT max(day) - 60 FROM wolkvox.daily_digest);"
    " DELETE FROM wolkvox.codification WHERE settled_at < now() - interval '97 days'",
    "and the first digest that is left begins the chain": "DELETE FROM wolkvox.daily_digest WHERE day <"
    " (SELECT max(day) - 60 FROM wolkvox.daily_digest);"
    " UPDATE wolkvox.daily_digest SET previous = NULL WHERE day = (SELECT min(day) FROM wolkvox.daily_digest)",
    "the newest days are deleted with their digests": f"DELETE FROM wolkvox.daily_digest WHERE day > {LAST_WEEK};"
    " DELETE FROM wolkvox.codification WHERE settled_at BETWEEN now() - interval '41 days'"
    " AND now() - interval '35 days'",
    "a day is deleted with its digest": f"DELETE FROM wolkvox.daily_digest WHERE day = {LAST_WEEK}",
    "all digests are deleted": "DELETE FROM wolkvox.daily_digest",
    "a digest is exchanged": f"UPDATE wolkvox.daily_digest SET digest = sha256('x') WHERE day = {LAST_WEEK}",
    "a digest of fewer contacts is made": "UPDATE wolkvox.daily_digest SET records = 0, contents = sha256('')"
    f" WHERE day = {LAST_WEEK}",
    "more is said to have been deleted by retention": "UPDATE wolkvox.daily_digest SET deleted_before = now()"
    " WHERE day = (SELECT max(day) FROM wolkvox.daily_digest)",
    "digests of the future say so": "INSERT INTO wolkvox.daily_digest (operation, day, records, contents,"
    " deleted_before, previous, digest) SELECT operation, day + 1, 0, contents, now(), digest, digest"
    " FROM wolkvox.daily_digest"
    " WHERE day = (SELECT max(day) FROM wolkvox.daily_digest)",
}


@pytest.mark.parametrize("tampering", TAMPERED.values(), ids=list(TAMPERED))
def test_verify_finds_that(year: Year, tampering: str) -> None:
    connection = year.ledger.connection
    with connection.transaction(force_rollback=True):
        assert connection.execute(tampering.encode()).rowcount > 0, "nothing was tampered with"
        assert year.findings()


def test_retention_builds_on_no_seal_that_was_tampered_with(year: Year) -> None:
    """Else the next digest would say what the tampered one does, and be signed."""
    name = "more is said to have been deleted by retention"
    before = year.ledger.rows("SELECT operation, day, deleted_before FROM wolkvox.daily_digest")
    year.ledger.execute(TAMPERED[name])
    try:
        year.at(BEGIN + 366 * DAY)
        done = year.night(366)
        assert done is not None
        assert len(done.complaints) == 3
        assert all("was changed. Run `python -m wolkvox verify`" in sentence for sentence in done.complaints)
        assert done.digested == 0
    finally:
        for operation, day, deleted_before in before:
            year.ledger.execute(
                "UPDATE wolkvox.daily_digest SET deleted_before = %s WHERE operation = %s AND day = %s",
                deleted_before,
                operation,
                day,
            )
        year.at(BEGIN + 365 * DAY)
    assert year.findings() == []
