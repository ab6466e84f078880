"""What ``operations.yaml`` says: one operation an entry, or where it is wrong and what to do about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from typing import Annotated, Any

import yaml
from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from wolkvox.rules.addresses import read_addresses
from wolkvox.rules.alerts import Thresholds
from wolkvox.rules.names import DAG_ID
from wolkvox.rules.options import LONGEST_RUN
from wolkvox.rules.protection import Protection, Unreadable, Zone, read_protection
from wolkvox.rules.values import folded
from wolkvox.rules.yaml_lines import NOTHING, Loader, as_written, cant_be_used, keys, line_of, shortened, why_no_yaml

DEFAULT = "default"  # the entry whose DAG, pool and connection carry no name
OURS = ("name", "refused", "protects", "is_built_in")  # what of an operation isn't written in the file

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_ID = r"^[A-Za-z0-9_.\-]{1,200}$"  # of a connection or a pool
_ENTRY = re.compile(r"^(?=[^\s#\-.%])", re.MULTILINE)  # where an entry begins: in a line's first column
_FIELDS_OF_CRON = 5
_DRAWN = re.compile(r"[rh](\(.*\))?(/\d+)?", re.IGNORECASE)  # a field that is drawn by lot, anew by each process
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
    """What is no address beside others is left aside when alerts are sent, and told by ``check``."""
    found = read_addresses(*written)
    if found.left_aside and not found.usable:
        raise ValueError
    return written


def _wake(value: Any) -> Any:
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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Share = Annotated[float, Field(ge=0, le=1, description="a share of the records between 0 and 1, as in 0.05")]
ConnectionId = Annotated[
    str, Field(pattern=_ID, description="the id of an Airflow connection, in quotes if it is digits")
]


class ThresholdsOfEntry(_Strict):
    """From where on people are notified of a run that isn't red, as an entry says it."""

    refusals: Share = 0.02
    backlog_hours: Annotated[
        float, Field(gt=0, le=744, description="hours that a contact may wait, at most 744, as in 24")
    ] = 24
    quota: Annotated[
        float, Field(ge=0, le=1, description="a share of the day's requests between 0 and 1, as in 0.9")
    ] = 0.9


class Operation(_Strict):
    """
    One operation: its DAG, and what that DAG uses. Each description says what to write.

    ``name`` is the entry's; ``refused`` says why the entry can't be used, all else being the defaults then;
    ``protects`` is what the file ``protection`` says. ``is_built_in``: there is no file.
    """

    name: str
    refused: str | None = None
    protects: Protection | None = None
    is_built_in: bool = False
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
        BeforeValidator(_wake),
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
        BeforeValidator(_ids_as_text),
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
    max_failed_ratio: Share = 0.05
    thresholds: Annotated[
        ThresholdsOfEntry,
        Field(description="refusals, backlog_hours and quota, each in a line of its own, further to the right"),
    ] = ThresholdsOfEntry()
    alert_to: Annotated[
        list[str],
        Field(description="a list of e-mail addresses, as in [supervisor@example.com]"),
        BeforeValidator(_in_list),
        AfterValidator(_reaches_somebody),
    ] = []

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
        return Thresholds(written.refusals, timedelta(hours=written.backlog_hours), written.quota)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in a line (the first is 1), and what to do; ``name`` is the entry's, None: the whole file's."""

    line: int
    name: str | None
    key: str | None
    message: str

    def __str__(self) -> str:
        place = ".".join(part for part in (self.name, self.key) if part)
        return f"line {self.line}{f', {place}' if place else ''}: {self.message}"


@dataclass(frozen=True, slots=True)
class Operations:
    """What a file says, and what is wrong in it: an entry with a mistake is among ``all`` too, refused."""

    all: list[Operation] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


def named(what: str, name: str) -> str:
    """A DAG's, a pool's, a connection's name, with the operation's unless that is the default one."""
    return what if name == DEFAULT else f"{what}_{name}"


def usual(name: str = DEFAULT, refused: str | None = None) -> Operation:
    """An operation that says nothing of its own."""
    return Operation.model_validate({**_names(name), "name": name, "refused": refused})


def _names(name: str) -> dict[str, str]:
    return {
        "wolkvox_conn_id": f"wolkvox_{name}",
        "pool": named("wolkvox", name),
    }


def read_operations(text: str, read: Callable[[str], str | None]) -> Operations:
    """
    Each entry's operation, whatever is wrong with the others.

    :param read: the text of a file that an entry names, None when there is none of that name
    """
    try:
        entries = list(_entries(text, 0))
    except yaml.YAMLError:
        entries = [entry for part in _parts(text) for entry in part]  # the others are read all the same
    if not entries:
        return Operations([usual()])
    found = Operations()
    for name in dict.fromkeys(entry.name for entry in entries):
        same = [entry for entry in entries if entry.name == name]
        mistakes = [mistake for entry in same for mistake in entry.mistakes]
        if name is not None:
            mistakes += [
                Mistake(entry.line, name, None, f"{name!r} is there twice: give the second one another name.")
                for entry in same[1:]
            ]
            operation = _operation(same[0], read, mistakes)
            refused = " ".join(f"operations.yaml {mistake}" for mistake in mistakes)
            found.all.append(usual(name, refused) if refused or operation is None else operation)
        found.mistakes.extend(mistakes)
    found.mistakes.sort(key=lambda mistake: mistake.line)
    return found


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry as it stands: ``lines`` by key, ``name`` None when there is none that can be used."""

    line: int
    name: str | None
    values: Any = None
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = ()


