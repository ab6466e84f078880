"""Contacts that another task selects, in whatever way: an API, a file, a queue."""

from typing import Any

from airflow.sdk import DAG, task

from wolkvox.operators import WolkvoxCodifyOperator, WolkvoxStageOperator, WolkvoxVerdictOperator


@task
def contacted_by_whatsapp() -> list[dict[str, Any]]:
    """Instead of this: your own way of selecting them."""
    return [
        {
            "type_campaign": "preview",
            "campaign_id": "17",
            "customer_id": "1001",
            "cod_act": "5",
            "cod_act_2": None,
            "comment": "reached by WhatsApp",
            "contacted_at": "2026-11-25T09:30:00-05:00",
            "channel": "whatsapp",
            "direct": True,
        }
    ]


with DAG("wolkvox_from_records", schedule=None):
    stage = WolkvoxStageOperator(task_id="stage", records=contacted_by_whatsapp())
    codify = WolkvoxCodifyOperator.partial(task_id="codify", pool="wolkvox").expand(chunk=stage.output)
    codify >> WolkvoxVerdictOperator(task_id="verdict")
