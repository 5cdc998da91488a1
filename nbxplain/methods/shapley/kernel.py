"""KernelSHAP and its relative with leverage scores."""

from __future__ import annotations

from typing import ClassVar

from nbxplain.methods.coalitions import Game
from nbxplain.methods.shapley.additive import Additive
from nbxplain.methods.shapley.base import Design
from nbxplain.methods.shapley.pairs import kernel, leverage
from nbxplain.methods.shapley.sampled import SampledShapley


class KernelShap(SampledShapley):
    """The sum over players that is closest to the game, in a weighted least-squares sense.

    Coalitions are drawn by size as the weights say, each with its complement, none twice.
    Lundberg and Lee 2017; pairs: Covert and Lee 2021.
    """

    name: ClassVar[str] = "kernel_shap"
    label: ClassVar[str] = "KernelSHAP"

    def sampled(self, game: Game, row: int, size: int) -> Design:
        return Additive(int(game.counts[row]), size, kernel, self.seed)


class LeverageShap(SampledShapley):
    """KernelSHAP with every size of coalition drawn as often: by leverage instead of by weight.

    Musco and Witter 2025.
    """

    name: ClassVar[str] = "leverage_shap"
    label: ClassVar[str] = "LeverageSHAP"

    def sampled(self, game: Game, row: int, size: int) -> Design:
        return Additive(int(game.counts[row]), size, leverage, self.seed)


__all__ = ["KernelShap", "LeverageShap"]
