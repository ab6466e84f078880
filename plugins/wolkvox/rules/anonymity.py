"""A customer's id in another form: the same for the same customer, and of no use to whoever lacks the secret. Pure."""

from __future__ import annotations

import hmac
from hashlib import sha256
from uuid import UUID

MARK = "#"  # that no id is: an anonymous one begins with it
_LENGTH = 32  # hexadecimal digits that follow


def anonymous(secret: str, operation: str, customer_id: str) -> str:
    """
    What stands in the place of a customer's id once it is old; itself, when it is anonymous already.

    :param secret: without which nobody can try ids out
    """
    if is_anonymous(customer_id):
        return customer_id
    told = f"{operation}\0{customer_id}".encode()
    return MARK + hmac.new(secret.encode(), told, sha256).hexdigest()[:_LENGTH]


def anonymous_key(secret: str, contact_key: UUID) -> UUID:
    """
    What stands in the place of a contact's key, which is a digest of the customer's id and could be tried out.

    The second of the contact, with which it begins, stays: so keys of one time lie side by side in their index.
    """
    key = contact_key.bytes
    return UUID(bytes=key[:4] + hmac.new(secret.encode(), key, sha256).digest()[:12])


def is_anonymous(customer_id: str) -> bool:
    """Whether an id was replaced."""
    return customer_id.startswith(MARK) and len(customer_id) == 1 + _LENGTH
