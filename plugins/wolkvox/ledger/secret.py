"""The secret by which anonymous customers are found again: an Airflow variable, outside the ledger's database."""

from __future__ import annotations

from secrets import token_hex

from airflow.sdk import Variable

SECRET = "wolkvox_evidence_secret"  # noqa: S105 - the variable's name, which Airflow masks the value of


def new_secret() -> str:
    """Make the secret. Whoever loses it can't find an anonymous customer any more."""
    secret = token_hex(32)
    Variable.set(SECRET, secret, description="Finds anonymous customers in the wolkvox ledger: keep a copy")
    return secret


def known_secret() -> str | None:
    """The secret; None when there is none yet."""
    secret: str | None = Variable.get(SECRET, default=None)
    return secret or None
