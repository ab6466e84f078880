"""A ledger at work goes back to each version it ever had, and up again: nothing is lost, nothing is sent twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.providers.postgres.hooks.postgres import PostgresHook
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from conftest import Database
from crew import Crew, fill, stage, states, verdict
from sandbox_server import SandboxServer

from wolkvox.ledger.migrate import migrate, versions

MIGRATIONS = Path(__file__).parents[2] / "plugins" / "wolkvox" / "ledger" / "migrations"
CONFIG = Config()
CONFIG.set_main_option("script_location", str(MIGRATIONS))
HEAD = ScriptDirectory.from_config(CONFIG).get_current_head()
OLDER = sorted(one.revision for one in ScriptDirectory.from_config(CONFIG).walk_revisions() if one.revision != HEAD)


def go_back(version: str) -> None:
    with PostgresHook("wolkvox_ledger").get_sqlalchemy_engine().begin() as connection:
        CONFIG.attributes["connection"] = connection
        command.downgrade(CONFIG, version)


def test_the_versions_before_this_one_are_known() -> None:
    assert [f"{number:04}" for number in range(1, int(str(HEAD)))] == OLDER


@pytest.mark.slow
@pytest.mark.parametrize("version", OLDER)
def test_a_days_work_survives_an_older_version(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, version: str
) -> None:
    fill(warehouse, 20)
    for chunk in stage("sent before")[0]:
        crew.codify(chunk).tally()
    sandbox.control(unknown_customers=["customer-21"], faults={"customer-22": [{"kind": "reset_after"}]})
    fill(warehouse, 10, first=21)
    for chunk in stage("half sent before", limit=4)[0]:
        crew.codify(chunk).tally()
    before = states(ledger)
    assert before == {"coded": 22, "rejected": 1, "pending": 7}

    go_back(version)
    assert sum(states(ledger).values()) == 30
    migrate()
    assert versions(ledger.connection) == (HEAD, HEAD)
    assert states(ledger) == before

    ledger.execute("INSERT INTO wolkvox.look VALUES ('0041', '9999-01-01') ON CONFLICT DO NOTHING")
    chunks, counts = stage("after")
    assert counts["new"] == 0, "each contact is known"
    _, complaints = verdict("after", counts, [crew.codify(chunk).tally() for chunk in chunks])
    assert complaints == []
    assert states(ledger) == {"coded": 29, "rejected": 1}
    asked_twice = [record for record, calls in sandbox.stats()["calls_per_record"].items() if calls > 1]
    assert len(asked_twice) == 1, "customer-22, whose first answer nobody saw"
