"""A signal may come at any moment: nothing that its handler does waits for what it interrupted."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from wolkvox.stop import Stop

# Waits again and again, each wait ended by a signal at a random microsecond whose handler says stop.
SIGNALLED = """
import random, signal, time
import wolkvox.stop
from wolkvox.stop import Stop

wolkvox.stop.LOOK = 0.005  # a handler does not cut a sleep short: the flag is looked at afterwards
chance, stop = random.Random(7), [Stop()]
signal.signal(signal.SIGALRM, lambda *_: stop[0].set())
longest = 0.0
for _ in range(2_000):
    stop[0] = Stop()
    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 2e-3))
    began = time.monotonic()
    while not stop[0].wait(chance.choice([1e-6, 1e-4, 60.0])):
        pass
    longest = max(longest, time.monotonic() - began)
print(longest)
"""


def test_two_thousand_signals_at_random_microseconds_each_end_the_wait() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", SIGNALLED], check=True, env=environment, capture_output=True, text=True, timeout=120.0
    )
    assert float(found.stdout) < 5.0


def test_a_wait_lasts_as_long_as_it_is_meant_to() -> None:
    began = time.monotonic()
    assert Stop().wait(0.3) is False
    assert 0.3 <= time.monotonic() - began < 5.0
    told = Stop()
    told.set()
    assert told.wait(60.0) is True
    assert told.is_set()
