"""A hash of a model's weights, made once for each state of them."""

from __future__ import annotations

import hashlib
import weakref

import torch
from torch import Tensor, nn

_known: weakref.WeakKeyDictionary[nn.Module, tuple[object, str]] = weakref.WeakKeyDictionary()


def weight_hash(model: nn.Module, version: object) -> str:
    """SHA-256 over names and bytes of all weights and buffers, first 16 hex digits.

    `version` changes whenever they do.
    """
    known = _known.get(model)
    if known is not None and known[0] == version:
        return known[1]
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        if isinstance(tensor, Tensor):
            digest.update(_bytes(tensor))
    _known[model] = version, digest.hexdigest()[:16]
    return _known[model][1]


def _bytes(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous()
    if flat.is_quantized:
        flat = flat.int_repr()
    return flat.flatten().view(torch.uint8).numpy().tobytes() if flat.numel() else b""


__all__ = ["weight_hash"]
