"""Measurements: ``python -m benchmarks`` runs them side by side and writes results.json."""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

for room in ("plugins", "include", "tests"):  # the product, the stack, the tests' sandbox process
    sys.path.insert(0, str(PROJECT / room))
