"""What a worker sends next: newest first, and between them what is tried again."""

from __future__ import annotations

import pytest
from tasks.fakes import Bench

from wolkvox.rules.records import Record
from wolkvox.tasks.queue import Queue


def queue(records: int, left: int = 100) -> tuple[Queue, Bench]:
    bench = Bench(records)
    return Queue(bench, left), bench


def drained(of: Queue) -> list[int]:
    """The records that were taken, in the order in which they are sent."""
    ids = []
    while (record := of.taken()) is not None:
        ids.append(record.id)
    return ids


def sent(of: Queue, record: Record | None) -> Record:
    """Note that a record was sent and answered."""
    assert record is not None
    of.note_sent(record)
    of.tries[record.id] += 1
    return record


def test_it_takes_no_more_than_it_may_still_send() -> None:
    some, _ = queue(9, left=3)
    some.take(20)
    sent(some, some.taken())
    assert (drained(some), some.left) == ([2, 3], 2)
    some.left = 0
    some.take(20)
    assert some.is_empty()


def test_a_record_that_is_sent_again_is_none_of_its_allotment() -> None:
    some, _ = queue(1)
    some.take(20)
    record = sent(some, some.taken())
    sent(some, record)
    assert some.left == 99


def test_a_record_is_due_at_its_time_and_not_right_after_itself() -> None:
    some, _ = queue(2)
    some.take(20)
    first = sent(some, some.taken())
    some.try_again(first, at=5.0)
    assert (some.next_try(), some.due(now=6.0)) == (5.0, None), "another one is sent first"
    sent(some, some.taken())
    assert some.due(now=4.9) is None
    assert some.due(now=5.0) == first
    assert some.next_try() is None


def test_with_no_other_left_a_record_follows_itself() -> None:
    some, _ = queue(1)
    some.take(20)
    record = sent(some, some.taken())
    some.try_again(record, at=5.0)
    assert some.any_due(now=4.9) is None
    assert some.any_due(now=5.0) == record


def test_what_waits_to_be_tried_again_is_not_taken_meanwhile() -> None:
    some, bench = queue(2)
    some.take(1)
    record = sent(some, some.taken())
    some.try_again(record, at=5.0)
    bench.begin_run()  # it waits in the ledger, as in another worker's eyes
    bench.state[1] = "pending"
    some.take(20)
    assert drained(some) == [2]


@pytest.mark.parametrize(("left", "ids"), [(9, [4, 1, 2, 3]), (3, [4, 1, 2])])
def test_a_record_of_another_campaign_is_sent_next_and_takes_the_place_of_the_oldest(left: int, ids: list[int]) -> None:
    """It is one of the records that the worker may send."""
    some, bench = queue(4, left)
    bench.campaigns[4] = "18"
    some.take(3)
    assert some.check({("preview", "17")})
    assert some.next_is_check()
    assert drained(some) == ids


def test_without_a_record_of_another_campaign_nothing_changes() -> None:
    some, _ = queue(3)
    some.take(3)
    assert not some.check({("preview", "17")})
    assert not some.next_is_check()
    assert drained(some) == [1, 2, 3]


def test_of_a_record_that_comes_from_the_ledger_again_no_request_counts_twice() -> None:
    some, bench = queue(2)
    bench.campaigns[2] = "18"
    some.take(20)
    sent(some, some.taken())
    sent(some, some.taken())
    bench.attempts[2] = 1  # as the ledger has counted it
    assert some.check({("preview", "17")})
    record = some.taken()
    assert record is not None
    assert (record.id, record.requests) == (2, 0)


def test_what_is_forgotten_is_not_sent() -> None:
    some, _ = queue(3)
    some.take(2)
    some.try_again(sent(some, some.taken()), at=0.0)
    some.forget_taken()
    assert not some.has_taken()
    assert not some.is_empty()
    some.forget()
    assert some.is_empty()
