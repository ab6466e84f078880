"""What operations.yaml says, and what is said of it where it is wrong: the line, the key, and what to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wolkvox.dag.operations import deployed_operations, refuse_mistakes, search_path
from wolkvox.errors import BadSetting
from wolkvox.rules.alerts import Thresholds
from wolkvox.rules.guard import Guard
from wolkvox.rules.operations import Operations, read_operations

INCLUDE = Path(__file__).parents[2] / "include"
DEPLOYED = {
    "sql/contacted_customers.sql": "SELECT",
    "sql/sales.sql": "SELECT",
    "protection/ours.yaml": "timezone: America/Bogota\nrules:\n  - {days: 1}\n",
    "protection/wrong.yaml": "timezone: America/Bogota\nrules:\n  - {days: 0}\n",
}
GOOD = "good:\n  pool: wolkvox_good\n"


def read(text: str) -> Operations:
    """What a file says where one query was deployed."""
    return read_operations(dedent(text), DEPLOYED.get)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "---\n", "{}\n", "null\n"])
def test_a_file_that_says_nothing_means_the_usual_operation(text: str) -> None:
    found = read(text)
    (one,) = found.all
    assert found.mistakes == []
    assert (one.dag_id, one.pool, one.wolkvox_conn_id, one.key) == (
        "wolkvox_codify",
        "wolkvox",
        "wolkvox_default",
        None,
    )
    assert (one.warehouse_conn_id, one.schedule, one.timezone) == ("warehouse", "*/15 * * * *", "America/Bogota")
    assert (one.wake, one.work) == (5, "wolkvox_work")


def test_the_shipped_file_says_what_is_so_without_it(tmp_path: Path) -> None:

    shipped = read_operations((INCLUDE / "operations.yaml").read_text(), lambda _: "")
    assert shipped.mistakes == []
    assert shipped.all == read("").all


@pytest.mark.parametrize(
    "schedule", ["*/1 * * * *", "0 6 1 * *", "0 6 1 1 *", "0 6 * * 1-5", "0 0 L * *", "0 7 * * fri#1", "0 9 * MAR THU"]
)
def test_a_schedule_that_comes_at_times_that_are_known_is_taken(schedule: str) -> None:
    (one,) = read(f'sales:\n  schedule: "{schedule}"\n').all
    assert (one.refused, one.schedule) == (None, schedule)


@pytest.mark.parametrize(
    ("written", "hours"), [("24", 24), ("0", 0), ("0.5", 0.5), (".5", 0.5), ("1.50", 1.5), ("24.", 24)]
)
def test_a_number_is_read_as_people_write_it(written: str, hours: float) -> None:
    (one,) = read(f"sales:\n  lookback_hours: {written}\n").all
    assert (one.refused, one.lookback_hours) == (None, hours)


def test_a_name_alone_is_an_operation_with_names_of_its_own() -> None:
    first, second = read("default:\nsales:\n").all
    assert first == read("").all[0]
    assert (second.dag_id, second.pool, second.wolkvox_conn_id) == (
        "wolkvox_codify_sales",
        "wolkvox_sales",
        "wolkvox_sales",
    )
    assert (second.key, second.asset) == ("sales", "wolkvox_codification_sales")


@pytest.mark.parametrize("off", ["off", "Off", "'off'", "false", "no"])
def test_an_operation_without_a_trigger_has_a_run_a_minute_unless_it_says_otherwise(off: str) -> None:
    first, second = read(f"first:\n  wake: {off}\nsecond:\n  wake: {off}\n  schedule: '*/5 * * * *'\n").all
    assert (first.wake, first.schedule) == (None, "*/1 * * * *")
    assert (second.wake, second.schedule) == (None, "*/5 * * * *")


@pytest.mark.parametrize(("written", "wake"), [("1", 1), ("2.5", 2.5), ("3600", 3_600), ("", 5)])
def test_an_operation_says_how_often_its_trigger_polls(written: str, wake: float) -> None:
    (one,) = read(f"first:\n  wake: {written}\n").all
    assert (one.wake, one.schedule) == (wake, "*/15 * * * *")


def test_every_key_is_taken() -> None:
    (one,) = read(
        """
        sales:
          wolkvox_conn_id: token_of_sales
          warehouse_conn_id: lake
          pool: two
          schedule: "*/5 8-20 * * 1-6"
          timezone: America/Santiago
          sql: sql/sales.sql
          protection: protection/ours.yaml
          lookback_hours: 0.5
          run_minutes: 4
          latest_end_minutes: 30
          lag_target_minutes: 15
          max_failed_ratio: 0
          thresholds: {refusals: 0.1, backlog_hours: 2, quota: 1}
          guard: {ceiling: 9, hold_hours: 2, afterwards: discard}
          alert_to: [ana@example.com, "+luis@mail.example.co"]
        """
    ).all
    assert (one.wolkvox_conn_id, one.warehouse_conn_id, one.pool) == ("token_of_sales", "lake", "two")
    assert (one.schedule, one.timezone, one.sql) == ("*/5 8-20 * * 1-6", "America/Santiago", "sql/sales.sql")
    assert (one.lookback_hours, one.run_minutes, one.latest_end_minutes, one.max_failed_ratio) == (0.5, 4, 30, 0)
    assert one.alert_thresholds == Thresholds(0.1, timedelta(hours=2), 1, timedelta(minutes=15))
    assert one.holds == Guard(ceiling=9, hold=timedelta(hours=2), afterwards="discard")
    assert one.protects is not None
    assert one.protects.rules[0].days == 1
    assert one.alert_to == ["ana@example.com", "+luis@mail.example.co"]


@pytest.mark.parametrize(("written", "guard"), [("", Guard()), ("guard:", Guard()), ("guard: off", None)])
def test_what_is_unusual_is_held_unless_an_entry_says_otherwise(written: str, guard: Guard | None) -> None:
    (one,) = read_operations(f"sales:\n  pool: sales\n  {written}\n", lambda _: "").all
    assert one.holds == guard


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ana@example.com; luis@example.com", ["ana@example.com; luis@example.com"]),
        ("['Ana <ana@example.com>', 'luis@example.com,eva@example.com']", None),
        ("[ana@example.com, luis]", ["ana@example.com", "luis"]),
    ],
)
def test_addresses_may_be_written_as_people_write_them(written: str, kept: list[str] | None) -> None:
    found = read(f"sales:\n  alert_to: {written}\n")
    assert found.mistakes == []
    if kept:
        assert found.all[0].alert_to == kept


def test_what_operations_have_in_common_may_be_written_once() -> None:
    text = "default: &all\n  timezone: America/Lima\nsales:\n  <<: *all\n  pool: two\n"
    assert [(one.timezone, one.pool) for one in read(text).all] == [
        ("America/Lima", "wolkvox"),
        ("America/Lima", "two"),
    ]


def test_a_template_is_no_operation_and_its_mistakes_are_told_where_they_stand() -> None:
    found = read(
        "x-all: &all\n  wake: never\nsales:\n  <<: *all\nservice:\n  <<: *all\n  wake: 5\nx-notes: [anything]\n"
    )
    assert [(one.name, one.refused is None) for one in found.all] == [("sales", False), ("service", True)]
    assert [(one.line, one.key) for one in found.mistakes] == [(2, "sales.wake")]
    assert [one.name for one in read("x-all: {wake: 5}\n").all] == ["default"]


@pytest.mark.parametrize(("text", "names"), [("sales: 'x\n", ["sales"]), ("'x\n", []), ("[\n", []), ("x-all: [\n", [])])
def test_a_file_of_which_nothing_can_be_read_is_not_taken_for_an_empty_one(text: str, names: list[str]) -> None:
    found = read(text)
    assert ([one.name for one in found.all if one.refused], len(found.all)) == (names, len(names))
    assert len(found.mistakes) == 1


_MARKS = st.sampled_from("'\"[]{}:#&*!|>%@`,?-\t ")
_OTHERS = st.characters(exclude_categories=["Zl", "Zp", "Cs"], exclude_characters="\n\r\x85")


@example("'x")
@example("[x")
@given(st.text(st.one_of(_MARKS, _OTHERS)))
def test_whatever_is_typed_into_an_entry_harms_no_other(typed: str) -> None:
    first, last = "first: &all\n  timezone: America/Lima\n  pool: one\n", "last:\n  <<: *all\n  pool: two\n"
    entry = f"middle:\n  alert_to: {typed}\n  pool: middle\n"
    kept = {one.name: one for one in read_operations(first + entry + last, DEPLOYED.get).all}
    assert (kept["first"].refused, kept["first"].pool) == (None, "one")
    assert (kept["last"].refused, kept["last"].pool, kept["last"].timezone) == (None, "two", "America/Lima")


# A line of an entry that is wrong, and what the message must name.
WRONG_LINES = {
    "wolkvox_conn_id: 0041": "id of an Airflow connection, in quotes",
    "wolkvox_conn_id: ''": "id of an Airflow connection",
    "wolkvox_conn_id: two words": "id of an Airflow connection",
    "warehouse_conn_id: [a, b]": "id of an Airflow connection",
    "warehouse_conn_id: true": "id of an Airflow connection",
    "pool: 2": "name of an Airflow pool",
    "pool: default_pool": "of the operation's own",
    "schedule: every minute": 'five fields in quotes, as in "*/5 * * * *"',
    "schedule: '@daily'": "five fields",
    "schedule: '*/1 * * * * *'": "five fields",
    "schedule: '61 * * * *'": "five fields",
    "schedule: 5": "five fields",
    "schedule: '0 0 30 2 *'": "'0 0 30 2 *' can't be used (no such time comes within 13 months): give a cron",
    "schedule: '0 0 31 4,6,9,11 *'": "no such time comes within 13 months",
    "schedule: '0 0 29 2 *'": "no such time comes within 13 months",
    "schedule: 'R * * * *'": "its times would be others with each look",
    "schedule: '*/5 r(8-20) * * *'": "its times would be others with each look",
    "schedule: 'H H * * *'": "its times would be others with each look",
    "schedule: 'R/10 * * * 1-5'": "its times would be others with each look",
    "timezone: Etc/GMT-5": "Etc/GMT-5 is 5 hours ahead of UTC",
    "wake: 0": "from 1 to 3600, as in 5, or off",
    "wake: 3601": "from 1 to 3600, as in 5, or off",
    "wake: on": "from 1 to 3600, as in 5, or off",
    "wake: '5'": "from 1 to 3600, as in 5, or off",
    "wake: .nan": "from 1 to 3600, as in 5, or off",
    "wake: never": "from 1 to 3600, as in 5, or off",
    "protection: colombia": "a file of rules below include/",
    "protection: protection/atlantis.yaml": "there is no file protection/atlantis.yaml",
    "protection: protection/wrong.yaml": "protection/wrong.yaml, line 3, rules.0.days: 0 can't be used",
    "timezone: Bogota": "as in America/Bogota",
    "timezone: -5": "as in America/Bogota",
    "timezone: ../../etc/passwd": "as in America/Bogota",
    "sql: SELECT 1": "a query's file below include/",
    "sql: /etc/query.sql": "a query's file below include/",
    "sql: sql/none.sql": "there is no file sql/none.sql",
    "lookback_hours: a day": "from 0 to 720",
    "lookback_hours: 721": "from 0 to 720",
    "lookback_hours: .nan": ".nan can't be used: give hours that a row may be late, from 0 to 720",
    "lookback_hours: 1:30": "1:30 can't be used: give hours that a row may be late, from 0 to 720",
    "lookback_hours: 010": "010 can't be used: give hours",
    "lookback_hours: 0x18": "0x18 can't be used",
    "lookback_hours: 1_0": "1_0 can't be used",
    "lookback_hours: 0b11": "0b11 can't be used",
    "lookback_hours: 1.5e+1": "1.5e+1 can't be used",
    "lookback_hours: +24": "+24 can't be used",
    "lookback_hours: 24,5": "'24,5' can't be used",
    "latest_end_minutes: 1:00": "1:00 can't be used: give minutes from 1 to 10080",
    "thresholds: {backlog_hours: 1:30}": "1:30 can't be used: give hours that a contact may wait",
    "pool: 0041": "0041 can't be used: give the name of an Airflow pool",
    "run_minutes: 91": "at most 90, or nothing: Airflow may end tasks that take longer",
    "run_minutes: 1:00": "1:00 can't be used",
    "run_minutes: 0": "minutes that a run may send",
    "run_minutes: '15'": "minutes that a run may send",
    "latest_end_minutes: 0": "minutes from 1 to 10080",
    "lag_target_minutes: 0": "minutes after the contact that are in time, at most 1440, as in 6",
    "max_failed_ratio: 5%": "between 0 and 1, as in 0.05",
    "max_failed_ratio: 5": "between 0 and 1, as in 0.05",
    "thresholds: 0.5": "refusals, backlog_hours and quota",
    "thresholds: {quota: 90}": "share of the day's requests between 0 and 1",
    "thresholds: {quotas: 0.9}": "did you mean quota",
    "guard: on": "ceiling, times and others, each in a line of its own, further to the right; or off",
    "guard: {ceiling: 0}": "new records that one run may bring",
    "guard: {celing: 5}": "did you mean ceiling",
    "guard: {afterwards: drop}": "hold, release or discard",
    "guard: {hold_hours: 800}": "at most 744",
    "alert_to: ana": "a list of e-mail addresses, as in [supervisor@example.com]",
    "alert_to: [ana]": "a list of e-mail addresses",
    "alert_to: 5": "a list of e-mail addresses",
    "alert_to: {ana: luis}": "a list of e-mail addresses",
    "report_to: ana": "a list of e-mail addresses for the morning's report",
    "language: fr": "the language of the report, en or es",
    "scheduel: '* * * * *'": "did you mean schedule?",
    "ledger_conn_id: mine": "there is no such key",
    "token: s3cret": "there is no such key",
    "name: other": "there is no such key",
    "on: true": "there is no such key",
    "retries: !!python/object:os.system x": "plain text or number",
    "pool: a\n  pool: b": "there twice",
    "pool: 'a": "a quote or a bracket that isn't closed",
    "alert_to: [a@b.co": "a quote or a bracket that isn't closed",
    "\tpool: a": "a tab",
    "pool:a": "a colon without a blank",
    "pool: *unknown": "can't be read|undefined alias",
    "schedule: */5 * * * *": "is no YAML",
}


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_mistake_is_told_with_its_line_key_and_remedy_and_harms_no_other(line: str) -> None:
    found = read(f"first:\n  pool: one\nwrong:\n  timezone: America/Lima\n  {line}\n{GOOD}")
    told = "\n".join(map(str, found.mistakes))
    number = 6 if "pool: b" in line else 5
    assert any(word in told for word in WRONG_LINES[line].split("|")), told
    assert "wrong" in told
    assert f"line {number}" in told or "is no YAML" in told, told
    key = line.split(":")[0].strip()
    assert f"wrong.{key}" in told or "YAML" in told or "plain text" in told or "says nothing" in told, told
    assert "s3cret" not in told
    kept = {one.name: one for one in found.all}
    assert (kept["first"].pool, kept["good"].pool) == ("one", "wolkvox_good")
    assert (kept["first"].refused, kept["good"].refused) == (None, None)
    assert str(found.mistakes[0]) in (kept["wrong"].refused or "")
    assert kept["wrong"].dag_id == "wolkvox_codify_wrong"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Sales", "small letters"),
        ("0041", "a letter first"),
        ("ventas-1", "small letters"),
        ("sales calls", "small letters"),
        ("x" * 32, "at most 31"),
        ("[a, b]", "small letters"),
    ],
)
def test_a_name_that_is_none_is_told_and_harms_no_other(name: str, remedy: str) -> None:
    found = read(f"first:\n{name}:\n  pool: one\n{GOOD}")
    (mistake,) = found.mistakes
    assert (mistake.line, mistake.place) == (2, ())
    assert remedy in str(mistake)
    assert [one.name for one in found.all if one.refused is None] == ["first", "good"]


def test_an_operation_that_is_there_twice_is_refused_for_none_can_tell_which_is_meant() -> None:
    found = read(f"sales:\n  pool: one\n{GOOD}sales:\n  pool: two\n")
    assert [str(mistake) for mistake in found.mistakes] == [
        "line 5, sales: this key is there twice, first in line 1: leave one of the two out or rename it."
    ]
    assert {one.name: one.refused is None for one in found.all} == {"sales": False, "good": True}


@pytest.mark.parametrize("text", ["- sales\n- service\n", "sales\n", "5\n", "[]\n", '"default"\n'])
def test_a_file_of_another_shape_is_told(text: str) -> None:
    found = read(text)
    assert found.all == []
    (mistake,) = found.mistakes
    assert (mistake.line, "as in `sales:`" in str(mistake)) == (1, True)


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    found = read("a:\n  pool: 1\n  schedule: x\nb:\n  sqll: x\n  timezone: y\nC:\n")
    assert [(one.line, one.key) for one in found.mistakes] == [
        (2, "a.pool"),
        (3, "a.schedule"),
        (5, "b.sqll"),
        (6, "b.timezone"),
        (7, ""),
    ]


def test_the_file_is_found_beside_the_dags_or_among_them(tmp_path: Path) -> None:

    folder = tmp_path / "dags"
    folder.mkdir()
    assert [one.name for one in deployed_operations(folder).all] == ["default"]
    (folder / "operations.yaml").write_bytes("\ufeffsales:\r\n  pool: two\r\n".encode())
    assert [(one.name, one.pool) for one in deployed_operations(folder).all] == [("sales", "two")]
    include = folder.parent / "include"
    include.mkdir()
    (include / "operations.yaml").write_text("service:\n  timezone: nowhere\n")
    assert [one.name for one in deployed_operations(folder).all] == ["service"]
    with pytest.raises(BadSetting, match=r"1 in operations.yaml:\nline 2, service.timezone: 'nowhere' can't be used"):
        refuse_mistakes(folder)
    (include / "operations.yaml").write_bytes(b"a:\nb:\n  pool: ni\xf1o\n")
    with pytest.raises(BadSetting, match=r"line 3: a character here isn't UTF-8"):
        refuse_mistakes(folder)
    (include / "operations.yaml").unlink()
    (folder / "operations.yaml").unlink()
    refuse_mistakes(folder)


def test_the_usual_query_is_in_the_package_where_nothing_else_was_deployed(tmp_path: Path) -> None:

    *_, built_in = search_path(tmp_path)
    shipped = Path(__file__).parents[2] / "include" / "sql" / "contacted_customers.sql"
    assert (Path(built_in) / "sql" / "contacted_customers.sql").read_text() == shipped.read_text()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lookback_hours: 1.000", "line 2, sales.lookback_hours: 1.000 (which may mean 1 or 1000) can't be used"),
        ("wake: 3.600", "line 2, sales.wake: 3.600 (which may mean 3.6 or 3600) can't be used"),
        ("latest_end_minutes: 1.440", "line 2, sales.latest_end_minutes: 1.440 (which may mean 1.44 or 1440)"),
        ("wake: apagado", "line 2, sales.wake: 'apagado' can't be used"),
        ("pool: 8", "line 2, sales.pool: 8 can't be used"),
        (
            "warehouse_timezone: -5",
            "line 2, sales.warehouse_timezone: -5 can't be used: give the name of the time zone",
        ),
        ("warehouse_timezone: Etc/GMT-5", "Etc/GMT-5 is 5 hours ahead of UTC"),
        ("placeholder_ids: [000]", "line 2, sales.placeholder_ids.0: 000 can't be used: give a list of ids"),
        (
            'placeholder_ids: ["--"]',
            "line 2, sales.placeholder_ids.0: '--' can't be used (no letter or digit is in it)",
        ),
        ("placeholder_ids: SIN CARNET", "line 2, sales.placeholder_ids: 'SIN CARNET' can't be used"),
        ("is_built_in: true", "line 2, sales.is_built_in: there is no such key"),
    ],
)
def test_a_value_that_may_mean_two_things_is_one_mistake_with_its_line(line: str, message: str) -> None:
    (mistake,) = read(f"sales:\n  {line}\n").mistakes
    assert message in str(mistake)


def test_an_operation_names_ids_that_stand_for_nobody_and_the_zone_of_its_warehouse() -> None:
    (one,) = read('sales:\n  placeholder_ids: [0, "000111", SIN CARNET]\n  warehouse_timezone: UTC\n').all
    assert (one.placeholder_ids, one.warehouse_zone) == (["0", "000111", "SIN CARNET"], "UTC")
    (usual,) = read("sales:\n  timezone: America/Lima\n").all
    assert (usual.placeholder_ids, usual.warehouse_zone) == ([], "America/Lima")
