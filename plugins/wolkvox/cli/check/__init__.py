"""``python -m wolkvox check``: whether everything that our DAGs need is there and fit, before the first run."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from wolkvox.airflow_core.dag_files import DagBag
from wolkvox.cli.check.connections import check_ledger, check_schema, check_settings, check_vendor
from wolkvox.cli.check.contacts import check_channels, check_operations, check_warehouse
from wolkvox.cli.check.finding import Finding, finding
from wolkvox.cli.check.mail import check_mail
from wolkvox.cli.check.runs import check_polls, check_pool
from wolkvox.cli.check.token import check_shared_token
from wolkvox.dag.operations import FILE
from wolkvox.operators import WolkvoxStageOperator

Checks = Mapping[str, Callable[[WolkvoxStageOperator], str]]

OF_CONNECTIONS: Checks = {"settings": check_settings, "ledger": check_ledger, "schema": check_schema}
OF_RUNS: Checks = {
    "warehouse": check_warehouse,
    "vendor": check_vendor,
    "pool": check_pool,
    "polls": check_polls,
    "mail": check_mail,
}


def run(arguments: Namespace) -> int:
    """Print each finding on a line; 1 when one of them is wrong."""
    failed = 0
    for one in check(arguments.dag_id):
        print(f"{'ok  ' if one.ok else 'FAIL'} {one.name:28} {one.message}", flush=True)
        failed += not one.ok
    return min(failed, 1)


def check(dag_id: str | None = None) -> Iterator[Finding]:
    """
    Check what each DAG with our operators needs, one finding at a time.

    Costs one of the day's requests for each DAG: wolkvox is asked for the token's use.

    :param dag_id: this DAG alone
    """
    bag = DagBag()
    for file, message in bag.import_errors.items():
        yield from (Finding(f"file {file}", False, mistake) for mistake in _mistakes(message))
    stages = [
        task
        for dag in bag.dags.values()
        if dag_id in (None, dag.dag_id)
        for task in dag.tasks
        if isinstance(task, WolkvoxStageOperator)
    ]
    if not stages:
        yield Finding("dag", False, "No DAG here stages contacts: look at the DAGs folder, and at the DAG's name.")
        default = WolkvoxStageOperator(task_id="stage", sql="")
        yield from findings(default, "usual connections", {**OF_CONNECTIONS, "vendor": check_vendor})
    for stage in stages:
        yield from findings(stage, stage.dag_id, OF_CONNECTIONS)
        yield from check_shared_token(stage, stages)
        yield from findings(stage, stage.dag_id, OF_RUNS)
        if stage.is_built_in:
            yield from findings(stage, stage.dag_id, {"operations": check_operations})
        if stage.protection is not None:
            yield from findings(stage, stage.dag_id, {"channels": check_channels})


def findings(stage: WolkvoxStageOperator, owner: str, checks: Checks) -> Iterator[Finding]:
    """The findings of some checks; ``owner`` begins the name of each."""
    for name, one in checks.items():
        yield finding(f"{owner} {name}", partial(one, stage))


def _mistakes(message: str) -> list[str]:
    """The lines of an import error: each mistake of operations.yaml, or the last line, which names any other error."""
    lines = message.strip().splitlines()
    _, heading, mistakes = message.partition(f" in {FILE}:\n")
    return mistakes.strip().splitlines() if heading else lines[-1:]
