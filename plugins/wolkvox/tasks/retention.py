"""The task of ``wolkvox_retention``: digest what is past changing, make old contacts anonymous, delete the oldest."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from wolkvox.errors import BadSetting, Unaccounted
from wolkvox.ledger.anonymising import anonymise
from wolkvox.ledger.connection import Connection, connected, refusal
from wolkvox.ledger.digests import digest, operations
from wolkvox.ledger.locks import Lock, lock_session
from wolkvox.ledger.retention import expire, forget, tidy
from wolkvox.ledger.secret_check import ANOTHER, MISSING, fits, is_needed, keep_check
from wolkvox.rules.ages import Ages

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Retired:
    """
    What one night of retention did, in contacts and days.

    ``complaints``: what a person has to look at, a sentence each.
    """

    expired: int = 0
    overdue: int = 0
    digested: int = 0
    anonymous: int = 0
    deleted: int = 0
    digests: dict[str, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        """Return all of it but the complaints."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "complaints"}


def retire(
    ledger_conn_id: str, ages: Ages, known_secret: Callable[[], str | None], new_secret: Callable[[], str]
) -> Retired:
    """
    Do what is due, and return it; nothing while another run is under way.

    :param known_secret: the secret at hand
    :param new_secret: makes one
    :raises BadSetting: an age is too short, or the secret is not the one of before
    """
    ages.check()
    done = Retired()
    with connected(ledger_conn_id) as ledger:
        if not lock_session(ledger, Lock.RETENTION, "ledger"):
            log.info("Another run of retention is under way: nothing was done.")
            return done
        secret = _secret(ledger, known_secret, new_secret)
        for step in (_tidy, _expire, _digest, _anonymise, _forget):
            try:
                step(ledger, secret, ages, done)
            except psycopg.Error as error:  # what one step meets keeps no other one from its work
                if ledger.closed:
                    raise
                done.complaints.append(str(refusal(error)))
    if done.overdue:
        done.complaints.append(
            f"{done.overdue} contacts are due to be settled or made anonymous, and another session of the ledger's"
            " database holds them locked: end it (pg_stat_activity shows it), and clear this task."
        )
    return done


def _secret(ledger: Connection, known_secret: Callable[[], str | None], new_secret: Callable[[], str]) -> str:
    """Return the secret that fits; a new one where none was used yet."""
    secret = known_secret()
    if secret is None:
        if is_needed(ledger):
            raise BadSetting(MISSING)
        secret = new_secret()
    if not fits(ledger, secret):
        raise BadSetting(ANOTHER)
    keep_check(ledger, secret)
    return secret


def _tidy(ledger: Connection, _: str, ages: Ages, done: Retired) -> None:
    tidy(ledger, ages.keep)


def _expire(ledger: Connection, _: str, ages: Ages, done: Retired) -> None:
    done.expired, done.overdue = expire(ledger, ages.expire_after)


def _digest(ledger: Connection, secret: str, ages: Ages, done: Retired) -> None:
    """DailyDigest each operation's days; one whose digests were changed keeps nobody else from it."""
    for operation in operations(ledger):
        try:
            days, last = digest(ledger, operation, secret, ages.keep)
        except Unaccounted as error:
            done.complaints.append(str(error))
            continue
        done.digested += days
        if last:
            done.digests[operation] = f"{last.day} {last.digest.hex()}"


def _anonymise(ledger: Connection, secret: str, ages: Ages, done: Retired) -> None:
    if ages.anonymise_after is not None:
        anonymised = anonymise(ledger, secret, ages.anonymise_after)
        done.anonymous = anonymised.done
        done.overdue += anonymised.locked


def _forget(ledger: Connection, _: str, ages: Ages, done: Retired) -> None:
    done.deleted = forget(ledger, ages.keep)
