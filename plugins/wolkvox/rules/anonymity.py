"""A customer's id in another form: the same for the same customer, and of no use to whoever lacks the secret. Pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from wolkvox.rules.contacts import TYPES
from wolkvox.rules.states import State

MARK = "#"  # with which an anonymous id begins, and no other
_LENGTH = 32  # hexadecimal digits that follow

# An e-mail address, or as many digits as a telephone number or an identity document has, however they are grouped.
_PERSONAL = re.compile(r"@|\d(?:\D{0,2}\d){6}")


def anonymous(secret: str, operation: str, customer_id: str) -> str:
    """
    Return what stands in the place of a customer's id once it is old; the id itself, when it is anonymous already.

    :param secret: without which nobody can try ids out
    """
    if is_anonymous(customer_id):
        return customer_id
    text = f"{operation}\0{customer_id}".encode()
    return MARK + hmac.new(secret.encode(), text, sha256).hexdigest()[:_LENGTH]


def anonymous_key(secret: str, contact_key: UUID) -> UUID:
    """
    Return what stands in the place of a contact's key, a digest of the customer's id for which ids could be tried out.

    The second of the contact, with which it begins, stays: so keys of one time lie side by side in their index.
    """
    key = contact_key.bytes
    return UUID(bytes=key[:4] + hmac.new(secret.encode(), key, sha256).digest()[:12])


def is_anonymous(customer_id: str) -> bool:
    """Whether an id is anonymous."""
    return customer_id.startswith(MARK) and len(customer_id) == 1 + _LENGTH


def impersonal(state: str, columns: Sequence[str | None]) -> tuple[str | None, ...]:
    """
    Return what is kept of a contact's other texts once it is anonymous.

    Where a query mixed its columns up, an e-mail address, a document or a telephone number may stand in any of them.
    So nothing is kept of an invalid contact but its type; of others, what wolkvox itself took, and what can't be one.

    :param columns: type_campaign, campaign_id, cod_act, cod_act_2, channel
    """
    if state == State.INVALID:
        kind = columns[0]
        return (kind if kind in TYPES else None, None, None, None, None)
    *codes, channel = columns
    return (*(codes if state == State.CODED else map(_unless_personal, codes)), channel and _unless_personal(channel))


def check_value(secret: str) -> bytes:
    """Return what the ledger keeps to recognise its secret: nobody can find the secret with it."""
    return hmac.new(secret.encode(), b"the evidence of wolkvox", sha256).digest()


def _unless_personal(text: str | None) -> str | None:
    return None if text is None or _PERSONAL.search(text) else text
