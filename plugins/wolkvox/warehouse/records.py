"""Contacts that another task hands over, instead of a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wolkvox.errors import BadSetting
from wolkvox.rules.contacts import COLUMNS, OPTIONAL
from wolkvox.rules.tables import mappings


def customers_of_records(records: Any) -> Iterator[Sequence[Any]]:
    """
    Contacts that another task selected, as values of ``contacts.COLUMNS`` and ``contacts.OPTIONAL``.

    :param records: mappings, or a table of pandas, Polars or Arrow
    :raises BadSetting: when one is no mapping with the names of ``contacts.COLUMNS``, saying which and what is missing
    """
    for number, record in enumerate(mappings(records), start=1):
        missing = [name for name in COLUMNS if name not in record] if isinstance(record, Mapping) else COLUMNS
        if missing:
            raise BadSetting(f"Record {number} has no {', '.join(missing)}; it must have {', '.join(COLUMNS)}.")
        yield [record.get(name) for name in (*COLUMNS, *OPTIONAL)]
