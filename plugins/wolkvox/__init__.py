"""Codify customers in the wolkvox dialler who were reached outside of it."""

__version__ = "1.0.0"
