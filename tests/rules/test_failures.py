"""What one worker met in a row, and what is blocked on its way."""

from __future__ import annotations

import pytest

from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.failures import Blocked, Failures
from wolkvox.rules.records import Record


def record(number: int, *, deferred: bool = False) -> Record:
    return Record(number, "preview", "17", "1001", "5", None, None, deferred=deferred)


def failures(*kinds: Kind) -> Failures:
    """A failure of each kind, of a record of its own."""
    met = Failures()
    for number, kind in enumerate(kinds):
        met.add(record(number), Answer(kind))
    return met


def test_a_conflict_says_nothing_of_the_others() -> None:
    met = failures(Kind.OVERLOADED, Kind.CONFLICT)
    assert (met.requests, met.last) == (1, (record(0), Answer(Kind.OVERLOADED)))
    assert not failures(Kind.CONFLICT)
    assert met


@pytest.mark.parametrize("kind", [Kind.UNKNOWN, Kind.CONFLICT, Kind.BUSY, Kind.BAD_TOKEN])
def test_what_says_something_of_its_record_is_never_reverted(kind: Kind) -> None:
    """Not by no requests either: a record that failed for good would be pending again."""
    assert dict(failures(kind).reverted) == {}


def test_what_says_nothing_of_its_record_is_reverted_once_for_each_request() -> None:
    met = failures(Kind.OVERLOADED, Kind.MAINTENANCE)
    met.add(record(0), Answer(Kind.OVERLOADED))
    assert met.reverted == {0: 2, 1: 1}


def test_a_record_is_blocked_alone_once_another_one_passed_after_it_was_blocked() -> None:
    blocked = Blocked()
    blocked.note_answer()
    blocked.add(record(1))
    assert not blocked.is_alone(record(1))
    blocked.note_answer()
    assert blocked.is_alone(record(1))
    assert not blocked.is_alone(record(2))


def test_a_record_of_an_earlier_run_is_blocked_alone_as_soon_as_any_other_passes() -> None:
    blocked = Blocked()
    blocked.add(record(1, deferred=True))
    assert not blocked.is_alone(record(1, deferred=True))
    blocked = Blocked()
    blocked.note_answer()
    assert blocked.is_alone(record(1, deferred=True))
