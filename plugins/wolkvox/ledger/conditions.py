"""What people were told of: a condition when it begins and ends, and once a day while it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from wolkvox.ledger.connection import Connection, sql

TELL_AGAIN = timedelta(days=1)  # how long a condition that lasts is not told of
WEEKS = 4  # of the past that tell what is usual


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told now: conditions by name, each in one sentence."""

    began: dict[str, str] = field(default_factory=dict)
    lasts: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, dict[str, str]]:
        """For XCom."""
        return asdict(self)


def note(connection: Connection, operation: str, dag_id: str, current: Mapping[str, str]) -> News:
    """
    Compare what is wrong now with what people know, and remember it as told.

    Of two at once, the second one finds that it was told already.

    :param current: each condition's sentence by its name
    """
    facts = {"operation": operation, "dag_id": dag_id, "again": TELL_AGAIN}
    news = News()
    with connection.transaction():
        known: dict[str, str] = dict(
            connection.execute(
                "SELECT condition, words FROM wolkvox.condition WHERE operation = %(operation)s AND dag_id = %(dag_id)s"
                " FOR UPDATE",
                facts,
            ).fetchall()
        )
        for name, words in current.items():
            told = connection.execute(sql("tell_condition"), {**facts, "name": name, "words": words}).rowcount
            if told and name not in known:
                news.began[name] = words
            elif told:
                news.lasts[name] = words
        news.ended.update({name: words for name, words in known.items() if name not in current})
        connection.execute(
            "DELETE FROM wolkvox.condition WHERE operation = %s AND dag_id = %s AND condition = ANY(%s)",
            (operation, dag_id, list(news.ended)),
        )
    return news


def arrivals(connection: Connection, operation: str) -> tuple[datetime | None, list[timedelta]]:
    """
    When something new came in last, and how long nothing had come in at this hour and weekday of past weeks.

    Weeks from before the first arrival are left out.
    """
    rows = connection.execute(sql("arrivals"), {"operation": operation, "weeks": WEEKS}).fetchall()
    newest, usual = rows[0][0], [moment - last for last, moment in rows[1:] if last is not None]
    return newest, usual
