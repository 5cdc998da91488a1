"""ROAR and KAR: the controls, the places that go, and the outcome of the paper on the digits."""

from __future__ import annotations

from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import torch
from torch import Tensor, nn

import nbxplain
from nbxplain.core.errors import ExplanationError, InputError, ModelError
from nbxplain.evaluation.retraining import Retraining, roar_steps
from tests import digits
from tests.unit.test_rules import normal


class Telling(nn.Module):
    """Knows the class by the sign of the first feature and by nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 0.0, 0.0, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        score = x @ self.weight
        return torch.stack([-score, score], 1)


def toy(count: int = 60) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x = normal(2 * count, 4) + torch.tensor([0.0, 1.0, 2.0, 3.0])
    y = (x[:, 0] > 0).long()
    return x[:count], y[:count], x[count:], y[count:]


def seen(**options: Any) -> tuple[Retraining, list[tuple[Tensor, Tensor, int]]]:
    calls: list[tuple[Tensor, Tensor, int]] = []

    def train(x: Tensor, y: Tensor, seed: int) -> nn.Module:
        calls.append((x, y, seed))
        return Telling()

    found = nbxplain.roar(train, toy(), ["gradient"], (0.25, 0.5), seeds=2, **options)
    return found, calls


def test_what_is_trained_on() -> None:
    """Of four features the best is replaced by its mean in the training set, then the best two."""
    x, y, *_ = toy()
    found, calls = seen(absolute=True)
    assert found.names == ("Gradient", "random", "uniform")
    assert len(calls) == found.total == 2 * (1 + 3 * 2)
    assert torch.equal(calls[0][0], x)
    assert all(torch.equal(call[1], y) for call in calls)
    assert [call[2] for call in calls] == [0] * 7 + [1] * 7
    quarter = calls[1][0]
    torch.testing.assert_close(quarter[:, 0], x[:, 0].mean().expand(60))
    assert torch.equal(quarter[:, 1:], x[:, 1:])
    half = (calls[2][0] != x).sum(1)
    assert half.tolist() == [2] * 60
    random, uniform = calls[3][0] != x, calls[5][0] != x
    assert random.sum(1).tolist() == uniform.sum(1).tolist() == [1] * 60
    assert bool((uniform == uniform[0]).all())
    assert not bool((random == random[0]).all())
    # Without its only feature the toy guesses, with it it never errs.
    assert found.intact.tolist() == [1, 1]
    assert float(found.accuracy[0].max()) < 0.8


def test_the_maps_of_a_table_are_against_its_background() -> None:
    """The score is the sum of two features near 1 and 10; against 9 the first is the farther."""
    x = torch.stack([torch.full((8,), 1.0), torch.arange(10.0, 18.0) / 8 + 9], 1)
    y, calls = torch.arange(8) % 2, []

    def train(x: Tensor, y: Tensor, seed: int) -> nn.Module:
        calls.append(x)
        model = nn.Linear(2, 1, bias=False)
        nn.init.ones_(model.weight)
        return model

    usual = torch.tensor([[9.0, 9.0], [9.0, 9.0]])
    data, options = (x, y, x, y), {"absolute": True, "background": usual, "progress": False}
    nbxplain.roar(train, data, ["integrated_gradients"], (0.5,), seeds=1, **options)
    assert torch.equal(calls[1][:, 1], x[:, 1]), "the baseline is zero"


def test_keeping_is_the_opposite() -> None:
    x, *_ = toy()
    found, calls = seen(kind="keep", absolute=True)
    quarter = calls[1][0]
    assert torch.equal(quarter[:, 0], x[:, 0])
    assert bool((quarter[:, 1:] == x[:, 1:].mean(0)).all())
    assert found.accuracy[0].flatten().tolist() == [1] * 4
    assert found.gain["Gradient"] > 0.1
    assert "above the random control" in found.reading


def test_pictures_lose_whole_pixels() -> None:
    x = normal(6, 3, 8, 8)
    calls: list[Tensor] = []

    class Flat(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1)[:, :3] * 2

    def train(x: Tensor, y: Tensor, seed: int) -> nn.Module:
        calls.append(x)
        return Flat()

    y = torch.zeros(6, dtype=torch.long)
    nbxplain.roar(train, (x, y, x, y), ["gradient"], (0.25,), seeds=1)
    gone = calls[2] != x  # the random control
    assert bool((gone == gone[:, :1]).all())
    assert gone[:, 0].flatten(1).sum(1).tolist() == [16] * 6
    torch.testing.assert_close(
        calls[2][gone].view(6, 3, 16)[0, :, 0], x.mean((0, 2, 3)), rtol=1e-4, atol=1e-6
    )


def test_the_digits_show_what_the_paper_shows() -> None:
    """What contributes to the score is missed more than random places; what the gradient ranks
    highest, often pixels that are black in every picture, is missed less."""
    found = nbxplain.roar(
        digits.train_rows, digits.rows(), ["input_x_gradient", "gradient"], (0.1, 0.2), seeds=3
    )
    assert float(found.intact.min()) > 0.93
    assert found.gain["Input × Gradient"] > 0
    assert found.sigmas["Input × Gradient"] > 2
    assert found.gain["Gradient"] < 0
    assert found.gain["uniform"] < 0
    assert "Input × Gradient beats random" in found.reading
    assert "Gradient does not beat random" in found.reading


def test_gains_and_errors_by_hand() -> None:
    accuracy = torch.tensor(
        [[[0.5, 0.7]], [[0.8, 0.8]], [[0.9, 0.8]]]  # a method, random, uniform; one fraction
    )
    found = Retraining(
        ("A", "random", "uniform"), (0.5,), accuracy, torch.tensor([1.0, 1.0]), "remove"
    )
    assert found.mean[:, 0].tolist() == pytest.approx([0.6, 0.8, 0.85])
    assert float(found.error[0, 0]) == pytest.approx(0.1)
    assert found.gain["A"] == pytest.approx(0.2)
    assert found.sigmas["A"] == pytest.approx(2.0)
    assert "A beats random: +20.0 points" in found.reading
    kept = Retraining(found.names, (0.5,), accuracy, found.intact, "keep")
    assert kept.gain["A"] == pytest.approx(-0.2)
    assert "does not beat random" in kept.reading
    assert isinstance(found.figure(), matplotlib.figure.Figure)
    equal = Retraining(found.names, (0.5,), torch.ones(3, 1, 2), found.intact, "remove")
    assert equal.reading.startswith("cannot tell")
    assert np.isnan(equal.sigmas["A"])


def test_steps_are_trainings() -> None:
    def train(x: Tensor, y: Tensor, seed: int) -> nn.Module:
        return Telling()

    steps = list(roar_steps(train, toy(), ["gradient"], (0.5,), 1))
    assert [s.done for s in steps] == [1, 2, 3, 4]
    assert "trainings" in steps[0].reading
    assert bool(steps[-1].accuracy.isfinite().all())


@pytest.mark.parametrize(
    ("result", "dataset", "options", "error", "match"),
    [
        (None, toy(), {}, ModelError, "NoneType"),
        (Telling(), toy()[:3], {}, InputError, "four parts"),
        (Telling(), (*toy()[:2], torch.rand(3, 5), torch.zeros(3)), {}, InputError, "tested"),
        (Telling(), (toy()[0], toy()[1][:5], *toy()[2:]), {}, InputError, "60 inputs"),
        (Telling(), toy(), {"methods": []}, InputError, "cannot be empty"),
        (Telling(), toy(), {"methods": ["gradient"] * 2}, InputError, "twice"),
        (Telling(), toy(), {"fractions": (0.5, 1.0)}, InputError, "not a share"),
        (Telling(), toy(), {"methods": ["gradiant"]}, ExplanationError, "gradient"),
    ],
)
def test_bad_input(
    result: Any, dataset: Any, options: dict[str, Any], error: type[ExplanationError], match: str
) -> None:
    given = {"methods": ["gradient"], "fractions": (0.5,), **options}
    with pytest.raises(error, match=match):
        nbxplain.roar(lambda x, y, seed: result, dataset, seeds=1, **given)
