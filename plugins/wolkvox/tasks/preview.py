"""What a dry run shows of what it would do, besides its counts."""

from __future__ import annotations

from typing import Any

from wolkvox.ledger import preview
from wolkvox.ledger.connection import Connection
from wolkvox.ledger.quota import align
from wolkvox.ledger.staging import Staged
from wolkvox.rules.runs import Run
from wolkvox.tasks.task import register_token
from wolkvox.vendor.settings import Settings


def describe_preview(ledger: Connection, settings: Settings, run: Run, staged: Staged) -> dict[str, Any]:
    """
    Return rows with masked ids, the difference from the last run, and the requests against today's quota.

    Call it in the transaction that is rolled back. It costs no request.
    """
    return {
        "groups": preview.groups(ledger, run, staged),
        "change": preview.change(ledger, run, staged),
        "requests": staged.records,
        "requests_left": align(ledger, register_token(ledger, settings)).left,
    }
