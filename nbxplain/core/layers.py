"""The layers of a model, the shape of what they give, and how tokens lie on the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain.core.capture import Capture
from nbxplain.core.door import is_out_of_memory
from nbxplain.core.errors import LayerError, near

Arrangement = Literal["NCHW", "NHWC", "NTC", "other"]

INNER = ("Linear", "Dropout", "Softmax", "Identity")
"""Classes that in token models see queries, keys or attention, not the stream of features: never
suggested where there is something else."""


@dataclass(frozen=True)
class Layer:
    """A module that was reached in a forward pass.

    `shape` is its output's without the batch; `grid` the (rows, columns) of its spatial map or of
    its tokens less the `prefix` class and register tokens; `calls` how often it ran in one pass.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    grid: tuple[int, int] | None
    arrangement: Arrangement
    prefix: int
    calls: int
    suggested: bool = False

    def maps(self, activation: Tensor) -> Tensor:
        """The layer's output (N, ...) as maps (N, C, rows, columns). Raises LayerError."""
        if self.grid is None:
            raise LayerError(
                f"Layer {self.name!r} gives shape {self.shape}, which has no place on the picture.",
                "Choose a convolution, or a token layer before pooling.",
            )
        if self.arrangement == "NHWC":
            return activation.permute(0, 3, 1, 2)
        if self.arrangement == "NTC":
            tokens = activation[:, self.prefix :].transpose(1, 2)
            return tokens.reshape(*tokens.shape[:2], *self.grid)
        return activation

    def laid(self, maps: Tensor) -> Tensor:
        """Maps (N, C, rows, columns) as they lie in the layer's output; prefix tokens get zero."""
        if self.arrangement == "NHWC":
            return maps.permute(0, 2, 3, 1)
        if self.arrangement == "NTC":
            return F.pad(maps.flatten(2).transpose(1, 2), (0, 0, self.prefix, 0))
        return maps

    def spread(self, factors: Tensor) -> Tensor:
        """Factors per channel (N, C), shaped so that the layer's output can be multiplied."""
        if self.arrangement == "NCHW":
            return factors[:, :, None, None]
        return factors[:, None, None] if self.arrangement == "NHWC" else factors[:, None]


def arrange(
    shape: tuple[int, ...], picture: tuple[int, int]
) -> tuple[Arrangement, int, tuple[int, int] | None]:
    """How an output of `shape` (without batch) lies on a picture of (H, W) pixels.

    Returns the arrangement, the number of prefix tokens, and the grid. Class and register tokens
    are taken to come first, as in ViT, DeiT and DINOv2.
    """
    if len(shape) == 3:
        first = _fits(shape[1:], picture)
        if not first and _fits(shape[:2], picture):
            return "NHWC", 0, (shape[0], shape[1])
        return ("NCHW", 0, (shape[1], shape[2])) if shape[1] * shape[2] > 1 else ("NCHW", 0, None)
    if len(shape) == 2 and shape[1] > 1:
        for prefix in range(min(shape[0], 17)):
            grid = _token_grid(shape[0] - prefix, picture)
            if grid is not None:
                return "NTC", prefix, grid
    return "other", 0, None


def _fits(grid: tuple[int, ...], picture: tuple[int, int]) -> bool:
    rows, columns = grid
    return rows * columns > 1 and abs(rows / columns - picture[0] / picture[1]) < 1 / columns


def _token_grid(tokens: int, picture: tuple[int, int]) -> tuple[int, int] | None:
    """The grid of `tokens` square patches that tiles the picture exactly, if there is one."""
    height, width = picture
    rows = round((tokens * height / width) ** 0.5)
    if rows < 2 or tokens % rows:
        return None
    columns = tokens // rows
    tiles = height % rows == 0 and width % columns == 0
    return (rows, columns) if tiles and height // rows == width // columns else None


def list_layers(
    model: nn.Module, example: Tensor, scores: Callable[[Tensor], Tensor], suggest: bool = True
) -> list[Layer]:
    """Every module reached by one forward pass of `example` (1, ...), in order of finishing.

    `model` is a replica; `scores` runs it on an input and gives the output to be explained. One
    more pass finds the layer to suggest.
    """
    picture = (int(example.shape[-2]), int(example.shape[-1])) if example.ndim == 4 else (1, 1)
    modules = dict(model.named_modules())
    names = [
        name for name, m in modules.items() if name and not isinstance(m, torch.jit.ScriptModule)
    ]
    with Capture(model, names, keep_graph=False) as captured, torch.no_grad():
        scores(example)
    layers = []
    for name in captured.order:
        output = captured.outputs[name]
        shape = tuple(output.shape[1:])
        arrangement, prefix, grid = arrange(shape, picture)
        if output.shape[:1] != example.shape[:1]:
            # A row is no picture, but one of its windows, or what all of them share.
            arrangement, prefix, grid = "other", 0, None
        kind = type(modules[name]).__name__
        layers.append(Layer(name, kind, shape, grid, arrangement, prefix, captured.calls[name]))
    if not suggest:
        return layers
    spatial = [layer for layer in layers if layer.grid]
    stream = [layer for layer in spatial if layer.type not in INNER]
    best = _suggested(model, example, scores, (stream or spatial)[-32:])
    return [replace(layer, suggested=layer.name == best) for layer in layers]


def _suggested(
    model: nn.Module, example: Tensor, scores: Callable[[Tensor], Tensor], candidates: list[Layer]
) -> str | None:
    """The last spatial layer at which the gradient of the score is not zero.

    The gradient is looked at because in a ViT with class-token pooling no patch of the last block's
    output reaches the score.
    """
    names = [layer.name for layer in candidates]
    if not names:
        return None
    with Capture(model, names) as captured, torch.enable_grad():
        value = scores(example.detach().requires_grad_()).flatten(1).amax(1)
    if not value.requires_grad:
        return names[-1]
    outputs = [captured.outputs[name] for name in names]
    reached = [output.requires_grad for output in outputs]
    places = [output for output, r in zip(outputs, reached, strict=True) if r]
    try:
        gradients = iter(torch.autograd.grad(value.sum(), places, allow_unused=True))
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        # A model without a backward pass still has layers; a method that needs one will say so.
        return names[-1]
    for_layer = [next(gradients) if r else None for r in reached]
    for layer, gradient in reversed(list(zip(candidates, for_layer, strict=True))):
        if gradient is not None and bool(layer.maps(gradient).any()):
            return layer.name
    return names[-1]


def find(name: str, layers: Iterable[Layer], model: nn.Module) -> Layer:
    """The layer called `name`. Raises LayerError when it is unknown or not reached."""
    layers = list(layers)
    if not isinstance(name, str):
        raise LayerError(
            f"A layer cannot be {type(name).__name__}.",
            "Give its name as in model.named_modules().",
        )
    for layer in layers:
        if layer.name == name:
            return layer
    if name in dict(model.named_modules()):
        raise LayerError(
            f"Layer {name!r} is not reached in a forward pass, or gives no tensor.",
            "Choose one of model.named_modules() that runs, such as "
            + " or ".join(repr(layer.name) for layer in layers[-2:]),
        )
    raise LayerError(
        f"There is no layer {name!r}.",
        near(name, (layer.name for layer in layers))
        or "It has, among others, " + ", ".join(repr(layer.name) for layer in layers[-5:]) + ".",
    )
