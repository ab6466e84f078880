"""What Airflow offers out of the box: one mapped task and one HttpOperator call for each record."""

import json
import os

import pendulum
from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import DAG

COUNT = int(os.environ["MAPPED_RECORDS"])

with DAG(
    dag_id="mapped_http",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    default_args={"owner": "benchmarks"},
) as dag:
    HttpOperator.partial(
        task_id="codify",
        http_conn_id="mapped_http",
        method="PUT",
        endpoint="/api/v2/campaign.php?api=codify&type_campaign=predictive&campaign_id=15035",
        headers={"wolkvox_server": "0041", "Content-Type": "application/json"},
        pool="wolkvox",
    ).expand(
        data=[
            json.dumps({"cod_act": "141", "comment": f"Reached by WhatsApp; ref {n}", "customer_id": str(10**9 + n)})
            for n in range(COUNT)
        ]
    )
