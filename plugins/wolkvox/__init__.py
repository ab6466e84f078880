"""Codify contacts in the wolkvox dialler that were reached outside of it."""
