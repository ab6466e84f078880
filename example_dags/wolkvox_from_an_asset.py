"""Codified as soon as another DAG has brought contacted_customers up to date, instead of by the clock."""

from airflow.sdk import DAG, Asset, Param

from wolkvox.operators import WolkvoxCodifyOperator, WolkvoxStageOperator, WolkvoxVerdictOperator

QUERY = "SELECT * FROM contacted_customers WHERE contacted_at >= :window_start AND contacted_at < :window_end"

with DAG("wolkvox_from_an_asset", schedule=Asset("contacted_customers"), params={"lookback_hours": Param(24)}):
    stage = WolkvoxStageOperator(task_id="stage", sql=QUERY)
    codify = WolkvoxCodifyOperator.partial(task_id="codify", pool="wolkvox").expand(chunk=stage.output)
    codify >> WolkvoxVerdictOperator(task_id="verdict")
