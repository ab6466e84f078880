"""What the vendor's answers mean: the table of answers in the vendor's pages, row by row."""

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.answers import LONGEST_MSG, Answer, Kind, classify, refusal, unknown, unreachable

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
NO_ERROR: list[object] = ["OK", "No error", "No errors.", "N/A", "ninguno", " Sin  errores ", "000", 200, [], {}, "-"]
HTML = b"<html><body><h1>Service</h1></body></html>"


def said(code: object, msg: object = None, error: object = None) -> bytes:
    return json.dumps({"code": code, "error": error, "msg": msg}).encode()


def meaning(status: int, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return classify(status, named, body, NOW)


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason", "code"),
    [
        # HTTP 2xx and body code 2xx (or "0" or ""): coded
        (200, said(202, "customer_id 7 has been coded"), Kind.CODED, None, "202"),
        (202, said(202), Kind.CODED, None, "202"),
        (200, said("202"), Kind.CODED, None, "202"),
        (200, said("201"), Kind.CODED, None, "201"),
        (200, said("0"), Kind.CODED, None, "200"),
        (200, said(0), Kind.CODED, None, "200"),
        (200, said(""), Kind.CODED, None, "200"),
        # HTTP 2xx with a 4xx or 5xx body code: as that code
        (200, said(400, "SOME PARAMETERS ARE REQUIRED"), Kind.REJECTED, "refused_400", "400"),
        (200, said("422", "El codAct no es valido"), Kind.REJECTED, "refused_422", "422"),
        (202, said(500), Kind.OVERLOADED, "overloaded_500", "500"),
        (200, said(403, "TOKEN LIMIT EXCEEDED"), Kind.QUOTA, "quota", "403"),
        (200, said("404"), Kind.NOT_FOUND, "not_found", "404"),
        # ... and the other way round
        (500, said(202), Kind.OVERLOADED, "overloaded_500", "500"),
        (404, said("0"), Kind.NOT_FOUND, "not_found", "404"),
        # 400 SOME PARAMETERS ARE REQUIRED, 422: this record is wrong for good
        (400, said(400, "SOME PARAMETERS ARE REQUIRED"), Kind.REJECTED, "refused_400", "400"),
        (422, said(422, "El codAct no es valido 99"), Kind.REJECTED, "refused_422", "422"),
        # 400 THE API YOU WANT TO CONSULT DOES NOT EXIST: wrong host or path
        (400, said(400, "The API you want  to consult does not exist"), Kind.WRONG_ENDPOINT, "wrong_endpoint", "400"),
        (404, said(404, "THE API YOU WANT TO CONSULT DOES NOT EXIST"), Kind.WRONG_ENDPOINT, "wrong_endpoint", "404"),
        # something on the way blocks this request: nothing is wrong with the address or the token
        (301, b"", Kind.MAINTENANCE, "blocked_301", "301"),
        (302, HTML, Kind.MAINTENANCE, "blocked_302", "302"),
        (307, said(202), Kind.MAINTENANCE, "blocked_307", "307"),
        (405, HTML, Kind.MAINTENANCE, "blocked_405", "405"),
        (405, b"Method Not Allowed", Kind.MAINTENANCE, "blocked_405", "405"),
        (401, HTML, Kind.MAINTENANCE, "blocked_401", "401"),
        (401, b"  \n", Kind.MAINTENANCE, "blocked_401", "401"),
        (401, b"Authorization Required", Kind.MAINTENANCE, "blocked_401", "401"),
        (401, b'<script>var page = {"id": 7}</script>', Kind.MAINTENANCE, "blocked_401", "401"),
        (403, b"<p>please validate token</p>", Kind.MAINTENANCE, "maintenance", "403"),
        # 401, 403 PLEASE VALIDATE TOKEN: bad token
        (401, said(401, "PLEASE ENTER THE WOLKVOX-TOKEN"), Kind.BAD_TOKEN, "bad_token", "401"),
        (401, b'{"message": "Unauthorized"}', Kind.BAD_TOKEN, "bad_token", "401"),
        (401, b"PLEASE ENTER THE WOLKVOX-TOKEN", Kind.BAD_TOKEN, "bad_token", "401"),
        (200, said(401, "no"), Kind.BAD_TOKEN, "bad_token", "401"),
        (403, said(403, "PLEASE ENTER THE WOLKVOX-TOKEN"), Kind.BAD_TOKEN, "bad_token", "403"),
        (403, said(403, "PLEASE VALIDATE TOKEN"), Kind.BAD_TOKEN, "bad_token", "403"),
        (403, said(403, error="please validate token"), Kind.BAD_TOKEN, "bad_token", "403"),
        # 403 TOKEN LIMIT EXCEEDED: the day's quota is gone
        (403, said(403, " Token limit\nexceeded "), Kind.QUOTA, "quota", "403"),
        # 403 EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS: somebody else uses the token
        (403, said(403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"), Kind.BUSY, "busy", "403"),
        # 403 with any other body: possibly maintenance
        (403, HTML, Kind.MAINTENANCE, "maintenance", "403"),
        (403, b"", Kind.MAINTENANCE, "maintenance", "403"),
        (403, said(403, "something new"), Kind.MAINTENANCE, "maintenance", "403"),
        # 404: no such record, or an endpoint that is away
        (404, said(404, "NO RECORDS FOUND"), Kind.NOT_FOUND, "not_found", "404"),
        (404, HTML, Kind.NOT_FOUND, "not_found", "404"),
        # 429, any 5xx: overload
        (429, b"", Kind.OVERLOADED, "overloaded_429", "429"),
        (500, said(500), Kind.OVERLOADED, "overloaded_500", "500"),
        (503, HTML, Kind.OVERLOADED, "overloaded_503", "503"),
        (521, HTML, Kind.OVERLOADED, "overloaded_521", "521"),
        # a gateway gave up, the host may have gone on: unknown
        (502, HTML, Kind.UNKNOWN, "unknown_502", "502"),
        (504, b"", Kind.UNKNOWN, "unknown_504", "504"),
        (520, HTML, Kind.UNKNOWN, "unknown_520", "520"),
        (524, HTML, Kind.UNKNOWN, "unknown_524", "524"),
        (200, said(504), Kind.UNKNOWN, "unknown_504", "504"),
        # the dialler holds the record at this moment
        (409, said(409, "is being dialled"), Kind.CONFLICT, "conflict_409", "409"),
        (200, said(423), Kind.CONFLICT, "conflict_423", "423"),
        # success in the code, failure in the message
        (200, said("", error="CAMPAIGN NOT FOUND"), Kind.REJECTED, "refused_200", "200"),
        (200, said(200, "", "customer is in a call"), Kind.REJECTED, "refused_200", "200"),
        (202, said("202", None, {"detail": "no"}), Kind.REJECTED, "refused_202", "202"),
        (200, said(202, "ok", "null"), Kind.CODED, None, "202"),
        (200, said(202, "ok", False), Kind.CODED, None, "202"),
        (200, said(202, "ok", "None"), Kind.CODED, None, "202"),
        *[(202, said(202, "ok", none), Kind.CODED, None, "202") for none in NO_ERROR],
        *[
            (202, said(202, "ok", error), Kind.REJECTED, "refused_202", "202")
            for error in ("no es valido", "error", "not ok", "400", "ninguno de los registros", ["no"], "sin saldo")
        ],
        # success, though the code is written otherwise
        *[(200, said(code), Kind.CODED, None, "200") for code in ("000", "OK", "ok ", "Success", 0.0)],
        *[
            (200, said(code, "customer_id 7 has been coded"), Kind.CODED, None, "200")
            for code in (-1, None, "true", True, "done")
        ],
        (200, said(-1, "Customer_id  7 has been coded", "N/A"), Kind.CODED, None, "200"),
        (200, b'{"msg": "customer_id A-7 has been coded."}', Kind.CODED, None, "200"),
        (200, b'{"data": [' + said(202, "coded") + b"]}", Kind.CODED, None, "202"),
        (200, b'{"data": ' + said("0") + b"}", Kind.CODED, None, "200"),
        (200, b'{"data": [' + said(422, "no") + b"]}", Kind.REJECTED, "refused_422", "422"),
        (200, b'{"error": "it is closed", "data": [' + said(202) + b"]}", Kind.REJECTED, "refused_202", "202"),
        # ... and what nobody can be sure of
        (200, said(-1, "customer_id 7 has been coded", "it is closed"), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said(-1, "customer_id 7 has not been coded"), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said(None, "0 records has been coded"), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, b'{"data": [' + said(202) + b", " + said(422) + b"]}", Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, b"customer_id 7 has been coded", Kind.UNKNOWN, "unknown_unreadable", "200"),
        # the outcome stands in a body that is not clean JSON
        (200, b"<br />\n<b>Notice</b>: Undefined index {x} in campaign.php\n" + said(202), Kind.CODED, None, "202"),
        (200, said(202) + b"<!-- 0.02 s -->", Kind.CODED, None, "202"),
        (200, b"\xef\xbb\xbf" + said(202), Kind.CODED, None, "202"),
        (200, b'{"code": 202, "error": null, "msg": "c\xf3digo"}', Kind.CODED, None, "202"),
        (200, b'{"code": 202, "error": null, "msg": "two\nlines"}', Kind.CODED, None, "202"),
        (200, b'{"code": 202.0, "error": null, "msg": ""}', Kind.CODED, None, "202"),
        (200, said("422.0", "no"), Kind.REJECTED, "refused_422", "422"),
        (200, b'{"debug": {"code": 500}}{}' + said(202) + said(422), Kind.CODED, None, "202"),
        (200, b'{"debug": {"code": 202}}', Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, b"[" + said(202) + b"]", Kind.CODED, None, "202"),
        (200, b"{" * 100_000, Kind.UNKNOWN, "unknown_unreadable", "200"),
        (599, b"", Kind.OVERLOADED, "overloaded_599", "599"),
        # unreadable answers: unknown, the record may be coded
        (200, HTML, Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, b"", Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, b"[]", Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, b"{}", Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said(None), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said("yes"), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said(True), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said(1), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said("-202"), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said("²02"), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, said(99_999), Kind.UNKNOWN, "unknown_unreadable", "200"),
        (404, said(9_999), Kind.NOT_FOUND, "not_found", "404"),
        (200, b'{"code": 202', Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, b"\xff\xfe\x00", Kind.UNKNOWN, "unknown_unreadable", "200"),
        (200, b"[" * 100_000, Kind.UNKNOWN, "unknown_unreadable", "200"),
    ],
)
def test_an_answer_means_what_the_table_says(status: int, body: bytes, kind: Kind, reason: str, code: str) -> None:
    answer = meaning(status, body)
    assert (answer.kind, answer.reason, answer.code) == (kind, reason, code)


def expected(status: int, *, page: bool) -> tuple[Kind, str | None]:
    """What a status alone, in a page or none at all, or in the API's own JSON, says of a record."""
    if 200 <= status < 300:
        return (Kind.UNKNOWN, "unknown_unreadable") if page else (Kind.CODED, None)
    if 300 <= status < 400 or status == 405:
        return Kind.MAINTENANCE, f"blocked_{status}"
    if status == 401:
        return (Kind.MAINTENANCE, "blocked_401") if page else (Kind.BAD_TOKEN, "bad_token")
    named = {
        403: (Kind.MAINTENANCE, "maintenance"),
        404: (Kind.NOT_FOUND, "not_found"),
        407: (Kind.UNREACHABLE, "unreachable_proxy"),
        408: (Kind.OVERLOADED, "overloaded_408"),
        409: (Kind.CONFLICT, "conflict_409"),
        423: (Kind.CONFLICT, "conflict_423"),
        429: (Kind.OVERLOADED, "overloaded_429"),
        **{code: (Kind.UNKNOWN, f"unknown_{code}") for code in (502, 504, 520, 524)},
    }
    if status in named:
        return named[status]
    if 400 <= status < 500:
        return (Kind.MAINTENANCE, f"blocked_{status}") if page else (Kind.REJECTED, f"refused_{status}")
    return (Kind.OVERLOADED, f"overloaded_{status}") if 500 <= status < 600 else (Kind.UNKNOWN, "unknown_unreadable")


@pytest.mark.parametrize("body", ["none", "page", "JSON"])
def test_every_status_says_one_thing_with_each_body(body: str) -> None:
    for status in range(100, 700):
        sent = {"none": b"", "page": HTML, "JSON": said(status)}[body]
        answer = meaning(status, sent)
        assert (answer.kind, answer.reason) == expected(status, page=body != "JSON"), status
        assert (answer.code, answer.still_in_flight) == (str(status), status in (504, 524))


def test_of_several_objects_without_a_code_the_first_one_speaks() -> None:
    assert meaning(422, b'{"msg": "first"}{"msg": "second"}').msg == "first"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(Kind.REJECTED, "refused_422", "422", "c7 is not 20201234"), "422 … IS NOT …"),
        (Answer(Kind.REJECTED, "refused_422", "422"), "422 REFUSED_422"),
        (Answer(Kind.REJECTED, "not_found", None, "gone"), "GONE"),
        (Answer(Kind.REJECTED), ""),
    ],
)
def test_a_refusal_shows_no_ids_whether_the_message_is_the_vendors_or_ours(answer: Answer, text: str) -> None:
    assert refusal(answer, "c7") == text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (said(422, "El codAct no es válido  99"), "El codAct no es válido  99"),
        (said(422, "one", "two"), "one two"),
        (said(422, None, "two"), "two"),
        (said(422, "null", ""), None),
        (b'{"code": 422, "msg": "a\\u0000b\\ud800c"}', "a\N{REPLACEMENT CHARACTER}b?c"),
        (b"plain words", "plain words"),
        (b'{"code": 422, "msg": "El c\xf3digo no es v\xe1lido"}', "El código no es válido"),
        (b"\xff!", "ÿ!"),
        (b"\x81!", "\N{REPLACEMENT CHARACTER}!"),
        (b"x" * 5_000, "x" * LONGEST_MSG),
    ],
)
def test_the_vendors_message_is_kept_as_it_is(body: bytes, message: str | None) -> None:
    assert meaning(422, body).msg == message


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7.0),
        ("Mon, 02 Mar 2026 12:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 07:00:30 -0500", 30.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", None),
        ("0", None),
        ("1", 1.0),
        ("Mon, 02 Mar 2026 12:00:00 GMT", None),
        ("Mon, 02 Mar 2026 12:00:01 GMT", 1.0),
        ("9" * 400, 1e9),
        ("Mon, 02 Mar 2026 12:00:30", 30.0),
        ("", None),
        ("-7", None),
        ("soon", None),
        ("1e3", None),
        ("²", None),
    ],
)
def test_retry_after_may_be_seconds_or_a_date(retry_after: str, seconds: float | None) -> None:
    assert meaning(429, b"", Retry_After=retry_after).retry_after == seconds


