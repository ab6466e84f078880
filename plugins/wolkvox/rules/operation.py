"""One operation: what an entry of ``operations.yaml`` may say, and the names that follow from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from wolkvox.rules.addresses import read_addresses
from wolkvox.rules.alerts import Thresholds
from wolkvox.rules.guard import Afterwards, Guard
from wolkvox.rules.health import LAG_TARGET
from wolkvox.rules.names import DAG_ID
from wolkvox.rules.options import LONGEST_RUN
from wolkvox.rules.protection import Protection, Zone
from wolkvox.rules.validation import STRICT
from wolkvox.rules.values import folded

DEFAULT = "default"  # the entry whose DAG, pool and connection carry no name
NAME = r"[a-z][a-z0-9_]{0,30}"  # of an entry

_ID = r"^[A-Za-z0-9_.\-]{1,200}$"  # of a connection or a pool
_FIELDS_OF_CRON = 5
_DRAWN = re.compile(r"[rh](\(.*\))?(/\d+)?", re.IGNORECASE)  # a field that each process draws by lot again
_BEFORE = datetime(2025, 1, 1, tzinfo=timezone.utc)  # with no leap day for three years: those that wait for one show
_RARELY = timedelta(days=396)  # 13 months
WAKE = 5.0  # seconds
LINGER = 25.0  # seconds


def _cron(expression: str) -> str:
    fields = expression.split()
    if len(fields) != _FIELDS_OF_CRON:
        raise ValueError
    if any(map(_DRAWN.fullmatch, fields)):
        raise ValueError("its times would be others with each look")
    if not croniter.is_valid(expression):
        raise ValueError
    try:
        first = croniter(expression, _BEFORE).get_next(datetime)
    except CroniterBadDateError:
        first = None
    if first is None or first - _BEFORE > _RARELY:
        raise ValueError("no such time comes within 13 months")
    return expression


def _in_list(written: Any) -> Any:
    """Addresses may be written in one text."""
    return [written] if isinstance(written, str) else written


def _reaches_somebody(written: list[str]) -> list[str]:
    """Accept a list with one address at least: alerts leave the rest aside, and ``check`` names it."""
    addresses = read_addresses(*written)
    if addresses.left_aside and not addresses.usable:
        raise ValueError
    return written


def _off(value: Any) -> Any:
    return None if value is False or value == "off" else value  # YAML reads `off` as false


def _net(given: Mapping[str, Any]) -> str:
    """The cron of an operation that gives none: a net below the trigger, or all that begins runs."""
    return "*/1 * * * *" if given.get("wake", WAKE) is None else "*/15 * * * *"


def _ids_as_text(written: Any) -> Any:
    """A number may stand for the id of its digits."""
    if not isinstance(written, list):
        return written
    return [str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in written]


def _says_something(written: str) -> str:
    if not folded(written):
        raise ValueError("no letter or digit is in it")
    return written


def _own_pool(name: str) -> str:
    if name == "default_pool":
        raise ValueError
    return name


Share = Annotated[float, Field(ge=0, le=1, description="a share of the records between 0 and 1, as in 0.05")]
ConnectionId = Annotated[
    str, Field(pattern=_ID, description="the id of an Airflow connection, in quotes if it is digits")
]


class ThresholdsOfEntry(BaseModel):
    """From where on people are notified of a run that isn't red, as an entry says it."""

    model_config = STRICT

    refusals: Share = 0.02
    backlog_hours: Annotated[
        float, Field(gt=0, le=744, description="hours that a contact may wait, at most 744, as in 24")
    ] = 24
    quota: Annotated[
        float, Field(ge=0, le=1, description="a share of the day's requests between 0 and 1, as in 0.9")
    ] = 0.9


_GUARD = Guard()


