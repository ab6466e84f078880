"""What an export is compared with is found by an index, however much history the ledger holds."""

from __future__ import annotations

import json
from datetime import timedelta

from conftest import Database
from test_plans import BACKLOG, NOW, Plans, connection, plans, scans

from wolkvox.ledger import exports
from wolkvox.ledger.connection import LedgerConnection
from wolkvox.ledger.reports import waiting_since
from wolkvox.rules.exports import Exported
from wolkvox.rules.runs import Run

__all__ = ["connection", "plans"]  # fixtures
RUN = Run("0041", "wolkvox_codify", "run")
CAMPAIGN = ("predictive", "101")


def test_an_export_is_compared_without_reading_the_history(
    ledger: Database, connection: LedgerConnection, plans: Plans
) -> None:
    connection.execute(BACKLOG, (NOW, None, 20_000))
    ledger.execute("ANALYZE wolkvox.codification")
    assert [campaign for campaign, _ in exports.campaigns_to_ask_for(connection, "0041", 500)][:1] == ["100"]
    assert exports.seconds_until_due(connection, "0041", "101") == 0.0
    exports.note_export(connection, "0041", "101")
    there = (Exported(str(number), "141", "", None, False, False) for number in range(1, 20_001, 2))
    exports.load(connection, there)
    compared = exports.compare(connection, "0041", CAMPAIGN)
    assert (compared.waiting, compared.strangers, compared.confirmed) == (1_000, 0, 0)
    assert exports.settle(connection, RUN, CAMPAIGN, skip_handled=True, strangers_are_known=True).already_coded == 1_000
    assert exports.settled_in(connection, RUN).already_coded == 1_000
    waiting_since(connection, "0041", NOW - timedelta(days=1))
    read = {query: plan for query, found in plans.items() for plan in found}
    assert len(read) >= 5
    whole = [query for query, plan in read.items() if "Seq Scan" in scans(plan)]
    assert not whole, "\n\n".join(f"{query}\n{json.dumps(read[query], indent=1)}" for query in whole)
