"""Nobody gets anything without a login that may read the DAG, and whole ids are for those who may edit it."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote
from zipfile import ZipFile

import pytest
import requests
from page_reader import audited

if TYPE_CHECKING:
    from airflow_server import Airflow, Logins
    from fastapi.routing import APIRoute

pytest_plugins = ("airflow_server",)


def _paths() -> list[str]:
    """Every address of the page that is read, its files one by one."""
    from wolkvox.page.files import FILES, VERSION

    read = [route.path for route in _routes() if "GET" in route.methods]
    return [path for path in read if "{" not in path] + [
        f"/static/{VERSION}/{name}" for name in (*FILES, "no-such-file")
    ]


def _routes() -> list[APIRoute]:
    from fastapi.routing import APIRoute

    from wolkvox.page.app import app

    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(app.routes)
    return routes


ASKED = {"customer_id": "90000000002"}
FROM_THE_PAGE = {"X-Wolkvox": "page"}
POSTED = ("customer", "evidence.csv", "evidence.pdf", "send")


def sheet_of(workbook: requests.Response) -> bytes:
    """The text of a workbook, unpacked."""
    with ZipFile(BytesIO(workbook.content)) as parts:
        return parts.read("xl/worksheets/sheet1.xml")


def test_no_endpoint_answers_without_a_login(airflow: Airflow) -> None:
    asked = {path: requests.get(f"{airflow.url}/wolkvox{path}", timeout=30) for path in _paths()}
    assert {answer.status_code for answer in asked.values()} == {401}
    assert len(asked) >= 8
    assert all("wolkvox" not in answer.text.lower() for answer in asked.values())
    posted = {route.path for route in _routes() if "POST" in route.methods}
    assert posted == {f"/{name}" for name in POSTED}
    for path in posted:
        answer = requests.post(f"{airflow.url}/wolkvox{path}", json=ASKED, headers=FROM_THE_PAGE, timeout=30)
        assert answer.status_code == 401


def test_a_made_up_token_is_refused(airflow: Airflow) -> None:
    headers = {"Authorization": "Bearer made.up.token"}
    assert {
        requests.get(f"{airflow.url}/wolkvox{path}", headers=headers, timeout=30).status_code for path in _paths()
    } == {403}


def test_a_login_that_may_not_read_the_dag_is_refused_everywhere(logins: Logins) -> None:
    with logins.session("stranger") as stranger:
        assert {stranger.get(f"{logins.url}/wolkvox{path}", timeout=30).status_code for path in _paths()} == {403}
        for name in POSTED:
            answer = stranger.post(f"{logins.url}/wolkvox/{name}", json=ASKED, headers=FROM_THE_PAGE, timeout=30)
            assert answer.status_code == 403


def test_a_reader_sees_masked_ids_only(logins: Logins) -> None:
    with logins.session("reader") as reader:
        for path in _paths():
            assert reader.get(f"{logins.url}/wolkvox{path}", timeout=30).status_code == (
                404 if "no-such" in path else 200
            )
        answer = reader.get(f"{logins.url}/wolkvox/rows?campaign_id=15502", timeout=30)
        assert answer.json()["may_see_ids"] is False
        assert [row["customer_id"] for row in answer.json()["rows"]] == ["•••002", "•••001", "•••"]
        for path in ("rows", "rows.csv", "overview"):
            assert "90000000002" not in reader.get(f"{logins.url}/wolkvox/{path}", timeout=30).text
        assert b"90000000002" not in sheet_of(reader.get(f"{logins.url}/wolkvox/rows.xlsx", timeout=30))
        for path in ("rows", "rows.csv", "rows.xlsx"):
            assert reader.get(f"{logins.url}/wolkvox/{path}?full=true", timeout=30).status_code == 403


def test_a_reader_may_search_a_customer_and_sees_the_id_masked(logins: Logins) -> None:
    with logins.session("reader") as reader:
        answers = {
            name: reader.post(f"{logins.url}/wolkvox/{name}", json=ASKED, headers=FROM_THE_PAGE, timeout=30)
            for name in POSTED
        }
        assert {name: answer.status_code for name, answer in answers.items()} == {
            "customer": 200,
            "evidence.csv": 200,
            "evidence.pdf": 200,
            "send": 403,
        }
        assert answers["customer"].json()["may_trigger"] is False
        (contact,) = answers["customer"].json()["contacts"]
        assert (contact["customer_id"], contact["state"]) == ("•••002", "rejected")
        for answer in answers.values():
            assert ASKED["customer_id"] not in answer.text
            assert answer.headers["Cache-Control"] == "no-store"
        whole = {**ASKED, "full": True}
        for name in POSTED[:3]:
            answer = reader.post(f"{logins.url}/wolkvox/{name}", json=whole, headers=FROM_THE_PAGE, timeout=30)
            assert answer.status_code == 403


def test_what_another_sites_form_could_send_is_refused(logins: Logins) -> None:
    with logins.session("editor") as editor:
        for name in POSTED:
            assert editor.post(f"{logins.url}/wolkvox/{name}", json=ASKED, timeout=30).status_code == 403


NOBODY: tuple[object, ...] = ("", " \u200e ", "a\x00b", "1" * 101, None)


@pytest.mark.parametrize("body", [{}, [], *({"customer_id": one} for one in NOBODY)])
def test_a_search_for_nobody_is_refused(logins: Logins, body: object) -> None:
    with logins.session("editor") as editor:
        for name in POSTED:
            answer = editor.post(f"{logins.url}/wolkvox/{name}", json=body, headers=FROM_THE_PAGE, timeout=30)
            assert answer.status_code == 422


def test_whole_ids_are_off_unless_the_deployment_allows_them(logins: Logins, monkeypatch: pytest.MonkeyPatch) -> None:
    from wolkvox.airflow_core import access

    class Everything:
        def is_authorized_dag(self, **asked: object) -> bool:
            return True

    monkeypatch.setattr(access, "get_auth_manager", Everything)
    monkeypatch.setattr(access, "_details", lambda _: None)
    assert access.may_see_ids(None, "wolkvox_codify") is False
    monkeypatch.setenv("AIRFLOW__WOLKVOX__WHOLE_CUSTOMER_IDS", "True")
    assert access.may_see_ids(None, "wolkvox_codify") is True


def test_rows_stay_in_no_cache_and_files_do_until_one_of_them_changes(logins: Logins) -> None:
    from wolkvox.page.files import VERSION

    kept = {
        "rows": "no-store",
        "overview": "no-store",
        "": "private, no-cache",
        f"static/{VERSION}/page.js": "private, max-age=31536000, immutable",
        "static/of-another-release/page.js": "private, no-cache",
    }
    with logins.session("reader") as reader:
        for path, how in kept.items():
            answer = reader.get(f"{logins.url}/wolkvox/{path}", timeout=30)
            assert answer.headers["Cache-Control"] == how, path


def test_a_browser_without_a_login_is_led_to_it(airflow: Airflow) -> None:
    answer = requests.get(
        f"{airflow.url}/wolkvox/?run=a%2Bb", headers={"Accept": "text/html"}, timeout=30, allow_redirects=False
    )
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"/api/v2/auth/login?next={quote('/wolkvox/?run=a%2Bb', safe='')}"


def test_a_tasks_link_is_of_the_address_at_which_it_is_asked_for(airflow: Airflow, logins: Logins) -> None:
    run = quote(airflow.run_id, safe="")
    path = f"/api/v2/dags/wolkvox_codify/dagRuns/{run}/taskInstances/codify/links?map_index=0"
    with logins.session("reader") as reader:
        (link,) = reader.get(f"{logins.url}{path}", timeout=30).json()["extra_links"].values()
    assert link.startswith(f"{logins.url}/plugin/wolkvox/wolkvox/?run={run}")


def test_an_editor_may_see_whole_ids(logins: Logins) -> None:
    with logins.session("editor") as editor:
        answer = editor.get(f"{logins.url}/wolkvox/rows?campaign_id=15502&full=true", timeout=30)
        assert [row["customer_id"] for row in answer.json()["rows"]] == ["90000000002", "90000000001", "=1+1"]


def test_comments_are_never_shown(logins: Logins) -> None:
    with logins.session("editor") as editor:
        for path in ("rows?full=true", "rows.csv?full=true", "overview"):
            assert "taken over'</script>" not in editor.get(f"{logins.url}/wolkvox/{path}", timeout=30).text
        assert b"taken over'&lt;" not in sheet_of(editor.get(f"{logins.url}/wolkvox/rows.xlsx?full=true", timeout=30))


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


def test_dials_of_an_unknown_cause_are_refused(logins: Logins) -> None:
    with logins.session("reader") as reader:
        assert reader.get(f"{logins.url}/wolkvox/rows?dialled=zzz", timeout=30).status_code == 422


def test_whoever_may_not_see_the_page_reads_a_sentence_in_their_language(logins: Logins) -> None:
    with logins.session("stranger") as stranger:
        for language, first in (("es-CO,es;q=0.9", "Su usuario no puede ver"), ("en-US", "Your login may not see")):
            headers = {"Accept": "text/html", "Accept-Language": language}
            answer = stranger.get(f"{logins.url}/wolkvox/", headers=headers, timeout=30)
            assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
            assert re.search(r'<p lang="..">([^<]*)', answer.text)[1].startswith(first)  # type: ignore[index]
            assert "detail" not in answer.text


def test_a_customer_is_found_by_the_number_of_a_record(airflow: Airflow, logins: Logins) -> None:
    with logins.session("reader") as reader:
        row = reader.get(f"{logins.url}/wolkvox/rows?campaign_id=15502", timeout=30).json()["rows"][0]
        url = f"{logins.url}/wolkvox/customer"
        answer = reader.post(url, json={"record": row["id"]}, headers=FROM_THE_PAGE, timeout=30)
        (contact,) = answer.json()["contacts"]
        assert (contact["customer_id"], contact["state"]) == ("•••002", "rejected")
        assert ASKED["customer_id"] not in answer.text
        gone = reader.post(url, json={"record": 2**62}, headers=FROM_THE_PAGE, timeout=30)
        assert gone.status_code == 404
        both = reader.post(url, json={"record": row["id"], **ASKED}, headers=FROM_THE_PAGE, timeout=30)
        assert both.status_code == 422


def test_each_search_is_noted_without_the_id_and_thirty_a_minute_are_enough(airflow: Airflow, logins: Logins) -> None:
    """An answer tells whether a masked id is somebody's: ten million guesses must not be free."""
    with logins.session("searcher") as searcher:
        statuses = []
        for number in range(33):
            asked = {"customer_id": f"8000000{number:04}"}
            answer = searcher.post(f"{logins.url}/wolkvox/customer", json=asked, headers=FROM_THE_PAGE, timeout=30)
            statuses.append(answer.status_code)
        file = searcher.post(f"{logins.url}/wolkvox/evidence.csv", json=ASKED, headers=FROM_THE_PAGE, timeout=30)
    assert statuses == [200] * 30 + [429] * 3
    assert file.status_code == 429
    noted = [(event, extra) for event, owner, extra in audited(airflow) if owner == "searcher"]
    assert {event for event, _ in noted} == {"wolkvox_search"}
    assert [json.loads(extra) for _, extra in noted[::-1]][:2] == [
        {"customer": "•••000", "as": "json", "contacts": 0},
        {"customer": "•••001", "as": "json", "contacts": 0},
    ]
    assert len(noted) == 30


