"""Ablation, occlusion, RISE and LIME, against slow float64 loops and linear models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from skimage.transform import resize
from torch import Tensor, nn

from nbxplain import Baseline, ExplanationError, Regions, explain
from nbxplain.core.inputs import read
from nbxplain.methods.coalitions import BLOCK, Draws
from nbxplain.methods.perturbation import _Windows
from nbxplain.methods.rise import _Grids
from tests.models import CLASSES, Function, cnn, linear, picture

CPU = torch.device("cpu")
GRID = Regions.grid(4, 4)
FAMILY = ("feature_ablation", "occlusion", "rise", "lime")


def steps() -> nn.Module:
    """The model ML of the literature."""
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(3))
        model[1].weight.fill_(1.0)
        model[1].bias.copy_(torch.tensor([-10.0, 1, 1, 1]))
        model[3].weight.fill_(1.0)
        model[3].bias.copy_(torch.tensor([-1.0, 1]))
    return model.eval()


ROW = torch.tensor([[20.0, 50, 30]])


def contributions(x: Tensor, baseline: Tensor, target: int = 1) -> Tensor:
    """w (x - x') of each pixel (N, 1, H, W) in the linear model."""
    weight = linear()[1].weight[target].detach().view(3, 16, 16)  # type: ignore[index,union-attr]
    return (weight * (x - baseline)).sum(1, keepdim=True)


def cells(values: Tensor) -> Tensor:
    """Sums over the cells of GRID, painted back."""
    sums = torch.nn.functional.avg_pool2d(values, 4) * 16
    return sums.repeat_interleave(4, 2).repeat_interleave(4, 3)


# One by one.


def test_reference_case() -> None:
    result = explain(steps(), ROW, "feature_ablation", target=0)
    assert torch.equal(result.values, torch.tensor([[80.0, 200, 120]]))


def test_groups_of_features_are_left_out_together() -> None:
    result = explain(steps(), ROW, "feature_ablation", target=0, regions=[0, 0, 1])
    # 70 of 100 leave the first unit with 20 of 90, the others with 31 of 101 each.
    assert torch.equal(result.values, torch.tensor([[280.0, 280, 120]]))


@pytest.mark.parametrize("baseline", [Baseline(), Baseline.white(), Baseline.blur(3)])
def test_ablation_of_a_linear_model_is_the_sum_of_its_terms(baseline: Baseline) -> None:
    x = picture(3)
    result = explain(
        linear(), x, "feature_ablation", target=1, regions=GRID, baseline=baseline, progress=False
    )
    empty = baseline.tensor_for(read(x, None), CPU)
    torch.testing.assert_close(result.values, cells(contributions(x, empty)), rtol=1e-4, atol=1e-5)


def test_pictures_with_different_numbers_of_regions() -> None:
    x = picture(2)
    x[1] = 0.5
    x[1, :, :, 8:] = 0.9
    result = explain(cnn(), x, "feature_ablation", target=1, segments=30)
    counts = [len(row.unique()) for row in result.values]
    regions = Regions.superpixels(30)
    labels = regions.labels_for(read(x, None), CPU)
    assert result.total == sum(int(row.max()) + 1 for row in labels)
    assert counts[0] != counts[1]
    assert result.evidence["evaluations"] == [result.total + 2]


# Windows.


def occluded(x: Tensor, window: int, stride: int, fill: float) -> Tensor:
    model = cnn().double()
    x = x.double()
    sums, counts = torch.zeros(2, len(x), 1, *x.shape[2:], dtype=torch.double)
    tops, lefts = (
        range(0, size - window + stride, stride) if size > window else range(1)
        for size in x.shape[2:]
    )
    for top in tops:
        for left in lefts:
            changed = x.clone()
            inside = (
                slice(None),
                slice(None),
                slice(top, top + window),
                slice(left, left + window),
            )
            changed[inside] = fill
            loss = (model(x) - model(changed))[:, 2].detach()
            sums[inside] += loss.view(-1, 1, 1, 1)
            counts[inside] += 1
    assert bool((counts > 0).all())
    return (sums / counts).float()


@pytest.mark.parametrize(("window", "stride"), [(4, 4), (5, 3), (6, 1), (7, 5), (16, 2), (40, 9)])
@pytest.mark.parametrize("height", [16, 19])
def test_occlusion(window: int, stride: int, height: int) -> None:
    x = torch.cat([picture(2), picture(2, seed=1)], 2)[:, :, :height]
    result = explain(
        cnn(), x, "occlusion", target=2, window=window, stride=stride, baseline="white"
    )
    expected = occluded(x, window, stride, 1.0)
    torch.testing.assert_close(result.values, expected, rtol=1e-4, atol=1e-7)


def test_windows_may_not_leave_gaps() -> None:
    with pytest.raises(ExplanationError, match="gaps"):
        explain(cnn(), picture(), "occlusion", window=4, stride=5)


def test_first_windows_are_spread_over_the_picture() -> None:
    windows = _Windows(picture(side=64), 8, 8)
    quarters = windows.mask(torch.arange(8)).any(0)[0].view(2, 32, 2, 32).any(3).any(1)
    assert bool(quarters.all())
    everything = windows.mask(torch.arange(windows.count)).float().sum(0)
    assert bool((everything == 1).all())


# Random masks.


def test_rise_masks_are_those_of_the_paper() -> None:
    """A grid is resized to one cell more than the picture holds, and cropped at random."""
    x = torch.zeros(1, 3, 20, 30)
    masks = _Grids(x, 7, 0.5, seed=3).mask(torch.arange(5))
    draws = Draws(51, 3, CPU).take(torch.arange(5)).numpy()
    height, width = 3, 5  # of a cell: 20 / 7 and 30 / 7, rounded up
    for mask, draw in zip(masks[:, 0].numpy(), draws, strict=True):
        grid = (draw[:49] < 0.5).astype(float).reshape(7, 7)
        large = resize(grid, (8 * height, 8 * width), order=1, mode="edge", anti_aliasing=False)
        top, left = int(draw[49] * height), int(draw[50] * width)
        np.testing.assert_allclose(mask, large[top : top + 20, left : left + 30], atol=1e-5)


@pytest.mark.parametrize("probability", [0.3, 0.5])
def test_rise(probability: float) -> None:
    x, count = picture(2), 40
    masks = _Grids(x, 4, probability, seed=1).mask(torch.arange(count)).double()
    model = cnn().double()
    f = torch.stack([model(mask * x.double())[:, 1].detach() for mask in masks])
    shifted = masks.unsqueeze(1) - probability
    terms = (f - f.mean(0))[:, :, None, None, None] * shifted / probability
    result = explain(
        cnn(), x, "rise", target=1, masks=count, cells=4, probability=probability, seed=1
    )
    torch.testing.assert_close(result.values, terms.mean(0).float(), rtol=1e-4, atol=1e-7)
    error = terms.std(0) / count**0.5
    share = error.flatten(1).norm(dim=1) / terms.mean(0).flatten(1).norm(dim=1)
    torch.testing.assert_close(
        torch.tensor(result.evidence["standard_error"]), share.float(), rtol=1e-3, atol=0
    )


def test_rise_error_is_the_spread_over_seeds() -> None:
    x = picture()
    results = [
        explain(cnn(), x, "rise", target=1, masks=200, seed=seed, progress=False)
        for seed in range(30)
    ]
    values = torch.stack([result.values for result in results])
    spread = float(values.std(0).norm() / values.mean(0).norm())
    said = [result.evidence["standard_error"][0] for result in results]
    size = [float(result.values.norm() / values.mean(0).norm()) for result in results]
    reported = sum(s * v for s, v in zip(said, size, strict=True)) / len(said)
    assert reported == pytest.approx(spread, rel=0.15)


def test_rise_finds_the_only_pixels_that_matter() -> None:
    model = Function(lambda x: x[:, :, :8, :8].mean((1, 2, 3)).unsqueeze(1).expand(-1, CLASSES))
    values = explain(model, picture(), "rise", target=0, progress=False).values[0, 0]
    assert float(values[:6, :6].mean()) > 5 * float(values[10:, 10:].abs().mean())


# Linear fits.


@pytest.mark.parametrize("regression", ["ridge", "lasso"])
def test_lime_of_a_linear_model_is_exact(regression: str) -> None:
    x = picture(2)
    result = explain(
        linear(), x, "lime", target=1, regions=GRID, regression=regression, penalty=1e-6,
        samples=200, progress=False,
    )  # fmt: skip
    expected = cells(contributions(x, torch.zeros_like(x)))
    torch.testing.assert_close(result.values, expected, rtol=1e-3, atol=1e-4)
    assert min(result.evidence["local_fit"]) > 0.9999
    assert result.findings()[1].verdict == "good"


def test_lime_is_the_weighted_ridge_regression() -> None:
    x, count, width, penalty = picture(), 60, 0.3, 0.1
    z = (Draws(16, 5, CPU).take(torch.arange(count)) < 0.5).double()
    z[0] = 1
    kept = z.view(-1, 1, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    y = cnn().double()(kept * x.double())[:, 1].detach()
    away = 1 - z.sum(1) / (z.norm(dim=1) * 4)
    weight = torch.exp(-(away**2) / (2 * width**2))
    share = weight / weight.sum()
    centred, target = z - share @ z, y - share @ y
    left = (centred.T * share) @ centred + penalty / 4 * torch.eye(16)
    solved = torch.linalg.solve(left, centred.T @ (share * target))
    residual = target - centred @ solved
    result = explain(
        cnn(),
        x,
        "lime",
        target=1,
        regions=GRID,
        samples=count,
        width=width,
        penalty=penalty,
        seed=5,
    )
    torch.testing.assert_close(
        result.values[0, 0, ::4, ::4].flatten(), solved.float(), rtol=1e-3, atol=1e-6
    )
    agreement = 1 - float(share @ residual**2) / float(share @ target**2)
    assert result.evidence["local_fit"][0] == pytest.approx(agreement, rel=1e-3)


def test_lasso_leaves_few_and_at_the_largest_penalty_nothing() -> None:
    shown = [
        explain(
            cnn(),
            picture(),
            "lime",
            target=1,
            regions=GRID,
            regression="lasso",
            penalty=penalty,
            samples=100,
        ).values
        for penalty in (1e-3, 0.5, 1.0)
    ]
    kept = [int((values != 0).sum()) for values in shown]
    assert kept[0] > kept[1] > kept[2] == 0


def test_lime_says_that_a_product_is_not_additive() -> None:
    model = Function(lambda x: x.prod(1, keepdim=True).expand(-1, 2))
    result = explain(model, torch.ones(1, 6), "lime", target=0, progress=False)
    assert result.evidence["local_fit"][0] < 0.5
    assert [f.verdict for f in result.findings() if f.name == "local_fit"] == ["poor"]


def test_lime_error_is_the_spread_over_seeds() -> None:
    results = [
        explain(cnn(), picture(), "lime", target=1, regions=GRID, samples=200, seed=seed)
        for seed in range(30)
    ]
    values = torch.stack([result.values for result in results])
    spread = float(values.std(0).norm() / values.mean(0).norm())
    reported = sum(r.evidence["standard_error"][0] for r in results) / len(results)
    assert reported == pytest.approx(spread, rel=0.2)


# The engine.


def test_draws_depend_on_number_and_seed_alone() -> None:
    wide, narrow = Draws(40, 2, CPU), Draws(7, 2, CPU)
    together = wide.take(torch.arange(3 * BLOCK))
    assert torch.equal(narrow.take(torch.arange(3 * BLOCK)), together[:, :7])
    for numbers in (torch.tensor([BLOCK]), torch.arange(BLOCK - 3, BLOCK + 9), torch.arange(4)):
        assert torch.equal(wide.take(numbers), together[numbers])
    assert not torch.equal(Draws(40, 3, CPU).take(torch.arange(4)), together[:4])
    assert 0.49 < float(together.mean()) < 0.51


@pytest.mark.parametrize("count", [64, 640])
@pytest.mark.parametrize("name", ["rise", "lime"])
def test_memory_does_not_depend_on_the_number_of_masks(name: str, count: int) -> None:
    sizes: list[int] = []

    def note(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return x

    parameter = {"rise": "masks", "lime": "samples"}[name]
    model = nn.Sequential(Function(note), cnn())
    result = explain(
        model, picture(), name, target=1, chunk=16, progress=False, **{parameter: count}
    )
    assert max(sizes) == 16
    assert sum(sizes) >= count
    assert result.total == count


@pytest.mark.parametrize("name", FAMILY)
def test_baseline_is_what_is_seen_instead(name: str) -> None:
    """Where the picture is the baseline, leaving a part of it out changes nothing."""
    small: dict[str, Any] = {"rise": {"masks": 20}, "lime": {"samples": 20}}.get(name, {})
    x = picture()
    result = explain(cnn(), x, name, target=1, baseline=x, **small)
    assert float(result.values.abs().max()) < 1e-6


@pytest.mark.parametrize("name", ["rise", "occlusion"])
def test_tables_have_no_windows(name: str) -> None:
    with pytest.raises(ExplanationError, match="needs pictures"):
        explain(steps(), ROW, name, target=0)


@pytest.mark.parametrize("name", ["feature_ablation", "lime"])
def test_tables_equal_one_by_one(name: str) -> None:
    rows = torch.tensor([[20.0, 50, 30], [1, 2, 3]])
    together = explain(steps(), rows, name, target=0, progress=False).values
    for row, expected in zip(rows, together, strict=True):
        alone = explain(steps(), row.unsqueeze(0), name, target=0, progress=False).values
        torch.testing.assert_close(alone[0], expected)


@pytest.mark.parametrize(
    "regions", [[0, 0, 1], torch.tensor([0, 0, 1]), np.array([4, 4, 9]), Regions.map([0, 0, 1])]
)
def test_regions_are_given_as_whatever_holds_labels(regions: Callable[[], Any]) -> None:
    result = explain(steps(), ROW, "feature_ablation", target=0, regions=regions)
    assert result.values.tolist() == [[280.0, 280.0, 120.0]]


def test_bad_regions_are_an_error_with_a_hint() -> None:
    with pytest.raises(ExplanationError, match="integers"):
        explain(steps(), ROW, "feature_ablation", target=0, regions=[0.5, 1.0, 2.0])
