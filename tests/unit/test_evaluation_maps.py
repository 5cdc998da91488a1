"""Faithfulness, robustness, stability, sparseness, agreement and localisation of maps.

Against linear models, for which the answers are known, and Quantus' definitions as float64 loops.
"""

from __future__ import annotations

from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import torch
from scipy.stats import pearsonr
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ExplanationError, InputError, MethodError
from nbxplain.core.inputs import read
from nbxplain.core.passes import Passes
from nbxplain.core.pixels import PixelSpace
from nbxplain.evaluation import (
    Case,
    agreement,
    average_drop,
    infidelity,
    infidelity_steps,
    max_sensitivity,
    pointing_game,
    rank_correlation,
    sensitivity_n,
    sparseness,
    ssim,
    stability,
    stability_steps,
    top_overlap,
)
from nbxplain.evaluation.similarity import hog_correlation
from nbxplain.evaluation.steadiness import jpeg
from nbxplain.explain import ask
from nbxplain.methods.base import make
from tests import digits
from tests.models import CLASSES, Function, Quadratic, cnn, linear, picture
from tests.unit.test_rules import normal


def weights(target: int = 1) -> Tensor:
    """Of the linear model, (1, 3, 16, 16)."""
    weight: Tensor = linear()[1].weight[target].detach()  # type: ignore[index,union-attr]
    return weight.view(1, 3, 16, 16)


# Infidelity.


def test_contributions_of_a_linear_model_foretell_every_change() -> None:
    x = picture()
    terms = weights() * x
    found = infidelity(linear(), x, terms, target=1)
    assert found.score == pytest.approx(0, abs=1e-9)
    assert found.share == pytest.approx(1, abs=1e-6)
    assert found.verdict == "good"
    assert infidelity(linear(), x, 3 * terms, target=1).share == pytest.approx(1, abs=1e-6)
    worst = infidelity(linear(), x, -terms, target=1)
    assert worst.share == 0
    assert worst.verdict == "poor"
    random = infidelity(linear(), x, terms.std() * normal(1, 3, 16, 16), target=1)
    assert worst.score > random.score > found.score
    assert random.share < 0.5


def test_slopes_of_a_linear_model_foretell_noise() -> None:
    x = picture()
    found = infidelity(linear(), x, "gradient", target=1, perturbation="noise")
    assert found.score == pytest.approx(0, abs=1e-9)
    double = infidelity(linear(), x, 2 * weights(), target=1, perturbation="noise")
    # Twice the slope is wrong by the change itself.
    assert double.score == pytest.approx(float(found.happened.square().mean()), rel=1e-4)
    assert double.share == pytest.approx(1, abs=1e-6)


def test_infidelity_is_the_mean_over_the_inputs_that_were_fed() -> None:
    """Yeh's formula, from the perturbed inputs that reached the model, in float64."""
    x, values, fed = picture(), normal(1, 3, 16, 16), []
    model = cnn().double()

    def watch(given: Tensor) -> Tensor:
        fed.append(given.detach().double().clone())
        return cnn()(given)

    found = infidelity(
        Function(watch), x, values, target=2, perturbation="noise", draws=5, chunk=5, noise=0.3
    )
    perturbed = fed[-1]
    assert perturbed.shape == (5, 3, 16, 16)
    moves = x.double() - perturbed
    foretold = (moves * values.double()).flatten(1).sum(1)
    happened = (model(x.double()) - model(perturbed))[:, 2].detach()
    expected = float((foretold - happened).square().mean())
    assert found.score == pytest.approx(expected, rel=1e-3)


def test_coarse_maps_keep_their_proportions_in_infidelity() -> None:
    """A model that looks at quarters is foretold by a map of 2 x 2 cells, at its best scale."""
    quarters = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    field = quarters.repeat_interleave(8, 0).repeat_interleave(8, 1)
    model = Function(lambda x: (x * field).flatten(1).sum(1, keepdim=True))
    found = infidelity(model, torch.ones(1, 1, 16, 16), quarters, cells=4)
    assert found.share > 0.9


def test_equal_scores_cannot_tell() -> None:
    flat = Function(lambda x: torch.ones(len(x), 3) + 0 * x.flatten(1).sum(1, keepdim=True))
    for found in (
        infidelity(flat, picture(), normal(16, 16)),
        sensitivity_n(flat, picture(), normal(16, 16), draws=4),
    ):
        assert np.isnan(found.score)
        assert found.verdict == "plain"
        assert found.reading.startswith("cannot tell")


# Sensitivity-n.


