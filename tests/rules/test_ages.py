"""From which age something is no longer done with a contact."""

from __future__ import annotations

from datetime import timedelta

import pytest

from wolkvox.errors import BadSetting
from wolkvox.rules.ages import AUDITED_FOR, DAY, DIGEST_AFTER, EXPIRE_AFTER, OFFERED_FOR, Ages
from wolkvox.rules.window import LONGEST_WINDOW

GOOD = Ages(400 * DAY, 180 * DAY, EXPIRE_AFTER)


def test_what_is_offered_again_can_still_be_sent() -> None:
    assert OFFERED_FOR < EXPIRE_AFTER


def test_nothing_that_has_a_digest_is_sent_audited_or_pulled() -> None:
    assert max(EXPIRE_AFTER, AUDITED_FOR, OFFERED_FOR, LONGEST_WINDOW) < DIGEST_AFTER


def test_a_window_reaches_no_further_back_than_contacts_are_sent() -> None:
    assert LONGEST_WINDOW <= EXPIRE_AFTER


def test_usual_ages_are_good() -> None:
    GOOD.check()
    Ages(400 * DAY, None, EXPIRE_AFTER).check()
    Ages(DIGEST_AFTER + DAY, DIGEST_AFTER + DAY, EXPIRE_AFTER).check()


@pytest.mark.parametrize(
    ("ages", "name"),
    [
        (Ages(DIGEST_AFTER, None, EXPIRE_AFTER), "keep"),
        (Ages(400 * DAY, DIGEST_AFTER + timedelta(hours=23), EXPIRE_AFTER), "anonymise_after"),
        (Ages(400 * DAY, 60 * DAY, 60 * DAY), "anonymise_after"),
    ],
)
def test_an_age_at_which_contacts_may_still_change_is_refused(ages: Ages, name: str) -> None:
    with pytest.raises(BadSetting, match=f"{name} must be at least"):
        ages.check()