class GuardOfEntry(BaseModel):
    """From where on what a run brings is held before it is sent, as an entry says it."""

    model_config = STRICT

    ceiling: Annotated[
        int | None, Field(ge=1, description="new records that one run may bring, a whole number, as in 50000")
    ] = _GUARD.ceiling
    least: Annotated[
        int, Field(ge=1, description="new records within an hour that are never unusual, a whole number, as in 100")
    ] = _GUARD.least
    times: Annotated[float, Field(ge=1, description="how many times the usual hour, from 1 on, as in 3")] = _GUARD.times
    invalid: Share = _GUARD.invalid
    changed: Share = _GUARD.changed
    hold_hours: Annotated[
        float, Field(gt=0, le=744, description="hours that a person has to decide, at most 744, as in 24")
    ] = _GUARD.hold / timedelta(hours=1)
    afterwards: Annotated[
        Afterwards, Field(description="what becomes then of what is held: hold, release or discard")
    ] = _GUARD.afterwards


class Entry(BaseModel):
    """What an entry may say. Each description says what to write."""

    model_config = STRICT

    wolkvox_conn_id: ConnectionId
    warehouse_conn_id: ConnectionId = "warehouse"
    pool: Annotated[
        str,
        Field(pattern=_ID, description="the name of an Airflow pool of the operation's own, as in wolkvox_sales"),
        AfterValidator(_own_pool),
    ]
    wake: Annotated[
        float | None,
        Field(ge=1, le=3600, description="seconds between two polls for work, from 1 to 3600, as in 5, or off"),
        BeforeValidator(
            _off, json_schema_input_type=Annotated[float, Field(ge=1, le=3600)] | Literal["off", False] | None
        ),
    ] = WAKE
    schedule: Annotated[
        str,
        Field(
            default_factory=_net,
            description='a cron expression of five fields in quotes, as in "*/5 * * * *"',
        ),
        AfterValidator(_cron),
    ]
    timezone: Zone = "America/Bogota"
    warehouse_timezone: Annotated[
        Zone | None, Field(description="the name of the time zone of the warehouse's timestamps, as in UTC")
    ] = None
    sql: Annotated[
        str,
        Field(
            pattern=r"^[^/{].*\.sql$",
            description="a query's file below include/, as in sql/contacted_customers.sql",
        ),
    ] = "sql/contacted_customers.sql"
    placeholder_ids: Annotated[
        list[Annotated[str, AfterValidator(_says_something)]],
        Field(
            description="a list of ids that stand for nobody, in quotes where they begin with 0, as in"
            ' ["000111", SIN CARNET]'
        ),
        BeforeValidator(_ids_as_text, json_schema_input_type=list[str | int]),
    ] = []
    results_table: Annotated[
        str,
        Field(
            pattern=r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2})?$",
            description="the name of a table that the warehouse's user may make, as in analytics.contact_results",
        ),
    ] = ""
    protection: Annotated[
        str,
        Field(
            pattern=r"^([^/{].*\.ya?ml)?$",
            description="a file of rules below include/, as in protection/colombia.yaml",
        ),
    ] = ""
    lookback_hours: Annotated[
        float, Field(ge=0, le=720, description="hours that a row may be late, from 0 to 720, as in 24")
    ] = 24
    run_minutes: Annotated[
        float | None,
        Field(
            gt=0,
            le=LONGEST_RUN // timedelta(minutes=1),
            description=f"minutes that a run may send, at most {LONGEST_RUN // timedelta(minutes=1)}, or nothing:"
            " Airflow may end tasks that take longer",
        ),
    ] = None
    latest_end_minutes: Annotated[
        float, Field(ge=1, le=10_080, description="minutes from 1 to 10080, after which a run is late, as in 60")
    ] = 60
    lag_target_minutes: Annotated[
        float, Field(gt=0, le=1_440, description="minutes after the contact that are in time, at most 1440, as in 6")
    ] = LAG_TARGET / timedelta(minutes=1)
    max_failed_ratio: Share = 0.05
    thresholds: Annotated[
        ThresholdsOfEntry,
        Field(description="refusals, backlog_hours and quota, each in a line of its own, further to the right"),
    ] = ThresholdsOfEntry()
    guard: Annotated[
        GuardOfEntry | None,
        Field(description="ceiling, times and others, each in a line of its own, further to the right; or off"),
        BeforeValidator(_off, json_schema_input_type=GuardOfEntry | Literal["off", False] | None),
    ] = GuardOfEntry()
    alert_to: Annotated[
        list[str],
        Field(description="a list of e-mail addresses, as in [supervisor@example.com]"),
        BeforeValidator(_in_list, json_schema_input_type=list[str] | str),
        AfterValidator(_reaches_somebody),
    ] = []
    alert_webhook: Annotated[
        str, Field(pattern=_ID + "|^$", description="the id of a connection to a webhook, as in pager")
    ] = ""
    report_to: Annotated[
        list[str],
        Field(description="a list of e-mail addresses for the morning's report, as in [supervisor@example.com]"),
        BeforeValidator(_in_list, json_schema_input_type=list[str] | str),
        AfterValidator(_reaches_somebody),
    ] = []
    language: Annotated[Literal["en", "es"], Field(description="the language of the report, en or es")] = "en"


