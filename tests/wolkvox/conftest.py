"""Hypothesis as the whole suite wants it: the same examples in every run, none of them timed."""

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")