def test_a_linear_model_has_sensitivity_n_of_one_for_every_size() -> None:
    x = picture(2)
    terms = weights() * x
    found = sensitivity_n(linear(), x, terms, target=1, draws=8, cells=8)
    np.testing.assert_allclose(found.correlations, 1, atol=1e-4)
    assert found.sizes[0] == pytest.approx(1 / 64)
    assert found.sizes[-1] == pytest.approx(0.8, abs=0.01)
    negative = sensitivity_n(linear(), x, -terms, target=1, draws=8, cells=8)
    assert negative.score == pytest.approx(-1, abs=1e-4)
    assert negative.verdict == "poor"


def test_sensitivity_n_of_table_rows() -> None:
    model = nn.Linear(6, 2)
    x = normal(3, 6)
    terms = model.weight[1].detach() * x
    assert sensitivity_n(model, x, terms, target=1).score == pytest.approx(1, abs=1e-4)


def test_sensitivity_n_is_the_correlation_over_the_inputs_that_were_fed() -> None:
    """Ancona's formula from the masks that reached the model, pixel by pixel, in float64."""
    x, values, fed = picture() + 0.1, normal(16, 16), []

    def watch(given: Tensor) -> Tensor:
        fed.append(given.detach().double().clone())
        return cnn()(given)

    found = sensitivity_n(
        Function(watch), x, values, target=2, sizes=2, draws=6, cells=16, chunk=12
    )
    masked, model = fed[-1], cnn().double()
    assert len(masked) == 12
    gone = (masked == 0).all(1)
    counts = gone.flatten(1).sum(1)
    happened = (model(x.double()) - model(masked))[:, 2].detach()
    for i, size in enumerate((1, 205)):
        rows = counts == size
        assert int(rows.sum()) == 6
        foretold = (gone[rows] * values.double()).flatten(1).sum(1)
        expected = pearsonr(foretold, happened[rows]).statistic
        assert float(found.correlations[0, i]) == pytest.approx(expected, abs=2e-3)


# Max-sensitivity.


def test_the_gradient_of_a_linear_model_never_moves() -> None:
    found = max_sensitivity(linear(), picture(2), "gradient", target=1)
    assert found.score == pytest.approx(0, abs=1e-6)
    assert found.verdict == "good"


def test_max_sensitivity_of_a_quadratic_is_that_of_its_inputs() -> None:
    """The gradient is w x, so that the change is |move| / |x|; no value leaves the radius."""
    x, fed = picture() + 1, []

    class Watched(Quadratic):
        def forward(self, x: Tensor) -> Tensor:
            fed.append(x.detach().clone())
            return super().forward(x)

    found = max_sensitivity(Watched(), x, "gradient", target=2, radius=0.1, draws=6)
    moves = torch.cat([f for f in fed if not torch.equal(f[:1], x)]) - x
    span = float(x.max() - x.min())
    assert float(moves.abs().max()) <= 0.1 * span * 1.0001
    assert float(moves.abs().max()) > 0.09 * span
    shares = moves.flatten(1).norm(dim=1) / x.norm()
    assert found.score == pytest.approx(float(shares.max()), rel=1e-4)
    assert found.changes.shape == (1, 6)


def test_a_zero_map_cannot_tell() -> None:
    flat = Function(lambda x: torch.ones(len(x), 3) + 0 * x.flatten(1).sum(1, keepdim=True))
    found = max_sensitivity(flat, picture(), "gradient")
    assert np.isnan(found.score)
    assert found.reading.startswith("cannot tell")
    assert np.isnan(sparseness(flat, picture(), "gradient").score)


# Sparseness.


def quantus_sparseness(a: Any) -> float:
    """The definition of Quantus 0.6, without the 1e-7 that it adds."""
    a = np.sort(np.abs(np.asarray(a, dtype=np.float64).ravel()))
    n = len(a)
    return float(np.sum((2 * np.arange(1, n + 1) - n - 1) * a) / (n * np.sum(a)))


def test_sparseness_is_the_gini_index() -> None:
    x = picture(3)
    values = normal(3, 16, 16)
    found = sparseness(cnn(), x, values)
    np.testing.assert_allclose(found.gini, [quantus_sparseness(v) for v in values], rtol=1e-5)
    one = torch.zeros(16, 16)
    one[3, 4] = -2
    assert sparseness(cnn(), picture(), one).score == pytest.approx(255 / 256)
    assert sparseness(cnn(), picture(), torch.ones(16, 16)).score == pytest.approx(0, abs=1e-9)
    # Half of the places share all: by hand 1/2.
    half = torch.zeros(16, 16)
    half[:8] = 1
    assert sparseness(cnn(), picture(), half).score == pytest.approx(0.5)


