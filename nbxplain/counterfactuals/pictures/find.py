"""picture_counterfactuals(): the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError
from nbxplain.core.passes import Passes
from nbxplain.core.regions import Regions
from nbxplain.counterfactuals.pictures.hunt import check_picture, hunt
from nbxplain.counterfactuals.pictures.place import Mask
from nbxplain.counterfactuals.pictures.result import PictureCounterfactuals
from nbxplain.counterfactuals.wish import Desired
from nbxplain.explain import ask


def picture_counterfactuals(
    model: Any,
    image: Any,
    desired: Desired,
    *,
    mask: Mask = None,
    examples: Any = None,
    regions: Regions | None = None,
    preprocess: Any = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
    **parameters: Any,
) -> PictureCounterfactuals:
    """k pictures near `image` that the model decides as desired.

    model, image, preprocess, labels, output, device: as in explain; one picture. desired: a class,
        or an interval (low, high) for a model with one score.
    mask: where the picture may change: booleans (H, W) of the picture as it is fed, or (Regions,
        names or numbers of some); by default everywhere.
    examples: pictures of the desired class, which the result is to be like (with likeness).
    regions: whose shares of the change are told; 20 superpixels by default.
    parameters: the fields of PictureSearch: k, probability, the weights l1, l2, smoothness and
        likeness, layer, steps, learning_rate, blur, jitter, noise, seed.

    Raises ExplanationError. Where the wish cannot be granted, the result says how far it got.
    """
    adapter = ModelAdapter(model, preprocess, labels, output, device)
    with torch.inference_mode(False), torch.autocast(adapter.device.type, enabled=False):
        inputs = adapter.read(image)
        check_picture(inputs)
        if len(inputs.tensor) != 1:
            raise InputError(f"{len(inputs.tensor)} pictures were given.", "Give one at a time.")
        like = None if examples is None else adapter.read(examples)
        setting = ask(adapter, inputs, None)
        found = hunt(
            setting, desired, Passes(adapter), mask=mask, examples=like, regions=regions,
            **parameters,
        )  # fmt: skip
        *_, last = found
    return last


__all__ = ["picture_counterfactuals"]
