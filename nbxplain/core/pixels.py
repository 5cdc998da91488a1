"""From a picture to what the model is fed, and back to what can be shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from nbxplain.core.errors import InputError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

INTERPOLATION = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class PixelSpace:
    """The affine map per channel between pixels in [0, 1] and model input: (pixel - mean) / std."""

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def to_pixels(self, tensor: Tensor) -> Tensor:
        """Model input (..., C, H, W) as pixels, nominally in [0, 1]."""
        return tensor * self._column(self.std, tensor) + self._column(self.mean, tensor)

    def to_model(self, pixels: Tensor) -> Tensor:
        """Pixels (..., C, H, W) as model input."""
        return (pixels - self._column(self.mean, pixels)) / self._column(self.std, pixels)

    def picture(self, tensor: Tensor) -> Image.Image:
        """One model input (C, H, W) as a picture, clipped to what a screen can show."""
        pixels = self.to_pixels(tensor.detach().float().cpu())
        if pixels.shape[0] not in (1, 3):
            pixels = pixels.mean(0, keepdim=True)
        data = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        return Image.fromarray(data[..., 0] if data.shape[2] == 1 else data).convert("RGB")

    @staticmethod
    def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side, crop the centre, scale to [0, 1], normalise per channel."""

    resize: int = 256
    crop: int = 224
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: str = "bicubic"

    def __call__(self, picture: Image.Image) -> Tensor:
        """A picture as a tensor (C, crop, crop); C is the number of means."""
        picture = picture.convert("L" if len(self.mean) == 1 else "RGB")
        scale = self.resize / min(picture.size)
        width, height = (max(self.crop, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), INTERPOLATION[self.interpolation])
        left, top = (width - self.crop) // 2, (height - self.crop) // 2
        picture = picture.crop((left, top, left + self.crop, top + self.crop))
        pixels = torch.from_numpy(np.asarray(picture, np.float32) / 255)
        pixels = pixels.unsqueeze(0) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
        return PixelSpace(self.mean, self.std).to_model(pixels.contiguous())


def preprocessing(
    preprocess: Any, model: nn.Module
) -> tuple[Callable[[Image.Image], Any], str | None]:
    """The transform for pictures, and a notice when it had to be assumed.

    `preprocess` may be a callable on pictures, torchvision weights, a timm configuration (dict), or
    a Hugging Face image processor; None looks at the model's own metadata first.
    """
    if preprocess is None:
        config = getattr(model, "pretrained_cfg", None) or getattr(model, "default_cfg", None)
        if isinstance(config, dict) and "mean" in config:
            return _from_timm(config), None
        return _assumed(model)
    if isinstance(preprocess, dict):
        return _from_timm(preprocess), None
    if hasattr(preprocess, "transforms") and hasattr(preprocess, "meta"):
        return preprocess.transforms(), None
    if hasattr(preprocess, "image_mean") and hasattr(preprocess, "preprocess"):
        return lambda picture: preprocess(picture, return_tensors="pt")["pixel_values"], None
    if callable(preprocess):
        return preprocess, None
    raise InputError(
        f"preprocess is {type(preprocess).__name__}, which cannot transform a picture.",
        "Give a callable on PIL pictures, torchvision weights, a timm configuration, or a Hugging "
        "Face image processor.",
    )


def _from_timm(config: dict[str, Any]) -> Preprocessing:
    crop = int(config.get("input_size", (3, 224, 224))[-1])
    return Preprocessing(
        resize=round(crop / float(config.get("crop_pct", 0.875))),
        crop=crop,
        mean=tuple(config.get("mean", IMAGENET_MEAN)),
        std=tuple(config.get("std", IMAGENET_STD)),
        interpolation=str(config.get("interpolation", "bicubic")),
    )


def _assumed(model: nn.Module) -> tuple[Preprocessing, str]:
    channels = next((m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d)), 3)
    size = getattr(getattr(model, "config", None), "image_size", None)
    crop = size if isinstance(size, int) else 224
    resize = round(crop / 0.875)
    if channels == 1:
        chosen = Preprocessing(resize, crop, (0.5,), (0.5,))
        norm = "grey, scaled to -1 to 1"
    elif channels == 3:
        chosen, norm = Preprocessing(resize, crop), "ImageNet normalisation"
    else:
        raise InputError(
            f"The model takes {channels} channels, which a picture does not have.",
            "Feed a tensor of shape (N, C, H, W), or give preprocess=.",
        )
    return chosen, (
        f"Preprocessing assumed: resize {resize}, centre crop {crop}, {norm}. "
        "Give preprocess= if the model was trained otherwise."
    )


def pixel_space(
    transform: Callable[[Image.Image], Any], size: tuple[int, int]
) -> PixelSpace | None:
    """How `transform` normalises, found by transforming a black and a white picture.

    None when it is not affine per channel (random augmentation, histogram equalisation).
    """
    if isinstance(transform, Preprocessing):
        return PixelSpace(transform.mean, transform.std)
    size = (min(size[0], 256), min(size[1], 256))
    black, white = (
        fed(transform, Image.new("RGB", size, colour)).flatten(1) for colour in ("black", "white")
    )
    flat = black.min(1).values.allclose(black.max(1).values, atol=1e-4) and white.min(
        1
    ).values.allclose(white.max(1).values, atol=1e-4)
    span = white[:, 0] - black[:, 0]
    if not flat or bool((span <= 0).any()):
        return None
    std = 1 / span
    return PixelSpace(tuple((-black[:, 0] * std).tolist()), tuple(std.tolist()))


def fed(transform: Callable[[Image.Image], Any], picture: Image.Image) -> Tensor:
    """What the transform makes of a picture, as a float tensor (C, H, W)."""
    try:
        value = transform(picture)
    except Exception as error:
        raise InputError(
            f"preprocess failed on the picture: {type(error).__name__}: {error}",
            "Call it on a PIL picture yourself to see why.",
        ) from error
    if hasattr(value, "keys") and "pixel_values" in value:
        value = value["pixel_values"]
    tensor = torch.as_tensor(np.asarray(value) if not isinstance(value, Tensor) else value)
    tensor = tensor.squeeze(0) if tensor.ndim == 4 and tensor.shape[0] == 1 else tensor
    if tensor.ndim != 3:
        raise InputError(
            f"preprocess returned shape {tuple(tensor.shape)}.", "Return a tensor (C, H, W)."
        )
    return tensor.float()
