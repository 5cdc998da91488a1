"""What a row compares, and what rows share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.networks import CONVOLUTIONAL, efficientnet_relu

TARGET = 285
SIDE = 7
"""Regions along each side of the grid."""

Peer = Callable[[nn.Module, Tensor], Any]
"""A copy of the network and the batch -> the peer's values, (N, C, H, W) or (N, h, w)."""


@dataclass
class Case:
    """A method of ours, the passes that a picture needs by definition, and its peers' calls.

    `networks` are those it is measured on, by the tables in which the row stands. `layer` names
    the layer for ours. Where values have to sum to the change of the score, `references` (K, C, H,
    W) is what it changes from.
    """

    method: str
    passes: int
    backward: bool
    peers: Mapping[str, Peer] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    layer: Callable[[nn.Module], str] | None = None
    pictures: int = 1
    networks: Mapping[str, Callable[[], nn.Module]] = field(default_factory=lambda: CONVOLUTIONAL)
    references: Tensor | None = None


RELU = {"EfficientNet-Lite0": efficientnet_relu}
"""The networks of rows noted "ReLU"."""

ZERO = torch.zeros(1, 3, 1, 1)
"""What ours and all peers take for absence in a tensor, if they are not told."""


def grid(side: int = SIDE, across: int = SIDE) -> Tensor:
    """A grid of regions (1, 1, 224, 224)."""
    rows, columns = (torch.arange(224) * count // 224 for count in (side, across))
    return (rows[:, None] * across + columns)[None, None]


def last_convolution(model: nn.Module) -> nn.Module:
    """A layer that all libraries can work at."""
    return [module for module in model.modules() if isinstance(module, nn.Conv2d)][-1]


def before_pooling(model: nn.Module) -> nn.Module:
    """The layer on which the global average pooling follows: its maps are nowhere negative."""
    return model.get_submodule(
        "_swish" if hasattr(model, "_swish") else "model.resnet.encoder.stages.3"
    )


def named(find: Callable[[nn.Module], nn.Module]) -> Callable[[nn.Module], str]:
    """The same layer by its name."""

    def name(model: nn.Module) -> str:
        wanted = find(model)
        return next(name for name, module in model.named_modules() if module is wanted)

    return name
