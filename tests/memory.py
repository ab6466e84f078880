"""Where tests keep what they write a lot of: in memory, where there is room, since a disk that others use is slow."""

from __future__ import annotations

import shutil
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # where Linux has files that are in memory
ROOM = 4 * 2**30  # bytes: a PostgreSQL with a ledger of a million contacts, twice


def in_memory() -> Path | None:
    """The folder to make temporary folders in; None, the system's own, where memory is short or can't hold files."""
    has_room = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > ROOM
    return SHARED_MEMORY if has_room else None
