"""The page inside Airflow: what the ledger says, for those who may read the DAG."""
