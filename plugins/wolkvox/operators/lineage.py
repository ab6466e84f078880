"""
A run's lineage for OpenLineage: where contacts come from, the ledger, the dialler, and how many. No personal data.

Airflow's OpenLineage provider asks the operators for it; without that provider nothing of this is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset, OutputDataset
    from airflow.providers.openlineage.extractors import OperatorLineage

CODIFICATION = "wolkvox.codification"


def of_stage(warehouse_conn_id: str, sql: str | None, ledger_conn_id: str, records: int | None) -> OperatorLineage:
    """
    From the tables that a query names to the ledger.

    :param records: new ones of them, None: not known yet
    """
    from airflow.providers.openlineage.extractors import OperatorLineage

    read = OperatorLineage() if sql is None else _read_by(warehouse_conn_id, sql)
    return OperatorLineage(
        inputs=read.inputs,
        outputs=_written(_table(ledger_conn_id, CODIFICATION), records),
        job_facets=read.job_facets,
        run_facets=read.run_facets,
    )


def of_codify(ledger_conn_id: str, base_url: str, operation: str, records: int | None) -> OperatorLineage:
    """From the ledger to the dialler."""
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.extractors import OperatorLineage

    dialler = Dataset(namespace=f"wolkvox://{base_url.partition('://')[2]}", name=operation)
    ledger = _table(ledger_conn_id, CODIFICATION)
    return OperatorLineage(inputs=[ledger] if ledger else [], outputs=_written(dialler, records))


def of_results(ledger_conn_id: str, warehouse_conn_id: str, table: str, records: int | None) -> OperatorLineage:
    """From the ledger to the warehouse's table of results."""
    from airflow.providers.openlineage.extractors import OperatorLineage

    ledger = _table(ledger_conn_id, CODIFICATION)
    return OperatorLineage(
        inputs=[ledger] if ledger else [], outputs=_written(_table(warehouse_conn_id, table), records)
    )


def _written(dataset: Dataset | None, records: int | None) -> list[OutputDataset]:
    from airflow.providers.common.compat.openlineage.facet import OutputDataset, OutputStatisticsOutputDatasetFacet

    if dataset is None:
        return []
    counted = {} if records is None else {"outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=records)}
    return [OutputDataset(namespace=dataset.namespace, name=dataset.name, outputFacets=counted)]


def _read_by(conn_id: str, sql: str) -> OperatorLineage:
    """What a query reads, by its text alone."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.providers.openlineage.sqlparser import SQLParser

    hook, information = _database(conn_id)
    if hook is None:
        return OperatorLineage()
    dialect = hook.get_openlineage_database_dialect(BaseHook.get_connection(conn_id))
    return SQLParser(dialect=dialect).generate_openlineage_metadata_from_sql(
        sql=sql, hook=hook, database_info=information, use_connection=False
    )


def _table(conn_id: str, name: str) -> Dataset | None:
    """A table as OpenLineage names it; None where Airflow's hook doesn't say how its database is named."""
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.sqlparser import SQLParser

    hook, information = _database(conn_id)
    if hook is None:
        return None
    full = f"{information.database}.{name}" if information.database else name
    return Dataset(namespace=SQLParser.create_namespace(information), name=full)


def _database(conn_id: str) -> tuple[DbApiHook | None, Any]:
    connection = BaseHook.get_connection(conn_id)
    hook = connection.get_hook()  # type: ignore[no-untyped-call]
    information = hook.get_openlineage_database_info(connection) if isinstance(hook, DbApiHook) else None
    return (hook, information) if information else (None, None)
