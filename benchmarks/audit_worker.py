"""A worker: what the task ``audit`` does. Connections: the environment's."""

from __future__ import annotations

import resource
from typing import Any

from benchmarks.contacts import RUN, stopped
from benchmarks.workers import serve
from wolkvox.hook import WolkvoxHook
from wolkvox.ledger.leases import Owner
from wolkvox.rules.audit import AuditRules
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.tasks.audit import audit_operation
from wolkvox.tasks.task import Task


def peak() -> float:
    """MiB that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work() -> dict[str, Any]:
    """The counts, and the memory on top of what was there before."""
    task = Task("wolkvox_ledger", Owner("wolkvox_audit", RUN, "audit", -1, 1), stopped(), 600.0, RetryPolicy())
    before = peak()
    with WolkvoxHook() as wolkvox:
        summary, _ = audit_operation(task, wolkvox, AuditRules(most_unconfirmed=0.0))
    return {**summary, "more_mib": peak() - before}


if __name__ == "__main__":
    serve(work)
