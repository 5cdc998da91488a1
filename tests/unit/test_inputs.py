"""Whatever a user may call a picture becomes model input, or a sentence that says why not."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs, read
from nbxplain.core.pixels import PixelSpace, Preprocessing, pixel_space, preprocessing
from tests.models import cnn, picture

SIZE = 32
PLAIN = Preprocessing(SIZE, SIZE, (0.0,) * 3, (1.0,) * 3, "nearest")
IMAGENET = Preprocessing(SIZE, SIZE)


def colours(mode: str = "RGB") -> Image.Image:
    """A picture of SIZE x SIZE in which no two rows or columns are alike."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] * 8
    array = np.stack([rows, columns, (rows + columns) // 2], 2).astype(np.uint8)
    return Image.fromarray(array).convert(mode)


def pixels(given: Any) -> tuple[Tensor, list[str]]:
    """What is fed of a picture when nothing is normalised, as (3, H, W) in 0 to 255."""
    inputs = read(given, PLAIN)
    assert inputs.tensor.shape == (1, 3, SIZE, SIZE)
    return (inputs.tensor[0] * 255).round(), inputs.notices


def as_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float()


# What is no picture.


def test_file_that_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("no picture at all")
    with pytest.raises(InputError, match=r"'notes.png' is no picture"):
        read(path, PLAIN)


def test_file_that_is_cut_off(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    colours().save(buffer, "PNG")
    path = tmp_path / "half.png"
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(InputError, match=r"'half.png'"):
        read(path, PLAIN)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read(tmp_path / "nothing.png", PLAIN)
    with pytest.raises(InputError):
        read(tmp_path, PLAIN)


@pytest.mark.parametrize("given", [None, 3, object(), {"a": 1}, [None], [3]])
def test_things_that_are_no_pictures(given: Any) -> None:
    with pytest.raises(InputError, match="no picture"):
        read(given, PLAIN)


def test_empty_list() -> None:
    with pytest.raises(InputError, match="empty"):
        read([], PLAIN)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 3)])
def test_too_small(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="too small"):
        read(Image.new("RGB", size), PLAIN)
    with pytest.raises(InputError, match="too small"):
        read(np.zeros((size[1], size[0], 3), np.uint8), PLAIN)


