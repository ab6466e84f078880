"""Planned faults reach the client as the real thing would."""

import json
import time
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import pytest
from sandbox_server import SandboxServer

PATH = "/api/v2/campaign.php?api=codify&type_campaign=predictive&campaign_id=12"
CODED = {"code": 202, "error": None, "msg": "customer_id 7 has been coded"}


class Client:
    """One keep-alive connection, opened anew after a drop."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self.connection = HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
        self.headers = {"wolkvox-token": sandbox.token}

    def send(self, customer_id: str = "7") -> None:
        body = json.dumps({"cod_act": "1", "comment": "", "customer_id": customer_id})
        self.connection.request("PUT", PATH, body, self.headers)

    def codify(self, customer_id: str = "7") -> tuple[int, Any]:
        try:
            self.send(customer_id)
            response = self.connection.getresponse()
            body = response.read().decode()
        except (ConnectionError, IncompleteRead):
            self.connection.close()
            raise
        is_json = response.getheader("Content-Type") == "application/json"
        return response.status, json.loads(body) if is_json else body


def wait_for(sandbox: SandboxServer, **figures: int) -> None:
    deadline = time.monotonic() + 10
    while (seen := {name: sandbox.stats()[name] for name in figures}) != figures:  # type: ignore[literal-required]
        assert time.monotonic() < deadline, seen
        time.sleep(0.01)


def refused(code: int, msg: str) -> dict[str, object]:
    return {"code": code, "error": None, "msg": msg}


@pytest.mark.parametrize(
    ("fault", "status", "content", "coded"),
    [
        ({"kind": "status", "status": 500, "body": "<html>"}, 500, "<html>", 0),
        ({"kind": "status", "status": 429, "msg": "slow down"}, 429, refused(429, "slow down"), 0),
        ({"kind": "status", "status": 200, "code": 500, "msg": "x"}, 200, refused(500, "x"), 0),
        ({"kind": "string_code"}, 200, {**CODED, "code": "202"}, 1),
        ({"kind": "http_202"}, 202, CODED, 1),
        ({"kind": "slow", "seconds": 0.01}, 200, CODED, 1),
        ({"kind": "body_400"}, 200, refused(400, "SOME PARAMETERS ARE REQUIRED"), 0),
        (
            {"kind": "concurrency"},
            403,
            refused(403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"),
            0,
        ),
        ({"kind": "quota"}, 403, refused(403, "TOKEN LIMIT EXCEEDED"), 0),
        ({"kind": "not_found"}, 404, refused(404, "NO RECORDS FOUND"), 0),
        ({"kind": "invalid_code"}, 422, refused(422, "El codAct no es valido"), 0),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) and "kind" in value else "",
)
def test_a_planned_answer_comes_once(
    sandbox: SandboxServer, fault: dict[str, object], status: int, content: object, coded: int
) -> None:
    sandbox.control(faults={"7": [fault]})
    client = Client(sandbox)
    assert client.codify() == (status, content)
    assert sandbox.stats()["coded"] == coded
    assert client.codify() == (200, CODED)
    assert sandbox.stats()["connections"] == 1


@pytest.mark.parametrize(("kind", "status"), [("html_200", 200), ("maintenance", 403)])
def test_a_page_comes_where_json_was_expected(sandbox: SandboxServer, kind: str, status: int) -> None:
    sandbox.control(faults={"7": [{"kind": kind}]})
    answered, content = Client(sandbox).codify()
    assert (answered, content[:6]) == (status, "<html>")
    assert sandbox.stats()["coded"] == 0


def test_a_planned_status_carries_its_headers(sandbox: SandboxServer) -> None:
    sandbox.control(faults={"7": [{"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}]})
    client = Client(sandbox)
    client.send()
    assert client.connection.getresponse().getheader("Retry-After") == "1"


@pytest.mark.parametrize(("kind", "coded"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_is_a_reset_on_the_wire(sandbox: SandboxServer, kind: str, coded: int) -> None:
    sandbox.control(faults={"7": [{"kind": kind}]})
    client = Client(sandbox)
    with pytest.raises(ConnectionResetError) as error:
        client.codify()
    assert not isinstance(error.value, RemoteDisconnected)
    stats = sandbox.stats()
    assert (stats["coded"], stats["in_flight"], stats["calls_by_status"]) == (coded, 0, {"reset": 1})
    assert client.codify() == (200, CODED)
    assert sandbox.stats()["connections"] == 2


def test_a_truncated_answer_ends_before_its_length(sandbox: SandboxServer) -> None:
    sandbox.control(faults={"7": [{"kind": "truncated"}]})
    with pytest.raises(IncompleteRead) as error:
        Client(sandbox).codify()
    whole = json.dumps(CODED).encode()
    assert error.value.partial == whole[: len(whole) // 2]
    assert error.value.expected == len(whole) - len(whole) // 2
    assert sandbox.stats()["coded"] == 1


def test_faults_come_in_their_order_and_a_repeating_one_stays(sandbox: SandboxServer) -> None:
    faults = [{"kind": "not_found"}, {"kind": "invalid_code", "repeat": True}]
    sandbox.control(faults={"7": faults})
    client = Client(sandbox)
    assert [client.codify()[0] for _ in range(4)] == [404, 422, 422, 422]
    assert client.codify("8")[0] == 200


def test_the_default_fault_meets_each_customer_without_faults_of_its_own(sandbox: SandboxServer) -> None:
    sandbox.control(faults={"7": [{"kind": "http_202"}]}, default_fault=[{"kind": "not_found"}])
    client = Client(sandbox)
    assert [client.codify("7")[0] for _ in range(2)] == [202, 200]
    assert [client.codify("8")[0] for _ in range(2)] == [404, 200]
    assert [client.codify("9")[0] for _ in range(2)] == [404, 200]
    sandbox.control(default_fault=None)
    assert client.codify("10")[0] == 200


def test_the_latency_counts_from_the_receipt(sandbox: SandboxServer) -> None:
    sandbox.control(latency=1.0)
    started = time.monotonic()
    Client(sandbox).codify()
    assert 0.99 <= time.monotonic() - started < 1.9


def test_an_abandoned_call_stays_in_flight_and_is_coded_in_the_end(sandbox: SandboxServer) -> None:
    sandbox.control(faults={"7": [{"kind": "slow", "seconds": 1}]})
    client = Client(sandbox)
    client.send()
    wait_for(sandbox, in_flight=1)
    client.connection.close()
    assert client.codify("8")[0] == 200
    stats = sandbox.stats()
    assert (stats["in_flight"], stats["coded"], stats["peak_in_flight"]) == (1, 1, 2)
    wait_for(sandbox, in_flight=0, coded=2)


def test_abandoned_calls_keep_their_places(sandbox: SandboxServer) -> None:
    sandbox.control(default_fault=[{"kind": "reset_after"}], latency=1)
    clients = [Client(sandbox), Client(sandbox)]
    for number, client in enumerate(clients):
        client.send(str(number))
    wait_for(sandbox, in_flight=2)
    for client in clients:
        client.connection.close()
    assert Client(sandbox).codify()[0] == 403
    wait_for(sandbox, in_flight=0, coded=2)
    assert sandbox.stats()["peak_in_flight"] == 3


def test_the_server_itself_ends_a_call_that_takes_too_long(sandbox: SandboxServer) -> None:
    sandbox.control(request_limit=0.1, faults={"7": [{"kind": "slow", "seconds": 600}]})
    with pytest.raises(ConnectionResetError):
        Client(sandbox).codify()
    stats = sandbox.stats()
    assert (stats["in_flight"], stats["coded"]) == (0, 0)


def test_a_request_that_never_becomes_whole_leaves_nothing_in_flight(sandbox: SandboxServer) -> None:
    client = Client(sandbox)
    client.connection.putrequest("PUT", PATH)
    client.connection.putheader("wolkvox-token", sandbox.token)
    client.connection.putheader("Content-Length", "1000")
    client.connection.endheaders(b"{")
    wait_for(sandbox, in_flight=1)
    client.connection.close()
    wait_for(sandbox, in_flight=0, calls=1, codify_calls=0)


def test_a_restarted_server_answers_at_the_same_address() -> None:
    with SandboxServer(latency=0.0, licenses=3) as sandbox:
        client = Client(sandbox)
        assert client.codify()[0] == 200
        sandbox.restart()
        with pytest.raises((ConnectionError, RemoteDisconnected)):
            client.codify()
        assert client.codify() == (200, CODED)
        assert (sandbox.stats()["calls"], sandbox.stats()["quota_limit"]) == (1, 3_000)


def test_the_connection_is_what_airflow_takes() -> None:
    with SandboxServer() as sandbox:
        assert json.loads(sandbox.connection(licenses=5)) == {
            "conn_type": "wolkvox",
            "host": sandbox.url,
            "password": sandbox.token,
            "extra": {"wolkvox_server": "0041", "licenses": 5},
        }
