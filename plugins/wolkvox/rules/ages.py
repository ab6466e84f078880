"""Ages of contacts, from which something is no longer done with them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from wolkvox.errors import BadSetting

DAY = timedelta(days=1)
EXPIRE_AFTER = 31 * DAY  # a contact is no longer sent
AUDITED_FOR = 31 * DAY  # an audit looks at it: the vendor's reports go as far back [vendor's page on limits]
OFFERED_FOR = EXPIRE_AFTER - DAY  # an audit offers it again: an older one would expire before it is sent
# Nothing of a settled contact changes any more: it is neither sent nor offered again, and no audit looks at it. A few
# days more, for what was late.
DIGEST_AFTER = max(EXPIRE_AFTER, AUDITED_FOR) + 4 * DAY


@dataclass(frozen=True, slots=True)
class Ages:
    """
    When retention does what to a contact.

    ``expire_after``: no longer sent, as ``stage`` has it; ``anonymise_after``: anonymous (None: never); ``keep``:
    deleted.
    """

    keep: timedelta
    anonymise_after: timedelta | None
    expire_after: timedelta

    def check(self) -> None:
        """
        Refuse ages of contacts that may still change.

        :raises BadSetting: an age is too short
        """
        least = max(DIGEST_AFTER, self.expire_after) + DAY
        for name, age in (("keep", self.keep), ("anonymise_after", self.anonymise_after)):
            if age is not None and age < least:
                raise BadSetting(f"{name} must be at least {least.days} days: younger contacts may change.")
