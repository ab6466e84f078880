"""Which operation a request is about: one of those whose DAG the login may read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends, HTTPException, Query

from wolkvox.airflow_core.access import GetUserDep, may_connect, may_edit, may_read, may_see_ids, may_trigger
from wolkvox.errors import WolkvoxError
from wolkvox.page.limits import Recent, in_turn
from wolkvox.page.queries import Dag
from wolkvox.page.reading import USUAL, known_dags
from wolkvox.rules.names import DAG_ID

Text = Annotated[str | None, Query(max_length=1_000, pattern=r"^[^\x00]*$")]  # PostgreSQL takes no NUL

log = logging.getLogger(__name__)

_recent = Recent()
_last_known: list[Dag] = [USUAL]


@dataclass(frozen=True, slots=True)
class RequestScope:
    """
    What the login looks at, of all that there is.

    ``foreign``: a DAG on whose tab it is and that stages no contacts.
    """

    user: Any
    of: Dag
    dags: Sequence[Dag]
    foreign: str | None = None


async def known_operations() -> Sequence[Dag]:
    """The DAGs that the ledger knows; those of the last look while it can't be read."""
    global _last_known
    try:
        _last_known = await _recent.get((), lambda: in_turn(known_dags)) or [USUAL]
    except (WolkvoxError, AirflowNotFoundException) as error:
        log.warning("Which operations there are can't be read: %s", error)
    return _last_known


# No coroutines from here on: Airflow's questions to its database are asked in a thread.


def viewed(
    user: GetUserDep,
    dags: Annotated[Sequence[Dag], Depends(known_operations)],
    operation: Text = None,
    tab: Text = None,
    dag: Text = None,
) -> RequestScope:
    """
    The operation asked for by name, by the DAG on whose tab it is, or by a run's DAG; else the usual one.

    :raises HTTPException: 403 when the login may read no DAG of it, or not the one of the tab
    """
    if tab is not None and not may_read(user, tab):
        raise HTTPException(403, "Your login may not read that DAG.")
    of = next((one for one in in_order(dags, operation, tab or dag) if may_read(user, one.dag_id)), None)
    if of is None:
        raise HTTPException(403, "Your login may read no DAG of that operation.")
    foreign = tab if tab is not None and tab not in {DAG_ID, *(one.dag_id for one in dags)} else None
    return RequestScope(user, of, dags, foreign)


Viewed = Annotated[RequestScope, Depends(viewed)]


def names(viewed: Viewed) -> dict[str, Any]:
    """The operations that the login may switch to, and the one that is shown; nothing where there is but one."""
    mine = sorted({one.operation for one in viewed.dags if one.operation and may_read(viewed.user, one.dag_id)})
    return {"operation": viewed.of.operation, "operations": mine} if len(mine) > 1 else {}


def sees_ids(viewed: Viewed) -> bool:
    """Whether the login may see whole ids."""
    return may_see_ids(viewed.user, viewed.of.dag_id)


def triggers(viewed: Viewed) -> bool:
    """Whether the login may trigger the DAG."""
    return may_trigger(viewed.user, viewed.of.dag_id)


def edits(viewed: Viewed) -> bool:
    """Whether the login may pause and resume the DAG."""
    return may_edit(viewed.user, viewed.of.dag_id)


def connects(viewed: Viewed) -> bool:
    """Whether the login may make connections."""
    return may_connect(viewed.user)


def readable_slots(slots: Sequence[Mapping[str, Any]], user: Any) -> list[dict[str, Any]]:
    """The slots of the token; of one that a DAG has which the login may not read, neither run nor host."""
    return [dict(slot) if "dag" not in slot or may_read(user, slot["dag"]) else _of_another(slot) for slot in slots]


def _of_another(slot: Mapping[str, Any]) -> dict[str, Any]:
    return {name: slot[name] for name in ("number", "held", "since")} | {"of_another": True}


Names = Annotated[dict[str, Any], Depends(names)]
MaySeeIds = Annotated[bool, Depends(sees_ids)]
MayTrigger = Annotated[bool, Depends(triggers)]
MayEdit = Annotated[bool, Depends(edits)]
MayConnect = Annotated[bool, Depends(connects)]


def in_order(dags: Iterable[Dag], operation: str | None, dag_id: str | None) -> list[Dag]:
    """The DAGs of an operation, the one that is asked for first, then the usual one. Pure."""
    of_it = [one for one in dags if operation in (None, one.operation)]
    return sorted(of_it, key=lambda one: (one.dag_id != dag_id, one.dag_id != DAG_ID))
