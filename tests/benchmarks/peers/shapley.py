"""Rows of Shapley values: the regions of a grid as players, within a budget of evaluations.

Methods that no peer has stand beside the peers that estimate the same values from as many
evaluations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import captum.attr as captum
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from torch import Tensor, nn

from tests.benchmarks.loops import BATCH
from tests.benchmarks.peers.case import SIDE, TARGET, Case, Peer, grid

BUDGET = 200
MANY = grid()
FEW = grid(2, 4)
"""Eight regions, of which there are 256 coalitions."""


def game(model: nn.Module, x: Tensor, regions: Tensor) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Which regions are there (n, P) -> scores (n,)."""
    labels = regions[0, 0].to(x.device)

    def scores(present: NDArray[Any]) -> NDArray[Any]:
        there = torch.as_tensor(present > 0.5, device=x.device)
        with torch.no_grad():
            parts = [
                model(x * part[:, labels].unsqueeze(1))[:, TARGET] for part in there.split(BATCH)
            ]
        return torch.cat(parts).double().cpu().numpy()

    return scores


def of_shap(
    explain: Callable[[Any, NDArray[Any], NDArray[Any]], Any], regions: Tensor = MANY
) -> Peer:
    """A call of shap: the game, nobody (1, P) and everybody (1, P) -> values, as a map."""

    def call(model: nn.Module, x: Tensor) -> Any:
        players = int(regions.max()) + 1
        nobody, everybody = np.zeros((1, players)), np.ones((1, players))
        values = explain(game(model, x, regions), nobody, everybody)
        return np.asarray(values).reshape(-1)[regions[0].numpy()]

    return call


def kernel(scores: Any, nobody: NDArray[Any], everybody: NDArray[Any]) -> Any:
    """It does not count the empty and the full coalition, and adds a lasso unless told not to."""
    import shap

    explainer = shap.KernelExplainer(scores, nobody, silent=True)
    return explainer.shap_values(everybody, nsamples=BUDGET - 2, l1_reg=0, silent=True)


def permutation(scores: Any, nobody: NDArray[Any], everybody: NDArray[Any]) -> Any:
    import shap

    explainer = shap.PermutationExplainer(scores, nobody, seed=0)
    return explainer(everybody, max_evals=BUDGET, silent=True).values


def partition(scores: Any, nobody: NDArray[Any], everybody: NDArray[Any]) -> Any:
    """Groups by Ward's clustering of the regions' places, as ours, which looks at colours too."""
    import shap

    places = np.indices((SIDE, SIDE)).reshape(2, -1).T
    masker = shap.maskers.Partition(nobody, clustering=linkage(places, "ward"))
    explainer = shap.PartitionExplainer(scores, masker)
    return explainer(everybody, max_evals=BUDGET, batch_size=BATCH, silent=True).values


def exact(scores: Any, nobody: NDArray[Any], everybody: NDArray[Any]) -> Any:
    import shap

    return shap.ExactExplainer(scores, nobody)(everybody, silent=True).values


def captum_kernel(model: nn.Module, x: Tensor) -> Tensor:
    return captum.KernelShap(model).attribute(
        x, target=TARGET, feature_mask=MANY.to(x.device), n_samples=BUDGET
    )


def captum_sampling(model: nn.Module, x: Tensor) -> Tensor:
    """An order of the players takes as many evaluations as there are players."""
    return captum.ShapleyValueSampling(model).attribute(
        x, target=TARGET, feature_mask=MANY.to(x.device), n_samples=BUDGET // SIDE**2
    )


KERNELS: dict[str, Peer] = {"captum Kernel": captum_kernel, "shap Kernel": of_shap(kernel)}


def within_budget(method: str, peers: dict[str, Peer]) -> Case:
    return Case(
        method, BUDGET, False, peers, {"regions": MANY[0, 0], "budget": BUDGET},
        f"{SIDE**2} regions, {BUDGET} evaluations",
    )  # fmt: skip


CASES = [
    Case(
        "exact_shapley", 256, False, {"shap Exact": of_shap(exact, FEW)},
        {"regions": FEW[0, 0]}, "8 regions, 256 evaluations",
    ),
    within_budget("shapley", KERNELS),
    within_budget("odd_shap", KERNELS),
    within_budget("kernel_shap", KERNELS),
    within_budget("leverage_shap", KERNELS),
    within_budget(
        "permutation_shapley",
        {"captum Sampling": captum_sampling, "shap Permutation": of_shap(permutation)},
    ),
    within_budget("partition_shap", {"shap Partition": of_shap(partition)}),
]  # fmt: skip