# Stability.


def test_a_linear_models_gradient_is_stable_and_does_not_spread() -> None:
    found = stability(linear(), picture(2), "gradient", target=1, draws=2)
    assert set(found.similarity) == {"noise", "JPEG"}
    assert found.score == pytest.approx(1)
    assert float(found.spread.abs().max()) < 1e-6
    assert "is stable" in found.reading


def test_seeds_are_varied_where_a_method_has_one() -> None:
    x = picture()
    method = make("smoothgrad", samples=2, noise=0.5, seed=7)
    found = stability(cnn(), x, method, target=1, draws=3, qualities=())
    maps = [
        explain(cnn(), x, method, target=1, seed=seed, progress=False).values.sum(1)
        for seed in (8, 9, 10)
    ]
    own = explain(cnn(), x, method, target=1, progress=False).values.sum(1)
    expected = [rank_correlation(own[0], m[0]) for m in maps]
    assert found.similarity["seed"] == pytest.approx(expected, abs=1e-3)
    assert len(found.similarity["noise"]) == 3


def test_the_spread_is_the_standard_deviation_over_all_variants() -> None:
    x = picture()
    steps = list(stability_steps(_case(Quadratic(), x, "gradient"), draws=3, qualities=()))
    assert [s.done for s in steps] == [1, 2, 3]
    # The gradient is the input times 2; its noise has a deviation of 2 % of the range.
    spread = float(steps[-1].spread.mean())
    expected = 2 * 0.02 * float(x.max() - x.min()) * 3**0.5
    assert spread == pytest.approx(expected * 0.77, rel=0.25)  # four values, one without noise


def test_the_target_does_not_flip_with_the_noise() -> None:
    """Both scores are equal on average: under noise the predicted class would come and go."""
    edge = Function(lambda x: torch.stack([x.flatten(1).mean(1), 1 - x.flatten(1).mean(1)], 1))
    x = picture() - picture().mean() + 0.5
    found = stability(edge, x, "gradient", draws=6, noise=0.2, qualities=())
    assert np.isnan(found.score)  # the gradient is constant, of one sign or the other
    assert float(found.spread.abs().max()) < 1e-9


def test_jpeg_is_that_of_the_picture() -> None:
    space = PixelSpace((0.5, 0.4, 0.3), (0.2, 0.2, 0.2))
    smooth = torch.linspace(0, 1, 24).expand(3, 24, 24)
    inputs = read(space.to_model(smooth), None)
    inputs.view = inputs.pixels = space
    again = space.to_pixels(jpeg(inputs, 95).tensor[0])
    torch.testing.assert_close(again, smooth, atol=0.05, rtol=0)
    assert not torch.equal(again, smooth)
    worse = space.to_pixels(jpeg(inputs, 10).tensor[0])
    assert float((worse - smooth).abs().mean()) > float((again - smooth).abs().mean())
    grey = jpeg(read(picture()[:, :1], None), 90).tensor
    assert grey.shape == (1, 1, 16, 16)


def test_stability_of_table_rows() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    found = stability(model, normal(2, 6), "gradient", draws=2)
    assert set(found.similarity) == {"noise"}
    assert isinstance(found.figure(), matplotlib.figure.Figure)


# Agreement.


def test_agreement_is_the_matrix_of_rank_correlations() -> None:
    x = digits.data()[2][:3]
    names = ["gradient", "input_x_gradient", "guided_backprop"]
    found = agreement(digits.network(), x, names)
    attributions = [explain(digits.network(), x, name) for name in names]
    for i, a in enumerate(attributions):
        for j, b in enumerate(attributions):
            for matrix, measure in (
                (found.rank, rank_correlation),
                (found.overlap, top_overlap),
                (found.ssim, ssim),
            ):
                pairs = [measure(a.heatmap(k), b.heatmap(k)) for k in range(3)]
                assert matrix[i][j] == pytest.approx(float(np.mean(pairs)), abs=1e-3)
    off = [found.rank[i][j] for i in range(3) for j in range(i)]
    assert found.score == pytest.approx(float(np.mean(off)))
    assert found.names == ("Gradient", "Input × Gradient", "Guided Backprop")


def test_maps_of_ones_own_agree_with_themselves() -> None:
    values = normal(16, 16)
    found = agreement(cnn(), picture(), [values, values])
    assert found.score == pytest.approx(1)
    assert found.verdict == "good"
    opposed = agreement(cnn(), picture(), [values, -values])
    assert opposed.score == pytest.approx(-1)
    assert "do not agree" in opposed.reading
    constant = agreement(cnn(), picture(), [values, torch.ones(16, 16)])
    assert constant.value == "cannot tell"


