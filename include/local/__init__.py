"""The embedded stack: PostgreSQL, Airflow and the sandbox on a machine that has nothing but Python."""
