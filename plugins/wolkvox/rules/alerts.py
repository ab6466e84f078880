"""The alerts of an operation, each by a name and in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from wolkvox.rules.campaigns import MISFITS
from wolkvox.rules.health import LAG_TARGET
from wolkvox.rules.shares import Arrivals, Latest, Outcomes
from wolkvox.rules.zones import local_time, why_in_future

FEWEST_WEEKS = 2  # that an hour must have been seen in before its silence means anything
OF_AN_OUTAGE = ("outage", "stage", "tasks", "waiting")  # complaints that an outage explains
NAMED = 3  # exports that are left aside
SLACK = timedelta(hours=1)  # on top of twice the usual gap


@dataclass(frozen=True, slots=True)
class Thresholds:
    """
    The thresholds of alerts about what makes no run red.

    ``refusals``: share of the latest records that were rejected or failed, and of the new rows that can't be sent; an
    alert that fires goes on down to half of it. ``backlog_age``: how long a contact may wait. ``quota``: share of the
    day's requests that are used. ``lag_target``: how long after the contact wolkvox has it at most; the page judges it.
    """

    refusals: float = 0.02
    backlog_age: timedelta = timedelta(hours=24)
    quota: float = 0.9
    lag_target: timedelta = LAG_TARGET


def alerts(
    summary: Mapping[str, Any],
    latest: Latest,
    thresholds: Thresholds,
    firing: Collection[str],
    now: datetime,
    zone: str,
) -> dict[str, str]:
    """
    Return the alerts whose cause is there now: a sentence for each name, empty when all is well.

    A complaint of the verdict is named ``red:…``, a suspended campaign ``suspended:…``, held records ``held:…``.

    :param summary: what ``verdict`` returns
    :param latest: the latest records, by which shares are judged
    :param firing: names of the alerts that are firing
    :param zone: the operation's, for timestamps
    """
    current = _complaints(summary) | _suspended(summary, zone) | _held(summary, zone)
    sentences = {
        "outage": _outage(summary, zone),
        "refusals": _refusals(latest.outcomes, _level("refusals", thresholds, firing), thresholds, zone),
        "invalid": _invalid(latest.arrivals, _level("invalid", thresholds, firing), thresholds, zone),
        "backlog_age": _backlog(summary, thresholds, now, zone),
        "opening": _opening(summary, zone),
        "quota": _quota(summary, thresholds, zone),
        "silence": summary["silence"],
        "zone": _zone(summary, now),
        "operations": why_lost(summary.get("lost_operations", ())),
        "exports": _exports(summary),
    }
    if "red:refusals" in {*current, *firing} and "refusals" not in firing:
        sentences["refusals"] = None  # the graver alert says it
    return current | {name: sentence for name, sentence in sentences.items() if sentence}


def _complaints(summary: Mapping[str, Any]) -> dict[str, str]:
    """Return the verdict's complaints, but for those that an outage explains."""
    explained = OF_AN_OUTAGE if summary["outage"] else ()
    return {f"red:{name}": sentence for name, sentence in summary["complaints"].items() if name not in explained}


def _outage(summary: Mapping[str, Any], zone: str) -> str | None:
    outage = summary["outage"]
    return outage and f"Nothing can be sent since {_local(outage['since'], zone)}: {outage['message']}"


def _suspended(summary: Mapping[str, Any], zone: str) -> dict[str, str]:
    return {f"suspended:{campaign['campaign']}": _why_suspended(campaign, zone) for campaign in summary["suspended"]}


def _why_suspended(campaign: Mapping[str, Any], zone: str) -> str:
    since = _local(campaign["since"], zone)
    if campaign["reason"] in MISFITS:
        return (
            f"Campaign {_named(campaign)} is suspended since {since}: {campaign['message']}. Nothing of it is sent; its"
            " records wait until it is corrected in wolkvox Manager or in the warehouse."
        )
    return (
        f"Campaign {_named(campaign)} refuses everything since {since} ({campaign['message'] or campaign['reason']}):"
        " it is suspended and tried now and then, its records wait. Check its id and type in wolkvox Manager."
    )


def _held(summary: Mapping[str, Any], zone: str) -> dict[str, str]:
    return {f"held:{hold['hold']}": _why_held(hold, zone) for hold in summary.get("holds", ())}


def _why_held(hold: Mapping[str, Any], zone: str) -> str:
    number, since, reasons = hold["hold"], _local(hold["since"], zone), "; ".join(hold["reasons"])
    return (
        f"{hold['records']} new records are held since {since}, none of them is sent: {reasons}. Check them, mend what"
        f" is wrong, and decide: `python -m wolkvox release {number}` or `discard {number}`, with --by and --note."
    )


def why_lost(dag_ids: Sequence[str]) -> str | None:
    """
    Return what it means that a run has the built-in defaults while others have contacts in this ledger.

    :param dag_ids: DAGs of other operations
    """
    if not dag_ids:
        return None
    return (
        f"No operations.yaml is beside the DAGs, so this one has the built-in defaults, and {', '.join(dag_ids)} may be"
        " gone without an import error: deploy the folder include/ next to dags/. If this installation has no other"
        " operation, put an operations.yaml with the line `default:` there."
    )


