"""A worker: our_worker, which also tells what of its process time goes where."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from benchmarks import our_worker


def main() -> None:
    from wolkvox.hook import WolkvoxHook
    from wolkvox.ledger.sending import ChunkSession

    parts = {"http": 0.0, "ledger": 0.0}
    _time(WolkvoxHook, "codify", "http", parts)
    _time(ChunkSession, "advance", "ledger", parts)
    our_worker.main(parts)


def _time(owner: type, method: str, part: str, parts: dict[str, float]) -> None:
    """Add what each call of this method takes, in seconds of process time."""
    plain: Callable[..., Any] = getattr(owner, method)

    @wraps(plain)
    def timed(*arguments: Any) -> Any:
        began = time.process_time()
        try:
            return plain(*arguments)
        finally:
            parts[part] += time.process_time() - began

    setattr(owner, method, timed)


if __name__ == "__main__":
    main()
