"""Non-negative factors of activations: parts that add up."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.decomposition import NMF
from torch import Tensor

ROUNDS = 1000
"""Iterations of the factorisation at most; it ends where it no longer improves."""


class Factors:
    """Activations as sums of a few directions, each with a coefficient of at least 0.

    Features (n, C) are about `coefficients @ directions`, with coefficients (n, k) and directions
    (k, C). Factorised is what is positive of them, as the network's ReLUs leave it; where negative
    activations count too (`signed`), positive and negative parts stand side by side, so that the
    directions may have both signs and nothing is lost. Lee and Seung 1999.
    """

    def __init__(self, features: Tensor, count: int, signed: bool, seed: int) -> None:
        """Of features (n, 2C) or (n, C) of `parts`."""
        self.signed = signed
        self._model: Any = NMF(
            min(count, *features.shape), init="nndsvda", max_iter=ROUNDS, random_state=seed
        )
        self._model.fit(features.double().numpy())

    @property
    def directions(self) -> Tensor:
        """The directions (k, C) in the space of the activations."""
        basis = torch.from_numpy(self._model.components_)
        if not self.signed:
            return basis
        ahead, behind = basis.chunk(2, 1)
        return ahead - behind

    def coefficients(self, features: Tensor) -> Tensor:
        """The coefficients (n, k) of features (n, 2C) or (n, C) of `parts`."""
        return torch.from_numpy(self._model.transform(features.double().numpy()))

    def explained(self, features: Tensor, coefficients: Tensor) -> float:
        """The share of the features' squares that the factors account for."""
        rest = features.double() - coefficients @ torch.from_numpy(self._model.components_)
        return 1 - float(rest.square().sum() / features.double().square().sum().clamp(min=1e-24))


def parts(activation: Tensor, signed: bool) -> Tensor:
    """What is factorised of activations (..., C): (..., C), or (..., 2C) where signs count."""
    if not signed:
        return activation.relu()
    return torch.cat([activation.relu(), (-activation).relu()], -1)


def signs_count(activations: Tensor, gradients: Tensor) -> bool:
    """Whether the score depends on negative activations: after a layer that a ReLU follows it does
    not."""
    negative = activations < 0
    return bool((gradients[negative] != 0).any())


__all__ = ["Factors", "parts", "signs_count"]
