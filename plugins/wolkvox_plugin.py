"""Airflow finds its plugins in this folder; the package itself is hidden from it by .airflowignore."""

from wolkvox.plugin import WolkvoxPlugin

__all__ = ["WolkvoxPlugin"]