def test_too_large_in_memory() -> None:
    with pytest.raises(InputError, match="20000 × 20000"):
        read(Image.new("1", (20000, 20000)), PLAIN)


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG: a size, and hardly any pixels."""

    def block(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + block(b"IHDR", size) + block(b"IDAT", zlib.compress(b"0"))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [11_000, 20_000])
def test_too_large_on_disk_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(side, side))
    with pytest.raises(InputError, match="more than 100 million") as caught:
        read(path, PLAIN)
    assert "smaller" in caught.value.hint


# Modes.


def test_rgb_is_fed_as_it_is() -> None:
    got, notices = pixels(colours())
    assert torch.equal(got, as_tensor(colours()))
    assert notices == []


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "YCbCr", "HSV"])
def test_other_modes_become_rgb_and_say_so(mode: str) -> None:
    image = colours(mode)
    got, notices = pixels(image)
    assert torch.equal(got, as_tensor(image))
    assert any(mode in notice for notice in notices)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    image = colours(mode)
    image.putalpha(Image.new("L", image.size, 0))
    got, notices = pixels(image)
    assert bool((got == 255).all())
    assert any("transparent" in notice for notice in notices)


def test_transparent_palette_is_laid_on_white() -> None:
    image = Image.new("P", (SIZE, SIZE), 0)
    image.info["transparency"] = 0
    got, notices = pixels(image)
    assert bool((got == 255).all())
    assert any("transparent" in notice for notice in notices)


@pytest.mark.parametrize("full", [4095, 65535])
def test_sixteen_and_twelve_bits_are_scaled(full: int, tmp_path: Path) -> None:
    ramp = np.linspace(0, full, SIZE).round().astype(np.uint16)
    array = np.tile(ramp, (SIZE, 1))
    path = tmp_path / "deep.png"
    Image.fromarray(array).save(path)
    expected = torch.linspace(0, 255, SIZE)
    for given in (array, Image.fromarray(array), path):
        got, notices = pixels(given)
        torch.testing.assert_close(got[0, 0], expected, atol=1.0, rtol=0)
        assert any(str(full) in notice for notice in notices)


def test_exif_orientation_turns_the_picture_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    colours().save(path, exif=exif)
    got, notices = pixels(path)
    assert torch.equal(got, as_tensor(colours().rotate(-90, expand=True)))
    assert any("upright" in notice for notice in notices)


# Arrays.


def test_arrays_of_every_kind_give_the_same_pixels() -> None:
    array = np.array(colours())
    expected = as_tensor(colours())
    kinds = {
        "uint8": array,
        "float32": (array / 255).astype(np.float32),
        "float64": array / 255,
        "channels first": array.transpose(2, 0, 1),
        "with alpha": np.dstack([array, np.full((SIZE, SIZE), 255, np.uint8)]),
        "reversed view": array[::-1][::-1],
    }
    for name, kind in kinds.items():
        got, notices = pixels(kind)
        assert torch.equal(got, expected), name
        assert any("(C, H, W)" in n for n in notices) == (name == "channels first")


def test_grey_and_boolean_arrays() -> None:
    grey = np.array(colours("L"))
    for kind in (grey, grey[..., None], grey[None]):
        got, _ = pixels(kind)
        assert torch.equal(got[0], torch.from_numpy(grey).float())
    got, _ = pixels(grey > 100)
    assert torch.equal(got[1], torch.from_numpy(grey > 100) * 255.0)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.full((SIZE, SIZE, 3), 255.0), "0 to 1|255"),
        (np.linspace(-1, 1, 3 * SIZE**2).reshape(SIZE, SIZE, 3), "-1 to 1"),
        (np.full((SIZE, SIZE, 3), np.nan), "NaN"),
        (np.zeros((SIZE, SIZE, 3), np.int64), "int64"),
        (np.zeros((SIZE, SIZE, 3), complex), "complex"),
        (np.zeros((SIZE, SIZE, 2), np.uint8), "no picture"),
        (np.zeros((SIZE, SIZE, 7), np.uint8), "no picture"),
        (np.zeros(SIZE, np.uint8), "no picture"),
        (np.zeros((1, 1, SIZE, SIZE, 3), np.uint8), "no picture"),
        (np.array(["a"]), "no picture"),
    ],
)
def test_arrays_that_cannot_be_read(array: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(array, PLAIN)


def test_batches_of_arrays_and_mixed_lists(tmp_path: Path) -> None:
    array = np.array(colours())
    path = tmp_path / "one.png"
    colours().save(path)
    for given in (np.stack([array] * 3), [array, colours(), path], (str(path),) * 3):
        inputs = read(given, PLAIN)
        assert inputs.tensor.shape == (3, 3, SIZE, SIZE)
        assert len(inputs.pictures) == 3
        assert torch.equal(inputs.tensor[0], inputs.tensor[2])


def test_notices_are_said_once_for_a_batch() -> None:
    assert len(read([colours("L")] * 3, PLAIN).notices) == 1


# Tensors are fed as they are.


@pytest.mark.parametrize("shape", [(3, 8, 9), (2, 3, 8, 9), (5,), (2, 5), (1, 1, 8, 8)])
def test_tensor_is_fed_as_it_is(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    inputs = read(x, None)
    assert torch.equal(inputs.tensor.reshape(shape), x)
    assert inputs.is_table == (len(shape) < 3)
    assert len(inputs.pictures) == (0 if inputs.is_table else len(inputs.tensor))


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (torch.zeros(()), r"\(\)"),
        (torch.zeros(1, 1, 3, 8, 8), "cannot be explained"),
        (torch.zeros(0, 3, 8, 8), "cannot be explained"),
        (torch.zeros(1, 3, 0, 8), "cannot be explained"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "uint8"),
        (torch.full((1, 3, 8, 8), torch.nan), "192 values that are NaN"),
        (torch.full((1, 3, 8, 8), torch.inf), "infinite"),
    ],
)
def test_tensors_that_cannot_be_fed(tensor: Tensor, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(tensor, None)


def test_the_users_tensor_is_not_changed_and_keeps_no_graph() -> None:
    x = picture().requires_grad_()
    inputs = read(x, None)
    assert not inputs.tensor.requires_grad
    assert x.grad is None


def test_tensor_beyond_pixels_is_shown_between_its_extremes_with_a_notice() -> None:
    inputs = read(picture() * 4 - 2, None)
    assert "fed as it is" in inputs.notices[0]
    shown = np.array(inputs.pictures[0])
    assert shown.min() == 0
    assert shown.max() == 255
    assert read(picture(), None).notices == []


# What is shown is what was fed.


def shown_again(inputs: Inputs, space: PixelSpace) -> Tensor:
    return torch.stack([space.to_model(as_tensor(p) / 255) for p in inputs.pictures])


@pytest.mark.parametrize("transform", [PLAIN, IMAGENET, Preprocessing(48, SIZE)])
def test_picture_shows_what_was_fed(transform: Preprocessing) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8))
    inputs = read([image, image.rotate(90)], transform)
    space = PixelSpace(transform.mean, transform.std)
    atol = 0.51 / 255 / min(transform.std)
    torch.testing.assert_close(shown_again(inputs, space), inputs.tensor, atol=atol, rtol=0)


def test_preprocessing_resizes_the_shorter_side_and_crops_the_centre() -> None:
    wide = np.zeros((50, 100, 3), np.uint8)
    wide[:, 25:75] = 255
    got = Preprocessing(50, 50, (0.0,) * 3, (1.0,) * 3)(Image.fromarray(wide))
    assert got.shape == (3, 50, 50)
    assert bool((got == 1).all())


# The normalisation of an unknown transform.


def unknown(image: Image.Image) -> Tensor:
    small = as_tensor(image.resize((20, 12))) / 255
    return (small - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)) / 0.25


def test_pixel_space_of_an_unknown_callable_is_worked_out() -> None:
    space = pixel_space(unknown, (300, 200))
    assert space is not None
    assert space.mean == pytest.approx((0.4, 0.5, 0.6), abs=1e-5)
    assert space.std == pytest.approx((0.25,) * 3, abs=1e-5)
    inputs = read(colours(), unknown)
    assert inputs.tensor.shape == (1, 3, 12, 20)
    torch.testing.assert_close(
        as_tensor(inputs.pictures[0]), as_tensor(colours().resize((20, 12))), atol=1, rtol=0
    )
    assert inputs.notices == []


@pytest.mark.parametrize(
    "transform",
    [
        lambda image: as_tensor(image) / 255 + torch.rand(3, *image.size[::-1]),
        lambda image: 1 - as_tensor(image) / 255,
        lambda image: as_tensor(image) * 0,
    ],
    ids=["random", "inverted", "constant"],
)
def test_pixel_space_that_cannot_be_worked_out_is_said(transform: Any) -> None:
    assert pixel_space(transform, (SIZE, SIZE)) is None
    inputs = read(colours(), transform)
    assert "could not be worked out" in inputs.notices[0]


@pytest.mark.parametrize(
    ("transform", "says"),
    [
        (lambda image: 1 / 0, "ZeroDivisionError"),
        (lambda image: torch.zeros(3), "shape"),
        (lambda image: torch.full((3, 8, 8), torch.nan), "NaN"),
        (lambda image: torch.rand(3, image.height, image.width), "different shapes"),
    ],
)
def test_transforms_that_fail(transform: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read([colours(), colours().resize((40, 50))], transform)


def test_numpy_result_of_a_transform() -> None:
    inputs = read(colours(), lambda image: np.array(image).transpose(2, 0, 1) / 255)
    assert torch.equal((inputs.tensor[0] * 255).round(), as_tensor(colours()))
    assert inputs.tensor.dtype == torch.float32


# What the libraries offer, by duck typing.


def test_timm_configuration_on_the_model_or_given() -> None:
    config = {
        "input_size": (3, 160, 160),
        "crop_pct": 0.8,
        "mean": (0.1, 0.2, 0.3),
        "std": (0.4, 0.5, 0.6),
        "interpolation": "bilinear",
    }
    expected = Preprocessing(200, 160, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bilinear")
    model = cnn()
    assert preprocessing(config, model) == (expected, None)
    model.pretrained_cfg = config
    assert preprocessing(None, model) == (expected, None)


class Weights:
    """As torchvision's: transforms() and meta."""

    meta = {"categories": list("abcde")}  # noqa: RUF012

    def transforms(self) -> Preprocessing:
        return IMAGENET


