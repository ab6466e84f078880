"""What of a contact may stay, and what an anonymous form is."""

from __future__ import annotations

import pytest

from wolkvox.rules.anonymity import anonymous, impersonal, is_anonymous


@pytest.mark.parametrize(
    ("state", "channel", "kept"),
    [("coded", "WhatsApp", True), ("coded", "+57 300-123-4567", False), ("rejected", "ana@example.com", False)],
)
def test_a_channel_is_kept_unless_it_may_tell_of_a_person(state: str, channel: str, kept: bool) -> None:
    columns = ("preview", "15509", "141", None, channel)
    assert impersonal(state, columns) == (*columns[:4], channel if kept else None)


def test_an_anonymous_form_depends_on_secret_and_operation_and_stays_itself() -> None:
    forms = {anonymous(secret, operation, "1") for secret in ("a", "b") for operation in ("x", "y")}
    assert len(forms) == 4
    assert anonymous("b", "y", anonymous("a", "x", "1")) == anonymous("a", "x", "1")
    assert not is_anonymous("#1")
