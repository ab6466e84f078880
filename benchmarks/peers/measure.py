"""Against peers: the same records, two requests in flight, and they write no ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from sandbox_server import SandboxServer

from benchmarks import PROJECT, workers
from benchmarks.contacts import CAMPAIGN, OPERATION
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Place
from benchmarks.sending import check, reset, send_ours

HERE = Path(__file__).parent
VENV = PROJECT / ".local" / "bench-peers"
PEERS = ("drt", "dlt", "singer", "requests")
LATENCY = 0.02  # seconds a call


def measure(place: Place) -> list[Figure]:
    """Our records a second over each peer's, medians of interleaved repetitions."""
    python = install()
    count = place.pick(2_000, 200)
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", *PEERS)}
    with SandboxServer() as sandbox:
        for turn in range(place.pick(5, 1)):
            seconds["ours"].append(send_ours(place, sandbox, count, LATENCY).seconds)
            for peer in PEERS:
                seconds[peer].append(_send(python, sandbox, peer, count, place.home / f"{peer}{turn}"))
    ours = median(seconds["ours"])
    return [
        Figure(
            f"records a second over {peer}'s, {1000 * LATENCY:.0f} ms",
            median(seconds[peer]) / ours,
            "times",
            1.0,
            details={
                "records_per_second": count / median(seconds[peer]),
                "our_records_per_second": count / ours,
                "ceiling": 2 / LATENCY,
                "seconds": sorted(seconds[peer]),
                "our_seconds": sorted(seconds["ours"]),
            },
        )
        for peer in PEERS
    ]


def install() -> Path:
    """The interpreter of the peers' own virtual environment."""
    uv = [sys.executable, "-m", "uv"]
    python = VENV / "bin" / "python"
    commands = [] if python.exists() else [[*uv, "venv", "--quiet", "--python", sys.executable, str(VENV)]]
    commands.append([*uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(HERE / "requirements.txt")])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokenMeasurement(f"the peers can't be installed: {done.stderr.strip()[-300:]}")
    return python


def _send(python: Path, sandbox: SandboxServer, peer: str, count: int, folder: Path) -> float:
    reset(sandbox, LATENCY)
    folder.mkdir()
    job = {
        "url": f"{sandbox.url}/api/v2/campaign.php?api=codify&type_campaign={CAMPAIGN[0]}&campaign_id={CAMPAIGN[1]}",
        "headers": {"wolkvox-token": sandbox.token, "wolkvox_server": OPERATION},
        "count": count,
        "folder": str(folder),
    }
    outcome = workers.run([[str(python), str(HERE / f"with_{peer}.py"), json.dumps(job)]])
    check(sandbox, count)
    return outcome.seconds
