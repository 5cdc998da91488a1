"""Uncertainty: exact formulas, members that are fixed networks, maps put back in place."""

from __future__ import annotations

from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ExplanationError, InputError, ModelError
from nbxplain.core.inputs import read
from nbxplain.core.passes import Passes
from nbxplain.evaluation import Case, augmentation, ensemble, mc_dropout, mc_dropout_steps
from nbxplain.evaluation.members import Draw, Moves, Thinned
from nbxplain.evaluation.similarity import rank_correlation
from nbxplain.explain import ask
from tests import digits
from tests.models import Function, Trained, cnn, linear, picture, seeded
from tests.unit.test_rules import normal


class Thin(nn.Module):
    """w . dropout(x)."""

    def __init__(self, p: float, functional: bool = False) -> None:
        super().__init__()
        self.head, self.drop, self.functional = (
            nn.Linear(8, 1, bias=False),
            nn.Dropout(p),
            functional,
        )

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(x, self.drop.p, self.training) if self.functional else self.drop(x)
        scores: Tensor = self.head(x)
        return scores


# MC dropout.


@pytest.mark.parametrize("p", [0.1, 0.5])
@pytest.mark.parametrize("functional", [False, True])
def test_the_variance_of_a_linear_model(p: float, functional: bool) -> None:
    """p / (1 - p) sum w^2 x^2, and the mean is the output without dropout."""
    model, x = seeded(lambda: Thin(p, functional)), normal(2, 8)
    found = mc_dropout(model, x, members=4000)
    terms = (model.head.weight.detach() * x).double()  # type: ignore[union-attr,operator]
    expected = p / (1 - p) * terms.square().sum(1)
    np.testing.assert_allclose(found.variance[:, 0], expected, rtol=0.1)
    sigma = (expected / 4000).sqrt()
    assert bool(((found.mean[:, 0] - terms.sum(1)).abs() < 4 * sigma).all())


def test_a_member_is_a_fixed_network() -> None:
    draw = Draw()
    model = Thinned(seeded(Trained), draw, seed=3)
    x = picture(3)
    draw.members = torch.tensor([5])
    together = model(x)
    assert torch.equal(together, model(x))
    for row in range(3):
        torch.testing.assert_close(model(x[row : row + 1])[0], together[row])
    draw.members = torch.tensor([5, 6, 5])
    mixed = model(x)
    torch.testing.assert_close(mixed[[0, 2]], together[[0, 2]])
    assert not torch.allclose(mixed[1], together[1])


def test_whole_channels_are_dropped_together() -> None:
    draw = Draw()
    model = Thinned(nn.Dropout2d(0.5).eval(), draw, seed=0)
    found = model(torch.ones(1, 64, 4, 4))
    assert bool(((found == 0) | (found == 2)).all())
    assert bool((found == found[:, :, :1, :1]).all())
    assert 16 < int((found[0, :, 0, 0] == 0).sum()) < 48


def test_dropout_is_unbiased_and_only_dropout_is_active() -> None:
    """Batch norm keeps its statistics, and the user's model stays in the mode it was in."""
    model = seeded(Trained).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plain = seeded(Trained)
    x = picture(2)
    found = mc_dropout(model, x, members=600)
    expected = plain(x).detach()
    sigma = (found.variance / 600).sqrt()
    # The head is linear in what is dropped.
    assert bool(((found.scores.double().mean(0) - expected).abs() < 5 * sigma).all())
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_chunks_and_seeds() -> None:
    x = picture(2)
    runs = [mc_dropout(seeded(Trained), x, members=6, chunk=chunk) for chunk in (None, 1)]
    torch.testing.assert_close(runs[0].scores, runs[1].scores, rtol=1e-4, atol=1e-6)
    other = mc_dropout(seeded(Trained), x, members=6, seed=1)
    assert not torch.allclose(other.scores, runs[0].scores)


def test_global_random_states_are_left_alone() -> None:
    before = torch.get_rng_state()
    mc_dropout(seeded(Trained), picture(), "gradient", members=3, maps=2)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("method", ["gradient", "grad_cam", "deep_lift"])
def test_maps_are_those_of_the_members(method: str) -> None:
    x = picture()
    options: dict[str, Any] = {"layer": "relu"} if method == "grad_cam" else {}
    found = mc_dropout(seeded(Trained), x, method, members=3, maps=3, target=1, seed=4, **options)
    assert found.maps.shape == (3, 1, 16, 16)
    draw = Draw()
    draw.members = torch.tensor([2])
    options = {"layer": "model.relu"} if options else {}
    alone = explain(Thinned(seeded(Trained), draw, 4), x, method, target=1, **options)
    torch.testing.assert_close(found.maps[2, 0], alone.heatmap(), rtol=1e-4, atol=1e-6)
    assert found.spread.shape == (1, 16, 16)


def test_a_model_without_dropout() -> None:
    with pytest.raises(ModelError, match="no dropout"):
        mc_dropout(cnn(), picture())
    with pytest.raises(ModelError, match="no dropout"):
        mc_dropout(seeded(lambda: Thin(0.0)), normal(1, 8))


def test_steps_say_predictions_first() -> None:
    model = seeded(Trained)
    adapter = ModelAdapter(model)
    setting = ask(adapter, adapter.read(picture()), 1)
    attribution = explain(model, picture(), "gradient", target=1)
    case = Case.of(attribution, setting, lambda: Passes(adapter))
    steps = list(mc_dropout_steps(case, members=4, maps=2))
    assert [s.done for s in steps] == sorted(s.done for s in steps)
    assert len(steps[0].maps) == 0
    assert steps[-1].complete
    assert len(steps[-1].maps) == 2


# Members and what they know.


