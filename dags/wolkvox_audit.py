"""
# Does wolkvox show what it was sent?

Asks wolkvox for each campaign with codified contacts of the last month, one request a campaign, and notes of each
contact whether its code is there: `confirmed_at`, or `audit` says `mismatch` (another code), `missing`, `open_again`
(our code is there, and the customer will be dialled all the same) or `overtaken` (an agent has dialled since, or the
protection is over: nothing to do). The page's time line of a customer shows it. Each operation of
`include/operations.yaml` has a DAG like this one.

**Owner:** data engineering of the contact centre.

### When it is red

1. **Too many contacts are not confirmed:** the message names the campaigns. Look at them in wolkvox Manager: were they
   recycled, were records recalled or removed, did an agent give another code? `RESEND_MISSING = True` offers
   again, once, what shows no code at all.
2. **Most contacts can't be verified:** their campaigns' exports can't be had or relied on; the log says why of
   each.
3. **Dates can't be read, are ahead of the clock, or are those of our own requests:** the message says which setting of
   the connection to look at; `python -m wolkvox examine` prints its value.
4. **The token, the address or the ledger:** the log's last line says which; correct it and clear the task.

A campaign whose export can't be relied on (cut off, more than 60,000 records) is named as `not_verifiable`, and nothing
is concluded from it; one of whose dates some can't be read as `dials_not_verifiable`.
"""

from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from wolkvox.dag.defaults import task_defaults
from wolkvox.dag.operations import Operation, deployed_operations
from wolkvox.notifier import WolkvoxAlert
from wolkvox.operators import WolkvoxAuditOperator

AFTER_HOURS = "0 22 * * *"  # the dialler is at rest: its exports compete with nothing
RESEND_MISSING = False


def audit_dag(operation: Operation) -> DAG:
    """The DAG of one operation."""
    with DAG(
        dag_id=operation.audit_dag_id,
        description=f"Compare what wolkvox shows with what it was sent ({operation.name})",
        doc_md=__doc__,
        schedule=CronTriggerTimetable(AFTER_HOURS, timezone=operation.timezone),
        start_date=pendulum.datetime(2026, 1, 1, tz=operation.timezone),
        catchup=False,
        max_active_runs=1,
        tags=["wolkvox", "audit", operation.name],
        default_args={
            "owner": "data-engineering",
            "retries": 1,
            "retry_delay": timedelta(minutes=10),
            **task_defaults(operation),
        },
    ) as dag:
        WolkvoxAuditOperator(
            task_id="audit",
            resend_missing=RESEND_MISSING,
            on_failure_callback=WolkvoxAlert(to=operation.alert_to, webhook=operation.alert_webhook),
        )
    return dag


for operation in deployed_operations(Path(__file__).parent).all:
    if operation.refused is None:
        audit_dag(operation)