class Operation(Entry):
    """
    One operation: its DAG, and what that DAG uses.

    ``name`` is the entry's; ``refused`` says why the entry can't be used, all else being the defaults then;
    ``protects`` is what the file ``protection`` says. ``is_built_in``: there is no file.
    """

    name: str
    refused: str | None = None
    protects: Protection | None = None
    is_built_in: bool = False

    @property
    def dag_id(self) -> str:
        """The DAG's name."""
        return named(DAG_ID, self.name)

    @property
    def warehouse_zone(self) -> str:
        """The zone of a ``contacted_at`` that carries none."""
        return self.warehouse_timezone or self.timezone

    @property
    def linger_seconds(self) -> float:
        """How long a worker with nothing left to send waits for more: a trickle of contacts needs no new ones."""
        return LINGER if self.wake else 0.0

    @property
    def audit_dag_id(self) -> str:
        """The name of the DAG that looks at what wolkvox shows."""
        return named("wolkvox_audit", self.name)

    @property
    def report_dag_id(self) -> str:
        """The name of the DAG that mails the morning's report."""
        return named("wolkvox_report", self.name)

    @property
    def asset(self) -> str:
        """The asset that its runs update."""
        return named("wolkvox_codification", self.name)

    @property
    def work(self) -> str:
        """The asset whose events begin its runs."""
        return named("wolkvox_work", self.name)

    @property
    def key(self) -> str | None:
        """The name under which the ledger keeps its contacts; None: the server's."""
        return None if self.name == DEFAULT else self.name

    @property
    def alert_thresholds(self) -> Thresholds:
        """The thresholds as the verdict takes them."""
        written = self.thresholds
        return Thresholds(
            written.refusals,
            timedelta(hours=written.backlog_hours),
            written.quota,
            timedelta(minutes=self.lag_target_minutes),
        )

    @property
    def holds(self) -> Guard | None:
        """From where on the stage holds what comes in; None: never."""
        if self.guard is None:
            return None
        written = self.guard.model_dump(exclude={"hold_hours"})
        return Guard(**written, hold=timedelta(hours=self.guard.hold_hours))


def named(what: str, name: str) -> str:
    """A DAG's, a pool's, a connection's name, with the operation's unless that is the default one."""
    return what if name == DEFAULT else f"{what}_{name}"


def usual(name: str = DEFAULT, refused: str | None = None) -> Operation:
    """An operation that says nothing of its own."""
    return Operation.model_validate({**own_names(name), "name": name, "refused": refused})


def own_names(name: str) -> dict[str, str]:
    """The connection and the pool of an entry that names none."""
    return {
        "wolkvox_conn_id": f"wolkvox_{name}",
        "pool": named("wolkvox", name),
    }
