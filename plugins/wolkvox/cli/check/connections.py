"""The checks of the connections to wolkvox and to the ledger."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from wolkvox.errors import BadSetting
from wolkvox.ledger.connection import connected
from wolkvox.ledger.integrity import refuse_damage
from wolkvox.ledger.migrate import refuse_newer, refuse_unfit, versions
from wolkvox.operators import WolkvoxStageOperator


def check_settings(stage: WolkvoxStageOperator) -> str:
    """What the wolkvox connection says.

    :raises BadSetting: when a setting can't be used
    """
    settings = stage.wolkvox().settings
    limit = "no licences given" if settings.daily_requests is None else f"{settings.daily_requests} requests a day"
    zone = settings.quota_timezone
    offset = f"UTC{datetime.now(ZoneInfo(zone)):%z}"
    return f"{settings.base_url}, operation {settings.operation}, {limit}, days of {zone} ({offset})"


def check_vendor(stage: WolkvoxStageOperator) -> str:
    """How many requests wolkvox has left today; costs one.

    :raises WolkvoxError: as ``WolkvoxHook.token_info``
    """
    with stage.wolkvox() as wolkvox:
        info = wolkvox.token_info()
    return f"wolkvox answers; requests left today: {'not known' if info.left is None else info.left}"


def check_ledger(stage: WolkvoxStageOperator) -> str:
    """Which PostgreSQL the ledger is in.

    :raises WolkvoxError: when it can't be reached or can't be used
    """
    with connected(stage.ledger_conn_id) as ledger:
        refuse_unfit(ledger, stage.ledger_conn_id)
        major, minor = divmod(ledger.info.server_version, 10_000)
        return f"PostgreSQL {major}.{minor}, can be written to, its sessions are our own"


def check_schema(stage: WolkvoxStageOperator) -> str:
    """Which version the ledger's tables are of.

    :raises BadSetting: when this package needs another one, or something of it is missing
    """
    with connected(stage.ledger_conn_id) as ledger:
        refuse_newer(ledger, stage.ledger_conn_id)
        version, needed = versions(ledger)
        if version != needed:
            raise BadSetting(
                f"The ledger at connection {stage.ledger_conn_id!r} is of version {version or 'none'}, this package"
                f" needs {needed}: run `python -m wolkvox migrate`."
            )
        refuse_damage(ledger, stage.ledger_conn_id)
    return f"version {version}"
