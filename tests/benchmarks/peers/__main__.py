"""Prints one table a network."""

from __future__ import annotations

import argparse
import datetime
import functools
import warnings

import torch

from tests.benchmarks import peers
from tests.benchmarks.networks import NETWORKS
from tests.benchmarks.peers.table import COLUMNS, lines
from tests.benchmarks.timing import machine


def main() -> None:
    """Prints one table a network."""
    parser = argparse.ArgumentParser(description=peers.__doc__)
    parser.add_argument("methods", nargs="*")
    parser.add_argument("--network", choices=NETWORKS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--agreement", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{machine()}, {datetime.date.today()}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    columns = [*COLUMNS, "correlation"] if chosen.agreement else COLUMNS
    for name in NETWORKS if chosen.network is None else [chosen.network]:
        cases = [
            case for case in peers.CASES
            if name in case.networks and (not chosen.methods or case.method in chosen.methods)
        ]  # fmt: skip
        built = functools.cache(lambda build: build().to(device))
        print(f"\n{name}\n\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
        for case in cases:
            for cells in lines(case, built(case.networks[name]), device, chosen.repeats):
                print(f"| {' | '.join(cells[: len(columns)])} |", flush=True)


if __name__ == "__main__":
    main()
