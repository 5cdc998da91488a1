"""Counterfactual rows against dice-ml and a Wachter loop: breast cancer, ten features, 20 units.

    python -m tests.benchmarks.counterfactual [--queries N] [--slow N] [--threads N] [--no-gradient]

Everybody is asked for 4 rows (the loop for one) that make the same malignant rows benign, and is
measured by one rule: see tests/dice.py. The engines that take a minute a row get `--slow` queries.
Seconds are of the whole call, ours with reading the background, dice-ml's without; CPU seconds are
those of all threads, and hardly depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import datetime
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import Tensor, nn

from nbxplain.counterfactuals import counterfactuals
from tests.benchmarks.timing import machine
from tests.dice import Dice, Rows, measured

K, BENIGN = 4, 1
HEAD = (
    "| engine | queries | seconds a query | CPU seconds | validity | proximity | sparsity "
    "| diversity |"
)


class Network(nn.Module):
    """20 units on rows scaled to 0..1, which dice-ml's gradient engine asks for."""

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.units = nn.Sequential(nn.Linear(rows.shape[1], 20), nn.ReLU(), nn.Linear(20, 1))
        self.register_buffer("low", rows.amin(0))
        self.register_buffer("span", rows.amax(0) - rows.amin(0))

    def forward(self, rows: Tensor) -> Tensor:
        """Two scores (N, 2) of rows as they are."""
        score = self.units((rows - self.low) / self.span)
        return torch.cat([torch.zeros_like(score), score], 1)

    def scaled(self) -> nn.Module:
        """The same as the probability (N, 1) of benign, for scaled rows."""
        return nn.Sequential(self.units, nn.Sigmoid())

    def predict_proba(self, rows: Any) -> Any:
        """As an estimator of scikit-learn would say it."""
        with torch.no_grad():
            return self(torch.as_tensor(np.asarray(rows, np.float32))).softmax(1).numpy()

    def predict(self, rows: Any) -> Any:
        return self.predict_proba(rows).argmax(1)


def trained(rows: Tensor, answers: Tensor) -> Network:
    """Full-batch Adam; 93 % of the rows are told right."""
    torch.manual_seed(0)
    network = Network(rows)
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(400):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(rows), answers).backward()
        optimiser.step()
    return network.eval()


def wachter(network: Network, query: Rows, scale: Tensor, steps: int = 1000) -> Rows:
    """One row by Adam on lambda (p - 1)^2 + L1/MAD, lambda bisected ten times, as alibi has it."""
    row = torch.as_tensor(query).float()
    low, high, weight, best = 0.0, float("inf"), 0.1, row
    nearest = float("inf")
    for _ in range(10):
        change = torch.zeros_like(row).requires_grad_()
        optimiser, reached, still = torch.optim.Adam([change], 0.1), False, 0
        for _ in range(steps):
            other = row + change * scale
            share = network(other[None]).softmax(1)[0, BENIGN]
            distance = change.abs().sum()
            if float(share) > 0.5:
                reached = True
                still = 0 if float(distance) < nearest else still + 1
                if float(distance) < nearest:
                    nearest, best = float(distance), other.detach()
            if still > 50:
                break
            optimiser.zero_grad()
            (weight * (share - 1) ** 2 * 100 + distance).backward()
            optimiser.step()
        low, high = (low, weight) if reached else (weight, high)
        weight = (low + high) / 2 if high < float("inf") else weight * 10
    return best[None].double().numpy()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--slow", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-gradient", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(chosen.threads)
    data = load_breast_cancer()
    names = [str(name) for name in data.feature_names[:10]]
    rows = torch.tensor(data.data[:, :10]).float()
    network = trained(rows, torch.tensor(data.target))
    known = rows.double().numpy()
    queries = known[network.predict(known) == 0][: chosen.queries]
    scale = (rows - rows.median(0).values).abs().median(0).values
    print(f"{machine()}, {datetime.date.today()}\n\n{HEAD}\n|---|---|---|---|---|---|---|---|")

    def ours(some: Rows, search: Any, **more: Any) -> list[Rows]:
        result = counterfactuals(
            network, torch.as_tensor(some).float(), BENIGN, background=known, k=K, search=search,
            feature_names=names, **more,
        )  # fmt: skip
        return list(result.rows.double().numpy())

    def line(name: str, some: Rows, find: Callable[[Rows], list[Rows]]) -> None:
        started, worked = time.perf_counter(), time.process_time()
        found = find(some)
        pace = (time.perf_counter() - started) / len(some)
        work = (time.process_time() - worked) / len(some)
        worth = measured(network, some, found, BENIGN, known)
        cells = [
            name, str(len(some)), f"{pace:.4f}", f"{work:.4f}", f"{worth.validity:.3f}",
            f"{worth.proximity:.2f}", f"{worth.sparsity:.2f}", f"{worth.diversity:.2f}",
        ]  # fmt: skip
        print("| " + " | ".join(cells) + " |", flush=True)

    ours(queries[:1], "gradient")
    for search in ("gradient", "genetic", "nearest"):
        line(f"ours, {search}", queries, lambda some, s=search: ours(some, s))  # type: ignore[misc]
        line(
            f"ours, {search}, one at a time",
            queries,
            lambda some, s=search: [ours(row[None], s)[0] for row in some],  # type: ignore[misc]
        )
    for engine in ("random", "genetic", "kdtree"):
        peer = Dice(engine, network, known, data.target, names)
        line(f"dice-ml, {engine}", queries, lambda some, p=peer: p.find(some, BENIGN, K))  # type: ignore[misc]
    few = queries[: chosen.slow]
    line("Wachter's loop", few, lambda some: [wachter(network, row, scale) for row in some])
    if not chosen.no_gradient:
        peer = Dice("gradient", network.scaled(), known, data.target, names)
        line("dice-ml, gradient", few, lambda some: peer.find(some, BENIGN, K))
    held = ours(queries, "gradient", immutable=names[:2])
    asked = torch.as_tensor(queries).float().double().numpy()
    same = all((found[:, :2] == row[:2]).all() for found, row in zip(held, asked, strict=True))
    print(f"\nimmutable features are the same bit for bit: {'yes' if same else 'NO'}")


if __name__ == "__main__":
    main()
