"""captum.concept gives the same directions and scores when it is given the same classifier.

captum finds no sets and tests nothing, so it gets the sets that ours are drawn from, and, as its
classifier, scikit-learn in feature space, where ours solves from inner products.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum import concept as captum
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor, nn
from torch.utils.data import DataLoader

from nbxplain.concepts import ConceptScore, tcav
from nbxplain.concepts.directions import PENALTY, Estimator
from nbxplain.concepts.sets import draw

LAYER, RUNS, SIZE, POOL, TARGET = "layer", 4, 12, 40, 1

pytestmark = pytest.mark.filterwarnings("ignore:Setting (forward|backward):UserWarning")


class Network(nn.Module):
    """Bent above the layer, so that pictures differ in their derivatives."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 6, 3, stride=2)
        self.head = nn.Sequential(nn.Tanh(), nn.Flatten(), nn.Linear(6 * 7 * 7, 8), nn.Tanh())
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.out(self.head(self.layer(x)))
        return scores


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return Network().eval()


def noise(count: int, seed: int) -> Tensor:
    return torch.randn(count, 1, 16, 16, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def pictures(network: nn.Module) -> dict[str, Tensor]:
    concept = noise(SIZE, 1)
    concept[..., ::2] += 0.4
    others = noise(300, 3)
    shown = others[network(others).argmax(1) == TARGET][:30]
    return {"concept": concept, "pool": noise(POOL, 2), "shown": shown}


class Linear(captum.Classifier):
    """One of the estimators, fitted to the features themselves."""

    def __init__(self, estimator: Estimator) -> None:
        self.estimator = estimator

    def train_and_eval(self, dataloader: Any, **kwargs: Any) -> None:
        batches = list(dataloader)
        x = torch.cat([features for features, _ in batches]).double()
        sides = torch.cat([label for _, label in batches]) == 0  # the concept's id
        centred = x - (x[sides].mean(0) + x[~sides].mean(0)) / 2
        share = torch.where(sides, 0.5 / sides.sum(), 0.5 / (~sides).sum()).double()
        strength = PENALTY * float(share @ centred.square().sum(1))
        wanted, weight = np.where(sides, 1.0, -1.0), share.numpy()
        if self.estimator == "mean":
            found = (x[sides].mean(0) - x[~sides].mean(0)).numpy()
        elif self.estimator == "ridge":
            ridge = Ridge(strength, solver="svd").fit(x.numpy(), wanted, weight)
            found = ridge.coef_
        else:
            logistic = LogisticRegression(C=1 / strength, tol=1e-10, max_iter=10_000)
            found = logistic.fit(x.numpy(), wanted, weight).coef_[0]
        self.found = torch.from_numpy(found)

    def weights(self) -> Tensor:
        return torch.stack([self.found, -self.found])

    def classes(self) -> list[int]:
        return [0, 1]


def of_captum(
    network: nn.Module, pictures: dict[str, Tensor], estimator: Estimator, folder: Path
) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
    """Scores (runs,) and magnitudes (runs,), directions, and the random pictures of each run."""
    rows = torch.arange(SIZE), torch.arange(SIZE, SIZE + POOL)
    sets = draw(*rows, permutations=0, runs=RUNS, seed=0)
    chosen = [pictures["pool"][row[SIZE:] - SIZE] for row in sets.rows]
    shares, sizes, directions = [], [], []
    for run, against in enumerate(chosen):
        # captum knows activations by name alone: a second run would silently get the first one's.
        save = str(folder / str(run))
        peer = captum.TCAV(
            copy.deepcopy(network), LAYER, classifier=Linear(estimator), save_path=save
        )
        two = [
            captum.Concept(number, name, DataLoader(tensor, batch_size=5))
            for number, (name, tensor) in enumerate(
                (("concept", pictures["concept"]), ("random", against))
            )
        ]
        (scores,) = peer.interpret(pictures["shown"], [two], target=TARGET).values()
        shares.append(scores[LAYER]["sign_count"][0])
        sizes.append(scores[LAYER]["magnitude"][0])
        (cavs,) = peer.cavs.values()
        directions.append(cavs[LAYER].stats["weights"][0])
    return torch.stack(shares), torch.stack(sizes), directions, chosen


@pytest.mark.parametrize("estimator", ["mean", "ridge", "logistic"])
def test_directions_and_scores(
    network: nn.Module, pictures: dict[str, Tensor], estimator: Estimator, tmp_path: Path
) -> None:
    result = tcav(
        network, {"concept": pictures["concept"]}, pictures["shown"], TARGET, LAYER,
        random_sets=pictures["pool"], estimator=estimator, space="cells",
        permutations=19, runs=RUNS,
    )  # fmt: skip
    ours: ConceptScore = result.of("concept")
    shares, sizes, directions, against = of_captum(network, pictures, estimator, tmp_path)
    assert 0 < float(shares.mean()) < 1, "all pictures agree: this would compare nothing"
    torch.testing.assert_close(ours.runs.float(), shares.float(), atol=1e-6, rtol=0)
    mean = nn.functional.normalize(torch.stack(directions).mean(0), dim=0)
    assert float(mean @ ours.direction.double()) > 0.9999
    torch.testing.assert_close(ours.direction, mean.float(), atol=1e-3, rtol=0)
    # Ours is over as far as the sides lie apart along the direction, theirs over its length.
    layer: Any = network.layer
    with torch.no_grad():
        ahead = layer(pictures["concept"]).flatten(1).mean(0).double()
        behind = [layer(pictures).flatten(1).mean(0).double() for pictures in against]
    apart = [
        float((ahead - b) @ w / w.square().sum()) for w, b in zip(directions, behind, strict=True)
    ]
    expected = float((sizes.double() * torch.tensor(apart)).mean())
    assert ours.magnitude == pytest.approx(expected, rel=1e-3)
