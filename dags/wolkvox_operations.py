"""No DAG: a mistake in ``operations.yaml`` is shown among Airflow's import errors, and breaks this file alone."""

from pathlib import Path

from wolkvox.dag.operations import refuse_mistakes

refuse_mistakes(Path(__file__).parent)  # airflow looks into files that name a dag
