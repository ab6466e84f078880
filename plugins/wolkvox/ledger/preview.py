"""What a dry run shows of what it would do: rows with masked ids, and the difference from the last run."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import Any

from wolkvox.ledger.connection import Connection, sql
from wolkvox.ledger.staging import Staged
from wolkvox.rules.masking import mask
from wolkvox.rules.runs import Run

ROWS = 20  # of each state and campaign
GROUPS = 20  # the largest ones: it travels through XCom
COMPARED = ("pulled", "new", "held", "invalid", "known", "records")


def groups(connection: Connection, run: Run, staged: Staged) -> list[dict[str, Any]]:
    """
    The rows that a run brought, by the state and the campaign that they would have; the largest groups first.

    Call it in the transaction that is rolled back. Ids are masked, and no comment is shown.
    """
    params = {**asdict(run), "mark": staged.mark, "rows": ROWS}
    rows = connection.execute(sql("preview"), params).fetchall()
    described = []
    for (state, kind, campaign_id, records), some in groupby(rows, lambda row: row[:4]):
        examples = [
            {
                "customer_id": mask(customer_id),
                "cod_act": cod_act if state != "invalid" else None,  # of a row that can't be sent it may be anything
                "contacted_at": contacted_at and contacted_at.isoformat(),
                "reason": reason,
            }
            for *_, customer_id, cod_act, contacted_at, reason in some
        ]
        campaign = {"type_campaign": kind, "campaign_id": campaign_id}
        described.append({"state": state, **campaign, "records": records, "rows": examples})
    return described[:GROUPS]


def change(connection: Connection, run: Run, staged: Staged) -> dict[str, int]:
    """By how much each count differs from the last run of the same DAG that ended; empty when there is none."""
    row = connection.execute(
        "SELECT counts FROM wolkvox.run WHERE operation = %(operation)s AND dag_id = %(dag_id)s"
        " AND state <> 'running' AND counts ? 'pulled' ORDER BY began_at DESC LIMIT 1",
        asdict(run),
    ).fetchone()
    if row is None:
        return {}
    now = staged.counts()
    return {name: now[name] - row[0][name] for name in COMPARED if name in row[0]}
