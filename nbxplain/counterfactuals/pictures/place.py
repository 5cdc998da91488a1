"""Where a picture may change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbxplain.core.errors import InputError, near
from nbxplain.core.inputs import Inputs
from nbxplain.core.regions import Regions

Mask = Any
"""Booleans (H, W) of the picture as it is fed, (Regions, names or numbers of some), or None."""


def mask_of(given: Mask, inputs: Inputs) -> Tensor:
    """Booleans (H, W). Raises InputError for another size, and where nothing may change."""
    height, width = inputs.tensor.shape[2:]
    if given is None:
        return torch.ones(height, width, dtype=torch.bool)
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Regions):
        mask = _chosen(*given, inputs)
    else:
        mask = torch.as_tensor(given if isinstance(given, Tensor) else np.asarray(given)).cpu()
    if tuple(mask.shape) != (height, width):
        raise InputError(
            f"The mask has shape {tuple(mask.shape)}, the picture as it is fed {(height, width)}.",
            "Make the mask of the picture after resizing: True where it may change.",
        )
    if mask.dtype != torch.bool:
        raise InputError(f"The mask holds {mask.dtype}.", "Give booleans: mask > 0, for example.")
    if not bool(mask.any()):
        raise InputError("The mask is empty: nothing may change.", "Paint where it may.")
    return mask


def _chosen(regions: Regions, chosen: Sequence[int | str], inputs: Inputs) -> Tensor:
    """The regions that are named or numbered."""
    labels = regions.labels_for(inputs, torch.device("cpu"))
    names = regions.names_for(inputs, labels)[0]
    mask = torch.zeros(labels.shape[1:], dtype=torch.bool)
    for one in [chosen] if isinstance(chosen, int | str) else chosen:
        number = names.index(one) if one in names else one
        if not isinstance(number, int) or not 0 <= number < len(names):
            raise InputError(
                f"There is no region {one!r}.",
                near(str(one), names) or f"There are {len(names)}, numbered from 0.",
            )
        mask |= labels[0] == number
    return mask


__all__ = ["Mask", "mask_of"]
