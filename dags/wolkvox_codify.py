"""
# Tell the dialler who was already reached

Pulls the customers who were reached outside the dialler (WhatsApp, a manual call, a branch) from the warehouse and
codifies each of them in wolkvox, so that the dialler leaves them alone. Each operation of `include/operations.yaml` has
a DAG like this one.

**Owner:** data engineering of the contact centre.

| task | what it does |
|---|---|
| `stage` | pulls the window's contacts into the ledger; makes as many chunks as needed, none where workers are at it |
| `codify` | a worker in the operation's pool (two requests at a time): takes and sends the newest until none is left |
| `verdict` | adds the run up and fails it when something is wrong or missing |
| `results` | if asked for, writes what became of the contacts into a table of the warehouse |

A run begins within seconds when there is work: Airflow's triggerer polls the warehouse and the ledger every few
seconds (`wake`). The cron (`schedule`) begins one in any case: it finds what no poll can see, such as a changed code,
and works alone where no triggerer runs. The window of a run that an event began ends when `stage` runs.

### When it is red

1. **`stage` is red:** its last log line says which connection or param is wrong. Correct it; the next run goes on.
2. **`codify` is red:** a bad token or address (correct the connection), an outage (only the first run that meets it is
   red; the next ones try with three records at most and go on by themselves), or no free slot (the message names who
   holds them).
3. **only `verdict` is red:** its message says why: too many records were refused, or some are missing. The vendor's
   messages are in the ledger: `SELECT reason, response_msg, count(*) FROM wolkvox.codification WHERE dag_run_id = '…'
   GROUP BY 1, 2`. To send refused or failed ones again after the cause is mended, trigger a run with the same window
   and the param `resend`.
4. **nothing is red, but Airflow was away, or the DAG paused, for longer than `lookback_hours`:** trigger one run with
   a `window_start` before that. It pulls everything since then, of at most 31 days.

### When records wait

A worker sends for `run_minutes` (empty: 15) at most, the newest contacts first; the rest is the next run's. A record
whose answer was never seen, or whose tries were used up, is offered by the next run, then after growing delays, and is
`failed` for good after 8 requests. A campaign that refuses or fails for all its records is suspended: three of them try
it after growing delays, none is rejected meanwhile. An alert fires when such a thing begins, is repeated once a day,
and is resolved when it ends.

Nothing is lost by clearing a task or by running a window twice: what is coded is never sent again.
"""

from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import Asset, DeadlineAlert, DeadlineReference, SyncCallback

from wolkvox.dag.deadline import DagWithDeadline
from wolkvox.dag.defaults import task_defaults
from wolkvox.dag.operations import deployed_operations, search_path
from wolkvox.dag.params import run_params
from wolkvox.dag.schedule import codify_schedule
from wolkvox.notifier import WolkvoxAlert
from wolkvox.operators import (
    WolkvoxCodifyOperator,
    WolkvoxResultsOperator,
    WolkvoxStageOperator,
    WolkvoxVerdictOperator,
)

HERE = Path(__file__).parent
RETRIES = {"retries": 1, "retry_delay": timedelta(seconds=10)}  # few and short: fresh contacts wait for the run's end

for operation in deployed_operations(HERE).all:
    alert = {"to": operation.alert_to, "webhook": operation.alert_webhook}
    late = timedelta(minutes=operation.latest_end_minutes)
    with DagWithDeadline(
        dag_id=operation.dag_id,
        description=f"Codify customers in wolkvox ({operation.name}) that were reached outside the dialler",
        doc_md=__doc__,
        schedule=codify_schedule(operation, HERE),
        start_date=pendulum.datetime(2026, 1, 1, tz=operation.timezone),
        catchup=False,  # the look-back covers what was missed; what to do after a longer pause: above
        max_active_runs=4,  # each worker may be of another run: one stages beside both, and one ends
        deadline=DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, late, SyncCallback(WolkvoxAlert, alert)),
        tags=["wolkvox", "reverse-etl", operation.name],
        template_searchpath=search_path(HERE),
        default_args={"owner": "data-engineering", **RETRIES, **task_defaults(operation)},
        params=run_params(operation),
    ):
        stage = WolkvoxStageOperator(
            task_id="stage",
            sql=operation.sql,
            protection=operation.protects,
            guard=operation.holds,
            execution_timeout=late,  # a warehouse that never answers holds up no other run for longer
        )
        codify = WolkvoxCodifyOperator.partial(
            task_id="codify",
            pool=operation.pool,
            retries=0,  # what it leaves is the next run's, sooner than a retry could have a dead task's slot
            linger=operation.linger_seconds,
            map_index_template="chunk {{ task.chunk.number }}{{ task.sent }}",
        ).expand(chunk=stage.output)
        verdict = WolkvoxVerdictOperator(
            task_id="verdict",
            thresholds=operation.alert_thresholds,
            protection=operation.protects,
            outlets=[Asset(operation.asset)],
            on_success_callback=WolkvoxAlert(**alert),  # delivers alerts of a green run, and is silent otherwise
            on_failure_callback=WolkvoxAlert(**alert),
        )
        stage >> codify >> verdict
        if operation.results_table:
            codify >> WolkvoxResultsOperator(task_id="results", table=operation.results_table)
