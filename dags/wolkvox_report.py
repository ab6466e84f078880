"""
# Yesterday in one mail

Mails yesterday's figures each morning to whoever subscribes (`report_to` in `include/operations.yaml`): lag, share
within the target, what was coded, rejected, invalid and failed and why, who was dialled although codified, and what
waits. The figures are the page's own. An operation without `report_to` has no such DAG.

**Owner:** data engineering of the contact centre.

### When it is red

1. **A recipient can't be reached:** the log says why of each. Correct `report_to` or the SMTP connection and clear the
   task on the same day: who has the report gets no second one. Later, take the PDF from the page.
2. **The token, the address or the ledger:** the log's last line says which; correct it and clear the task on the same
   day.
"""

from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from wolkvox.dag.defaults import task_defaults
from wolkvox.dag.operations import Operation, deployed_operations
from wolkvox.notifier import WolkvoxAlert
from wolkvox.operators import WolkvoxReportOperator

MORNING = "0 6 * * *"  # on the operation's clock


def report_dag(operation: Operation) -> DAG:
    """The DAG of one operation."""
    with DAG(
        dag_id=operation.report_dag_id,
        description=f"Mail yesterday's figures ({operation.name})",
        doc_md=__doc__,
        schedule=CronTriggerTimetable(MORNING, timezone=operation.timezone),
        start_date=pendulum.datetime(2026, 1, 1, tz=operation.timezone),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,  # whoever writes report_to wants it
        tags=["wolkvox", "report", operation.name],
        default_args={
            "owner": "data-engineering",
            "retries": 3,
            "retry_delay": timedelta(minutes=10),
            **task_defaults(operation),
        },
    ) as dag:
        WolkvoxReportOperator(
            task_id="report",
            to=operation.report_to,
            language=operation.language,
            on_failure_callback=WolkvoxAlert(to=operation.alert_to, webhook=operation.alert_webhook),
        )
    return dag


for operation in deployed_operations(Path(__file__).parent).all:
    if operation.report_to and operation.refused is None:
        report_dag(operation)
