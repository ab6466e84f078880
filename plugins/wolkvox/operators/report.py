"""The operator of the morning's report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wolkvox.errors import Unaccounted
from wolkvox.operators.base import WolkvoxOperator, failing_for_good

if TYPE_CHECKING:
    from airflow.sdk import Context


class WolkvoxReportOperator(WolkvoxOperator):
    """
    Mail yesterday's figures, to each recipient once, and return how many have them.

    Yesterday is the day before the one that the ledger's clock shows in the zone of the connection
    (``quota_timezone``). A retry, or a task that is cleared on the same day, tries those who don't have the report yet.
    Fails when somebody can't be reached, or while another attempt mails.

    :param to: e-mail addresses, as people write them
    :param language: of the report, "en" or "es"
    """

    ui_color = "#e4f4f7"

    def __init__(self, *, to: Sequence[str] | str, language: str = "en", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.to = [to] if isinstance(to, str) else list(to)
        self.language = language

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the figures, and mail them."""
        from wolkvox.delivery.report import deliver
        from wolkvox.page.queries import Dag
        from wolkvox.page.report import compose
        from wolkvox.page.report_data import read_report
        from wolkvox.page.report_mail import as_mail
        from wolkvox.page.report_pdf import as_pdf
        from wolkvox.rules.addresses import read_addresses
        from wolkvox.rules.names import DAG_ID

        with failing_for_good():
            of = Dag(DAG_ID, self.operation, self.wolkvox_conn_id)
            data = read_report(of=of, ledger_conn_id=self.ledger_conn_id)
        assert data is not None, "yesterday is always among the last days"
        report = compose(data, self.language)
        pdf, name = as_pdf(report), f"wolkvox-{data.since}.pdf"
        addresses = read_addresses(*self.to)
        for written in addresses.left_aside:
            self.log.warning("%r is no e-mail address: it is left aside. Correct report_to.", written)
        whose = (data.operation, context["ti"].dag_id)
        done = deliver(self.ledger_conn_id, whose, data.begins_at, addresses.usable, as_mail(report, pdf, name))
        if done.is_under_way:
            raise Unaccounted("Another attempt of this task mails the report now. A retry tries who is left then.")
        self.log.info("%s: %d mailed now, %d before.", report.subject, done.delivered, done.before)
        if done.undelivered:
            raise Unaccounted(
                f"The report did not reach {len(done.undelivered)} of {len(addresses.usable)} recipients: see the lines"
                " above. A retry tries these alone."
            )
        return {"day": data.since.isoformat(), "mailed": done.delivered, "had_it": done.before}
