"""
The metadata of this package for Airflow, where it is installed: a connection type with a form, a notifier, a setting.

Read by every Airflow command through the entry point ``apache_airflow_provider``: it imports nothing heavy.
"""

from __future__ import annotations

from typing import Any

from wolkvox import __version__

DISTRIBUTION = "wolkvox-codify"

HIDDEN = ["login", "schema"]
LABELS = {"host": "Address", "password": "Token"}
PLACEHOLDERS = {"host": "https://wv0041.wolkvox.com", "password": "made in wolkvox Manager", "extra": "{}"}

# The connection's extra, as the form asks for it; docs/connection.md has a row for each.
FIELDS: dict[str, dict[str, Any]] = {
    "wolkvox_server": {
        "label": "Server",
        "description": "The operation's server, as in 0041. Empty: the address says it.",
        "schema": {"type": ["string", "null"]},
    },
    "licenses": {
        "label": "Licences",
        "description": "Licences of the operation; 1,000 times as many is the day's limit of requests.",
        "schema": {"type": ["number", "null"], "minimum": 0},
    },
    "quota_reserve": {
        "label": "Reserve",
        "description": "Requests a day left to others who use the operation's quota.",
        "schema": {"type": ["integer", "null"], "minimum": 0, "default": 0},
    },
    "quota_timezone": {
        "label": "Time zone of the quota",
        "description": "Where the day of the quota begins and ends.",
        "schema": {"type": ["string", "null"], "default": "America/Bogota"},
    },
    "call_timeout": {
        "label": "Longest request",
        "description": "Seconds to wait for an answer.",
        "schema": {"type": ["number", "null"], "minimum": 1, "maximum": 600, "default": 65},
    },
    "preflight": {
        "label": "Ask before sending",
        "description": "true: requests left, once a run, and campaigns, once an hour; codes: disposition codes too.",
        "schema": {"type": ["string", "null"], "enum": ["true", "codes", "false"], "default": "true"},
    },
    "export_preflight": {
        "label": "Ask for exports before sending",
        "description": "on: ask for a campaign's export first. Who carries the code already needs no request, so the"
        " contact's comment is not sent; who isn't in the campaign is looked for again. auto: of large ones only.",
        "schema": {"type": ["string", "null"], "enum": ["off", "on", "auto"], "default": "off"},
    },
    "export_from": {
        "label": "Large campaign",
        "description": "Waiting contacts of a campaign from which on auto asks for its export.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "default": 1000},
    },
    "skip_handled": {
        "label": "Leave handled customers out",
        "description": "true: whoever carries another code in the export, as an agent gave it, is not codified.",
        "schema": {"type": ["string", "null"], "enum": ["true", "false"], "default": "false"},
    },
    "export_date": {
        "label": "Date in exports",
        "description": "change: a date within a minute of our own request is no dial; dial: it is one."
        " `python -m wolkvox examine` finds out.",
        "schema": {"type": ["string", "null"], "enum": ["dial", "change"], "default": "change"},
    },
    "export_result": {
        "label": "Result in exports",
        "description": "change: codifying changes the result CLEAN of a record that was not dialled; keep: it doesn't."
        " `python -m wolkvox examine` finds out.",
        "schema": {"type": ["string", "null"], "enum": ["change", "keep"], "default": "change"},
    },
    "export_timezone": {
        "label": "Time zone of exports",
        "description": "Zone of the dates in a campaign's export. Empty: the operation's.",
        "schema": {"type": ["string", "null"]},
    },
}


def get_provider_info() -> dict[str, Any]:
    """The provider's metadata, in the shape of Airflow's schema ``provider_info.schema.json``."""
    return {
        "package-name": DISTRIBUTION,
        "name": "Wolkvox",
        "description": "Tells the wolkvox dialler which customers were already reached.",
        "versions": [__version__],
        "connection-types": [
            {
                "connection-type": "wolkvox",
                "hook-class-name": "wolkvox.hook.WolkvoxHook",
                "hook-name": "Wolkvox",
                "conn-fields": FIELDS,
                "ui-field-behaviour": {
                    "hidden-fields": HIDDEN,
                    "relabeling": LABELS,
                    "placeholders": PLACEHOLDERS,
                },
            }
        ],
        "notifications": ["wolkvox.notifier.WolkvoxAlert", "wolkvox.delivery.webhook.WolkvoxWebhook"],
        "config": {
            "wolkvox": {
                "description": "The Wolkvox page.",
                "options": {
                    "whole_customer_ids": {
                        "description": "Whether the page may show whole customer ids to those who may edit the DAG.",
                        "version_added": __version__,
                        "type": "boolean",
                        "example": None,
                        "default": "False",
                    }
                },
            }
        },
    }
