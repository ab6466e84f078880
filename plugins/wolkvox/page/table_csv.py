"""A table as CSV."""

from __future__ import annotations

import csv
import io
from typing import IO

from wolkvox.page.rows import harmless
from wolkvox.page.table import Table

SEPARATORS = {"es": ";"}  # of a list where the language is spoken, as spreadsheets expect it; elsewhere a comma
PART = 100_000  # characters written at once


def write_csv(table: Table, file: IO[bytes]) -> None:
    """Write a CSV file whose cells a spreadsheet takes for text, not for formulas."""
    buffer = io.StringIO("\ufeff")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer, delimiter=SEPARATORS.get(table.language or "", ","))
    writer.writerow(table.heads)
    for row in table.rows:
        writer.writerow([harmless(cell) for cell in row])
        if buffer.tell() > PART:
            file.write(buffer.getvalue().encode())
            buffer.seek(0)
            buffer.truncate()
    file.write(buffer.getvalue().encode())
