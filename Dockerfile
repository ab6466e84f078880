FROM apache/airflow:3.3.2

COPY requirements.txt constraints.txt /tmp/
RUN pip install --no-cache-dir -r /tmp/requirements.txt -c /tmp/constraints.txt

# The package itself, for Airflow to know its connection type.
COPY --chown=airflow:root pyproject.toml LICENSE /tmp/wolkvox/
COPY --chown=airflow:root plugins /tmp/wolkvox/plugins
RUN pip install --no-cache-dir --no-deps /tmp/wolkvox

COPY dags /opt/airflow/dags
COPY plugins /opt/airflow/plugins
COPY include /opt/airflow/include