def _named(campaign: Mapping[str, Any]) -> str:
    """Return a campaign's type and number, and its name in wolkvox."""
    name = campaign.get("name")
    return f"{campaign['campaign']} ({name})" if name else str(campaign["campaign"])


def silence(newest: datetime | None, usual: Sequence[timedelta], now: datetime) -> str | None:
    """
    Return in one sentence that the source is silent; None: it isn't.

    :param newest: when something new came in last
    :param usual: for this hour and weekday of each week before, how long nothing had come in then
    """
    if newest is None or len(usual) < FEWEST_WEEKS:
        return None
    gap, longest = now - newest, max(usual)
    if gap <= 2 * longest + SLACK:
        return None
    return (
        f"No new contact came in for {_hours(gap)}, where {_hours(longest)} is the longest gap that was seen at this"
        " hour and weekday: check what fills contacted_customers."
    )


def _level(name: str, thresholds: Thresholds, firing: Collection[str]) -> float:
    """Return the share over which an alert fires; one that is firing goes on down to half of it."""
    return thresholds.refusals / 2 if name in firing else thresholds.refusals


def _refusals(outcomes: Outcomes, level: float, thresholds: Thresholds, zone: str) -> str | None:
    if outcomes.since is None or outcomes.share <= level:
        return None
    return (
        f"Of {outcomes.total} records since {local_time(outcomes.since, zone)}, {outcomes.rejected} were rejected and"
        f" {outcomes.failed} failed; {thresholds.refusals:.1%} is the threshold."
    )


def _invalid(arrivals: Arrivals, level: float, thresholds: Thresholds, zone: str) -> str | None:
    if arrivals.since is None or arrivals.share <= level:
        return None
    return (
        f"{arrivals.invalid} rows can't be sent, where {arrivals.total} came in since"
        f" {local_time(arrivals.since, zone)}; {thresholds.refusals:.1%} is the threshold. The ledger says why (state"
        " invalid, column reason)."
    )


def _backlog(summary: Mapping[str, Any], thresholds: Thresholds, now: datetime, zone: str) -> str | None:
    oldest = summary["oldest_waiting"]
    if summary["stopped"] == "outage" or not oldest or now - datetime.fromisoformat(oldest) <= thresholds.backlog_age:
        return None
    return (
        f"The oldest of {summary['waiting']} waiting contacts is of {_local(oldest, zone)}: more than"
        f" {_hours(thresholds.backlog_age)} ago."
    )


def _opening(summary: Mapping[str, Any], zone: str) -> str | None:
    """Return how many customers were reached before calling hours, and may be dialled in them."""
    left = summary.get("left_at_opening")
    if not left:
        return None
    opening = _local(summary["opening"], zone)
    if summary["opened"]:
        return f"Calling hours began at {opening}, and {left} contacts from before still wait: they may be dialled."
    return (
        f"Calling hours begin at {opening}, and {left} of {summary['waiting']} waiting contacts won't be codified by"
        " then, at this pace and with the requests that are left: they may be dialled."
    )


def _zone(summary: Mapping[str, Any], now: datetime) -> str | None:
    ahead = summary.get("future_contact")
    if ahead:
        return why_in_future(datetime.fromisoformat(ahead), now, summary["warehouse_zone"])
    later = summary.get("beyond_window", 0)
    if not later:
        return None
    return (
        f"{later} contacts claim to be of after the end of their window: contacted_at is in another zone than the"
        " operation's warehouse_timezone says, so lags and expiry are wrong by the difference."
    )


def _exports(summary: Mapping[str, Any]) -> str | None:
    """Return the exports that nothing is concluded from, the first ones by name."""
    aside = summary.get("exports_left_aside")
    if not aside:
        return None
    named = "; ".join(f"{one['campaign_id']} ({one['why']})" for one in aside[:NAMED])
    more = f"; and {len(aside) - NAMED} more" if len(aside) > NAMED else ""
    return (
        f"The exports of {len(aside)} campaign(s) tell nothing, so that all their contacts are sent: campaign {named}"
        f"{more}."
    )


def _quota(summary: Mapping[str, Any], thresholds: Thresholds, zone: str) -> str | None:
    limit, requests = summary["quota_limit"], summary["quota_requests"]
    if limit is None or requests < limit * thresholds.quota:
        return None
    begins = _local(summary["quota_resets_at"], zone)
    return f"{requests} of today's {limit} requests are used; a new day begins at {begins}."


def _local(timestamp: str, zone: str) -> str:
    """Return a timestamp in ISO 8601 on the operation's clock."""
    return local_time(datetime.fromisoformat(timestamp), zone)


def _hours(length: timedelta) -> str:
    hours = length.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours >= 2 else f"{60 * hours:.0f} minutes"
