"""Run the benchmarks and write their tables.

    python -m benchmarks                    everything, about an hour on two cores
    python -m benchmarks epochs --only CNN  one benchmark, some of its workloads
    python -m benchmarks --quick            everything once, to see that it works
    python -m benchmarks --report           the tables again from the results at hand

Needs the extra `bench` (PyTorch, JAX). The machine should have nothing else to do: the load at the start is written
down. Fashion-MNIST and CIFAR-100 are taken where Keras's cache or `kerasrun datasets add` has them, else made-up data.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import os
from importlib import metadata
from pathlib import Path

from benchmarks.report import write_report
from benchmarks.studies import STUDIES, Effort, Row
from kerasrun import environment

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure what is asked for, then write the report of all results that there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    parser.add_argument("--quick", action="store_true", help="one round of two epochs")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions, the rivals taking turns")
    parser.add_argument("--epochs", type=int, default=5, help="of each training; the first is left out")
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="workloads whose name holds it")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the tables, one for each machine")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    given = parser.parse_args()
    if unknown := set(given.names) - set(STUDIES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    effort = Effort(1, 2) if given.quick else Effort(given.rounds, given.epochs)
    effort = Effort(effort.rounds, effort.epochs, tuple(given.only))
    for name in () if given.report else given.names or STUDIES:
        print(f"{name} …", flush=True)
        machine = about()
        _write(given.results / f"{name}.csv", machine, list(STUDIES[name](effort)))
    print(write_report(given.results))


def _write(path: Path, about: str, rows: list[Row]) -> None:
    """Write rows below one line on the machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="") as file:
        file.write(f"# {about}\n")
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def about() -> str:
    """Return day, machine, versions and the load at this moment, in a line."""
    hardware = environment.hardware()
    packages = ("keras", "tensorflow", "torch", "jax", "numpy")
    software = " · ".join(f"{name} {_version(name)}" for name in packages)
    when = datetime.date.today().isoformat()
    machine = f"{hardware['processor']} · {hardware['cores']} cores · {hardware['memory'] / 2**30:.0f} GiB"
    return f"{when} · {machine} · {software} · load {os.getloadavg()[0]:.1f}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "–"


if __name__ == "__main__":
    main()
