"""What every driver is given and does: the job as JSON in the first argument. Standard library only."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """Send ``count`` records to ``url`` with these headers, two at a time; ``folder`` is for whatever it keeps."""

    url: str
    headers: dict[str, str]
    count: int
    folder: str

    def records(self) -> list[dict[str, str]]:
        """The bodies."""
        text = "Reached by WhatsApp, promised to pay; ref"
        return [
            {"cod_act": "141", "comment": f"{text} {n}", "customer_id": str(1_000_000_000 + n)}
            for n in range(self.count)
        ]


def serve(work: Callable[[Job], None]) -> None:
    """Say "ready" once everything is imported, wait for a line, work, and tell the process time."""
    job = Job(**json.loads(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    work(job)
    print(json.dumps({"cpu": time.process_time() - cpu}), flush=True)
