"""
Airflow's operators of this package: the tasks of a run (stage, codify, verdict, results), the audit, the
morning's report and retention.

What they do is in the room ``tasks``, imported when a task starts: a DAG file must be parsed quickly.
"""

from wolkvox.operators.audit import WolkvoxAuditOperator
from wolkvox.operators.codify import WolkvoxCodifyOperator
from wolkvox.operators.report import WolkvoxReportOperator
from wolkvox.operators.results import WolkvoxResultsOperator
from wolkvox.operators.retention import WolkvoxRetentionOperator
from wolkvox.operators.stage import WolkvoxStageOperator
from wolkvox.operators.verdict import WolkvoxVerdictOperator

__all__ = [
    "WolkvoxAuditOperator",
    "WolkvoxCodifyOperator",
    "WolkvoxReportOperator",
    "WolkvoxResultsOperator",
    "WolkvoxRetentionOperator",
    "WolkvoxStageOperator",
    "WolkvoxVerdictOperator",
]
