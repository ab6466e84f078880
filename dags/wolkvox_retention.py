"""
# Forget old contacts

Deletes settled records from the ledger that were staged more than half a year ago, with what was answered. Change
`KEEP` to what your data protection officer asks for; it must be longer than the 31 days a contact may wait.

**Owner:** data engineering of the contact centre.

### When it is red

The ledger could not be reached, or `KEEP` is too short: the log's last line says which. Nothing is lost; clear the
task, or wait for the next day's run.
"""

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from wolkvox.operators import WolkvoxRetentionOperator

KEEP = timedelta(days=180)
TIMEZONE = "America/Bogota"

with DAG(
    dag_id="wolkvox_retention",
    description="Delete old contacts from the wolkvox ledger",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("30 3 * * *", timezone=TIMEZONE),  # half past three at night
    start_date=pendulum.datetime(2026, 1, 1, tz=TIMEZONE),
    catchup=False,
    max_active_runs=1,
    tags=["wolkvox", "retention"],
    default_args={"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(minutes=5)},
) as dag:
    WolkvoxRetentionOperator(task_id="forget", keep=KEEP)
