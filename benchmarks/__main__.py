"""``python -m benchmarks [--quick] [--only NAME ...]``: measure, print a table, keep the result."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time

from rich.console import Console

from benchmarks import machine, report
from benchmarks.figure import Figure, Measure
from benchmarks.place import Place

console = Console()


def measures() -> dict[str, Measure]:
    """Every measurement, in the order of the table; imported only now, when Airflow has its settings."""
    from benchmarks import (
        backlog,
        balance,
        by_event,
        cpu,
        dag_import,
        efficiency,
        export,
        lag,
        large_ledger,
        machines,
        nightly_audit,
        page,
        scale,
        staging,
        tls,
        under_airflow,
        warehouses,
        xcom,
        years,
    )
    from benchmarks.peers import measure as peers

    return {
        "efficiency": efficiency.measure,
        "peers": peers.measure,
        "airflow": under_airflow.measure,
        "events": by_event.measure,
        "balance": balance.measure,
        "cpu": cpu.measure,
        "staging": staging.measure,
        "warehouses": warehouses.measure,
        "ledger": large_ledger.measure,
        "years": years.measure,
        "backlog": backlog.measure,
        "lag": lag.measure,
        "machines": machines.measure,
        "page": page.measure,
        "export": export.measure,
        "audit": nightly_audit.measure,
        "scale": scale.measure,
        "tls": tls.measure,
        "import": dag_import.measure,
        "xcom": xcom.measure,
    }


def main() -> None:
    """Exits 1 when a measurement is broken; a goal that is missed is a result. Only a whole one is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one repetition; kept nowhere")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these measurements; kept nowhere")
    arguments = parser.parse_args()
    place = Place(quick=arguments.quick)
    try:
        known = measures()
        if unknown := set(arguments.only or ()) - known.keys():
            sys.exit(f"There is no measurement {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
        figures, broken = run(place, {name: known[name] for name in known if name in (arguments.only or known)})
        console.print(report.table(figures))
        if not (arguments.quick or arguments.only or broken):
            report.keep(machine.params(place), figures)
    finally:
        place.close()
    if broken:
        sys.exit("Broken: " + "; ".join(broken))


def run(place: Place, chosen: dict[str, Measure]) -> tuple[list[Figure], list[str]]:
    """All figures, and which measurements broke and why."""
    figures: list[Figure] = []
    broken = []
    for name, measure in chosen.items():
        began = time.monotonic()
        console.print(f"{name} ...", end=" ", highlight=False)
        try:
            figures += measure(place)
        except Exception as error:  # whatever it was, the others are measured
            broken.append(f"{name}: {error!r}")
        console.print(f"{time.monotonic() - began:.0f} s", highlight=False)
    return figures, broken


if __name__ == "__main__":
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
    logging.disable(logging.WARNING)
    main()
