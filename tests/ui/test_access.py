"""Nobody gets anything without a login that may read the DAG, and whole ids are for those who may edit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from airflow_server import Airflow, Logins

pytest_plugins = ("airflow_server",)


def _paths() -> list[str]:
    """Every endpoint of the page, its files one by one."""
    from fastapi.routing import APIRoute

    from wolkvox.page.app import FILES, app

    paths = [route.path for route in app.routes if isinstance(route, APIRoute)]
    assert len(paths) == len(app.routes)
    return [path for path in paths if "{" not in path] + [f"/static/{name}" for name in (*FILES, "no-such-file")]


def test_no_endpoint_answers_without_a_login(airflow: Airflow) -> None:
    asked = {path: requests.get(f"{airflow.url}/wolkvox{path}", timeout=30) for path in _paths()}
    assert {answer.status_code for answer in asked.values()} == {401}
    assert len(asked) >= 8
    assert all("wolkvox" not in answer.text.lower() for answer in asked.values())


def test_a_made_up_token_is_refused(airflow: Airflow) -> None:
    headers = {"Authorization": "Bearer made.up.token"}
    assert {
        requests.get(f"{airflow.url}/wolkvox{path}", headers=headers, timeout=30).status_code for path in _paths()
    } == {403}


def test_a_login_that_may_not_read_the_dag_is_refused_everywhere(logins: Logins) -> None:
    with logins.session("stranger") as stranger:
        assert {stranger.get(f"{logins.url}/wolkvox{path}", timeout=30).status_code for path in _paths()} == {403}


def test_a_reader_sees_masked_ids_only(logins: Logins) -> None:
    with logins.session("reader") as reader:
        for path in _paths():
            assert reader.get(f"{logins.url}/wolkvox{path}", timeout=30).status_code == (
                404 if "no-such" in path else 200
            )
        answer = reader.get(f"{logins.url}/wolkvox/rows?campaign_id=15502", timeout=30)
        assert answer.json()["may_edit"] is False
        assert [row["customer_id"] for row in answer.json()["rows"]] == ["•••002", "•••001", "•••"]
        for path in ("rows", "rows.csv", "overview"):
            assert "90000000002" not in reader.get(f"{logins.url}/wolkvox/{path}", timeout=30).text
        for path in ("rows", "rows.csv"):
            assert reader.get(f"{logins.url}/wolkvox/{path}?full=true", timeout=30).status_code == 403


def test_an_editor_may_see_whole_ids(logins: Logins) -> None:
    with logins.session("editor") as editor:
        answer = editor.get(f"{logins.url}/wolkvox/rows?campaign_id=15502&full=true", timeout=30)
        assert [row["customer_id"] for row in answer.json()["rows"]] == ["90000000002", "90000000001", "=1+1"]


def test_comments_are_never_shown(logins: Logins) -> None:
    with logins.session("editor") as editor:
        for path in ("rows?full=true", "rows.csv?full=true", "overview"):
            assert "taken over'</script>" not in editor.get(f"{logins.url}/wolkvox/{path}", timeout=30).text


def test_the_page_runs_its_own_files_only(logins: Logins) -> None:
    with logins.session("reader") as reader:
        answer = reader.get(f"{logins.url}/wolkvox/", timeout=30)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "query",
    ["state=stolen", "chunk=0", "chunk=x", "before=99999999999999999999", "run=%00", f"reason={'x' * 1001}"],
)
def test_an_address_that_makes_no_sense_is_refused(logins: Logins, query: str) -> None:
    with logins.session("reader") as reader:
        assert reader.get(f"{logins.url}/wolkvox/rows?{query}", timeout=30).status_code == 422


def test_sql_in_an_address_is_a_value_like_any_other(logins: Logins) -> None:
    with logins.session("reader") as reader:
        answer = reader.get(f"{logins.url}/wolkvox/rows", params={"run": "' OR true --"}, timeout=30)
    assert answer.json()["rows"] == []
