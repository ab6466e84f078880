"""The first steps of an installation: which connections there are, and whether the ledger has its tables."""

from __future__ import annotations

import logging

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from wolkvox.errors import BadSetting, WolkvoxError
from wolkvox.page.queries import Dag
from wolkvox.page.reading import LEDGER, known_dags, settings

WAREHOUSE = "warehouse"

log = logging.getLogger(__name__)


def first_steps(of: Dag) -> list[dict[str, object]]:
    """Each step by its name, in the order in which they are done, with what it is about; ``done`` says how it is."""
    return [
        {"step": "wolkvox", "about": of.wolkvox_conn_id, "done": _has_settings(of)},
        {"step": "warehouse", "about": WAREHOUSE, "done": _has_connection(WAREHOUSE)},
        {"step": "ledger", "about": LEDGER, "done": _has_connection(LEDGER)},
        {"step": "tables", "about": LEDGER, "done": _has_tables()},
    ]


def _has_settings(of: Dag) -> bool:
    try:
        settings(of)
    except (BadSetting, AirflowNotFoundException) as error:
        log.info("The connection to wolkvox can't be used: %s", error)
        return False
    return True


def _has_connection(conn_id: str) -> bool:
    try:
        BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return False
    return True


def _has_tables() -> bool:
    try:
        known_dags()
    except (WolkvoxError, AirflowNotFoundException) as error:
        log.info("The ledger can't be read: %s", error)
        return False
    return True
