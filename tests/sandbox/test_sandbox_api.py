"""The sandbox keeps to what the vendor documents."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from sandbox_server import SandboxServer

BODY = {"cod_act": "1", "cod_act_2": "2", "comment": "by chat", "customer_id": "007"}
QUERY = {"api": "codify", "type_campaign": "preview", "campaign_id": "12"}
TIMEOUT = 10


def headers(sandbox: SandboxServer) -> dict[str, str]:
    return {"wolkvox-token": sandbox.token, "wolkvox_server": "0041", "Content-Type": "application/json"}


def codify(sandbox: SandboxServer, body: object = None, method: str = "PUT", **query: str) -> requests.Response:
    return requests.request(
        method,
        f"{sandbox.url}/api/v2/campaign.php",
        params={**QUERY, **query},
        data=body if isinstance(body, bytes) else json.dumps(BODY if body is None else body),
        headers=headers(sandbox),
        timeout=TIMEOUT,
    )


def information(sandbox: SandboxServer, api: str) -> requests.Response:
    url = f"{sandbox.url}/api/v2/information.php"
    return requests.get(url, params={"api": api}, headers=headers(sandbox), timeout=TIMEOUT)


def said(response: requests.Response) -> tuple[int, Any, str]:
    content = response.json()
    return response.status_code, content["code"], content["msg"]


def test_a_record_is_coded_with_the_documented_words(sandbox: SandboxServer) -> None:
    response = codify(sandbox)
    assert response.status_code == 200
    assert response.json() == {"code": 202, "error": None, "msg": "customer_id 007 has been coded"}
    assert sandbox.stats() == {
        "calls": 1,
        "codify_calls": 1,
        "in_flight": 0,
        "peak_in_flight": 1,
        "connections": 1,
        "coded": 1,
        "quota_used": 1,
        "quota_limit": 20_000,
        "calls_per_record": {"preview/12/007": 1},
        "calls_by_status": {"202": 1},
        "unauthorised": 0,
    }


def test_the_second_code_may_be_left_out_and_the_comment_may_be_empty(sandbox: SandboxServer) -> None:
    assert codify(sandbox, {"cod_act": "1", "comment": "", "customer_id": "7"}).json()["code"] == 202


@pytest.mark.parametrize("api", ["codify", "token_info", "nothing"])
def test_a_call_without_its_token_is_told_so_and_costs_nothing(sandbox: SandboxServer, api: str) -> None:
    url = f"{sandbox.url}/api/v2/campaign.php?api={api}"
    missing = requests.put(url, timeout=TIMEOUT)
    wrong = requests.put(url, headers={"wolkvox-token": "wrong"}, timeout=TIMEOUT)
    assert said(missing) == (401, 401, "PLEASE ENTER THE WOLKVOX-TOKEN")
    assert said(wrong) == (403, 403, "PLEASE VALIDATE TOKEN")
    stats = sandbox.stats()
    assert (stats["unauthorised"], stats["calls"], stats["quota_used"]) == (2, 0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        [BODY],
        "a string",
        {},
        {**BODY, "customer_id": 7},
        {**BODY, "cod_act_2": None},
        {**BODY, "customer_id": ""},
        {**BODY, "cod_act": ""},
        {name: value for name, value in BODY.items() if name != "comment"},
    ],
)
def test_only_one_object_of_strings_is_accepted(sandbox: SandboxServer, body: object) -> None:
    assert said(codify(sandbox, body)) == (400, 400, "SOME PARAMETERS ARE REQUIRED")
    stats = sandbox.stats()
    assert (stats["coded"], stats["codify_calls"], stats["calls_per_record"]) == (0, 1, {})


@pytest.mark.parametrize(
    "query",
    [{"type_campaign": "manual"}, {"type_campaign": ""}, {"campaign_id": "12a"}, {"campaign_id": "²"}],
)
def test_the_campaign_must_be_as_documented(sandbox: SandboxServer, query: dict[str, str]) -> None:
    assert said(codify(sandbox, **query)) == (400, 400, "SOME PARAMETERS ARE REQUIRED")


@pytest.mark.parametrize(("method", "api"), [("POST", "codify"), ("GET", "codify"), ("PUT", "code")])
def test_another_api_or_method_does_not_exist(sandbox: SandboxServer, method: str, api: str) -> None:
    response = codify(sandbox, method=method, api=api)
    assert said(response) == (400, 400, "THE API YOU WANT TO CONSULT DOES NOT EXIST")


def test_any_text_survives_as_a_customer_id(sandbox: SandboxServer) -> None:
    for customer_id in ("\ud800", "😀", "a/b", "\x00"):
        assert codify(sandbox, {**BODY, "customer_id": customer_id}).json()["code"] == 202
    assert sandbox.stats()["coded"] == 4
    page = requests.get(f"{sandbox.url}/stats", headers={"Accept": "text/html"}, timeout=TIMEOUT)
    assert page.status_code == 200


def test_the_third_call_at_once_is_refused_and_seen(sandbox: SandboxServer) -> None:
    sandbox.control(latency=0.5)
    with ThreadPoolExecutor(3) as pool:
        answers = [said(response) for response in pool.map(lambda _: codify(sandbox), range(3))]
    refused = (403, 403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)")
    assert sorted(answers)[2] == refused
    assert [code for code, *_ in sorted(answers)] == [200, 200, 403]
    stats = sandbox.stats()
    assert (stats["peak_in_flight"], stats["in_flight"], stats["calls"]) == (3, 0, 3)


def test_clients_that_wait_for_their_answers_never_overlap(sandbox: SandboxServer) -> None:
    def calls(client: int) -> None:
        with requests.Session() as session:
            for number in range(300):
                body = {**BODY, "customer_id": f"{client}-{number}"}
                url = f"{sandbox.url}/api/v2/campaign.php"
                session.put(url, params=QUERY, json=body, headers=headers(sandbox), timeout=TIMEOUT)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(calls, range(2)))
    stats = sandbox.stats()
    assert stats["calls_by_status"] == {"202": 600}
    assert (stats["coded"], stats["peak_in_flight"], stats["connections"]) == (600, 2, 2)


def test_the_quota_ends_the_day_and_the_next_day_begins_anew(sandbox: SandboxServer) -> None:
    sandbox.control(licenses=1, day="2026-03-01", quota_used=998)
    assert information(sandbox, "token_info").json()["data"] == [
        {
            "token_limit": "1000",
            "token_use_today": "999",
            "all_token_today": "999",
            "available_consumption_options": "1",
        }
    ]
    assert codify(sandbox).json()["code"] == 202
    assert said(codify(sandbox)) == (403, 403, "TOKEN LIMIT EXCEEDED")
    assert said(information(sandbox, "token_info")) == (403, 403, "TOKEN LIMIT EXCEEDED")
    assert sandbox.stats()["quota_used"] == 1_000
    sandbox.control(day="2026-03-02")
    assert codify(sandbox).json()["code"] == 202
    assert sandbox.stats()["quota_used"] == 1


def test_activity_codes_are_listed_and_enforced_once_they_are_set(sandbox: SandboxServer) -> None:
    assert information(sandbox, "activity_codes").status_code == 404
    sandbox.control(activity_codes=["5"])
    assert information(sandbox, "activity_codes").json() == {
        "code": "0",
        "error": "",
        "msg": "",
        "data": [{"cod_act": "5", "description_cod_act": "5"}],
    }
    assert said(codify(sandbox)) == (422, 422, "El codAct no es valido")
    assert codify(sandbox, {**BODY, "cod_act": "5"}).json()["code"] == 202


def test_an_unknown_customer_is_not_found(sandbox: SandboxServer) -> None:
    sandbox.control(unknown_customers=["007"])
    assert codify(sandbox).status_code == 404
    assert sandbox.stats()["coded"] == 0


def test_the_page_for_a_browser_shows_the_same_figures(sandbox: SandboxServer) -> None:
    codify(sandbox, {**BODY, "customer_id": "<b>"})
    page = requests.get(f"{sandbox.url}/stats", headers={"Accept": "text/html"}, timeout=TIMEOUT)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<th scope="row" align="left">coded</th><td align="right">1</td>' in page.text
    assert "preview/12/&lt;b&gt;" in page.text


def test_a_setting_that_is_not_understood_changes_nothing(sandbox: SandboxServer) -> None:
    refused: list[dict[str, object]] = [
        {"latencia": 1},
        {"latency": -1},
        {"licenses": 1.5},
        {"quota_used": True},
        {"day": "tomorrow"},
        {"unknown_customers": "7"},
        {"faults": []},
        {"faults": {"7": [{"kind": "nonsense"}]}},
        {"default_fault": {"kind": "slow"}},
        {"default_fault": [{"kind": "slow", "second": 1}]},
        {"default_fault": [{"kind": "slow", "seconds": "1"}]},
        {"default_fault": [{"kind": "status", "status": 42}]},
    ]
    for change in refused:
        with pytest.raises(ValueError, match=r"."):
            sandbox.control(**{"licenses": 5, **change})
    assert sandbox.stats()["quota_limit"] == 20_000
    assert codify(sandbox).json()["code"] == 202


def test_a_reset_forgets_everything_but_the_settings_of_the_start(sandbox: SandboxServer) -> None:
    sandbox.control(licenses=1, default_fault=[{"kind": "not_found", "repeat": True}])
    codify(sandbox)
    sandbox.reset()
    assert sandbox.stats()["calls"] == 0
    assert sandbox.stats()["quota_limit"] == 20_000
    assert codify(sandbox).json()["code"] == 202
