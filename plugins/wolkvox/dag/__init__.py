"""What a DAG file is made of, besides operators: operations, params, schedule, and a DAG with a deadline."""
