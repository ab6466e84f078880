"""The ledger as the codify loop sees it, when PostgreSQL forgets what it had not yet put on disk."""

from datetime import datetime, timedelta, timezone

from conftest import Database

from wolkvox.ledger.connection import LedgerConnection
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.slots import Holder, SlotRules
from wolkvox.ledger.staging import Allowance, Chunk, Pace, Run, stage
from wolkvox.rules.contacts import read_contact
from wolkvox.rules.records import Settled
from wolkvox.stop import Stop

RULES = SlotRules(fingerprint=7, operation="0041", call_timeout=65.0, patience=5.0)
HOLDER = Holder("wolkvox_codify", "run", "codify", 0, 1)
STATES = "SELECT state, attempts FROM wolkvox.codification WHERE chunk_id IS NOT NULL ORDER BY id DESC"


def staged_chunk(ledger: Database, records: int) -> Chunk:
    """A chunk of so many records, all that are staged: at that pace one task is enough."""
    now = datetime.now(timezone.utc)
    contacts = [
        read_contact(("preview", "7", str(n), "141", None, None, now), operation="0041", zone=timezone.utc)
        for n in range(records)
    ]
    staged = stage(
        ledger.connection,
        contacts,
        run=Run("0041", "wolkvox_codify", "run"),
        ask=Allowance,
        pace=Pace(3_600.0, 0.001),
        expire_after=timedelta(days=1),
        most_chunks=1,
    )
    return staged.chunks[0]


def coded(record: int) -> Settled:
    """The record was coded."""
    return Settled(record, "coded", None, "202", "coded")


def test_what_a_crash_of_postgresql_takes_back_is_written_again_by_the_living_task(ledger: Database) -> None:
    chunk = staged_chunk(ledger, 3)
    sessions: list[LedgerConnection] = []

    def connect() -> LedgerConnection:
        sessions.append(LedgerConnection.connect(ledger.uri, autocommit=True))
        return sessions[-1]

    with ChunkSession(connect, chunk, RULES, HOLDER, Stop()) as session:
        first, second, third = (record.id for record in session.waiting())
        assert session.advance(None, first)
        session.run(lambda connection: connection.execute("DEALLOCATE flush"))
        session.run(lambda connection: connection.execute("PREPARE flush AS SELECT pg_sleep(60)"))
        assert session.advance(coded(first), second)
        assert ledger.rows(STATES) == [("coded", 1), ("sending", 1), ("pending", 0)]

        # What the crash leaves: the step before the flush never happened.
        ledger.execute("UPDATE wolkvox.codification SET state = 'sending', settled_at = NULL WHERE id = %s", first)
        ledger.execute("UPDATE wolkvox.codification SET state = 'pending', attempts = 0 WHERE id = %s", second)
        ledger.execute("SELECT pg_terminate_backend(%s)", sessions[0].info.backend_pid)

        assert session.advance(coded(second), third)
        assert ledger.rows(STATES) == [("coded", 1), ("coded", 1), ("sending", 1)]
        session.advance(coded(third), None)

    assert ledger.rows(STATES) == [("coded", 1), ("coded", 1), ("coded", 1)]
    assert len(sessions) == 2


def test_the_last_record_is_on_disk_when_the_loop_is_told_so(ledger: Database) -> None:
    chunk = staged_chunk(ledger, 1)
    with ChunkSession(
        lambda: LedgerConnection.connect(ledger.uri, autocommit=True), chunk, RULES, HOLDER, Stop()
    ) as session:
        record = session.waiting()[0].id
        session.advance(None, record)
        session.advance(coded(record), None)
        assert session._flushing is False
