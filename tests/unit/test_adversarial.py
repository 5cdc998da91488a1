"""Adversarial probes: exact on linear models, inside their ball, and ordered on a trained one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from nbxplain.adversarial import apgd, deep_fool, fgsm, pgd, robustness_curve, smallest_epsilon
from nbxplain.adversarial.attacks import checkpoints
from nbxplain.core.errors import InputError, MethodError, TargetError
from nbxplain.core.inputs import Preprocessing
from tests.models import ModuleRelu, picture, seeded
from tests.snapshot import snapshot


class Line(nn.Module):
    """One score, w.x + b: negative is class 0."""

    def __init__(self, weights: list[float], bias: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(weights, dtype=torch.float64))
        self.b = bias

    def forward(self, x: Tensor) -> Tensor:
        score: Tensor = x.flatten(1) @ self.w + self.b
        return score


@pytest.fixture
def line() -> Line:
    """The exact case of the definition: w = (2, -1, .5), and s = -2 at the origin."""
    return Line([2.0, -1.0, 0.5], -2.0)


ORIGIN = torch.zeros(1, 3, dtype=torch.float64)


@pytest.mark.parametrize(("norm", "exact"), [("l2", 0.8729), ("linf", 0.5714)])
def test_smallest_change_of_a_linear_model(line: Line, norm: Any, exact: float) -> None:
    result = smallest_epsilon(line, ORIGIN, norm=norm, largest=4, tolerance=0.002)
    assert float(result.epsilon[0]) == pytest.approx(exact, rel=0.005)
    assert bool(result.best.success.all())
    fooled = deep_fool(line, ORIGIN, norm=norm)
    assert float(fooled.sizes[0, 0]) == pytest.approx(1.02 * exact, rel=1e-3)


@pytest.mark.parametrize("attack", [fgsm, pgd, apgd])
def test_linear_models_are_pushed_to_the_corner(line: Line, attack: Any) -> None:
    result = attack(line, ORIGIN, [0.3, 0.7])
    for number, epsilon in enumerate((0.3, 0.7)):
        expected = epsilon * line.w.detach().sign()
        torch.testing.assert_close(result.pixels[0, number], expected)
    assert result.success.tolist() == [[False, True]]


def test_fgsm_towards_a_class_goes_the_other_way() -> None:
    model = Line([2.0, -1.0, 0.5], 2.0)
    result = fgsm(model, ORIGIN, 1.0, truth=1, toward=0)
    torch.testing.assert_close(result.pixels[0, 0], -model.w.detach().sign())
    assert bool(result.success.all())
    with pytest.raises(TargetError, match="already"):
        fgsm(model, ORIGIN, 1.0, toward=1)


def test_nothing_is_found_where_nothing_is(line: Line) -> None:
    result = smallest_epsilon(line, ORIGIN, norm="linf", largest=0.5)
    assert result.epsilon.tolist() == [float("inf")]
    assert result.best.notices[-1] == "1 of 1 inputs were not changed within 0.5."


def test_the_smallest_change_is_drawn_with_its_own_size(line: Line) -> None:
    """The second row is half as far from the boundary as the first; the median is neither."""
    rows = torch.cat([ORIGIN, torch.tensor([[0.5, 0.0, 0.0]], dtype=torch.float64)])
    result = smallest_epsilon(line, rows, norm="linf", largest=4, tolerance=0.002)
    for row, exact in ((0, 2 / 3.5), (1, 1 / 3.5)):
        (axis,) = result.figure(row).axes
        assert float(axis.get_title(loc="left").split()[-1]) == pytest.approx(exact, rel=0.01)
        changes = [bar.get_width() for bar in axis.patches]
        np.testing.assert_allclose(changes, exact * line.w.detach().sign(), rtol=0.01)


def test_a_picture_changed_least_is_drawn_beside_the_input() -> None:
    figure = smallest_epsilon(seeded(ModuleRelu), picture(), norm="linf").figure()
    assert len(figure.axes) == 4


@pytest.mark.parametrize("attack", [fgsm, pgd, apgd])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_changes_stay_in_the_ball_and_in_the_box(attack: Any, norm: Any) -> None:
    model = seeded(ModuleRelu).eval()
    x = picture(3).sigmoid()
    before = snapshot(model)
    options = {} if attack is fgsm else {"steps": 7}
    result = attack(model, x, [0.0, 0.05, 0.5], norm=norm, **options)
    assert snapshot(model) == before
    assert float(result.pixels.min()) >= 0
    assert float(result.pixels.max()) <= 1
    assert bool((result.sizes <= result.epsilon + 1e-5).all())
    torch.testing.assert_close(result.pixels[:, 0], x)
    torch.testing.assert_close(result.tensor, result.pixels)


@pytest.mark.parametrize("attack", [pgd, apgd])
def test_a_batch_of_epsilons_equals_one_by_one(attack: Any) -> None:
    model, x = seeded(ModuleRelu).double(), picture(2).sigmoid().double()
    first = attack(model, x, [0.02, 0.1], steps=5)
    assert torch.equal(first.pixels, attack(model, x, [0.02, 0.1], steps=5).pixels)


def test_epsilon_is_in_pixels_whatever_the_normalisation() -> None:
    class Normalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = seeded(ModuleRelu).double()

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.net(x * 0.25 + 0.4)
            return out

    channels = picture(1).shape[1]
    space = Preprocessing(8, 8, mean=(0.4,) * channels, std=(0.25,) * channels)
    x = picture(2).sigmoid().double()
    plain = fgsm(seeded(ModuleRelu).double(), x, 0.1)
    fed = fgsm(Normalised(), (x - 0.4) / 0.25, 0.1, preprocess=space)
    torch.testing.assert_close(fed.pixels, plain.pixels)


@pytest.fixture(scope="module")
def digits() -> tuple[nn.Module, Tensor, Tensor]:
    """A small network that reads digits, and digits that it has not seen."""
    x, y = load_digits(return_X_y=True)
    data = torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    truth = torch.tensor(y)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(),
        nn.Linear(128, 10),
    )  # fmt: skip
    optimiser = torch.optim.Adam(model.parameters(), 0.003)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(data[:1300]), truth[:1300]).backward()
        optimiser.step()
    return model.eval(), data[1300:1500], truth[1300:1500]


def test_attacks_are_ordered_on_a_trained_network(digits: Any) -> None:
    model, x, truth = digits
    epsilons = [0.0, 0.05, 0.1, 0.2]
    curves = {
        name: robustness_curve(model, x, epsilons, truth=truth, attack=name)
        for name in ("fgsm", "pgd", "apgd")
    }
    clean = float((model(x).argmax(1) == truth).double().mean())
    for curve in curves.values():
        assert float(curve.accuracy[0]) == pytest.approx(clean)
        assert bool((curve.accuracy.diff() <= 0).all())
        assert not curve.flags
    assert bool((curves["pgd"].accuracy <= curves["fgsm"].accuracy).all())
    assert bool((curves["apgd"].accuracy <= curves["fgsm"].accuracy).all())
    assert float(curves["apgd"].accuracy[2]) < float(curves["apgd"].random[2]) - 0.3
    assert len(curves["apgd"].figure().axes) == 1


def test_masked_gradients_are_flagged(digits: Any) -> None:
    class Masked(nn.Module):
        """Rounds its input: no gradient, but no safety either."""

        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.model((4 * x).round() / 4 + 0 * x)
            return scores

    model, x, truth = digits
    curve = robustness_curve(Masked(model), x, [0.3], truth=truth, steps=3)
    assert any("no gradient" in flag for flag in curve.flags)


def test_the_smallest_epsilon_is_no_larger_than_deep_fool_finds(digits: Any) -> None:
    model, x, truth = digits
    fooled = deep_fool(model, x[:20], truth=truth[:20])
    assert bool(fooled.success.all())
    found = smallest_epsilon(model, x[:20], truth=truth[:20], steps=30)
    assert bool(found.best.success.all())
    assert float((found.epsilon - 1.05 * fooled.sizes[:, 0]).median()) <= 0
    torch.testing.assert_close(found.best.sizes[:, 0], found.epsilon)


def test_the_map_moves_with_the_picture(digits: Any) -> None:
    model, x, _ = digits
    result = fgsm(model, x[:1], [0.0, 0.3])
    shift = result.attribution_shift("gradient")
    assert float(shift[0]) == pytest.approx(1)
    assert float(shift[1]) < 1
    assert "not an explanation" in result.summary()
    assert len(result.figure().axes) == 6


def test_bad_input(line: Line) -> None:
    with pytest.raises(MethodError, match="no size"):
        fgsm(line, ORIGIN, -0.1)
    with pytest.raises(MethodError, match="norm"):
        fgsm(line, ORIGIN, 0.1, norm="l7")  # type: ignore[arg-type]
    with pytest.raises(MethodError, match="steps"):
        pgd(line, ORIGIN, 0.1, steps=0)
    with pytest.raises(MethodError, match="attack"):
        robustness_curve(line, ORIGIN, [0.1], attack="magic")
    with pytest.raises(TargetError, match="2 labels"):
        fgsm(line, ORIGIN, 0.1, truth=[0, 1])
    for wrong in ({"target": 1}, {"toward": 1}):
        with pytest.raises(MethodError, match="toward= "):
            robustness_curve(line, ORIGIN, [0.1], **wrong)


@pytest.mark.parametrize("row", [1, -1])
def test_a_row_that_is_not_there(line: Line, row: int) -> None:
    found = smallest_epsilon(line, ORIGIN, largest=4)
    with pytest.raises(InputError, match=rf"no row {row}: there is one. Give 0"):
        found.figure(row)
    with pytest.raises(InputError, match=f"no row {row}"):
        found.best.figure(row=row)
    with pytest.raises(InputError, match=f"no row {row}"):
        found.best.attribution_shift("gradient", row)


def test_checkpoints_are_those_of_the_paper() -> None:
    """Croce and Hein: for 100 steps 22, 41, 57, 70, 80, 87, 93, 99."""
    assert sorted(checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]
