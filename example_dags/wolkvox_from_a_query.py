"""The shortest DAG: what a query of the warehouse gives is codified every ten minutes."""

from airflow.sdk import DAG, CronDataIntervalTimetable

from wolkvox.operators import WolkvoxCodifyOperator, WolkvoxStageOperator, WolkvoxVerdictOperator

QUERY = "SELECT * FROM contacted_customers WHERE contacted_at >= :window_start AND contacted_at < :window_end"

with DAG("wolkvox_from_a_query", schedule=CronDataIntervalTimetable("*/10 * * * *", timezone="America/Bogota")):
    stage = WolkvoxStageOperator(task_id="stage", sql=QUERY)
    codify = WolkvoxCodifyOperator.partial(task_id="codify", pool="wolkvox").expand(chunk=stage.output)
    codify >> WolkvoxVerdictOperator(task_id="verdict")