def test_ssim_and_hog_of_equal_and_opposed_maps() -> None:
    a = normal(24, 24)
    assert ssim(a, 5 * a + 2) == pytest.approx(1)
    assert ssim(a, -a) < 0.3
    assert np.isnan(ssim(a, torch.ones(24, 24)))
    assert np.isnan(ssim(a[:2, :2], a[:2, :2]))
    assert hog_correlation(a, a) == pytest.approx(1)
    edge = torch.zeros(24, 24)
    edge[:, 12:] = 1
    assert hog_correlation(edge, edge.T) < 0.5
    assert np.isnan(hog_correlation(a[:4, :4], a[:4, :4]))


# Localisation.


def mask(top: int, bottom: int, left: int, right: int) -> Tensor:
    found = torch.zeros(16, 16, dtype=torch.bool)
    found[top:bottom, left:right] = True
    return found


def test_localisation_by_hand() -> None:
    values = torch.zeros(16, 16)
    values[2, 3], values[10, 10], values[4, 4] = 5.0, 3.0, -9.0
    inside = mask(0, 8, 0, 8)
    found = pointing_game(cnn(), picture(), values, inside)
    assert found.score == 1
    assert float(found.energy) == pytest.approx(5 / 8)
    assert float(found.area) == 0.25
    assert found.focus == pytest.approx(2.5)
    assert found.verdict == "good"
    # The two highest places: one of them is inside, of 64 that the mask has.
    one = pointing_game(cnn(), picture(), values, inside, top=2 / 256)
    assert float(one.iou) == pytest.approx(1 / 65)
    outside = pointing_game(cnn(), picture(), -values, inside)
    assert outside.score == 1
    assert float(outside.energy) == 1
    assert pointing_game(cnn(), picture(), values, mask(8, 16, 8, 16)).score == 0


def test_a_perfect_map_overlaps_fully() -> None:
    inside = mask(3, 9, 5, 12)
    found = pointing_game(cnn(), picture(), inside.float() + 0.01 * normal(16, 16), inside)
    assert float(found.iou) == 1


def test_tolerance_boxes_and_ties() -> None:
    values = torch.zeros(16, 16)
    values[4, 10] = 1
    box = [2, 2, 8, 8]
    assert pointing_game(cnn(), picture(), values, box).score == 0
    assert pointing_game(cnn(), picture(), values, box, tolerance=2).score == 0
    assert pointing_game(cnn(), picture(), values, box, tolerance=3).score == 1
    values[4, 4] = 1
    assert pointing_game(cnn(), picture(), values, box).score == 0.5
    several = pointing_game(cnn(), picture(2), values.expand(2, 16, 16), [box, [9, 0, 16, 16]])
    assert several.hit.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("check", [infidelity, sensitivity_n])
def test_constant_maps_foretell_nothing(check: Any) -> None:
    found = check(cnn(), picture(), torch.ones(16, 16), cells=14)
    assert np.isnan(found.score)
    assert found.verdict == "plain"
    assert found.reading.startswith("cannot tell")


def test_constant_maps_cannot_point() -> None:
    found = pointing_game(cnn(), picture(), torch.ones(16, 16), mask(0, 8, 0, 8))
    assert found.value == "cannot tell"
    assert found.verdict == "plain"


