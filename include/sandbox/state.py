"""What the sandbox knows: its settings, what it saw, and the vendor's limits. No HTTP here."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from sandbox.faults import Fault, read_faults

SIMULTANEOUS_REQUESTS = 2
REQUESTS_PER_LICENCE = 1000
QUOTA_ZONE = ZoneInfo("America/Bogota")


class Record(NamedTuple):
    """What one codify request is about."""

    type_campaign: str
    campaign_id: str
    customer_id: str


class Stats(TypedDict):
    """What ``GET /stats`` returns; the README explains each figure."""

    calls: int
    codify_calls: int
    in_flight: int
    peak_in_flight: int
    connections: int
    coded: int
    quota_used: int
    quota_limit: int
    calls_per_record: dict[str, int]
    calls_by_status: dict[str, int]
    unauthorised: int


class TokenInfo(TypedDict):
    """The figures of ``token_info``: strings, as the vendor sends them."""

    token_limit: str
    token_use_today: str
    all_token_today: str
    available_consumption_options: str


@dataclass(frozen=True)
class Settings:
    """
    What ``PUT /control`` changes; times in seconds.

    :param request_limit: after so long the server itself ends a request, unanswered and without effect
    :param day: ISO date that stands for today's; None for the clock's, in Bogota
    :param activity_codes: the only codes accepted, None for any
    :param campaigns: the type of each campaign that there is, by its id, None for any
    :param members: the only customers of a campaign, by its id; any of one that isn't named
    :param codes: what members carry from the start, by campaign and customer
    :param lost: customers whose code is answered for, and not kept
    :param shows: the code that a customer shows instead of the one that was sent
    :param now: timestamp in ISO 8601 that stands for now, for the dialler; None for the clock's
    :param recalled: customers that the dialler calls although they are coded: their records are CLEAN again
    :param coding_sets_result: whether a code is the result of a record that was not dialled; else it stays CLEAN
    :param coding_moves_date: whether the date that an export shows is that of the last code, too
    """

    latency: float = 0.02
    licenses: int = 20
    request_limit: float = 60.0
    day: str | None = None
    unknown_customers: frozenset[str] = frozenset()
    activity_codes: tuple[str, ...] | None = None
    campaigns: Mapping[str, str] | None = None
    members: Mapping[str, Mapping[str, None]] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] | None = None
    lost: frozenset[str] = frozenset()
    shows: Mapping[str, str] = field(default_factory=dict)
    now: str | None = None
    recalled: frozenset[str] = frozenset()
    coding_sets_result: bool = True
    coding_moves_date: bool = False
    faults: Mapping[str, list[Fault]] = field(default_factory=dict)
    default_fault: tuple[Fault, ...] = ()


class Exported(NamedTuple):
    """A customer of a campaign as an export shows it; ``date`` is ISO, empty for none, ``result`` CLEAN for none."""

    customer_id: str
    cod_act: str
    cod_act_2: str
    calls: int
    date: str
    result: str


@dataclass
class _Seen:
    calls: int = 0
    codify_calls: int = 0
    peak_in_flight: int = 0
    connections: int = 0
    unauthorised: int = 0
    coded: dict[Record, tuple[str, str]] = field(default_factory=dict)  # the codes that each shows
    calls_per_record: Counter[Record] = field(default_factory=Counter)
    calls_by_status: Counter[str] = field(default_factory=Counter)
    requests_by_day: Counter[str] = field(default_factory=Counter)
    coded_at: dict[Record, datetime] = field(default_factory=dict)
    dialled: list[tuple[str, str, datetime]] = field(default_factory=list)  # campaign, customer, timestamp
    passed_over: list[tuple[str, str, datetime]] = field(default_factory=list)  # coded, so not dialled
    next_turn: Counter[str] = field(default_factory=Counter)  # place in each campaign's list
    clients: dict[object, object] = field(default_factory=dict)
    defaults_left: dict[str, list[Fault]] = field(default_factory=dict)


class Sandbox:
    """One operation with one token: its limits and all that was asked of it."""

    def __init__(self, token: str, settings: Settings) -> None:
        self.token = token
        self.settings = settings
        self._at_start = settings
        self._seen = _Seen()
        self._in_flight = 0
        self._admitted = 0

    def connected(self, client: object) -> None:
        """
        Count the connection of a request once.

        uvicorn gives every scope of one connection the same address object, so that a port used again by
        another connection still counts.
        """
        if self._seen.clients.get(client) is not client:
            self._seen.clients[client] = client
            self._seen.connections += 1

    def unauthorised(self) -> None:
        """Count a request without the right token; it costs nothing else."""
        self._seen.unauthorised += 1

    def enter(self) -> bool:
        """A request has arrived; False when as many as the token allows are already being handled."""
        self._seen.calls += 1
        self._in_flight += 1
        self._seen.peak_in_flight = max(self._seen.peak_in_flight, self._in_flight)
        if self._admitted >= SIMULTANEOUS_REQUESTS:
            return False
        self._admitted += 1
        return True

    def leave(self, *, admitted: bool, label: str) -> None:
        """The handling of a request has ended, whether or not its client still waits."""
        self._in_flight -= 1
        self._admitted -= admitted
        self._seen.calls_by_status[label] += 1

    def spend(self) -> bool:
        """Take one request from the day's quota; False when it is used up."""
        if self.quota_used >= self.quota_limit:
            return False
        self._seen.requests_by_day[self._today()] += 1
        return True

    def count_codify(self, record: Record | None) -> None:
        """Count a codify request, and its record where it names one."""
        self._seen.codify_calls += 1
        if record is not None:
            self._seen.calls_per_record[record] += 1

    def code(self, record: Record, cod_act: str, cod_act_2: str) -> None:
        """The record is coded: the dialler will leave this customer alone. Some are lost, or show another code."""
        if record.customer_id not in self.settings.lost:
            self._seen.coded[record] = self.settings.shows.get(record.customer_id, cod_act), cod_act_2
        self._seen.coded_at[record] = self._now()

    def dial(self, campaign_id: str, calls: int) -> None:
        """The dialler goes on through a campaign's list, round and round, and makes so many calls; none is answered."""
        customers = tuple(self.settings.members.get(campaign_id, ()))
        codes = {customer: codes for customer, codes in self._codes(campaign_id).items() if codes[0]}
        for _ in range(len(customers)):
            if calls == 0:
                return
            customer = customers[self._seen.next_turn[campaign_id] % len(customers)]
            self._seen.next_turn[campaign_id] += 1
            if customer in codes and customer not in self.settings.recalled:
                self._seen.passed_over.append((campaign_id, customer, self._now()))
            else:
                self._seen.dialled.append((campaign_id, customer, self._now()))
                calls -= 1

    def truth(self) -> dict[str, list[tuple[str, str, str]]]:
        """All dials, and all codes that arrived: campaign, customer and timestamp of each."""
        seen = self._seen
        coded = [(record.campaign_id, record.customer_id, at) for record, at in seen.coded_at.items()]
        rows_by_name = {"dialled": seen.dialled, "passed_over": seen.passed_over, "coded": coded}
        return {name: [(*who, at.isoformat()) for *who, at in rows] for name, rows in rows_by_name.items()}  # type: ignore[misc]

    def exported(self, campaign_id: str) -> list[Exported]:
        """The customers of a campaign as an export shows them."""
        dials: dict[str, list[datetime]] = {}
        for campaign, customer, at in self._seen.dialled:
            if campaign == campaign_id:
                dials.setdefault(customer, []).append(at)
        moved = {
            record.customer_id: at
            for record, at in self._seen.coded_at.items()
            if record.campaign_id == campaign_id and self.settings.coding_moves_date
        }
        rows = []
        for customer, (code, second) in self._codes(campaign_id).items():
            dates = [*dials.get(customer, []), *([moved[customer]] if customer in moved else [])]
            date = f"{max(dates).astimezone(QUOTA_ZONE):%Y-%m-%d %H:%M:%S}" if dates else ""
            made = dials.get(customer, [])
            result = self._result(campaign_id, customer, made, is_coded=code != "")
            rows.append(Exported(customer, code, second, len(made), date, result))
        return rows

    def _result(self, campaign_id: str, customer: str, dials: list[datetime], *, is_coded: bool) -> str:
        """What the last dial came to; where the customer was coded, the code in its place."""
        if is_coded and customer in self.settings.recalled:
            records = (Record(kind, campaign_id, customer) for kind in ("preview", "predictive"))
            coded_at = [self._seen.coded_at[record] for record in records if record in self._seen.coded_at]
            dials = [at for at in dials if at > max(coded_at, default=at)]
        elif is_coded and self.settings.coding_sets_result:
            return "ANSWER"
        return "NO ANSWER" if dials else "CLEAN"

    def _codes(self, campaign_id: str) -> dict[str, tuple[str, str]]:
        """The customers of a campaign with the two codes that each shows, empty for none."""
        codes = dict.fromkeys(self.settings.members.get(campaign_id, ()), ("", ""))
        codes |= {one: (code, "") for one, code in (self.settings.codes or {}).get(campaign_id, {}).items()}
        return codes | {
            one.customer_id: both for one, both in self._seen.coded.items() if one.campaign_id == campaign_id
        }

    def next_fault(self, customer_id: str) -> Fault | None:
        """The fault of this request for the customer, used up unless it repeats."""
        faults = self.settings.faults.get(customer_id)
        if faults is None and self.settings.default_fault:
            faults = self._seen.defaults_left.setdefault(customer_id, list(self.settings.default_fault))
        if not faults:
            return None
        return faults[0] if faults[0].repeat else faults.pop(0)

    @property
    def quota_limit(self) -> int:
        """Requests a day."""
        return self.settings.licenses * REQUESTS_PER_LICENCE

    @property
    def quota_used(self) -> int:
        """Requests of today."""
        return self._seen.requests_by_day[self._today()]

    def token_info(self) -> TokenInfo:
        """The quota as the vendor shows it."""
        return TokenInfo(
            token_limit=str(self.quota_limit),
            token_use_today=str(self.quota_used),
            all_token_today=str(self.quota_used),
            available_consumption_options=str(self.quota_limit - self.quota_used),
        )

    def control(self, change: Mapping[str, Any]) -> None:
        """Change settings, all of them or, with a ValueError that says what is wrong, none."""
        given = {name: _READERS[name](value) for name, value in change.items() if name in _READERS}
        if unknown := change.keys() - given.keys():
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}; known: {', '.join(_READERS)}")
        quota_used = given.pop("quota_used", None)
        self.settings = replace(self.settings, **given)
        if quota_used is not None:
            self._seen.requests_by_day[self._today()] = quota_used
        if "default_fault" in given:
            self._seen.defaults_left.clear()

    def reset(self) -> None:
        """Back to the start, settings too; requests that are being handled go on and stay in flight."""
        self.settings = self._at_start
        self._seen = _Seen(peak_in_flight=self._in_flight)

    def stats(self) -> Stats:
        """All that was seen since the start or the last reset."""
        seen = self._seen
        return Stats(
            calls=seen.calls,
            codify_calls=seen.codify_calls,
            in_flight=self._in_flight,
            peak_in_flight=seen.peak_in_flight,
            connections=seen.connections,
            coded=len(seen.coded),
            quota_used=self.quota_used,
            quota_limit=self.quota_limit,
            calls_per_record={"/".join(record): calls for record, calls in seen.calls_per_record.items()},
            calls_by_status=dict(seen.calls_by_status),
            unauthorised=seen.unauthorised,
        )

    def _now(self) -> datetime:
        now = self.settings.now
        return datetime.now(QUOTA_ZONE) if now is None else datetime.fromisoformat(now)

    def _today(self) -> str:
        return self.settings.day or datetime.now(QUOTA_ZONE).date().isoformat()


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"expected seconds, got {value!r}")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"expected a whole number, got {value!r}")
    return value


