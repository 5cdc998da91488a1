"""Parts taken away: against scores that are known by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.background import Background
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.core.target import Target
from nbxplain.evaluation.removal import absence, remove
from nbxplain.methods.base import make
from tests.models import cnn, picture

X = torch.tensor([[2.0, 3.0, 5.0]])
FEATURES = torch.arange(3)
FIRST = Target((0,), (-1,))


class Sums(nn.Module):
    """10 + 4 a - b + 2 c, and its negative."""

    def forward(self, x: Tensor) -> Tensor:
        score = 10 + x @ x.new_tensor([4, -1, 2])
        return torch.stack([score, -score], 1)


class Products(nn.Module):
    """a b + c, and zero."""

    def forward(self, x: Tensor) -> Tensor:
        score = x[:, 0] * x[:, 1] + x[:, 2]
        return torch.stack([score, 0 * score], 1)


def test_an_additive_model_has_no_interaction() -> None:
    found = remove(ModelAdapter(Sums()), X, FIRST, FEATURES, [0, 1], torch.zeros(1, 3))
    assert (found.before, found.after) == (25, 20)
    assert found.singles == [8, -3]
    assert found.interaction == 0


def test_a_product_falls_with_either_factor() -> None:
    # Without a, without b, and without both the product is 0: each drop is 6, so is the joint one.
    found = remove(ModelAdapter(Products()), X, FIRST, FEATURES, [0, 1], torch.zeros(1, 3))
    assert (found.before, found.after) == (11, 5)
    assert found.singles == [6, 6]
    assert found.interaction == -6


def test_factors_that_are_replaced_by_ones() -> None:
    # a b: 6 -> 3 without a, 2 without b, 1 without both; 5 - (3 + 4) = -2.
    found = remove(ModelAdapter(Products()), X, FIRST, FEATURES, [1, 0], torch.ones(1, 3))
    assert found.players == [1, 0]
    assert found.singles == [4, 3]
    assert found.interaction == -2


def test_one_part_has_no_interaction_and_none_changes_nothing() -> None:
    adapter = ModelAdapter(Products())
    one = remove(adapter, X, FIRST, FEATURES, [2], torch.zeros(1, 3))
    assert (one.drop, one.singles, one.interaction) == (5, [5], None)
    none = remove(adapter, X, FIRST, FEATURES, [], torch.zeros(1, 3))
    assert (none.drop, none.singles, none.interaction) == (0, [], None)


def test_scores_are_averaged_over_the_samples() -> None:
    absent = torch.tensor([[0.0, 0, 0], [4, 0, 0]])
    found = remove(ModelAdapter(Products()), X, FIRST, FEATURES, [0], absent)
    assert found.after == 5 + (0 * 3 + 4 * 3) / 2
    assert found.removed[:, 0].tolist() == [5, 17]
    assert found.input.tolist() == [[2, 3, 5]]


def test_a_group_of_features_goes_together() -> None:
    labels = torch.tensor([0, 0, 1])
    found = remove(ModelAdapter(Products()), X, FIRST, labels, [0], torch.zeros(1, 3))
    assert (found.before, found.after, found.interaction) == (11, 5, None)


def test_all_channels_of_a_region_go_and_nothing_else() -> None:
    x, labels = picture(), torch.zeros(16, 16, dtype=torch.long)
    labels[4:8, 2:5] = 1
    adapter, absent = ModelAdapter(cnn()), torch.full((1, 3, 16, 16), 0.25)
    found = remove(adapter, x, FIRST, labels, [1], absent)
    expected = x.clone()
    expected[:, :, 4:8, 2:5] = 0.25
    assert torch.equal(found.input, expected)
    assert found.after == pytest.approx(float(cnn()(expected).detach()[0, 0]), abs=1e-6)
    assert found.before == pytest.approx(float(cnn()(x).detach()[0, 0]), abs=1e-6)


def test_the_model_is_asked_once() -> None:
    calls = []

    class Counting(Products):
        def forward(self, x: Tensor) -> Tensor:
            calls.append(len(x))
            return super().forward(x)

    adapter = ModelAdapter(Counting())
    remove(adapter, X, FIRST, FEATURES, [0, 1, 2], torch.zeros(2, 3))
    assert calls == [1 + 2 * 4], "intact, all removed and each alone, for both samples"


@pytest.mark.parametrize("players", [[3], [0, -1]])
def test_a_part_that_is_not_there_is_refused(players: list[int]) -> None:
    with pytest.raises(InputError, match="no part"):
        remove(ModelAdapter(Sums()), X, FIRST, FEATURES, players, torch.zeros(1, 3))


def test_absence_is_that_of_the_method() -> None:
    inputs = ModelAdapter(cnn()).read(picture())
    cpu = torch.device("cpu")
    white = make("integrated_gradients", baseline="white")
    assert torch.equal(absence(white, inputs, cpu), torch.ones(1, 3, 16, 16))
    both = make("integrated_gradients", baseline=(Baseline.white(), Baseline.black()))
    assert absence(both, inputs, cpu).flatten(1).mean(1).tolist() == [1, 0]
    assert absence(make("gradient"), inputs, cpu).any().item() is False
    rows = torch.rand(5, 3, 16, 16)
    shap = make("deep_shap", background=Background.batch(rows))
    assert torch.allclose(absence(shap, inputs, cpu), rows)
