"""Everything about a model, and the global random states, that must be found unchanged."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def snapshot(model: nn.Module) -> dict[str, Any]:
    """Equal before and after if, and only if, nothing was touched."""
    found: dict[str, Any] = {
        "torch": _bytes(torch.get_rng_state()),
        "numpy": str(np.random.get_state()),
        "random": random.getstate(),
    }
    for name, module in model.named_modules():
        found[f"module {name}"] = (id(module), module.training, sorted(vars(module)))
        found[f"hooks {name}"] = {
            key: [(number, id(hook)) for number, hook in value.items()]
            for key, value in vars(module).items()
            if key.endswith("_hooks") and isinstance(value, dict)
        }
    for name, weight in model.named_parameters():
        grad = None if weight.grad is None else (id(weight.grad), _bytes(weight.grad))
        found[f"weight {name}"] = (id(weight), _bytes(weight), weight.requires_grad, grad)
    for name, buffer in model.named_buffers():
        found[f"buffer {name}"] = (id(buffer), _bytes(buffer))
    return found


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