def _day(value: Any) -> str | None:
    return None if value is None else date.fromisoformat(value).isoformat()


def _timestamp(value: Any) -> str:
    if not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is None:
        raise ValueError(f"expected a timestamp with its zone, got {value!r}")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"expected a list of strings, got {value!r}")
    return tuple(value)


def _faults_by_customer(value: Any) -> Mapping[str, list[Fault]]:
    if not isinstance(value, dict):
        raise ValueError(f"expected lists of faults by customer_id, got {value!r}")
    return {customer: read_faults(faults) for customer, faults in value.items()}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "latency": _seconds,
    "licenses": _count,
    "quota_used": _count,
    "request_limit": _seconds,
    "day": _day,
    "unknown_customers": lambda value: frozenset(_strings(value)),
    "activity_codes": lambda value: None if value is None else _strings(value),
    "campaigns": lambda value: None if value is None else {str(key): str(kind) for key, kind in dict(value).items()},
    "members": lambda value: {key: dict.fromkeys(_strings(ids)) for key, ids in dict(value).items()},
    "codes": lambda value: None if value is None else {key: dict(codes) for key, codes in dict(value).items()},
    "now": lambda value: None if value is None else _timestamp(value),
    "recalled": lambda value: frozenset(_strings(value)),
    "coding_sets_result": bool,
    "coding_moves_date": bool,
    "lost": lambda value: frozenset(_strings(value)),
    "shows": dict,
    "faults": _faults_by_customer,
    "default_fault": lambda value: tuple(read_faults(value or [])),
}