def test_a_mask_of_everything_tells_nothing() -> None:
    everywhere = mask(0, 16, 0, 16)
    found = pointing_game(cnn(), picture(), "gradient", everywhere)
    assert (found.value, found.verdict) == ("cannot tell", "plain")
    both = pointing_game(cnn(), picture(2), "gradient", [[0, 0, 16, 16], [0, 0, 8, 8]])
    assert both.hit.isnan().tolist() == [True, False]


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (torch.ones(8, 8, dtype=torch.bool), "shape"),
        (torch.ones(3, 16, 16, dtype=torch.bool), "shape"),
        (torch.zeros(16, 16, dtype=torch.bool), "empty"),
        ([0, 0, 20, 8], "inside"),
        ([8, 0, 4, 8], "inside"),
    ],
)
def test_masks_of_the_wrong_size(wrong: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        pointing_game(cnn(), picture(), "gradient", wrong)


# Average drop.


def test_average_drop_by_hand() -> None:
    """One channel, score the sum; the map shows half of the picture in full, a quarter at half."""
    model = Function(lambda x: x.flatten(1).sum(1, keepdim=True))
    x = torch.ones(2, 1, 16, 16)
    values = torch.zeros(2, 16, 16)
    values[0, :8], values[0, 8:12] = 4.0, 2.0
    values[1, :, :4], values[1, :, 4:] = -3.0, 1.0
    found = average_drop(model, x, values)
    assert found.intact.tolist() == [256, 256]
    assert found.left.tolist() == pytest.approx([128 + 32, 192])
    assert found.score == pytest.approx((0.375 + 0.25) / 2)
    assert found.increase == 0
    bright = average_drop(model, x, values, fill="baseline", unit="score")
    assert bright.left.tolist() == pytest.approx(found.left.tolist())


def test_increase_counts_what_rises() -> None:
    field = torch.ones(16, 16)
    field[8:] = -1
    model = Function(lambda x: (x * field).flatten(1).sum(1, keepdim=True) + 10)
    found = average_drop(model, torch.ones(1, 1, 16, 16), field)
    assert found.increase == 1
    assert found.score == 0


# All of them.


def _case(model: nn.Module, x: Tensor, method: str) -> Case:
    adapter = ModelAdapter(model)
    setting = ask(adapter, adapter.read(x), 1)
    attribution = explain(model, x, method, target=1)
    return Case.of(attribution, setting, lambda: Passes(adapter, chunk=4))


def test_chunks_do_not_matter() -> None:
    x = picture(2)
    for check in (infidelity, sensitivity_n):
        found = [
            check(cnn(), x, "gradient", target=1, draws=6, chunk=chunk).score
            for chunk in (1, 5, None)
        ]
        assert found == pytest.approx([found[0]] * 3, rel=1e-3, abs=1e-6)


def test_steps_grow() -> None:
    steps = list(infidelity_steps(_case(cnn(), picture(), "gradient"), draws=20))
    assert len(steps) == 5
    assert steps[-1].complete
    assert [int(s.happened.isfinite().sum()) for s in steps] == [4, 8, 12, 16, 20]


def test_the_model_is_left_as_it_was() -> None:
    model = cnn().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x = picture()
    for check in (infidelity, sensitivity_n, max_sensitivity, stability):
        check(model, x, "gradient", draws=3)
    average_drop(model, x, "grad_cam")
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    "found",
    [
        lambda: infidelity(cnn(), picture(), "gradient", draws=4),
        lambda: sensitivity_n(cnn(), picture(), "gradient", draws=4),
        lambda: max_sensitivity(cnn(), picture(), "gradient", draws=2),
        lambda: stability(cnn(), picture(), "gradient", draws=2),
        lambda: sparseness(cnn(), picture(), "grad_cam"),
        lambda: agreement(cnn(), picture(), ["gradient", "grad_cam"]),
        lambda: pointing_game(cnn(), picture(), "gradient", mask(0, 8, 0, 8)),
        lambda: average_drop(cnn(), picture(), "grad_cam"),
    ],
)
def test_every_check_draws_and_says_what_it_found(found: Any) -> None:
    check = found()
    assert isinstance(check.figure(width="single", caption=False), matplotlib.figure.Figure)
    assert check._repr_png_()[:4] == b"\x89PNG"
    assert check.reading
    assert check.finding().value == check.value
    assert repr(check).startswith(f"<{check.label}")


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: stability(cnn(), picture(), normal(16, 16)), MethodError, "again"),
        (lambda: stability(cnn(), picture(), "gradient", draws=0), InputError, "nothing"),
        (lambda: stability(cnn(), picture(), "gradient", noise=0.0), InputError, "nothing"),
        (
            lambda: stability(cnn(), picture(), "gradient", qualities=(101,)),
            InputError,
            "JPEG quality",
        ),
        (lambda: max_sensitivity(cnn(), picture(), normal(16, 16)), MethodError, "again"),
        (lambda: max_sensitivity(cnn(), picture(), "gradient", radius=0), InputError, "radius"),
        (lambda: agreement(cnn(), picture(), ["gradient"]), InputError, "two"),
        (lambda: infidelity(cnn(), picture(), "gradient", draws=1), InputError, "two"),
        (lambda: sensitivity_n(cnn(), picture(), "gradient", draws=2), InputError, "three"),
        (
            lambda: pointing_game(nn.Linear(4, CLASSES), torch.rand(1, 4), "gradient", [0]),
            InputError,
            "table",
        ),
    ],
)
def test_bad_input(call: Any, error: type[ExplanationError], match: str) -> None:
    with pytest.raises(error, match=match):
        call()
