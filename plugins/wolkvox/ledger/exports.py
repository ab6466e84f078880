"""What wolkvox has of a campaign, compared with what the ledger has, set by set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.export_dates import MARGIN
from wolkvox.rules.exports import Compared, Exported, absent_are_known, strangers_are_known
from wolkvox.rules.records import Campaign
from wolkvox.rules.runs import Run

ASK_AGAIN = timedelta(minutes=5)  # between two exports of a campaign [vendor's page on its reports]
CONFIRMED = timedelta(hours=1)  # before an export was asked for: codes that wolkvox took since then must show in it
COMPARED_AGAIN = timedelta(days=1)  # since it came in, that a stranger's contact waits where no rule protects it


@dataclass(slots=True)
class Settled:
    """
    Waiting contacts that exports settled without a request.

    ``absent`` ones are not settled yet: their customers aren't in the campaign now, and are looked for again.
    """

    not_in_campaign: int = 0
    already_coded: int = 0
    already_handled: int = 0
    absent: int = 0

    def add(self, other: Settled) -> None:
        """Count those of another campaign, too."""
        for name, contacts in asdict(other).items():
            setattr(self, name, getattr(self, name) + contacts)


@dataclass(frozen=True, slots=True)
class LeftAside:
    """A campaign whose last export said nothing, and why."""

    campaign_id: str
    why: str


def campaigns_to_ask_for(connection: Connection, operation: str, fewest: int) -> list[tuple[str, list[str]]]:
    """The campaigns of which so many contacts may be sent now, the largest first, each with the types they are of."""
    rows = connection.execute(sql("campaigns_to_ask_for"), {"operation": operation, "fewest": fewest})
    return rows.fetchall()


def seconds_until_due(connection: Connection, operation: str, campaign_id: str) -> float:
    """How long to wait before a campaign's export may be asked for, whoever did so last; 0: it may be now."""
    row = connection.execute(
        "SELECT extract(epoch FROM asked_at + %(again)s - clock_timestamp())::float FROM wolkvox.export"
        " WHERE operation = %(operation)s AND campaign_id = %(campaign_id)s AND asked_at <= clock_timestamp()",
        {"operation": operation, "campaign_id": campaign_id, "again": ASK_AGAIN},
    ).fetchone()
    return max(0.0, row[0]) if row else 0.0


def note_export(connection: Connection, operation: str, campaign_id: str) -> None:
    """An export was asked for, whatever it brings."""
    connection.execute(
        "INSERT INTO wolkvox.export (operation, campaign_id) VALUES (%s, %s)"
        " ON CONFLICT (operation, campaign_id) DO UPDATE SET asked_at = clock_timestamp()",
        (operation, campaign_id),
    )


def note_finding(connection: Connection, operation: str, campaign_id: str, why: str | None) -> None:
    """Why nothing is concluded from the export that was asked for last; None: something is."""
    connection.execute(
        "UPDATE wolkvox.export SET left_aside = %s WHERE operation = %s AND campaign_id = %s",
        (why, operation, campaign_id),
    )


def left_aside(connection: Connection, operation: str, since: datetime) -> list[LeftAside]:
    """The campaigns whose last export said nothing, if it was asked for since then."""
    rows = connection.execute(
        "SELECT campaign_id, left_aside FROM wolkvox.export"
        " WHERE operation = %s AND left_aside IS NOT NULL AND asked_at >= %s ORDER BY campaign_id",
        (operation, since),
    )
    return [LeftAside(*row) for row in rows]


def load(connection: Connection, exported: Iterable[Exported]) -> None:
    """Keep an export for as long as the session: ids, codes and what its records say of dials, nothing else."""
    connection.execute(sql("exported"))
    columns = ", ".join(Exported._fields)
    with connection.cursor().copy(f"COPY exported ({columns}) FROM STDIN".encode()) as copy:
        for one in exported:
            copy.write_row(one)
    connection.execute("ANALYZE exported")


def forget(connection: Connection) -> None:
    """Let go of an export."""
    connection.execute("DROP TABLE IF EXISTS exported")


def compare(connection: Connection, operation: str, campaign: Campaign) -> Compared:
    """What the export that is loaded has of the customers by whom it can be judged."""
    params = {**_scope(operation, campaign), "confirmed": CONFIRMED}
    row = connection.execute(sql("compare_export"), params).fetchone()
    return Compared(*row) if row else Compared()


def settle(connection: Connection, run: Run, campaign: Campaign, compared: Compared, *, skip_handled: bool) -> Settled:
    """
    Settle what waits by what is loaded: customers that aren't in the campaign, and those that carry our code already.

    A customer isn't there only if no id like it is: with separators, with zeros in front, in other letters. Who isn't
    there is looked for again in later exports, for as long as the rules protect the customer, or a day; meanwhile the
    contact is not sent.

    :param skip_handled: whether those that carry another code are settled, too
    :param compared: tells whether customers can be told not to be there
    """
    params = {
        **_scope(run.operation, campaign),
        "dag_id": run.dag_id,
        "dag_run_id": run.dag_run_id,
        "skip_handled": skip_handled,
        "strangers_are_known": strangers_are_known(compared),
        "absent_are_known": absent_are_known(compared),
        "compared_again": COMPARED_AGAIN,
        "ask_again": ASK_AGAIN,
        "margin": MARGIN,
    }
    row = connection.execute(sql("settle_by_export"), params).fetchone()
    return Settled(*row) if row else Settled()


def settled_in(connection: Connection, run: Run) -> Settled:
    """What exports settled in a run, as the ledger has it."""
    row = connection.execute(sql("settled_by_exports"), asdict(run)).fetchone()
    return Settled(*row) if row else Settled()


def _scope(operation: str, campaign: Campaign) -> dict[str, object]:
    return {"operation": operation, "type_campaign": campaign[0], "campaign_id": campaign[1]}
