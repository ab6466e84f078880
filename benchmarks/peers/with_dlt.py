"""dlt: a custom destination, batches of 100, two load jobs at a time."""

from __future__ import annotations

import os
from threading import local

from job import Job, serve

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "LOAD__WORKERS": "2", "RUNTIME__LOG_LEVEL": "ERROR"}
os.environ["DATA_WRITER__FILE_MAX_ITEMS"] = "100"  # files are what load jobs are made of

import dlt
import requests


def work(job: Job) -> None:
    mine = local()

    @dlt.destination(batch_size=100, name="wolkvox", max_parallel_load_jobs=2)
    def codify(items: list[dict[str, str]], table: dict[str, object]) -> None:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
            mine.session.headers.update(job.headers)
        for item in items:
            mine.session.put(job.url, json=item, timeout=65).raise_for_status()

    pipeline = dlt.pipeline("codify", pipelines_dir=job.folder, destination=codify)
    pipeline.run(job.records(), table_name="contacts").raise_on_failed_jobs()


serve(work)
