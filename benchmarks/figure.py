"""What a measurement returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.place import Place


class BrokenMeasurement(Exception):
    """What was measured did not do its work: its figure means nothing."""


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One row of the table.

    :param reach: the value to reach; None for a figure that explains another one
    :param at_most: whether less is better
    :param details: what the value was made of, for results.json
    """

    name: str
    value: float
    unit: str
    reach: float | None = None
    at_most: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.reach is None:
            return None
        return self.value <= self.reach if self.at_most else self.value >= self.reach


Measure = Callable[["Place"], list[Figure]]
