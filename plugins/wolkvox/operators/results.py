"""The operator that writes outcomes into the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wolkvox.operators.base import WolkvoxOperator, failing_for_good

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context


class WolkvoxResultsOperator(WolkvoxOperator):
    """
    Write what became of the contacts into a table of the warehouse, and return how many were written.

    Those that came in or were settled since the last time, and all of this run's; each replaces its row of before. Runs
    whatever became of the tasks before it (trigger rule "all_done").

    :param table: its name, with its schema if need be; it is made when it isn't there
    :param warehouse_conn_id: any SQL connection that may write
    """

    ui_color = "#f1e8ff"

    def __init__(self, *, table: str, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})
        self.table = table
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> int:
        """Write, batch by batch."""
        from wolkvox.ledger.connection import connected
        from wolkvox.ledger.results import changes
        from wolkvox.tasks.task import run_of
        from wolkvox.warehouse.results import write_results

        if context["params"]["dry_run"]:
            return 0
        with failing_for_good():
            task, place = self._task(context), f"{self.warehouse_conn_id} {self.table}"
            run = run_of(task, self.wolkvox().settings)
            with connected(task.ledger_conn_id, task.stop) as ledger, changes(ledger, run, place) as batches:
                written = write_results(self.warehouse_conn_id, self.table, batches)
        self.log.info("Wrote what became of %d contacts into %s.", written, self.table)
        self.done = written
        return written

    def get_openlineage_facets_on_start(self) -> OperatorLineage:
        """The task's inputs and outputs, for OpenLineage."""
        from wolkvox.operators.lineage import of_results

        return of_results(self.ledger_conn_id, self.warehouse_conn_id, self.table, self.done)
