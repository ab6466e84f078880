"""Customers' ids as anybody may see them. Pure."""

from __future__ import annotations

MASK = "•••"
VISIBLE = 3  # characters of an id that anybody may see


def mask(customer_id: str | None) -> str | None:
    """The end of an id that is long enough to stay unknown."""
    if customer_id is None:
        return None
    return MASK + (customer_id[-VISIBLE:] if len(customer_id) > 2 * VISIBLE else "")
