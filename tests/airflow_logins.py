"""
Logins of Airflow's FAB auth manager. Run in the api-server's environment.

A stranger may read no DAG of ours, a seller that of the operation ``sales`` alone.
"""

import sys

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

ROLES = {
    "editor": "Admin",
    "reader": "Viewer",
    "searcher": "Viewer",
    "user": "User",
    "op": "Op",
    "stranger": "Stranger",
    "seller": "Seller",
}
OF_THE_SELLER = (("can_read", "DAG:wolkvox_codify_sales"), ("can_read", "Website"))

if __name__ == "__main__":
    with get_application_builder() as builder:
        manager = builder.sm
        for role in ("Stranger", "Seller"):
            manager.add_role(role)
        for action, resource in OF_THE_SELLER:
            manager.add_permission_to_role(manager.find_role("Seller"), manager.create_permission(action, resource))
        for name, role in ROLES.items():
            manager.add_user(name, name, name, f"{name}@example.com", manager.find_role(role), password=sys.argv[1])
