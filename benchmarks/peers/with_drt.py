"""drt-core: two syncs of half the records each to its REST destination, side by side, as its engine runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

from drt.config.models import RateLimitConfig, RestApiDestinationConfig, SyncConfig, SyncOptions
from drt.config.profiles import DuckDBProfile
from drt.destinations.rest_api import RestApiDestination
from drt.engine.sync import run_sync
from job import Job, serve


class Memory:
    """A source that is there already."""

    def __init__(self, records: list[dict[str, str]]) -> None:
        self.records = records

    def extract(self, query: str, config: Any, **options: Any) -> Iterator[dict[str, str]]:
        """The records, whatever the query."""
        return iter(self.records)

    def test_connection(self, config: Any) -> bool:
        """It answers."""
        return True


def send(job: Job, lane: int, records: list[dict[str, str]]) -> None:
    sync = SyncConfig(
        name=f"codify_{lane}",
        model="SELECT 1",
        destination=RestApiDestinationConfig(type="rest_api", url=job.url, method="PUT", headers=job.headers),
        sync=SyncOptions(batch_size=100, rate_limit=RateLimitConfig(requests_per_second=1_000_000)),
    )
    profile = DuckDBProfile(type="duckdb", database=":memory:")
    result = run_sync(sync, Memory(records), RestApiDestination(), profile, Path(job.folder))
    assert result.success == len(records), result.errors


def work(job: Job) -> None:
    records = job.records()
    threads = [Thread(target=send, args=(job, lane, records[lane::2])) for lane in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


serve(work)
