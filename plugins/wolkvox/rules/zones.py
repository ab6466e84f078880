"""Times as people read them, and zones whose names say the opposite of what most people read in them. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

# Of 13 and 14 hours there is no other reading: no place is so far west.
_EASTERN = re.compile(r"(Etc/)?GMT-(?P<hours>[1-9]|1[0-2])")


def why_backwards(zone: str) -> str | None:
    """
    Return why a zone is most likely not the one that was meant; None for all others.

    The signs of the ``Etc/GMT`` zones are those of POSIX: Etc/GMT-5 is five hours *ahead* of UTC, half a day from
    Bogota, which is Etc/GMT+5.
    """
    match = _EASTERN.fullmatch(zone)
    if match is None:
        return None
    return f"{zone} is {match['hours']} hours ahead of UTC, and Etc/GMT+{match['hours']} is as far behind it"


def why_in_future(contacted_at: datetime, now: datetime, zone: str) -> str:
    """
    Return what a contact of after now means, and what to do.

    :param zone: in which the warehouse's timestamps are read
    """
    minutes = round((contacted_at - now).total_seconds() / 60)
    return (
        f"The warehouse has a contact of {local_time(contacted_at, zone)}, {minutes // 60} h {minutes % 60:02} min"
        f" after now: its contacted_at is not on the clock of {zone}, so contacts are pulled late by the difference."
        " Set warehouse_timezone of the operation to the zone that the column is in, most often UTC, or correct the"
        " query."
    )


def local_time(timestamp: datetime, zone: str) -> str:
    """Return a timestamp to the minute, on a zone's clock, with the zone's name."""
    return f"{timestamp.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"
