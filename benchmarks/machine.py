"""The machine a figure came from: nothing that names it."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone

import psutil

from benchmarks.place import Place


def params(place: Place) -> dict[str, object]:
    """Cores, memory and versions."""
    return {
        "measured_at": datetime.now(timezone.utc).date().isoformat(),
        "cores": os.cpu_count(),
        "ram_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "postgresql": str(place.database("postgres").value("SHOW server_version")).split()[0],
    }
