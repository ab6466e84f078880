"""Codify contacts in the wolkvox dialler that were reached outside of it."""

__version__ = "0.1.0"
