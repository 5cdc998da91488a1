"""Shapley values within a budget: how far from the exact ones, and how long they take.

    python -m tests.benchmarks.shapley            # all tables
    python -m tests.benchmarks.shapley accuracy   # without the network: the games are in games.npz

The error is the median over seeds of |estimate - exact|^2 / |exact|^2. Every estimator, also a
peer's, gets the same number of evaluations.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from captum.attr import KernelShap, ShapleyValueSampling
from numpy.typing import NDArray

from nbxplain import Regions, demo, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.inputs import read
from nbxplain.methods.shapley.additive import Additive
from nbxplain.methods.shapley.exact import shapley_values
from nbxplain.methods.shapley.pairs import kernel, leverage
from nbxplain.methods.shapley.permutation import Orders
from nbxplain.methods.shapley.posterior import Odd
from tests.benchmarks.games import Cached, load
from tests.benchmarks.networks import NETWORKS, picture
from tests.benchmarks.timing import machine, seconds

Floats = NDArray[np.float64]
Estimator = Callable[[Cached, int, int], Floats]
"""A game, a budget and a seed -> Shapley values (n,)."""

BUDGETS = 64, 128, 256, 512, 1024
SEEDS = 20


def ours(kind: str) -> Estimator:
    """One of our estimators on a game that is known."""

    def estimate(game: Cached, budget: int, seed: int) -> Floats:
        n, generator = game.players, np.random.default_rng(seed)
        design = {
            "odd_shap": lambda: Odd(n, budget, seed),
            "leverage_shap": lambda: Additive(n, budget, leverage, seed),
            "kernel_shap": lambda: Additive(n, budget, kernel, seed),
            "permutation_shapley": lambda: Orders(n, budget, lambda: generator.permutation(n)),
        }[kind]()
        values = game(design.coalitions)
        return design.estimate(values - values[0]).values

    return estimate


def shap_kernel(**options: Any) -> Estimator:
    """KernelExplainer, whose budget does not count the empty and the full coalition."""

    def estimate(game: Cached, budget: int, seed: int) -> Floats:
        import shap

        np.random.seed(seed)
        explainer = shap.KernelExplainer(
            lambda x: game(x > 0.5), np.zeros((1, game.players)), silent=True
        )
        one = np.ones((1, game.players))
        found = explainer.shap_values(one, nsamples=budget - 2, silent=True, **options)
        return np.asarray(found, float).reshape(-1)

    return estimate


def shap_permutation(game: Cached, budget: int, seed: int) -> Floats:
    import shap

    explainer = shap.PermutationExplainer(
        lambda x: game(x > 0.5), np.zeros((1, game.players)), seed=seed
    )
    found = explainer(np.ones((1, game.players)), max_evals=budget, silent=True)
    return np.asarray(found.values, float).reshape(-1)


def captum_kernel(game: Cached, budget: int, seed: int) -> Floats:
    torch.manual_seed(seed)
    model = KernelShap(lambda x: torch.from_numpy(game(x.numpy() > 0.5)))
    one = torch.ones(1, game.players)
    return model.attribute(one, n_samples=budget, perturbations_per_eval=64).double().numpy()[0]


def captum_sampling(game: Cached, budget: int, seed: int) -> Floats:
    torch.manual_seed(seed)
    model = ShapleyValueSampling(lambda x: torch.from_numpy(game(x.numpy() > 0.5)))
    one, orders = torch.ones(1, game.players), max(1, (budget - 1) // game.players)
    found = model.attribute(one, n_samples=orders, perturbations_per_eval=1)
    return found.double().numpy()[0]


ESTIMATORS: dict[str, Estimator] = {
    "odd_shap": ours("odd_shap"),
    "leverage_shap": ours("leverage_shap"),
    "kernel_shap": ours("kernel_shap"),
    "permutation_shapley": ours("permutation_shapley"),
    "shap Kernel, l1_reg=0": shap_kernel(l1_reg=0),
    "shap Kernel, default": shap_kernel(),
    "shap Permutation": shap_permutation,
    "captum KernelShap": captum_kernel,
    "captum ShapleyValueSampling": captum_sampling,
}


def error(game: Cached, estimator: Estimator, budget: int) -> float:
    """The median of the relative squared error over seeds."""
    every = (np.arange(len(game.values))[:, None] >> np.arange(game.players)) & 1 == 1
    truth = shapley_values(every, game.values - game.values[0])
    found = np.array([estimator(game, budget, seed) for seed in range(SEEDS)])
    return float(np.median(np.square(found - truth).sum(1)) / np.square(truth).sum())


def accuracy() -> None:
    """One table a game: estimators by budgets."""
    for name, game in load().items():
        print(f"\n#### {name}\n")
        print("| estimator | " + " | ".join(str(budget) for budget in BUDGETS) + " |")
        print("|---" * (1 + len(BUDGETS)) + "|")
        for label, estimator in ESTIMATORS.items():
            cells = [
                "exact" if budget >= len(game.values) else f"{error(game, estimator, budget):.2g}"
                for budget in BUDGETS
            ]
            print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


def pace(budget: int = 512) -> None:
    """Seconds per explanation of the cat, beside captum on the same regions."""
    network, cat = demo.network(), demo.pictures()["cat"]
    inputs = ModelAdapter(network).read(cat)
    regions = Regions.superpixels(19)
    labels = regions.labels_for(inputs, torch.device("cpu"))
    x, best = inputs.tensor, int(network(inputs.tensor).argmax())
    space = inputs.pixels
    assert space is not None
    black, mask = space.to_model(torch.zeros_like(x)), labels.unsqueeze(1)
    print(f"\n#### Seconds for {budget} evaluations\n\n| estimator | s |\n|---|---|")
    for name in ("odd_shap", "kernel_shap", "leverage_shap", "permutation_shapley"):
        took = seconds(
            lambda name=name: explain(
                network, cat, name, budget=budget, regions=regions, progress=False
            )
        )
        print(f"| {name} | {took:.2f} |", flush=True)
    options: Any = {"target": best, "baselines": black, "feature_mask": mask}
    took = seconds(lambda: KernelShap(network).attribute(x, n_samples=budget, **options))
    print(f"| captum KernelShap | {took:.2f} |", flush=True)
    orders = budget // int(mask.max() + 1)
    sampling = ShapleyValueSampling(network)
    took = seconds(lambda: sampling.attribute(x, n_samples=orders, **options))
    print(f"| captum ShapleyValueSampling | {took:.2f} |", flush=True)


def grid_pace(budget: int = 200) -> None:
    """Seconds for a 7 x 7 grid on ResNet-50, beside captum at several batch sizes."""
    model, x = NETWORKS["ResNet-50"]().eval(), picture()
    regions = Regions.grid(7, 7)
    options: Any = {
        "target": 285,
        "n_samples": budget,
        "feature_mask": regions.labels_for(read(x, None), x.device).unsqueeze(1),
    }
    print(f"\n#### ResNet-50, 7 x 7 cells, {budget} evaluations\n\n| estimator | s |\n|---|---|")

    def ours() -> object:
        return explain(
            model, x, "kernel_shap", target=285, budget=budget, regions=regions, progress=False
        )

    ours()  # measures the layouts, once per model
    print(f"| kernel_shap | {seconds(ours, 2):.2f} |", flush=True)
    for batch in (1, 4, 8, 16, 32):
        took = seconds(
            lambda batch=batch: KernelShap(model).attribute(
                x, perturbations_per_eval=batch, **options
            ),
            1,
        )
        print(f"| captum KernelShap, {batch} at a time | {took:.2f} |", flush=True)


def main() -> None:
    """Prints the tables that were asked for."""
    warnings.simplefilter("ignore")
    print(machine())
    wanted = sys.argv[1:] or ["accuracy", "pace", "grid"]
    if "accuracy" in wanted:
        accuracy()
    if "pace" in wanted:
        pace()
    if "grid" in wanted:
        grid_pace()


if __name__ == "__main__":
    main()
