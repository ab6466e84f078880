"""What the deployer's check says of channels that no rule of protection names."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk import DAG
from conftest import Database
from sandbox_server import SandboxServer

from wolkvox.cli.check.contacts import check_channels
from wolkvox.operators import WolkvoxStageOperator
from wolkvox.rules.protection import Protection, read_protection

CHILE = read_protection((Path(__file__).parents[2] / "include" / "protection" / "chile.yaml").read_text("utf-8"))
ANY = read_protection("timezone: America/Bogota\nrules: [{days: 1}]\n")
CONTACT = (
    "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, cod_act,"
    " contacted_at, state, settled_at, channel)"
    " SELECT gen_random_uuid(), operation, 'preview', '17', customer, '5', now(), state,"
    " CASE WHEN state <> 'pending' THEN now() END, channel"
    " FROM (VALUES (%s, %s, %s, %s)) AS one (operation, customer, state, channel)"
)


def said(rules: Protection) -> str:
    with DAG("d", schedule=None):
        return check_channels(WolkvoxStageOperator(task_id="stage", protection=rules))


@pytest.fixture
def seen(ledger: Database, sandbox: SandboxServer) -> Database:
    """A ledger with contacts of some channels; others are of another operation, or of rows that can't be sent."""
    channels = ["Teléfono", "WhatsApp", "kiosko", "kiosko", "ana@example.com", "3001234567", None]
    for number, channel in enumerate(channels):
        ledger.execute(CONTACT, "0041", str(number), "coded", channel)
    ledger.execute(CONTACT, "sales", "1", "coded", "fax")
    ledger.execute(CONTACT, "0041", "none", "invalid", "Ana Gómez")
    return ledger


def test_channels_that_no_rule_names_are_told_without_anybodys_number_or_address(seen: Database) -> None:
    assert said(CHILE) == "named by no rule of protection, so that the strictest counts: kiosko, …, …, (no channel)"


def test_where_rules_look_at_no_channel_there_is_nothing_to_name(seen: Database) -> None:
    assert said(ANY) == "each of the latest contacts has a channel that a rule of protection names"


def test_an_empty_ledger_has_none(ledger: Database, sandbox: SandboxServer) -> None:
    assert said(CHILE) == "none seen yet"