def test_the_first_steps_say_which_are_done_and_who_may_do_them(logins: Logins) -> None:
    with logins.session("reader") as reader, logins.session("editor") as editor:
        seen, edited = (one.get(f"{logins.url}/wolkvox/setup", timeout=30).json() for one in (reader, editor))
    assert {one["step"]: one["done"] for one in seen["steps"]} == dict.fromkeys(
        ("wolkvox", "warehouse", "ledger", "tables"), True
    )
    assert (seen["may_connect"], edited["may_connect"]) == (False, True)


NOT_THERE = {"record": 2**62}  # so that no run is triggered by whoever may
REFUSED_TO = {  # by role: what each answers to a GET, to a POST about a customer, and to one that sends
    None: (401, 401, 401),
    "stranger": (403, 403, 403),
    "reader": (200, 404, 403),
    "seller": (403, 403, 403),
    "user": (200, 404, 404),
    "op": (200, 404, 404),
    "editor": (200, 404, 404),
}


@pytest.mark.parametrize("role", REFUSED_TO, ids=str)
def test_every_endpoint_of_the_pages_own_description_asks_who_it_is(
    airflow: Airflow, logins: Logins, role: str | None
) -> None:
    """The seller may read the DAG of an operation that isn't there: nothing of the others is hers."""
    from wolkvox.page.app import app

    get, post, send = REFUSED_TO[role]
    asked = [(path, method) for path, methods in app.openapi()["paths"].items() for method in methods]
    assert len(asked) >= 11
    with requests.Session() if role is None else logins.session(role) as session:
        for path, method in asked:
            if "{" in path:
                continue
            body = NOT_THERE if method == "post" else None
            answer = session.request(
                method, f"{logins.url}/wolkvox{path}", json=body, headers=FROM_THE_PAGE, timeout=30
            )
            wanted = get if method == "get" else send if path == "/send" else post
            assert answer.status_code == wanted, (role, method, path, answer.text)
            if wanted in (401, 403):
                assert not re.search(r"15501|15502|scheduled__|manual__", answer.text), path
