"""The operator of the nightly audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wolkvox.operators.base import WolkvoxOperator, fail_with, failing_for_good

if TYPE_CHECKING:
    from airflow.sdk import Context


class WolkvoxAuditOperator(WolkvoxOperator):
    """
    Compare what wolkvox shows with what it was sent, and return the counts; one request for each campaign.

    Each coded contact of the last days is noted as confirmed, as showing another code, as missing, as open again or as
    overtaken by an agent; so are the dials of customers that had been reached, and what codifying prevented. Fails with
    the campaigns to look at when too many contacts aren't confirmed or can't be verified, or too many customers were
    dialled after they had been codified.

    :param days: how far back, at most 31
    :param resend_missing: whether contacts of which wolkvox shows no code are offered again, once in their life
    :param most_unconfirmed: share of the contacts looked at that may not be confirmed, or dialled all the same
    """

    ui_color = "#e4f4f7"

    def __init__(
        self, *, days: int = 31, resend_missing: bool = False, most_unconfirmed: float = 0.01, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.days = days
        self.resend_missing = resend_missing
        self.most_unconfirmed = most_unconfirmed

    def execute(self, context: Context) -> dict[str, Any]:
        """Look at each campaign."""
        from wolkvox.operators.metrics import report_audit
        from wolkvox.rules.audit import AuditRules
        from wolkvox.tasks.audit import audit_operation

        rules = AuditRules(self.days, self.resend_missing, self.most_unconfirmed)
        with failing_for_good(), self.wolkvox() as wolkvox:
            summary, complaint = audit_operation(self._task(context), wolkvox, rules)
        report_audit(summary)
        self.log.info("Looked at: %s", summary)
        if complaint:
            fail_with(context, summary, complaint)
        return summary