def test_a_request_without_an_answer_says_why() -> None:
    assert unknown("reset") == Answer(Kind.UNKNOWN, "unknown_reset")
    assert unknown("timeout") == Answer(Kind.UNKNOWN, "unknown_timeout", still_in_flight=True), (
        "wolkvox may still be at it"
    )
    assert unreachable("refused") == Answer(Kind.UNREACHABLE, "unreachable_refused")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
DOCUMENTS = st.fixed_dictionaries({}, optional={"code": JSON, "msg": JSON, "error": JSON}).map(
    lambda document: json.dumps(document).encode()
)


@given(st.integers(100, 999), st.one_of(st.binary(), DOCUMENTS), st.text())
def test_no_answer_at_all_breaks_the_reading(status: int, body: bytes, retry_after: str) -> None:
    answer = meaning(status, body, Retry_After=retry_after)
    assert isinstance(answer.kind, Kind)
    assert (answer.kind is Kind.CODED) == (answer.reason is None)
    assert answer.kind is not Kind.CODED or 200 <= status < 300
    if answer.msg is not None:
        assert "\x00" not in answer.msg
        assert answer.msg.encode()


@given(st.integers(200, 299), st.integers(400, 599), st.booleans())
def test_a_refusal_in_the_body_is_never_taken_for_a_success(status: int, code: int, as_text: bool) -> None:
    assert meaning(status, said(str(code) if as_text else code)).kind is not Kind.CODED
