"""The check of a token that several DAGs share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from wolkvox.cli.check.finding import Finding, finding
from wolkvox.errors import BadSetting
from wolkvox.ledger.connection import connected
from wolkvox.ledger.token_limits import other_limits
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.token_limits import TokenLimit, refuse_disagreement
from wolkvox.tasks.preflight import token_limit


def check_shared_token(stage: WolkvoxStageOperator, stages: Sequence[WolkvoxStageOperator]) -> Iterator[Finding]:
    """Whether all who share the DAG's token count its requests in the same way; nothing where nobody shares it."""
    with suppress(Exception):  # which has a line of its own
        own, others = _limits(stage, stages)
        if others:
            yield finding(f"{stage.dag_id} token", partial(_agreed, own, others))


def _limits(stage: WolkvoxStageOperator, stages: Sequence[WolkvoxStageOperator]) -> tuple[TokenLimit, list[TokenLimit]]:
    """The limit that the DAG's connection gives its token, and others': of DAGs here as they are, else as they ran."""
    settings = stage.wolkvox().settings
    own = token_limit(stage.dag_id, settings)
    with connected(stage.ledger_conn_id, writing=False) as ledger:
        limits = {limit.dag_id: limit for limit in other_limits(ledger, settings.fingerprint, own)}
    for other in stages:
        limits.pop(other.dag_id, None)
        with suppress(BadSetting):
            others = other.wolkvox().settings
            if others.fingerprint == settings.fingerprint and other.dag_id != stage.dag_id:
                limits[other.dag_id] = token_limit(other.dag_id, others)
    return own, list(limits.values())


def _agreed(own: TokenLimit, others: Sequence[TokenLimit]) -> str:
    refuse_disagreement(own, others)
    return f"shared with {', '.join(sorted(other.dag_id for other in others))}, which count its requests alike"
