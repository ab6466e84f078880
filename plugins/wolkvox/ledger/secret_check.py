"""Whether the secret at hand is the one that the ledger's digests and anonymous customers were made with."""

from __future__ import annotations

from hmac import compare_digest

from wolkvox.ledger.connection import Connection
from wolkvox.ledger.secret import SECRET
from wolkvox.rules.anonymity import check_value

_REMEDY = (
    "Digests and anonymous customers need the one that they were made with, so nothing was done. Put it back from your"
    " copy. If it is lost for good, begin again: nobody will find anonymous customers by their ids any more, and"
    " `verify` compares from then on. For that, delete the variable and run in the ledger's database: DELETE FROM"
    " wolkvox.daily_digest; UPDATE wolkvox.retention SET secret_check = NULL"
)
MISSING = f"The Airflow variable {SECRET!r} is missing. {_REMEDY}"
ANOTHER = f"The Airflow variable {SECRET!r} holds another secret than before. {_REMEDY}"
_UNSEEN = b""  # there was a secret before its check value was kept


def is_needed(connection: Connection) -> bool:
    """Whether digests or anonymous contacts were made with a secret."""
    return _kept(connection) is not None


def fits(connection: Connection, secret: str) -> bool:
    """Whether the ledger was used with this secret, or with none yet."""
    kept = _kept(connection)
    return not kept or compare_digest(kept, check_value(secret))


def keep_check(connection: Connection, secret: str) -> None:
    """Keep the check value of a secret that fits."""
    connection.execute(
        "UPDATE wolkvox.retention SET secret_check = %s WHERE secret_check IS NULL OR secret_check = %s",
        (check_value(secret), _UNSEEN),
    )


def _kept(connection: Connection) -> bytes | None:
    row = connection.execute("SELECT secret_check FROM wolkvox.retention").fetchone()
    return row[0] if row else None
