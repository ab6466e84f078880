"""A worker: one part of what a codify task does. Arguments: "http" or "ledger", the chunk as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.contacts import RUN, stopped
from benchmarks.cpu import LATENCY
from benchmarks.workers import serve


def main() -> None:
    from wolkvox.codify import Record, Settled
    from wolkvox.hook import WolkvoxHook
    from wolkvox.ledger.database import connect
    from wolkvox.ledger.sending import ChunkSession
    from wolkvox.ledger.slots import Holder
    from wolkvox.ledger.staging import Chunk
    from wolkvox.runs import slot_rules

    part, chunk = sys.argv[1], Chunk(**json.loads(sys.argv[2]))
    holder = Holder("bench", RUN, "codify", chunk.number, 1)

    def send(records: list[Record]) -> None:
        with WolkvoxHook() as wolkvox:
            for record in records:
                wolkvox.codify(record)

    def write(session: ChunkSession, records: list[Record]) -> None:
        last = None
        for record in records:
            session.advance(last, record.id)
            time.sleep(LATENCY)
            last = Settled(record.id, "coded", None, "202", f"customer_id {record.customer_id} has been coded")
        session.advance(last, None)

    def work() -> dict[str, Any]:
        rules = slot_rules(WolkvoxHook().settings, 600.0)
        with ChunkSession(lambda: connect("wolkvox_ledger"), chunk, rules, holder, stopped()) as session:
            records = list(session.waiting())
            began = time.process_time()
            if part == "http":
                send(records)
            else:
                write(session, records)
            return {"cpu": time.process_time() - began}

    serve(work)


if __name__ == "__main__":
    main()
