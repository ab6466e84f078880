"""The operator of the workers that send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wolkvox.operators.base import WolkvoxOperator, failing_for_good
from wolkvox.rules.options import began_by

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context


class WolkvoxCodifyOperator(WolkvoxOperator):
    """
    Codify what waits, the newest first, up to one chunk's allotment; return the tally, counted from the ledger.

    A retry takes up what the first try left. Put it into the pool of two slots.

    :param chunk: reference of the chunk, as ``stage`` returned it (templated)
    :param linger: seconds to wait for more when nothing is left to send, unless a person began the run; only the last
        worker of an operation waits
    """

    template_fields: Sequence[str] = ("chunk",)
    template_fields_renderers = {"chunk": "json"}  # noqa: RUF012 - as in every operator
    ui_color = "#e8f7e4"

    def __init__(self, *, chunk: dict[str, Any], linger: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk
        self.linger = linger

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the chunk's pending records and return the tally."""
        from wolkvox.operators.metrics import ChunkMetrics
        from wolkvox.rules.runs import Chunk
        from wolkvox.tasks.chunk import codify_chunk

        chunk = Chunk(**self.chunk)
        with failing_for_good(), self.wolkvox() as wolkvox:
            meter = ChunkMetrics(chunk.operation)
            tally = codify_chunk(self._task(context), wolkvox, chunk, meter, self._linger(context))
        self.log.info("Done: %s", tally)
        self.done = tally["coded"]
        return tally

    @property
    def sent(self) -> str:
        """The end of the chunk's label in the grid: how many records were coded, once it is over."""
        return "" if self.done is None else f" · {self.done:,} coded"

    def _linger(self, context: Context) -> float:
        """Seconds; none where a person began the run, who waits for its end."""
        run = context.get("dag_run")
        return 0.0 if run is None or began_by(run.run_type) == "person" else self.linger

    def get_openlineage_facets_on_start(self) -> OperatorLineage:
        """The task's inputs and outputs, for OpenLineage."""
        from wolkvox.operators.lineage import of_codify

        settings = self.wolkvox().settings
        return of_codify(self.ledger_conn_id, settings.base_url, settings.operation, self.done)
