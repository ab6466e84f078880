"""Records that fail, and what the ledger counts of them: for the tests of faults, breaker and suspension."""

from __future__ import annotations

from conftest import Database

from wolkvox.ledger.breaker import Breaker, outage
from wolkvox.ledger.connection import Connection
from wolkvox.ledger.faults import count_fault
from wolkvox.ledger.suspension import suspended_campaigns
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import Faults
from wolkvox.rules.retry_policy import RetryPolicy

POLICY = RetryPolicy(refusals=10)
BREAKER = Breaker("0041", 7, ("dag", "run"), POLICY)
INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, settled_at, sent_at,
    chunk_id
)
VALUES (
    gen_random_uuid(), '0041', 'preview', %s, 'c', '5', clock_timestamp(), %s,
    CASE WHEN %s <> 'pending' THEN clock_timestamp() END, CASE WHEN %s THEN clock_timestamp() END, 'chunk'
)
RETURNING id
"""


class Vendor:
    """Settles records and counts faults, as the loops of several workers do."""

    def __init__(self, ledger: Database) -> None:
        self.ledger = ledger

    def record(self, campaign: str, state: str, *, sent: bool = True) -> int:
        ((record,),) = self.ledger.rows(INSERT, campaign, state, state, sent)
        return int(record)

    def send(self, record: int) -> None:
        self.ledger.execute("UPDATE wolkvox.codification SET sent_at = clock_timestamp() WHERE id = %s", record)

    def code(self, campaign: str = "17") -> None:
        self.record(campaign, "coded")

    def refuse(self, campaign: str = "17", message: str = "404 NO", record: int | None = None) -> Faults:
        record = record or self.record(campaign, "rejected")
        return self.count(Fault(record, ("preview", campaign), "not_found", message, "Look.", refused=True))

    def fail(self, campaign: str = "17", record: int | None = None, *, conflict: bool = False) -> Faults:
        return self.count(self.fault(campaign, record, conflict=conflict))

    def fault(self, campaign: str = "17", record: int | None = None, *, conflict: bool = False) -> Fault:
        record = record or self.record(campaign, "pending")
        reason = "conflict_409" if conflict else "overloaded_500"
        return Fault(record, ("preview", campaign), reason, "500 OOPS", "Look.", refused=False, conflict=conflict)

    def count(self, fault: Fault, connection: Connection | None = None) -> Faults:
        return count_fault(connection or self.ledger.connection, BREAKER, fault)

    def states(self) -> dict[str, int]:
        return dict(self.ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY state"))

    def suspended(self) -> list[str]:
        return [campaign.campaign_id for campaign in suspended_campaigns(self.ledger.connection, "0041")]

    def outage(self) -> str | None:
        known = outage(self.ledger.connection, "0041", 7)
        return None if known is None else known.reason
