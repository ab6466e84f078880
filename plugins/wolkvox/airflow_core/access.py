"""Who may do what on the page, by Airflow's own rights, and its audit log."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any
from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models import Log
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from fastapi import Header, HTTPException, Request
from sqlalchemy import func, select

__all__ = [  # the user among them, who is Airflow's own
    "GetUserDep",
    "from_the_page",
    "login_path",
    "may_connect",
    "may_edit",
    "may_read",
    "may_see_ids",
    "may_trigger",
    "note",
    "noted_lately",
    "require_whole_ids",
]

PAGE_HEADER = "page"  # what the page's own requests say in the header X-Wolkvox: no form of another site can


def _details(dag_id: str) -> DagDetails:
    return DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))


def may_read(user: Any, dag_id: str) -> bool:
    """Whether the login may read the DAG."""
    return get_auth_manager().is_authorized_dag(method="GET", details=_details(dag_id), user=user)


def may_see_ids(user: Any, dag_id: str) -> bool:
    """Whether whole customer ids may be shown: the deployment allows it, and the login may edit the DAG."""
    return conf.getboolean("wolkvox", "whole_customer_ids", fallback=False) and may_edit(user, dag_id)


def may_edit(user: Any, dag_id: str) -> bool:
    """Whether the login may edit the DAG: pause it and resume it."""
    return get_auth_manager().is_authorized_dag(method="PUT", details=_details(dag_id), user=user)


def may_connect(user: Any) -> bool:
    """Whether the login may make connections."""
    return get_auth_manager().is_authorized_connection(method="POST", user=user)


def may_trigger(user: Any, dag_id: str) -> bool:
    """Whether the login may trigger the DAG."""
    entity = DagAccessEntity.RUN
    return get_auth_manager().is_authorized_dag(
        method="POST", access_entity=entity, details=_details(dag_id), user=user
    )


def from_the_page(x_wolkvox: Annotated[str | None, Header()] = None) -> None:
    """Refuse what another site's form could send in the login's name."""
    if x_wolkvox != PAGE_HEADER:
        raise HTTPException(403, "Ask for this on the page.")


def require_whole_ids(*, may_see: bool) -> None:
    """Refuse whole ids to whoever may not see them."""
    if not may_see:
        raise HTTPException(
            403,
            "Whole customer ids are for those who may edit the DAG, where the deployment allows it:"
            " [wolkvox] whole_customer_ids in Airflow's configuration.",
        )


def note(user: Any, event: str, of: Mapping[str, Any], *, dag_id: str, run_id: str | None = None) -> None:
    """Write into Airflow's audit log who did what; ``of`` holds no personal data."""
    with create_session() as session:
        extra = json.dumps({name: value for name, value in of.items() if value is not None}, default=str)
        name = user.get_name()
        session.add(Log(event, owner=name, owner_display_name=name, extra=extra, dag_id=dag_id, run_id=run_id))


def noted_lately(user: Any, events: Collection[str], within: timedelta) -> int:
    """How many of these events the audit log holds of a login, of so long ago at most."""
    asked = select(func.count()).where(
        Log.event.in_(events), Log.owner == user.get_name(), Log.dttm > datetime.now(timezone.utc) - within
    )
    with create_session() as session:
        return session.scalar(asked) or 0


def login_path(request: Request) -> str:
    """Where somebody who isn't logged in is sent, to come back to this address."""
    root = str(request.scope.get("root_path", "")).removesuffix("/wolkvox")
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{root}/api/v2/auth/login?next={quote(here, safe='')}"
