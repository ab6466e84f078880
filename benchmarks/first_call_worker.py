"""A worker: stage what the warehouse holds and send the first record. Connections: the environment's."""

from __future__ import annotations

from typing import Any

from benchmarks.stage_worker import run_stage
from benchmarks.workers import serve


def main() -> None:
    from wolkvox.hook import WolkvoxHook
    from wolkvox.ledger.connection import connect
    from wolkvox.ledger.sending import ChunkSession
    from wolkvox.tasks.task import lease_rules

    def work() -> dict[str, Any]:
        task, chunks, summary = run_stage()
        with WolkvoxHook() as wolkvox:
            rules = lease_rules(wolkvox.settings, 600.0)
            with ChunkSession(lambda: connect("wolkvox_ledger"), chunks[0], rules, task.owner, task.stop) as session:
                record = session.take(1)[0]
                session.advance(None, record.id)
                wolkvox.codify(record)
        return summary

    serve(work)


if __name__ == "__main__":
    main()
