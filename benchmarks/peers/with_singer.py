"""singer-sdk: a target with a BatchSink that sends each batch with two threads."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

import requests
from job import Job, serve
from singer_sdk import Target, typing
from singer_sdk.sinks import BatchSink

TEXT = typing.PropertiesList(
    *(typing.Property(name, typing.StringType) for name in ("cod_act", "comment", "customer_id"))
).to_dict()


def work(job: Job) -> None:
    mine = local()

    def send(record: dict[str, str]) -> None:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
            mine.session.headers.update(job.headers)
        mine.session.put(job.url, json=record, timeout=65).raise_for_status()

    class Codify(BatchSink):
        max_size = 1_000

        def process_batch(self, context: dict[str, Any]) -> None:
            list(threads.map(send, context["records"]))

    class Wolkvox(Target):
        name = "target-wolkvox"
        default_sink_class = Codify
        config_jsonschema = typing.PropertiesList().to_dict()

    lines = [json.dumps({"type": "SCHEMA", "stream": "contacts", "schema": TEXT, "key_properties": []})]
    lines += [json.dumps({"type": "RECORD", "stream": "contacts", "record": record}) for record in job.records()]
    with ThreadPoolExecutor(2) as threads:
        Wolkvox().listen(io.StringIO("\n".join(lines)))


serve(work)
