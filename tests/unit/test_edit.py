"""Edits of pictures: each fill and adjustment by its definition, and nothing else touched."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from nbxplain import Baseline, explain
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.pixels import PixelSpace
from nbxplain.counterfactuals.editing import (
    Adjustments,
    Clone,
    Colour,
    Edit,
    Inpaint,
    Layer,
    Mask,
    edited,
)
from nbxplain.counterfactuals.editing.harmonic import harmonic
from tests.models import SIDE, cnn, picture

SPACE = PixelSpace((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))


def fed(pixels: Tensor) -> Inputs:
    """Pixels (1, 3, H, W) as a model with a normalisation is fed them."""
    x = SPACE.to_model(pixels)
    return Inputs(x, SPACE, SPACE)


def hole(height: int = SIDE, width: int = SIDE) -> Tensor:
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[3:11, 5:12] = True
    return mask


def filled(fill: object, pixels: Tensor, mask: Tensor | None = None) -> Tensor:
    """The edited pixels (3, H, W)."""
    mask = hole(*pixels.shape[2:]) if mask is None else mask
    edit = Edit.model_validate({"layers": [{"mask": mask, "fill": fill}]})
    return SPACE.to_pixels(edit.apply(fed(pixels)).tensor)[0]


FILLS = ["mean", "blur", "noise", "black", "inpaint", "#ff8000", Clone(dx=2, dy=-1)]


@pytest.mark.parametrize("fill", FILLS, ids=str)
def test_outside_of_the_mask_every_bit_stays(fill: object) -> None:
    inputs = fed(picture(seed=1))
    edit = Edit.model_validate({"layers": [{"mask": hole(), "fill": fill}]})
    after = edit.apply(inputs).tensor
    assert torch.equal(after[:, :, ~hole()], inputs.tensor[:, :, ~hole()])
    assert not torch.equal(after[:, :, hole()], inputs.tensor[:, :, hole()])


def test_the_mean_is_the_mean_of_the_picture() -> None:
    pixels = picture().double()
    expected = pixels[0].sum((1, 2)) / SIDE**2
    inside = filled("mean", pixels)[:, hole()]
    assert torch.allclose(inside, expected.unsqueeze(1).expand_as(inside), atol=1e-12)


def test_a_colour_is_that_colour() -> None:
    inside = filled("#ff8000", picture())[:, hole()]
    expected = torch.tensor([1.0, 128 / 255, 0.0]).unsqueeze(1)
    assert torch.allclose(inside, expected.expand_as(inside), atol=1e-6)
    assert Colour.model_validate("#000000") == Colour(value=(0, 0, 0))


def test_a_clone_comes_from_its_place_and_from_the_edge_beyond_it() -> None:
    pixels = picture()
    after = filled(Clone(dx=6, dy=-5), pixels)
    for y, x in hole().nonzero().tolist():
        source = pixels[0, :, max(0, y - 5), min(SIDE - 1, x + 6)]
        assert torch.allclose(after[:, y, x], source, atol=1e-6)


def test_another_picture_is_cloned_at_the_same_place() -> None:
    other = Image.fromarray(np.full((SIDE, SIDE, 3), (51, 102, 204), np.uint8))
    inside = filled(Baseline.image(other), picture())[:, hole()]
    expected = torch.tensor([0.2, 0.4, 0.8]).unsqueeze(1)
    assert torch.allclose(inside, expected.expand_as(inside), atol=1e-6)


def exact_harmonic(picture: Tensor, mask: Tensor) -> Tensor:
    """The same by a dense linear system in float64."""
    places = {tuple(place): i for i, place in enumerate(mask.nonzero().tolist())}
    matrix = torch.zeros(len(places), len(places), dtype=torch.float64)
    right = torch.zeros(len(places), len(picture), dtype=torch.float64)
    for (y, x), i in places.items():
        for near in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
            if not (0 <= near[0] < mask.shape[0] and 0 <= near[1] < mask.shape[1]):
                continue
            matrix[i, i] += 1
            if near in places:
                matrix[i, places[near]] = -1
            else:
                right[i] += picture[:, near[0], near[1]].double()
    solved: Tensor = torch.linalg.solve(matrix, right)
    return solved.T


def ragged() -> Tensor:
    """A hole with a ragged border that reaches the edge of the picture, of an odd size."""
    noise = torch.rand(45, 51, generator=torch.Generator().manual_seed(3))
    mask = noise < 0.2
    mask[10:40, 20:] = True
    return mask


@pytest.mark.parametrize("mask", [hole(), ragged()], ids=["rectangle", "ragged"])
def test_inpainting_is_harmonic(mask: Tensor) -> None:
    pixels = torch.rand(3, *mask.shape, generator=torch.Generator().manual_seed(0))
    found = harmonic(pixels, mask)[:, mask].double()
    assert float((found - exact_harmonic(pixels, mask)).abs().max()) < 1 / 255


def test_inpainting_continues_a_ramp_and_stays_between_its_border() -> None:
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    ramp = (0.2 + 0.003 * rows + 0.004 * columns).expand(3, -1, -1)
    mask = (rows - 48) ** 2 + (columns - 40) ** 2 < 30**2
    found = harmonic(torch.where(mask, 0.9, ramp), mask)
    assert float((found - ramp).abs().max()) < 1 / 255


def test_inpainting_needs_something_to_continue() -> None:
    with pytest.raises(InputError, match="whole picture"):
        filled("inpaint", picture(), torch.ones(SIDE, SIDE, dtype=torch.bool))


def test_inpainting_continues_the_other_fills() -> None:
    labels = torch.zeros(SIDE, SIDE, dtype=torch.long)
    labels[2:14, 2:14] = 1
    labels[5:10, 5:10] = 2
    edit = Edit.painted(labels, ["#3366cc", "inpaint"])
    inside = SPACE.to_pixels(edit.apply(fed(picture())).tensor)[0, :, labels == 2]
    expected = torch.tensor([0.2, 0.4, 0.8]).unsqueeze(1).expand_as(inside)
    assert torch.allclose(inside, expected, atol=1 / 255)


def test_the_last_mask_wins_and_labels_say_so() -> None:
    below, above = Layer(mask=Mask.of(hole()), fill=Baseline.black()), Mask.of(hole().T)
    edit = Edit(layers=(below, Layer(mask=above, fill=Baseline.white())))
    after = SPACE.to_pixels(edit.apply(fed(picture())).tensor)[0]
    assert torch.allclose(after[:, hole().T], torch.tensor(1.0), atol=1e-6)
    assert torch.allclose(after[:, hole() & ~hole().T], torch.tensor(0.0), atol=1e-6)
    labels = edit.labels(SIDE, SIDE)
    again = Edit.painted(labels, ["black", Baseline.white()])
    assert torch.equal(again.labels(SIDE, SIDE), labels)


def test_at_their_defaults_adjustments_change_nothing() -> None:
    inputs = fed(picture())
    assert torch.equal(Edit().apply(inputs).tensor, inputs.tensor)
    moved = Edit(adjustments=Adjustments(across=10, down=90))
    assert moved.empty
    assert torch.equal(moved.apply(inputs).tensor, inputs.tensor)


def adjusted(pixels: Tensor, **adjustments: float) -> Tensor:
    return Adjustments.model_validate(adjustments).apply(pixels)


def test_brightness_and_contrast_by_their_formula() -> None:
    pixels = 0.4 + 0.2 * picture()
    assert torch.allclose(adjusted(pixels, brightness=0.1), pixels + 0.1)
    mean = pixels.mean((2, 3), keepdim=True)
    assert torch.allclose(adjusted(pixels, contrast=2.0), 2 * pixels - mean, atol=1e-6)
    assert float(adjusted(pixels, brightness=1.0).max()) == 1


def test_quarter_turns_are_exact() -> None:
    pixels = picture()
    assert torch.allclose(adjusted(pixels, rotation=90), pixels.rot90(-1, (2, 3)), atol=1e-5)
    assert torch.allclose(adjusted(pixels, rotation=-90), pixels.rot90(1, (2, 3)), atol=1e-5)
    wide = torch.rand(1, 3, 20, 30)
    assert torch.allclose(adjusted(wide, rotation=180), wide.rot90(2, (2, 3)), atol=1e-5)


def test_a_turn_keeps_distances_in_wide_pictures() -> None:
    pixels = torch.zeros(1, 1, 41, 81)
    pixels[..., 20, 50] = 1
    y, x = divmod(int(adjusted(pixels, rotation=90).argmax()), 81)
    assert (y, x) == (30, 40)


def test_a_patch_is_a_grey_square_of_its_size() -> None:
    pixels = torch.ones(1, 3, 40, 60)
    grey = adjusted(pixels, patch=50, across=25, down=50)[0, 0] == 0.5
    assert int(grey.sum()) == 20 * 20
    places = grey.nonzero().double().mean(0) + 0.5
    assert places.tolist() == [20, 15]


def test_compression_follows_its_quality() -> None:
    pixels = interpolate(picture(side=8), (64, 64), mode="bilinear")
    errors = [float((adjusted(pixels, quality=q) - pixels).abs().mean()) for q in (95, 50, 5)]
    assert errors == sorted(errors)
    assert errors[0] < 0.02 < errors[2]
    flat = torch.full((1, 3, 32, 32), 100 / 255)
    assert torch.allclose(adjusted(flat, quality=90), flat, atol=1 / 255)


def test_an_edit_is_written_down_and_read_again() -> None:
    labels = torch.zeros(SIDE, SIDE, dtype=torch.long)
    labels[:4], labels[4:8], labels[8:10] = 1, 2, 3
    fills = [Baseline.blur(3), Clone(dx=3), Inpaint()]
    edit = Edit.painted(labels, fills, brightness=0.1, quality=80)
    assert Edit.model_validate_json(edit.model_dump_json()) == edit
    scope = {**globals(), "edit": None}
    exec(f"edit = {edit!r}", scope)
    assert scope["edit"] == edit


def test_what_the_model_says_is_what_it_says_of_the_edited_picture() -> None:
    model, x = cnn(), picture()
    edit = Edit.painted(hole().long(), ["black"])
    result = edited(model, x, edit, target=2)
    cut = x.clone()
    cut[:, :, hole()] = 0
    with torch.no_grad():
        before, after = model(x)[0], model(cut)[0]
    assert result.scores == pytest.approx((float(before[2]), float(after[2])), abs=1e-5)
    moved = {index: (a, b) for index, _, a, b in result.moved()}
    assert set(moved) == set(range(5))
    for index, (a, b) in moved.items():
        assert a == pytest.approx(float(before.softmax(0)[index]), abs=1e-5)
        assert b == pytest.approx(float(after.softmax(0)[index]), abs=1e-5)
    assert math.isclose(sum(b for _, b in moved.values()), 1, abs_tol=1e-5)
    alone = explain(model, cut, "gradient", target=2)
    assert torch.allclose(explain(model, result.inputs, "gradient", target=2).values, alone.values)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mask.of(torch.zeros(4, 4, dtype=torch.bool)), "empty"),
        (lambda: Mask.of(torch.ones(4, 4)), "type float32"),
        (lambda: Edit.painted(torch.full((4, 4), 2), ["mean"]), "2 labels, and there are 1 fills"),
        (lambda: filled("mean", picture(), torch.ones(5, 4, dtype=torch.bool)), "5 × 4 pixels"),
        (lambda: edited(cnn(), picture(2), Edit()), "2 pictures"),
        (lambda: Edit().apply(Inputs(torch.zeros(1, 3), None)), "row of a table"),
    ],
)
def test_what_cannot_be_is_refused(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]