def test_identical_members_have_no_mutual_information() -> None:
    for model in (cnn(), digits.network()):
        x = picture(2) if model is not digits.network() else digits.data()[2][:5]
        found = ensemble([model, model, model], x)
        assert bool((found.mutual_information == 0).all())
        assert found.score == 0
        assert found.agree == 1
        assert found.verdict == "good"


def test_mutual_information_by_hand_and_never_negative() -> None:
    """Two members, sure of different classes: one bit, all of it disagreement."""
    one, other = (
        Function(lambda x, s=s: torch.tensor([[50.0 * s, -50.0 * s]]).expand(len(x), -1))
        for s in (1, -1)
    )
    found = ensemble([one, other], picture())
    assert float(found.mutual_information) == pytest.approx(np.log(2))
    assert float(found.entropy) == pytest.approx(np.log(2))
    assert found.agree == 0.5
    assert found.verdict == "poor"
    unsure = Function(lambda x: torch.zeros(len(x), 2))
    same = ensemble([unsure, unsure], picture())
    assert float(same.entropy) == pytest.approx(np.log(2))
    assert float(same.mutual_information) == 0
    for seed in range(5):
        scores = 3 * normal(4, 3, 6, seed=seed)
        members = [Function(lambda x, s=s: s) for s in scores]
        mixed = ensemble(members, picture(3))
        assert bool((mixed.mutual_information >= 0).all())
        shares = scores.double().softmax(2)
        total = -(shares.mean(0) * shares.mean(0).log()).sum(1)
        within = -(shares * shares.log()).sum(2).mean(0)
        np.testing.assert_allclose(mixed.mutual_information, total - within, atol=1e-9)


def test_the_interval_holds_nine_tenths_of_the_members() -> None:
    found = mc_dropout(seeded(lambda: Thin(0.5)), normal(1, 8), members=500)
    low, high = found.interval
    inside = (found.values >= low) & (found.values <= high)
    assert float(inside.double().mean()) == pytest.approx(0.9, abs=0.01)


def test_an_ensemble_explains_the_class_of_the_mean() -> None:
    x = digits.data()[2][:4]
    models = [digits.network(), digits.train(*digits.data()[:2], 1, epochs=2)]
    found = ensemble(models, x, "gradient")
    shares = torch.stack([m(x).softmax(1) for m in models]).mean(0)
    target = shares.argmax(1).tolist()
    assert found.winners == target
    maps = [explain(m, x, "gradient", target=target).values.sum(1) for m in models]
    torch.testing.assert_close(found.maps, torch.stack(maps), rtol=1e-3, atol=1e-4)
    pairs = [rank_correlation(a, b) for a, b in zip(*maps, strict=True)]
    assert found.maps_agree == pytest.approx(float(np.mean(pairs)), abs=1e-3)
    asked = ensemble(models, x, "gradient", target=3)
    expected = explain(models[1], x, "gradient", target=3).values.sum(1)
    torch.testing.assert_close(asked.maps[1], expected, rtol=1e-3, atol=1e-4)


# Augmentation.


def test_what_moves_comes_back() -> None:
    inputs = read(picture(2), None)
    moves = Moves(inputs, shift=0.2, gain=0.0, seed=1)
    for member in range(6):
        seen = moves.apply(inputs.tensor, member)
        back = moves.undo(seen[:, 0], member)
        torch.testing.assert_close(back[:, 4:-4, 4:-4], inputs.tensor[:, 0, 4:-4, 4:-4])
    assert torch.equal(moves.apply(inputs.tensor, 0), inputs.tensor)
    assert len({moves._draw(m) for m in range(1, 8)}) == 7


def test_a_model_that_sees_the_mean_only_is_sure() -> None:
    model = Function(lambda x: torch.stack([x.mean((1, 2, 3)) * 0 + 2, x.mean((1, 2, 3)) * 0], 1))
    found = augmentation(model, picture(), members=4)
    assert found.score == pytest.approx(0, abs=1e-7)
    assert found.verdict == "good"


def test_maps_of_an_augmented_linear_model_are_put_back() -> None:
    """The gradient is the weight wherever the picture lies: put back, it is moved the other way."""
    found = augmentation(linear(), picture(), "gradient", target=1, members=3, maps=3, shift=0.2)
    weight = linear()[1].weight[1].detach().view(1, 3, 16, 16).sum(1)  # type: ignore[index,union-attr]
    moves = Moves(read(picture(), None), 0.2, 0.1, 0)
    for member in range(3):
        torch.testing.assert_close(found.maps[member], moves.undo(weight, member))
    assert isinstance(found.figure(), matplotlib.figure.Figure)


def test_reading_and_figure() -> None:
    found = mc_dropout(seeded(Trained), picture(), "grad_cam", members=5, maps=2)
    assert "5 members" in found.reading
    assert "mutual information" in found.reading
    assert "maps correlate" in found.reading
    assert isinstance(found.figure(), matplotlib.figure.Figure)
    one = mc_dropout(seeded(lambda: Thin(0.5)), normal(1, 8), members=5)
    assert one.verdict == "plain"
    assert "mutual" not in one.reading
    assert isinstance(one.figure(), matplotlib.figure.Figure)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ensemble([cnn()], picture()), InputError, "two models"),
        (lambda: ensemble(cnn(), picture()), InputError, "two models"),  # type: ignore[arg-type]
        (lambda: ensemble([cnn(), linear(), nn.Flatten()], picture()), ModelError, "same classes"),
        (lambda: mc_dropout(seeded(Trained), picture(), members=1), InputError, "two"),
        (lambda: augmentation(nn.Linear(4, 2), torch.rand(1, 4)), InputError, "table"),
    ],
)
def test_bad_input(call: Any, error: type[ExplanationError], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
