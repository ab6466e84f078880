"""The params of an operation's runs, as the trigger form asks for them; ``rules.options`` reads them."""

from __future__ import annotations

from airflow.sdk import Param

from wolkvox.dag.operations import Operation

Params = dict[str, Param]


def run_params(operation: Operation) -> Params:
    """The params of a DAG that stages and codifies, in the form's order, with the operation's defaults."""
    return {**_window(operation), **_sending(operation), **_customers()}


def _window(operation: Operation) -> Params:
    return {
        "window_start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="Pull contacts from this time on. Empty: the run's interval, widened by lookback_hours.",
        ),
        "window_end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="Pull contacts before this time; at most 31 days after the start.",
        ),
        "lookback_hours": Param(
            operation.lookback_hours,
            type="number",
            minimum=0,
            maximum=720,
            description="How late a row may reach the warehouse, in hours.",
        ),
    }


def _sending(operation: Operation) -> Params:
    return {
        "run_minutes": Param(
            operation.run_minutes,
            type=["null", "number"],
            exclusiveMinimum=0,
            maximum=90,
            description="How long the run may send, in minutes. Empty: 15.",
        ),
        "limit": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=1_000_000_000,
            description="Send at most so many records in this run.",
        ),
        "dry_run": Param(False, type="boolean", description="Validate and report what would be sent; change nothing."),
        "max_failed_ratio": Param(
            operation.max_failed_ratio,
            type="number",
            minimum=0,
            maximum=1,
            description="Share of failed or rejected records that is red.",
        ),
    }


def _customers() -> Params:
    return {
        "customer_id": Param(
            None,
            type=["null", "string"],
            maxLength=100,
            description="Pull and send this customer only, ahead of all else; also what is deferred or suspended. "
            "`record 7` stands for the customer of the ledger's record 7.",
        ),
        "resend": Param(
            "none",
            type="string",
            pattern="^[a-z0-9_]+$",
            examples=["none", "failed", "rejected"],
            description="Offer the window's records again that are failed or rejected, or have this reason.",
        ),
    }
