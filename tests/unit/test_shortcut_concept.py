"""A planted shortcut is found by its concept, and its removal is confirmed by the same test."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from nbxplain.concepts import ConceptScore, tcav

SIDE = 16
EXAMPLES = 30
OFTEN, RARELY, ALIKE = 0.95, 0.05, 0.5
"""Shares of pictures with a ruler."""


def pictures(kinds: Tensor, ruled: Tensor, seed: int) -> Tensor:
    """Faint stripes (N, 1, 16, 16) in noise, lying (kind 0) or standing (kind 1); where `ruled`,
    the ticks of a ruler along the lower edge."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    shift = torch.randint(0, 6, (len(kinds), 1, 1), generator=generator)
    across = torch.where((kinds == 1).view(-1, 1, 1), x, y)
    noise = 0.35 * torch.randn(len(kinds), SIDE, SIDE, generator=generator)
    made = (0.4 * ((across + shift) % 6 < 3) + noise).unsqueeze(1)
    made[ruled, :, -3:, ::2], made[ruled, :, -3:, 1::2] = 1.5, 0.0
    return made


def world(shares: tuple[float, float], count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pictures and their kinds; `shares` of kind 0 and of kind 1 have a ruler."""
    kinds = torch.arange(count) % 2
    chance = torch.rand(count, generator=torch.Generator().manual_seed(1000 + seed))
    return pictures(kinds, chance < torch.tensor(shares)[kinds], seed), kinds


def trained(shares: tuple[float, float], seed: int) -> nn.Module:
    x, y = world(shares, 600, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(16, 2),
        )  # fmt: skip
        optimiser = torch.optim.Adam(model.parameters(), 0.005)
        for _ in range(10):
            for batch in torch.randperm(len(x)).split(100):
                optimiser.zero_grad()
                nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
                optimiser.step()
    return model.eval()


def accuracy(model: nn.Module, shares: tuple[float, float]) -> float:
    x, y = world(shares, 400, 500)
    return float((model(x).argmax(1) == y).float().mean())


@dataclass
class Study:
    """A network that could take the shortcut, one that could not, and what the test says."""

    biased: nn.Module
    retrained: nn.Module

    def score(self, model: nn.Module) -> ConceptScore:
        """The ruler, against pictures of both kinds without one, for the class it was planted in;
        half of the class's pictures have it."""
        some = torch.arange(EXAMPLES)
        pool = torch.arange(5 * EXAMPLES)
        ruler = pictures(some % 2, some >= 0, 800)
        without = pictures(pool % 2, pool < 0, 900)
        shown = pictures(torch.ones(60), torch.arange(60) % 2 == 0, 700)
        found = tcav(
            model, {"ruler": ruler}, shown, 1, "1", random_sets=without, permutations=99
        )  # fmt: skip
        return found.of("ruler")


@pytest.fixture(scope="module", params=[0, 1, 2])
def study(request: pytest.FixtureRequest) -> Study:
    seed = int(request.param)
    return Study(trained((RARELY, OFTEN), seed), trained((ALIKE, ALIKE), seed))


def test_the_shortcut_was_taken(study: Study) -> None:
    assert accuracy(study.biased, (RARELY, OFTEN)) > 0.9
    assert accuracy(study.biased, (ALIKE, ALIKE)) < 0.9
    assert accuracy(study.retrained, (ALIKE, ALIKE)) > 0.95


def test_the_shortcut_is_found(study: Study) -> None:
    score = study.score(study.biased)
    assert score.significant, score.verdict
    assert score.score > 0.95
    assert score.q <= 0.02
    assert "towards" in score.verdict


def test_its_removal_is_confirmed(study: Study) -> None:
    """The retrained network still sees rulers, but they move it no more than chance would."""
    score = study.score(study.retrained)
    assert score.found, score.verdict
    assert not score.significant, score.verdict
    assert "no more than" in score.verdict
    assert abs(score.magnitude) < 0.5 * study.score(study.biased).magnitude
