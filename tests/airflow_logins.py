"""Logins of Airflow's FAB auth manager, one of which may not read the DAG. Run in the api-server's environment."""

import sys

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

ROLES = {"editor": "Admin", "reader": "Viewer", "stranger": "Stranger"}

if __name__ == "__main__":
    with get_application_builder() as builder:
        manager = builder.sm
        manager.add_role("Stranger")
        for name, role in ROLES.items():
            manager.add_user(name, name, name, f"{name}@example.com", manager.find_role(role), password=sys.argv[1])