def _parts(text: str) -> Iterator[list[_Entry]]:
    """The entries of a file that can't be read as a whole, one by one."""
    starts = [match.start() for match in _ENTRY.finditer(text)] or [0]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        above = text.count("\n", 0, start)
        try:
            yield list(_entries(text[start:end], above))
        except yaml.YAMLError as error:
            line = above + 1 + line_of(error)
            head = text[start:end].partition(":")[0].strip()
            name = head if _NAME.fullmatch(head) else None
            yield [_Entry(line, name, mistakes=[Mistake(line, name, None, why_no_yaml(error))])]


def _entries(text: str, above: int) -> Iterator[_Entry]:
    """
    The entries of a text that begins ``above`` lines below the file's beginning.

    :raises yaml.YAMLError: when it can't be read
    """
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        if root is None or root.tag == NOTHING:
            return
        if not isinstance(root, yaml.MappingNode):
            line = above + root.start_mark.line + 1
            message = (
                "an operation's name and a colon must come first, as in `sales:`, and its keys below it, indented."
            )
            yield _Entry(line, None, mistakes=[Mistake(line, None, None, message)])
            return
        for key, value in root.value:
            yield _entry(loader, key, value, above)
    finally:
        loader.dispose()


def _entry(loader: Loader, key: yaml.Node, value: yaml.Node, above: int) -> _Entry:
    line, name = above + key.start_mark.line + 1, str(key.value)
    if not isinstance(key, yaml.ScalarNode) or not _NAME.fullmatch(name):
        message = (
            f"{shortened(name)} is no name for an operation: write small letters, digits and _, a letter first, at most"
            " 31, as in `sales:`."
        )
        return _Entry(line, None, mistakes=[Mistake(line, None, None, message)])
    lines: dict[tuple[str, ...], int] = {}
    mistakes = [
        Mistake(at, name, ".".join(path), "this key is there twice: leave one of the two out.")
        for path, at in keys(value, above)
        if lines.setdefault(path, at) != at
    ]
    try:
        values = as_written(loader, value)
    except (yaml.YAMLError, ValueError) as error:
        at = above + 1 + (line_of(error) if isinstance(error, yaml.YAMLError) else value.start_mark.line)
        message = f"{getattr(error, 'problem', None) or error}: write a plain text or number, in quotes if need be."
        return _Entry(line, name, mistakes=[*mistakes, Mistake(at, name, None, message)])
    return _Entry(line, name, values, lines, mistakes)


def _operation(entry: _Entry, read: Callable[[str], str | None], mistakes: list[Mistake]) -> Operation | None:
    """The operation of an entry; None when it has mistakes, which are added."""
    name = entry.name or ""
    values = {} if entry.values is None else entry.values
    if not isinstance(values, dict):
        message = (
            f"{shortened(values)} says nothing of it: write its keys below the name, indented, one a line, as in"
            " `pool: wolkvox`."
        )
        mistakes.append(Mistake(entry.line, name, None, message))
        return None
    mistakes += [_mistake(entry, (own,), _unknown(own, Operation)) for own in OURS if own in values]
    told = {key: value for key, value in values.items() if value is not None and key not in OURS}
    try:
        operation = Operation.model_validate({**_names(name), **told, "name": name})
    except ValidationError as error:
        errors = [one for one in error.errors(include_url=False) if one["type"] != "default_factory_not_called"]
        mistakes += [_mistake(entry, one["loc"], _wrong(one)) for one in errors]
        return None
    if read(operation.sql) is None:
        message = f"there is no file {operation.sql}: put the query there, below include/ or in the DAGs' folder."
        mistakes.append(_mistake(entry, ("sql",), message))
    if not operation.protection:
        return operation
    try:
        return operation.model_copy(update={"protects": _protection(operation.protection, read)})
    except ValueError as error:
        mistakes.append(_mistake(entry, ("protection",), str(error)))
        return operation


def _protection(name: str, read: Callable[[str], str | None]) -> Protection:
    rules = read(name)
    if rules is None:
        raise ValueError(f"there is no file {name}: put the rules there, below include/ or in the DAGs' folder.")
    try:
        return read_protection(rules)
    except Unreadable as error:
        raise ValueError(f"{name}, {error}") from error


def _mistake(entry: _Entry, place: Sequence[Any], message: str) -> Mistake:
    path = tuple(str(part) for part in place if not isinstance(part, int))
    lines = [entry.lines[path[:size]] for size in range(len(path), 0, -1) if path[:size] in entry.lines]
    return Mistake(lines[0] if lines else entry.line, entry.name, ".".join(path), message)


def _wrong(error: Any) -> str:
    """What to do about a value, or a key that there isn't."""
    *outer, key = [part for part in error["loc"] if isinstance(part, str)]
    model = ThresholdsOfEntry if outer else Operation
    if error["type"] in ("extra_forbidden", "invalid_key"):
        return _unknown(key, model)
    return cant_be_used(error, model.model_fields[key].description)


def _unknown(key: str, model: type[BaseModel]) -> str:
    known = [name for name in model.model_fields if name not in OURS]
    close = get_close_matches(key, known, 1)
    meant = f"did you mean {close[0]}? The keys are" if close else "leave it out. The keys are"
    return f"there is no such key: {meant} {', '.join(known)}."
