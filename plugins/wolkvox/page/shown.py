"""Which operation a request is about: one of those whose DAG the login may read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends, HTTPException, Query

from wolkvox.airflow_core.access import GetUserDep, may_read, may_see_ids, may_trigger
from wolkvox.errors import WolkvoxError
from wolkvox.names import DAG_ID
from wolkvox.page.queries import Dag
from wolkvox.page.reading import USUAL, known_dags
from wolkvox.page.turns import Recent, in_turn

Text = Annotated[str | None, Query(max_length=1_000, pattern=r"^[^\x00]*$")]  # PostgreSQL takes no NUL

log = logging.getLogger(__name__)

_recent = Recent()
_last_known: list[Dag] = [USUAL]


@dataclass(frozen=True, slots=True)
class Shown:
    """
    What the login looks at, and what else it may look at.

    ``foreign``: a DAG on whose tab it is and that stages no contacts.
    """

    user: Any
    of: Dag
    operations: Sequence[str]
    foreign: str | None = None

    @property
    def may_see_ids(self) -> bool:
        """Whether the login may see whole ids."""
        return may_see_ids(self.user, self.of.dag_id)

    @property
    def may_trigger(self) -> bool:
        """Whether the login may trigger the DAG."""
        return may_trigger(self.user, self.of.dag_id)

    def names(self) -> dict[str, Any]:
        """The operations that can be switched to, and the one that is shown."""
        return {"operation": self.of.operation, "operations": self.operations} if len(self.operations) > 1 else {}


async def shown(user: GetUserDep, operation: Text = None, tab: Text = None, dag: Text = None) -> Shown:
    """
    The operation asked for by name, by the DAG on whose tab it is, or by a run's DAG; else the usual one.

    :raises HTTPException: 403 when the login may read no DAG of it
    """
    known = await _dags()
    readable = may_read(user, {one.dag_id for one in known})
    mine = [one for one in known if one.dag_id in readable]
    of = choose(mine, operation, tab or dag)
    if of is None:
        raise HTTPException(403, "Your login may read no DAG of that operation.")
    foreign = tab if tab is not None and tab not in {DAG_ID, *(one.dag_id for one in known)} else None
    return Shown(user, of, sorted({one.operation for one in mine if one.operation}), foreign)


def choose(dags: Iterable[Dag], operation: str | None, dag_id: str | None) -> Dag | None:
    """The DAG that fits best; None when there is none. Pure."""
    dags = [one for one in dags if operation in (None, one.operation)]
    for wanted in (dag_id, DAG_ID):
        for one in dags:
            if one.dag_id == wanted:
                return one
    return next(iter(dags), None)


async def _dags() -> Sequence[Dag]:
    """The DAGs that the ledger knows; those of the last look while it can't be read."""
    global _last_known
    try:
        _last_known = await _recent.get((), lambda: in_turn(known_dags)) or [USUAL]
    except (WolkvoxError, AirflowNotFoundException) as error:
        log.warning("Which operations there are can't be read: %s", error)
    return _last_known


Looked = Annotated[Shown, Depends(shown)]
