"""
# Old contacts: digested, then anonymous, then gone

Runs from the start, every night. What is too old to be sent expires, also where the operation's own DAG is paused or
gone. Contacts that were settled five weeks ago don't change any more: each day's get a digest, in a chain with the day
before (`python -m wolkvox verify` compares). `ANONYMISE_AFTER` its settlement a contact's customer is a
hash, and its comment and wolkvox's messages are empty; who has the customer's id still finds it on the page, for the
hash is made with the Airflow variable `wolkvox_evidence_secret`: **keep a copy of it.** After `KEEP` the contact is
deleted, and its numbers stay in `wolkvox.monthly_total`. Change both to what your data protection officer asks for;
they must be at least 36 days.

**Owner:** data engineering of the contact centre.

### When it is red

The log's last line says why, and what to do:

- The ledger could not be reached, or an age is too short. Nothing is lost; correct it and clear the task.
- The secret is missing or is another one: nothing was done. Put the old one back from your copy.
- Somebody's session holds contacts locked that are due: all others are done. End that session, clear the task.
- A digest was changed: no further day of its operation is digested. `python -m wolkvox verify` says what doesn't agree.
"""

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from wolkvox.notifier import WolkvoxAlert
from wolkvox.operators import WolkvoxRetentionOperator

ANONYMISE_AFTER = timedelta(days=180)
KEEP = timedelta(days=1096)  # three years, as long as somebody may ask for proof
TIMEZONE = "America/Bogota"

with DAG(
    dag_id="wolkvox_retention",
    description="Digest, anonymise and delete old contacts of the wolkvox ledger",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("30 3 * * *", timezone=TIMEZONE),  # half past three at night
    start_date=pendulum.datetime(2026, 1, 1, tz=TIMEZONE),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,  # years begin with the first day
    tags=["wolkvox", "retention"],
    default_args={"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(minutes=5)},
) as dag:
    WolkvoxRetentionOperator(
        task_id="forget",
        keep=KEEP,
        anonymise_after=ANONYMISE_AFTER,
        on_failure_callback=WolkvoxAlert(),
    )
