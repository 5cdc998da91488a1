"""What a pass gave, looked at: activations that were reached, gradients that arrived, numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from nbxplain.core.capture import Capture
from nbxplain.core.door import is_out_of_memory
from nbxplain.core.errors import LayerError, ModelError


def reached(captured: Capture, layer: str) -> Tensor:
    """What was captured at the layer. Raises LayerError."""
    if layer not in captured.outputs:
        raise LayerError(f"Layer {layer!r} is not reached.", "Choose one that runs.")
    return captured.outputs[layer]


def gradients_at(scores: Tensor, places: list[Tensor], layer: str | None = None) -> list[Tensor]:
    """Gradients at the first place, which must be reached, and at others, which need not be.

    Raises ModelError or, for a `layer`, LayerError.
    """
    if not scores.requires_grad:
        raise ModelError(
            "No gradient reaches the score.",
            "The model blocks it (no_grad, inference_mode, quantised or detached outputs) or does "
            "not depend on its input. Use the float model for gradient methods.",
        )
    try:
        found = torch.autograd.grad(scores.sum(), places, allow_unused=True)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f"The backward pass failed: {error}",
            "Differentiate the model on such a tensor yourself to see where.",
        ) from error
    if found[0] is None:
        what = f"layer {layer!r}" if layer else "the input"
        raise (LayerError if layer else ModelError)(
            f"The score does not depend on {what}.",
            "Choose another layer or target."
            if layer
            else "Is the input detached in forward, or the model quantised?",
        )
    return [
        torch.zeros_like(p) if g is None else finite(g, "gradient")
        for g, p in zip(found, places, strict=True)
    ]


def finite(values: Tensor, what: str) -> Tensor:
    """The values. Raises ModelError when some are no numbers."""
    if not bool(torch.isfinite(values).all()):
        raise ModelError(
            f"The model's {what} is NaN or infinite.",
            "Check the weights and the input's scale, or use precision='float32'.",
        )
    return values


__all__ = ["finite", "gradients_at", "reached"]
