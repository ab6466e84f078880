"""``python docs/dictionary.py URI``: write the data dictionary of a migrated ledger into docs/ledger.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psycopg

FILE = Path(__file__).with_name("ledger.md")
HEAD = """# The ledger's tables

Made by `python docs/dictionary.py URI` from the database's own comments. The table that is for your queries is
`wolkvox.codification`; all times have a zone.
"""
TABLES = """
SELECT table_name, obj_description(format('wolkvox.%I', table_name)::regclass, 'pg_class')
FROM information_schema.tables
WHERE table_schema = 'wolkvox' AND table_type = 'BASE TABLE' AND table_name <> 'migration'
ORDER BY table_name <> 'codification', table_name
"""
COLUMNS = """
SELECT
    attribute.attname,
    format_type(attribute.atttypid, attribute.atttypmod),
    attribute.attnotnull,
    col_description(attribute.attrelid, attribute.attnum)
FROM pg_attribute AS attribute
WHERE attribute.attrelid = format('wolkvox.%%I', %s::text)::regclass
    AND attribute.attnum > 0
    AND NOT attribute.attisdropped
ORDER BY attribute.attnum
"""
TRIGGERS = """
SELECT
    tgname,
    regexp_replace(pg_get_triggerdef(oid, true), '^CREATE TRIGGER \\S+ (.*) EXECUTE FUNCTION .*$', '\\1'),
    obj_description(oid, 'pg_trigger')
FROM pg_trigger
WHERE tgrelid = format('wolkvox.%%I', %s::text)::regclass AND NOT tgisinternal
ORDER BY tgname
"""


def dictionary(ledger: psycopg.Connection[Any]) -> str:
    """The text of the dictionary."""
    parts = [HEAD]
    for table, purpose in ledger.execute(TABLES).fetchall():
        rows = ["| column | type | empty | what it is |", "|---|---|---|---|"]
        for name, kind, required, comment in ledger.execute(COLUMNS, (table,)):
            rows.append(f"| `{name}` | {kind} | {'never' if required else 'may be'} | {comment} |")
        parts.append(f"## `wolkvox.{table}`\n\n{purpose}\n\n" + "\n".join(rows) + "\n")
        fired = [f"- `{name}`, {when}: {comment}." for name, when, comment in ledger.execute(TRIGGERS, (table,))]
        if fired:
            parts.append("A change of it fires these triggers:\n\n" + "\n".join(fired) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1]) as connection:
        FILE.write_text(dictionary(connection), encoding="utf-8")
