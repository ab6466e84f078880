"""All that is Airflow's own and no public interface of it: a new release is looked at here."""
