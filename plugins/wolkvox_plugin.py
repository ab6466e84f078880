"""
Airflow finds its plugins in this folder; the package itself is hidden from it by .airflowignore.

Where the package is installed as well, Airflow has the plugin from there already.
"""

from importlib.metadata import entry_points

if not entry_points(group="airflow.plugins", name="wolkvox"):
    from wolkvox.plugin import WolkvoxPlugin

    __all__ = ["WolkvoxPlugin"]
