"""Fill a ledger with what earlier runs settled: for tests of plans and for measurements."""

from datetime import timedelta
from typing import Any

import psycopg

STEP = 5_000_000  # rows of a statement: what its triggers look at is kept until its end
# Two years of runs in twenty campaigns, every tenth record superseded, every fiftieth rejected.
_HISTORY = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, comment, contacted_at, state, attempts,
    reason, response_code, response_msg, staged_at, sent_at, settled_at, dag_run_id, chunk_id, slot
)
SELECT
    (to_hex(extract(epoch FROM moment)::bigint) || left(md5('history ' || n), 24))::uuid,
    '0041', 'predictive', (100 + n %% 20)::text, (900000000 + n)::text, '141',
    'Reached by WhatsApp, promised to pay; ref ' || n, moment, state, 1,
    CASE state WHEN 'superseded' THEN 'newer_contact' WHEN 'rejected' THEN 'refused_422' END,
    '202', 'customer_id ' || 900000000 + n || ' has been coded', moment, moment, moment,
    'history ' || n / 20000, md5('chunk ' || n / 10000), 'ab12cd34/0'
FROM (
    SELECT
        n,
        now() - %(newest)s - (%(rows)s - n) * (interval '700 days' / %(rows)s) AS moment,
        CASE WHEN n %% 10 = 0 THEN 'superseded' WHEN n %% 50 = 1 THEN 'rejected' ELSE 'coded' END AS state
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
) AS history
"""


def fill_history(ledger: psycopg.Connection[Any], rows: int, newest: timedelta = timedelta(days=40)) -> None:
    """
    Add so many settled rows; its indexes are made anew afterwards, which is faster with millions of them.

    :param newest: age of the newest
    """
    indexes = [
        definition
        for (definition,) in ledger.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = 'wolkvox.codification'::regclass AND NOT indisunique"
        )
    ]
    names = ledger.execute(
        "SELECT string_agg(indexrelid::regclass::text, ', ') FROM pg_index"
        " WHERE indrelid = 'wolkvox.codification'::regclass AND NOT indisunique"
    ).fetchone()
    assert names is not None
    with ledger.transaction():
        ledger.execute("SET LOCAL synchronous_commit = off")
        ledger.execute("SET LOCAL maintenance_work_mem = '512MB'")
        ledger.execute(f"DROP INDEX {names[0]}".encode())
        ledger.execute("ALTER TABLE wolkvox.codification DROP CONSTRAINT codification_contact_key")
        for first in range(1, rows + 1, STEP):
            last = min(first + STEP - 1, rows)
            ledger.execute(_HISTORY, {"rows": rows, "newest": newest, "first": first, "last": last})
        ledger.execute("ALTER TABLE wolkvox.codification ADD CONSTRAINT codification_contact_key UNIQUE (contact_key)")
        for definition in indexes:
            ledger.execute(definition.encode())
    ledger.execute("VACUUM ANALYZE wolkvox.codification")