def test_torchvision_weights() -> None:
    from nbxplain import explain

    assert preprocessing(Weights(), cnn()) == (IMAGENET, None)
    result = explain(cnn(), colours(), "gradient", preprocess=Weights(), target="c")
    assert result.target == ["c"]


class Processor:
    """As Hugging Face's: called with return_tensors, gives a batch under pixel_values."""

    image_mean = (0.5, 0.5, 0.5)

    def preprocess(self) -> None: ...

    def __call__(self, image: Image.Image, return_tensors: str) -> dict[str, Tensor]:
        assert return_tensors == "pt"
        return {"pixel_values": (as_tensor(image) / 255 - 0.5).unsqueeze(0) / 0.5}


def test_hugging_face_processor() -> None:
    transform, notice = preprocessing(Processor(), cnn())
    assert notice is None
    inputs = read(colours(), transform)
    torch.testing.assert_close(inputs.tensor[0], as_tensor(colours()) / 255 * 2 - 1)
    assert inputs.pixels is not None
    assert inputs.pixels.mean == pytest.approx((0.5,) * 3, abs=1e-5)


def test_assumed_preprocessing_is_said() -> None:
    transform, notice = preprocessing(None, cnn())
    assert transform == Preprocessing()
    assert notice is not None
    assert "assumed" in notice
    grey, notice = preprocessing(None, torch.nn.Conv2d(1, 2, 3))
    assert grey(colours()).shape == (1, 224, 224)
    with pytest.raises(InputError, match="5 channels"):
        preprocessing(None, torch.nn.Conv2d(5, 2, 3))


def test_preprocess_that_is_nothing_of_the_kind() -> None:
    with pytest.raises(InputError, match="cannot transform"):
        preprocessing(3, cnn())
