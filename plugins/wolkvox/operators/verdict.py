"""The operator that adds a run up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wolkvox.operators.base import WolkvoxOperator, fail_with, failing_for_good
from wolkvox.rules.alerts import Thresholds
from wolkvox.rules.options import read_options

if TYPE_CHECKING:
    from airflow.sdk import Context

    from wolkvox.rules.protection import Protection


class WolkvoxVerdictOperator(WolkvoxOperator):
    """
    Add the run up, return the summary, and fail when the run must not be green.

    Runs whatever became of the tasks before it (trigger rule "all_done").

    :param stage_task_id: task that staged the run
    :param codify_task_id: mapped task that sent its chunks
    :param thresholds: from where on an alert fires although the run is green
    :param protection: rules whose calling hours no contact should wait into
    """

    ui_color = "#fff4dd"

    def __init__(
        self,
        *,
        stage_task_id: str = "stage",
        codify_task_id: str = "codify",
        thresholds: Thresholds | None = None,
        protection: Protection | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})
        self.thresholds = thresholds
        self.protection = protection
        self.stage_task_id = stage_task_id
        self.codify_task_id = codify_task_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the run's summary; fails with every reason why it isn't green."""
        from wolkvox.operators.metrics import report_run
        from wolkvox.tasks.verdict import add_up

        ti = context["ti"]
        staged = ti.xcom_pull(task_ids=self.stage_task_id, key="summary")
        # In a list, for one task id alone gives no list when there is one chunk.
        tallies = [tally for tally in ti.xcom_pull(task_ids=[self.codify_task_id]) if tally]
        with failing_for_good():
            options = read_options(context["params"], "UTC")
            settings, thresholds = self.wolkvox().settings, self.thresholds or Thresholds()
            task = self._task(context)
            summary, complaints = add_up(task, settings, options, thresholds, staged, tallies, self.protection)
        report_run(summary)
        self.log.info("The run: %s", summary)
        if complaints:
            fail_with(context, summary, " ".join(complaints))
        for asset in self.outlets:
            context["outlet_events"][asset].extra = summary
        return summary
