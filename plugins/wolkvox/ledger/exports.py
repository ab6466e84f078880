"""Compares a campaign's export of wolkvox with the ledger's contacts, in single statements."""

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
CONFIRMED = timedelta(hours=1)  # before the export was asked for: codes taken since then must be in it
COMPARED_AGAIN = timedelta(
    days=1
)  # that a contact waits for its customer to be in the campaign, where no rule protects it


@dataclass(slots=True)
class SettledByExports:
    """
    Waiting contacts that exports settled without a request.

    ``absent`` ones are not settled yet: their customers aren't in the campaign now; later exports are asked again.
    """

    not_in_campaign: int = 0
    already_coded: int = 0
    already_handled: int = 0
    absent: int = 0

    def add(self, other: SettledByExports) -> None:
        """Add the counts of another campaign."""
        for name, contacts in asdict(other).items():
            setattr(self, name, getattr(self, name) + contacts)


@dataclass(frozen=True, slots=True)
class LeftAside:
    """A campaign whose last export was not used, and why."""

    campaign_id: str
    why: str


def campaigns_to_ask_for(connection: Connection, operation: str, fewest: int) -> list[tuple[str, list[str]]]:
    """The campaigns with ``fewest`` contacts to send or more, the largest first, each with its types."""
    rows = connection.execute(sql("campaigns_to_ask_for"), {"operation": operation, "fewest": fewest})
    return rows.fetchall()


def seconds_until_due(connection: Connection, operation: str, campaign_id: str) -> float:
    """Seconds until a campaign's export may be asked for again; 0: now."""
    row = connection.execute(
        "SELECT extract(epoch FROM asked_at + %(again)s - clock_timestamp())::float FROM wolkvox.export"
        " WHERE operation = %(operation)s AND campaign_id = %(campaign_id)s AND asked_at <= clock_timestamp()",
        {"operation": operation, "campaign_id": campaign_id, "again": ASK_AGAIN},
    ).fetchone()
    return max(0.0, row[0]) if row else 0.0


def note_export(connection: Connection, operation: str, campaign_id: str) -> None:
    """Note that an export was asked for."""
    connection.execute(
        "INSERT INTO wolkvox.export (operation, campaign_id) VALUES (%s, %s)"
        " ON CONFLICT (operation, campaign_id) DO UPDATE SET asked_at = clock_timestamp()",
        (operation, campaign_id),
    )


def note_finding(connection: Connection, operation: str, campaign_id: str, why: str | None) -> None:
    """Note why the last export was not used; None: it was used."""
    connection.execute(
        "UPDATE wolkvox.export SET left_aside = %s WHERE operation = %s AND campaign_id = %s",
        (why, operation, campaign_id),
    )


def left_aside(connection: Connection, operation: str, since: datetime) -> list[LeftAside]:
    """The campaigns whose last export, asked for since then, was not used."""
    rows = connection.execute(
        "SELECT campaign_id, left_aside FROM wolkvox.export"
        " WHERE operation = %s AND left_aside IS NOT NULL AND asked_at >= %s ORDER BY campaign_id",
        (operation, since),
    )
    return [LeftAside(*row) for row in rows]


def load(connection: Connection, exported: Iterable[Exported]) -> None:
    """Load an export into a temporary table: ids, codes and dials, nothing else."""
    connection.execute(sql("exported"))
    columns = ", ".join(Exported._fields)
    with connection.cursor().copy(f"COPY exported ({columns}) FROM STDIN".encode()) as copy:
        for one in exported:
            copy.write_row(one)
    connection.execute("ANALYZE exported")


def forget(connection: Connection) -> None:
    """Drop the loaded export."""
    connection.execute("DROP TABLE IF EXISTS exported")


def compare(connection: Connection, operation: str, campaign: Campaign) -> Compared:
    """Count what the loaded export has of the customers that should be in it."""
    params = {**_scope(operation, campaign), "confirmed": CONFIRMED}
    row = connection.execute(sql("compare_export"), params).fetchone()
    return Compared(*row) if row else Compared()


def settle(
    connection: Connection, run: Run, campaign: Campaign, compared: Compared, *, skip_handled: bool
) -> SettledByExports:
    """
    Settle waiting contacts by the loaded export: customers not in the campaign, and those that have our code already.

    A customer is absent if no normalised id of the export equals its own. Later exports are asked again for an absent
    customer for as long as the rules protect it, or for a day; meanwhile the contact is not sent.

    :param skip_handled: whether contacts of customers with another code are settled, too
    :param compared: decides whether the export is complete enough to tell that a customer is absent
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
    return SettledByExports(*row) if row else SettledByExports()


def settled_in(connection: Connection, run: Run) -> SettledByExports:
    """What exports settled in a run, counted from the ledger."""
    row = connection.execute(sql("settled_by_exports"), asdict(run)).fetchone()
    return SettledByExports(*row) if row else SettledByExports()


def _scope(operation: str, campaign: Campaign) -> dict[str, object]:
    return {"operation": operation, "type_campaign": campaign[0], "campaign_id": campaign[1]}
