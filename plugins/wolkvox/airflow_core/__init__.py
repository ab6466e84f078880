"""All that is Airflow's own and no public interface of it: check it here with each new release."""
