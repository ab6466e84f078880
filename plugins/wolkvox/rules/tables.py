"""Records that a task hands over, in whichever form. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wolkvox.errors import BadSetting
from wolkvox.rules.contacts import COLUMNS


def mappings(records: Any) -> Iterable[Any]:
    """
    Return the records one by one; the rows of a table of pandas, Polars or Arrow as mappings.

    :raises BadSetting: when it is neither a table nor a collection
    """
    if hasattr(records, "itertuples"):  # pandas
        columns = list(map(str, records.columns))
        return (dict(zip(columns, row, strict=True)) for row in records.itertuples(index=False, name=None))
    for name in ("to_dicts", "to_pylist"):  # Polars, Arrow
        if hasattr(records, name):
            rows: Iterable[Any] = getattr(records, name)()
            return rows
    if isinstance(records, (str, bytes, Mapping)) or not isinstance(records, Iterable):
        raise BadSetting(
            f"records is of type {type(records).__name__}: give a list of mappings with the names {', '.join(COLUMNS)},"
            " or a table of pandas, Polars or Arrow with these columns."
        )
    return records
