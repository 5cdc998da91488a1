"""Peak memory of integrated gradients, RISE and LIME for few and for many evaluations.

    python -m tests.benchmarks.memory

Each case runs in a process of its own; what is printed is the peak above an idle process that has
loaded the network and run one pass.
"""

from __future__ import annotations

import resource
import subprocess
import sys

from nbxplain import explain
from tests.benchmarks.networks import efficientnet, picture
from tests.benchmarks.timing import machine

CASES: dict[str, tuple[str, dict[str, int]]] = {
    "idle": ("gradient", {}),
    "integrated gradients, 50 steps": ("integrated_gradients", {"steps": 50}),
    "integrated gradients, 1024 steps": ("integrated_gradients", {"steps": 1024}),
    "RISE, 64 masks": ("rise", {"masks": 64}),
    "RISE, 2048 masks": ("rise", {"masks": 2048}),
    "LIME, 64 samples": ("lime", {"samples": 64}),
    "LIME, 2048 samples": ("lime", {"samples": 2048}),
}


def peak(case: str) -> int:
    """Peak resident memory, in MB, of a process that ran the case."""
    method, parameters = CASES[case]
    explain(efficientnet(), picture(), method, progress=False, **parameters)  # type: ignore[arg-type]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Runs every case in its own process and prints the peaks."""
    print(machine())
    idle = None
    for case in CASES:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.memory", case],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        total = int(done.stdout.split()[-1])
        idle = total if idle is None else idle
        print(f"{case:36} {total:6} MB   +{total - idle} MB", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(peak(sys.argv[1]))
    else:
        main()
