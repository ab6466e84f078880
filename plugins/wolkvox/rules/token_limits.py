"""The requests a day of a token, as the connections that share it give them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wolkvox.errors import BadSetting


@dataclass(frozen=True, slots=True)
class TokenLimit:
    """
    The limit that a DAG's connection gives its token: requests a day (None: no licences given), how many of them are
    kept back for others, and the zone in which a day ends.
    """

    dag_id: str
    wolkvox_conn_id: str
    daily_requests: int | None
    reserve: int
    zone: str

    def agrees_with(self, other: TokenLimit) -> bool:
        """Whether both give the same limit; a connection agrees with what it gave before it was changed."""
        figures = (self.daily_requests, self.reserve, self.zone) == (other.daily_requests, other.reserve, other.zone)
        return figures or self.wolkvox_conn_id == other.wolkvox_conn_id

    def __str__(self) -> str:
        daily = "no licences" if self.daily_requests is None else f"{self.daily_requests} requests a day"
        return f"{self.wolkvox_conn_id!r} says {daily}, a reserve of {self.reserve} and days of {self.zone}"


def refuse_disagreement(own: TokenLimit, others: Iterable[TokenLimit]) -> None:
    """
    Compare a connection with others that share its token.

    :raises BadSetting: naming both connections and what each of them says
    """
    other = next((other for other in others if not own.agrees_with(other)), None)
    if other is not None:
        raise BadSetting(
            f"Two connections share a token, and so its requests, but don't agree on them: {own}; {other} (DAG"
            f" {other.dag_id!r}). Give both the same licenses, quota_reserve and quota_timezone. A DAG counts"
            " for 31 days after its last run."
        )
