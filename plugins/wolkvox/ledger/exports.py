"""What wolkvox has of a campaign, compared with what the ledger has, set by set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.exports import Exported
from wolkvox.rules.records import Campaign
from wolkvox.rules.runs import Run

ASK_AGAIN = timedelta(minutes=5)  # between two exports of a campaign [vendor's page on its reports]


@dataclass(frozen=True, slots=True)
class Settled:
    """Waiting contacts that an export settled without a call."""

    not_in_campaign: int = 0
    already_coded: int = 0
    already_handled: int = 0


def campaigns_to_ask_for(connection: Connection, operation: str, fewest: int) -> list[Campaign]:
    """The campaigns of which so many contacts wait for this run, the largest first; not those just asked for."""
    facts = {"operation": operation, "fewest": fewest, "again": ASK_AGAIN}
    return [(kind, campaign_id) for kind, campaign_id in connection.execute(sql("campaigns_to_ask_for"), facts)]


def note_export(connection: Connection, operation: str, campaign_id: str) -> None:
    """An export was asked for, whatever it brings."""
    connection.execute(
        "INSERT INTO wolkvox.export (operation, campaign_id) VALUES (%s, %s)"
        " ON CONFLICT (operation, campaign_id) DO UPDATE SET asked_at = clock_timestamp()",
        (operation, campaign_id),
    )


def load(connection: Connection, exported: Iterable[Exported]) -> None:
    """Keep an export for as long as the session: ids and codes, nothing else."""
    connection.execute(sql("exported"))
    columns = ", ".join(Exported._fields)
    with connection.cursor().copy(f"COPY exported ({columns}) FROM STDIN".encode()) as copy:
        for one in exported:
            copy.write_row(one)
    connection.execute("ANALYZE exported")


def forget(connection: Connection) -> None:
    """Let go of an export."""
    connection.execute("DROP TABLE IF EXISTS exported")


def settle(connection: Connection, run: Run, campaign: Campaign, *, skip_handled: bool) -> Settled:
    """
    Settle what waits by what is loaded: customers that aren't in the campaign, and those that carry our code already.

    A customer isn't there only if no id like it is: with zeros in front, in other letters.

    :param skip_handled: whether those that carry another code are settled, too
    """
    facts = {
        "operation": run.operation,
        "dag_id": run.dag_id,
        "dag_run_id": run.dag_run_id,
        "type_campaign": campaign[0],
        "campaign_id": campaign[1],
        "skip_handled": skip_handled,
    }
    row = connection.execute(sql("settle_by_export"), facts).fetchone()
    return Settled(*row) if row else Settled()
