"""requests, a session for each of two threads."""

from __future__ import annotations

from threading import Thread

import requests
from job import Job, serve


def send(job: Job, records: list[dict[str, str]]) -> None:
    with requests.Session() as session:
        session.headers.update(job.headers)
        for record in records:
            session.put(job.url, json=record, timeout=65).raise_for_status()


def work(job: Job) -> None:
    records = job.records()
    threads = [Thread(target=send, args=(job, records[lane::2])) for lane in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


serve(work)
