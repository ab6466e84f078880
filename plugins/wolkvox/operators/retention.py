"""The operator of retention."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from wolkvox.errors import Unaccounted
from wolkvox.operators.base import failing_for_good
from wolkvox.rules.ages import EXPIRE_AFTER, Ages

if TYPE_CHECKING:
    from airflow.sdk import Context


class WolkvoxRetentionOperator(BaseOperator):
    """
    Expire what is too old to be sent, write daily digests, make old contacts anonymous, delete the oldest.

    Returns how many of each, and each operation's last digest. Each day's contacts get a digest that follows from that
    of the day before (``python -m wolkvox verify`` compares). After a first age, customers' ids are hashed with a
    secret, the Airflow variable ``wolkvox_evidence_secret``, which is made when there was none before; comments and
    wolkvox's messages are emptied. After a second one the contacts are deleted, and their numbers kept. Fails with what
    to do when something that is due can't be done; all else is done then.

    :param anonymise_after: age from which a contact is anonymous, since it was settled; None: never
    :param keep: age from which it is deleted
    :param expire_after: age of a contact from which it is no longer sent: the longest of those that stage tasks have
    :param ledger_conn_id: PostgreSQL connection of the ledger
    """

    def __init__(
        self,
        *,
        keep: timedelta,
        anonymise_after: timedelta | None = None,
        expire_after: timedelta = EXPIRE_AFTER,
        ledger_conn_id: str = "wolkvox_ledger",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keep = keep
        self.anonymise_after = anonymise_after
        self.expire_after = expire_after
        self.ledger_conn_id = ledger_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Do what is due, batch by batch."""
        from wolkvox.ledger.secret import known_secret, new_secret
        from wolkvox.tasks.retention import retire

        ages = Ages(self.keep, self.anonymise_after, self.expire_after)
        with failing_for_good():
            done = retire(self.ledger_conn_id, ages, known_secret, new_secret)
        self.log.info("Done: %s", done.counts())
        if done.complaints:
            context["ti"].xcom_push(key="return_value", value=done.counts())
            raise Unaccounted(" ".join(done.complaints))  # a retry may find what was locked free
        return done.counts()
