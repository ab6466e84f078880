"""A record as a list of the page has it."""

from __future__ import annotations

from datetime import datetime, timezone

from wolkvox.page.queries import Record

RECORD = Record(
    id=1,
    type_campaign="preview",
    campaign_id="15501",
    customer_id="573001234567",
    cod_act="ACT",
    state="rejected",
    reason="refused_422",
    response_code="422",
    response_msg="customer_id 573001234567, tel. 6015551234, is wrong",
    attempts=1,
    contacted_at=datetime(2026, 3, 1, tzinfo=timezone.utc),
    settled_at=None,
    not_before=None,
    dag_id="wolkvox_codify",
    dag_run_id="run",
    in_chunk=True,
    chunk_number=2,
    listed_at=datetime(2026, 3, 1, tzinfo=timezone.utc),
)
