"""From a codify task instance to its rows on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from airflow.sdk import BaseOperatorLink, conf

from wolkvox.operators import WolkvoxCodifyOperator

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class RowsLink(BaseOperatorLink):
    """
    Opens the page at the records of a task instance's chunk.

    The plugin registers it, so that the api-server makes the link when it is shown: one that a task leaves behind
    would keep the address that Airflow had then.
    """

    name = "Rows in Wolkvox"
    operators = [WolkvoxCodifyOperator]  # noqa: RUF012 - as Airflow wants it

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The page's address, inside Airflow's frame."""
        query = urlencode({"run": ti_key.run_id, "dag": ti_key.dag_id, "chunk": ti_key.map_index + 1})
        base_url = conf.get("api", "base_url", fallback="").rstrip("/")
        return f"{base_url}/plugin/wolkvox{urlsplit(base_url).path}/wolkvox/?{query}"
