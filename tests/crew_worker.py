"""What a task's process does, without the scheduler: builds an operator, runs it, obeys SIGTERM as Airflow's does."""

import json
import logging
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowFailException

import wolkvox.tasks.chunk  # noqa: F401 - imported once, before the fork
from wolkvox.operators import WolkvoxCodifyOperator
from wolkvox.vendor import settings as vendor_settings

ExecutorSafeguard.test_mode = True  # an operator may be executed here, outside of Airflow's task runner


def codify(
    folder: str, environment: dict[str, str], options: dict[str, Any], dag: str, try_number: int, call_timeout: float
) -> None:
    """Run one codify task; what became of it goes to ``result.json``, what it said to ``log``."""
    home = Path(folder)
    log = os.open(home / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
    os.environ.update(environment)
    vendor_settings.CALL_TIMEOUT = call_timeout
    operator = WolkvoxCodifyOperator(task_id="codify", **options)
    signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
    ti = SimpleNamespace(
        dag_id=dag,
        run_id=options["chunk"]["dag_run_id"],
        task_id="codify",
        map_index=options["chunk"]["number"] - 1,
        try_number=try_number,
    )
    context: Any = {"ti": ti}
    result: dict[str, Any]
    try:
        result = {"ended": "success", "tally": operator.execute(context)}
    except Exception as error:
        logging.exception("the task failed")
        hopeless = isinstance(error, AirflowFailException)
        kind = type(error.__cause__ if hopeless else error).__name__
        result = {"ended": "failed" if hopeless else "retry", "error": kind, "message": str(error)}
    (home / "result.json").write_text(json.dumps(result))
