"""A worker: what a codify task does with its chunk. Argument: the chunk, as JSON. Connections: the environment's."""

from __future__ import annotations

import json
import ssl
import sys
import time
from collections.abc import Mapping
from typing import Any

import airflow.sdk.execution_time.supervisor  # noqa: F401 - a task's process has it when the task begins

from benchmarks.contacts import DAG, RUN, stopped
from benchmarks.workers import serve


def count_handshakes() -> list[int]:
    """A list that gets one entry for each TLS handshake of this process."""
    made: list[int] = []
    handshake = ssl.SSLSocket.do_handshake

    def counted(socket: ssl.SSLSocket, block: bool = False) -> None:
        made.append(1)
        handshake(socket, block)

    setattr(ssl.SSLSocket, "do_handshake", counted)  # noqa: B010 - its stub has no other signature
    return made


def main(measured: Mapping[str, float] | None = None) -> None:
    """``measured``: figures that grow meanwhile, to be told with the tally."""
    from wolkvox.hook import WolkvoxHook
    from wolkvox.ledger.leases import Owner
    from wolkvox.operators.metrics import ChunkMetrics
    from wolkvox.rules.retry_policy import RetryPolicy
    from wolkvox.rules.runs import Chunk
    from wolkvox.tasks.chunk import codify_chunk
    from wolkvox.tasks.task import Task

    chunk = Chunk(**json.loads(sys.argv[1]))
    owner = Owner(DAG, RUN, "codify", chunk.number, 1)
    task = Task("wolkvox_ledger", owner, stopped(), 600.0, RetryPolicy())

    handshakes = count_handshakes()

    def work() -> dict[str, Any]:
        cpu = time.process_time()
        with WolkvoxHook() as wolkvox:
            tally = codify_chunk(task, wolkvox, chunk, ChunkMetrics(chunk.operation))
        return {**tally, "cpu": time.process_time() - cpu, "handshakes": len(handshakes), **(measured or {})}

    serve(work)


if __name__ == "__main__":
    main()
