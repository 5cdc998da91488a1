"""Each kind of baseline, against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from nbxplain import Baseline, ExplanationError, explain
from nbxplain.core.baseline import blur
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs, read
from nbxplain.core.pixels import PixelSpace
from tests.models import cnn, picture, seeded
from tests.unit.test_rules import normal

SPACE = PixelSpace((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
CPU = torch.device("cpu")

KINDS = {
    "black": Baseline.black(),
    "white": Baseline.white(),
    "mean": Baseline.mean(),
    "blur": Baseline.blur(3),
    "noise": Baseline.noise(4),
    "image": Baseline.image(Image.new("RGB", (40, 30), (255, 0, 51))),
    "tensor": Baseline.tensor(torch.rand(3, 16, 16)),
}
every_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def asked(rows: int = 2) -> Inputs:
    return Inputs(SPACE.to_model(picture(rows)), SPACE)


def made(kind: str, inputs: Inputs) -> Tensor:
    return KINDS[kind].tensor_for(inputs, CPU)


@every_kind
def test_has_the_shape_of_the_input(kind: str) -> None:
    inputs = asked(3)
    result = made(kind, inputs)
    assert result.shape == inputs.tensor.shape
    assert result.dtype == inputs.tensor.dtype
    assert bool(result.isfinite().all())


@every_kind
def test_batch_equals_one_by_one(kind: str) -> None:
    inputs = asked(3)
    together = made(kind, inputs)
    for row in range(3):
        alone = made(kind, Inputs(inputs.tensor[row : row + 1], SPACE))
        torch.testing.assert_close(together[row], alone[0])


@pytest.mark.parametrize(("kind", "value"), [("black", 0.0), ("white", 1.0)])
def test_black_and_white_are_pixels(kind: str, value: float) -> None:
    pixels = SPACE.to_pixels(made(kind, asked()))
    torch.testing.assert_close(pixels, torch.full_like(pixels, value))


def test_mean_is_the_mean_colour_of_each_picture() -> None:
    inputs = asked()
    result = made("mean", inputs)
    expected = inputs.tensor.double().mean((2, 3)).float()
    torch.testing.assert_close(result[:, :, 0, 0], expected)
    torch.testing.assert_close(result[:, :, 9, 4], expected)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.7, 12.0, 64.0])
@pytest.mark.parametrize("size", [(16, 16), (9, 30)])
def test_blur_equals_scipy(sigma: float, size: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *size)
    if 3 * sigma > 3 * max(size):
        sigma = float(max(size))
    expected = [
        [gaussian_filter(c.double().numpy(), sigma, mode="nearest", truncate=3) for c in row]
        for row in x
    ]
    torch.testing.assert_close(blur(x, sigma), torch.tensor(np.array(expected)).float())


def test_blur_of_one_colour_is_that_colour() -> None:
    x = torch.full((1, 3, 10, 12), 0.3)
    for sigma in (0.5, 5.0, 64.0):
        torch.testing.assert_close(blur(x, sigma), x)


def test_noise_is_uniform_in_pixels_and_the_same_on_every_row() -> None:
    inputs = Inputs(SPACE.to_model(picture(3, side=64)), SPACE)
    pixels = SPACE.to_pixels(Baseline.noise(4).tensor_for(inputs, CPU))
    assert torch.equal(pixels[0], pixels[2])
    assert float(pixels.min()) >= -1e-6
    assert float(pixels.max()) <= 1 + 1e-6
    assert float(pixels.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(pixels.var()) == pytest.approx(1 / 12, abs=0.003)
    other = SPACE.to_pixels(Baseline.noise(5).tensor_for(inputs, CPU))
    assert not torch.equal(pixels, other)


def test_image_is_resized_to_fit() -> None:
    pixels = SPACE.to_pixels(made("image", asked()))
    expected = torch.tensor([1.0, 0.0, 0.2]).view(1, 3, 1, 1).expand_as(pixels)
    torch.testing.assert_close(pixels, expected, atol=1e-5, rtol=0)


def test_a_picture_is_no_baseline_for_four_channels() -> None:
    inputs = read(torch.rand(1, 4, 8, 8), None)
    with pytest.raises(InputError, match=r"4 channels.*tensor"):
        KINDS["image"].tensor_for(inputs, CPU)


def test_a_blur_out_of_range_is_refused_in_words() -> None:
    with pytest.raises(InputError, match=r"sigma = 0 .*greater than or equal to 0\.5"):
        Baseline.blur(0)


def test_image_for_a_grey_model_is_grey() -> None:
    inputs = read(torch.rand(1, 1, 16, 16), None)
    result = made("image", inputs)
    assert result.shape == (1, 1, 16, 16)
    grey = Image.new("RGB", (1, 1), (255, 0, 51)).convert("L").getpixel((0, 0))
    torch.testing.assert_close(result, torch.full_like(result, grey / 255))


def test_tensor_is_model_input_as_it_is() -> None:
    tensor = torch.randn(3, 16, 16)
    result = Baseline.tensor(tensor).tensor_for(asked(), CPU)
    assert torch.equal(result, tensor.expand(2, 3, 16, 16))
    single = Baseline.tensor(torch.full((1,), 0.5)).tensor_for(asked(), CPU)
    assert bool((single == 0.5).all())


@pytest.mark.parametrize("shape", [(3, 9, 9), (4, 16, 16), (3, 3, 16, 16)])
def test_tensor_of_the_wrong_shape_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ExplanationError, match="baseline has shape"):
        Baseline.tensor(torch.zeros(shape)).tensor_for(asked(), CPU)


def test_tables() -> None:
    x = torch.tensor([[1.0, 2, 3], [3, 4, 8]])
    inputs = read(x, None)
    assert torch.equal(made("black", inputs), torch.zeros(2, 3))
    assert torch.equal(made("white", inputs), torch.ones(2, 3))
    assert torch.equal(made("mean", inputs), torch.tensor([[2.0, 3, 5.5]]).expand(2, 3))
    assert torch.equal(made("noise", inputs)[0], made("noise", inputs)[1])
    for kind in ("blur", "image"):
        with pytest.raises(ExplanationError, match=f"no {kind} baseline"):
            made(kind, inputs)


# As data.


@every_kind
def test_json_and_repr_round_trip(kind: str) -> None:
    baseline = KINDS[kind]
    for again in (
        Baseline.model_validate_json(baseline.model_dump_json()),
        eval(repr(baseline), {"Baseline": Baseline}),
    ):
        assert again == baseline
        assert hash(again) == hash(baseline)
        assert torch.equal(again.tensor_for(asked(), CPU), made(kind, asked()))


def test_a_fine_tensor_stays_fine() -> None:
    """A model in float64 is explained against the very baseline it was given."""
    model = seeded(lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))).double()
    x, given = normal(2, 4), normal(4, seed=1)
    result = explain(model, x, "deep_lift", baseline=given, progress=False)
    with torch.no_grad():
        start, end = model(given), model(x)[:, 0]
    assert result.base_value is not None
    torch.testing.assert_close(result.base_value, start.expand(2), rtol=0, atol=1e-12)
    torch.testing.assert_close(result.values.sum(1), end - start, rtol=0, atol=1e-12)
    kept = Baseline.model_validate_json(Baseline.tensor(given).model_dump_json())
    assert torch.equal(kept.tensor_for(Inputs(x, None), CPU), given.expand(2, 4))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "grey"},
        {"kind": "blur", "sigma": 0},
        {"kind": "tensor"},
        {"kind": "image"},
        {"kind": "tensor", "data": "AAAA", "shape": (7,)},
        {"kind": "tensor", "data": "AAAAAA==", "shape": (1,), "dtype": "float64"},
        {"colour": "red"},
    ],
)
def test_impossible_baselines_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Baseline(**fields)  # type: ignore[arg-type]


def test_nan_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="NaN"):
        Baseline.tensor(torch.tensor([torch.nan]))


@pytest.mark.parametrize("given", ["grey", 3, (), np.zeros((3, 16, 16)), torch.tensor([torch.nan])])
def test_explain_refuses_what_is_no_baseline(given: object) -> None:
    with pytest.raises(ExplanationError, match="baseline") as caught:
        explain(cnn(), picture(), "integrated_gradients", baseline=given)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "given", ["white", torch.ones(3, 16, 16), Image.new("RGB", (9, 9), "white")]
)
def test_explain_takes_what_can_be_read_as_one(given: object) -> None:
    expected = explain(
        cnn(), picture(), "integrated_gradients", target=1, baseline=Baseline.white()
    )
    result = explain(cnn(), picture(), "integrated_gradients", target=1, baseline=given)
    torch.testing.assert_close(result.values, expected.values)
