"""The states of a record: one list for Python, the ledger's checks and the page. Pure."""

from __future__ import annotations

from enum import Enum, unique


@unique
class State(str, Enum):
    """The state of a record. The value is what the ledger keeps and what the page shows."""

    PENDING = "pending"
    SENDING = "sending"
    CODED = "coded"
    REJECTED = "rejected"
    FAILED = "failed"
    INVALID = "invalid"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    HELD = "held"

    def __str__(self) -> str:
        """The value, on every Python version."""
        return str(self.value)


UNSETTLED = (State.PENDING, State.SENDING)
ANSWERED = (State.CODED, State.REJECTED, State.FAILED)  # that the answer to a request leads to
FINAL = (*ANSWERED, State.INVALID, State.SUPERSEDED, State.EXPIRED)
SETTLED = (*FINAL, State.HELD)  # with a time in settled_at: what is held comes out of it by a person's decision
UNSUCCESSFUL = (State.REJECTED, State.FAILED, State.INVALID)  # final, and neither coded nor replaced
