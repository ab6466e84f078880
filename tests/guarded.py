"""An operation of some weeks, for tests of what is held: so many contacts each hour, all of them coded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Database

EACH_HOUR = 6  # contacts of a campaign
CAMPAIGNS = ("17", "18")
HISTORY = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, staged_at, settled_at
)
SELECT
    (
        lpad(to_hex(floor(extract(EPOCH FROM contacted_at))::bigint), 8, '0') || left(md5(customer || campaign), 24)
    )::uuid,
    '0041', 'preview', campaign, customer, '5', contacted_at, 'coded', contacted_at, contacted_at
FROM (
    SELECT campaign, 'old-' || n AS customer, date_trunc('second', now()) - n * interval '1 hour' / %s AS contacted_at
    FROM generate_series(%s::int, %s::int) AS n
    CROSS JOIN unnest(%s::text[]) AS campaign
) AS contact
"""


def live(ledger: Database, days: int = 35, until: int = 0) -> None:
    """Let the operation have lived for so many days, up to so many days ago."""
    first, last = 24 * EACH_HOUR * until + 1, 24 * EACH_HOUR * days
    ledger.execute(HISTORY, EACH_HOUR, first, last, list(CAMPAIGNS))
    ledger.execute("TRUNCATE wolkvox.dirty_hour")
    ledger.execute("INSERT INTO wolkvox.watch (dag_id, staged_at) VALUES ('wolkvox_codify', now() - interval '300 s')")
