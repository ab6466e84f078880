"""Airflow's plugin of this package: the page, and its places in the UI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from wolkvox.operators.link import RowsLink

Scope = MutableMapping[str, Any]


async def page(
    scope: Scope,
    receive: Callable[[], Awaitable[Scope]],
    send: Callable[[Scope], Awaitable[None]],
) -> None:
    """The page's ASGI app, imported when it is first asked for: tasks and the DAG processor load plugins too."""
    from wolkvox.page.app import app

    await app(scope, receive, send)


class WolkvoxPlugin(AirflowPlugin):
    """The Wolkvox page: in the navigation, and as a tab of the DAG and of a DAG run."""

    name = "wolkvox"
    fastapi_apps = [{"app": page, "url_prefix": "/wolkvox", "name": "Wolkvox"}]  # noqa: RUF012 - as Airflow wants it
    external_views = [  # noqa: RUF012
        {"name": "Wolkvox", "href": "wolkvox/", "destination": "nav", "url_route": "wolkvox", "nav_top_level": True},
        {"name": "Wolkvox", "href": "wolkvox/?tab={DAG_ID}", "destination": "dag", "url_route": "wolkvox-dag"},
        {
            "name": "Wolkvox",
            "href": "wolkvox/?tab={DAG_ID}&dag={DAG_ID}&run={RUN_ID}",
            "destination": "dag_run",
            "url_route": "wolkvox-run",
        },
    ]
    operator_extra_links = [RowsLink()]  # noqa: RUF012
