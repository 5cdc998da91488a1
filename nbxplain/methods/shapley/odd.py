"""The project's own choice: exact for few players, the regression on the odd part for more."""

from __future__ import annotations

from typing import ClassVar

from nbxplain.methods.base import parameter
from nbxplain.methods.coalitions import Game
from nbxplain.methods.shapley.base import Design
from nbxplain.methods.shapley.exact import MOST, exhaustive
from nbxplain.methods.shapley.posterior import Odd
from nbxplain.methods.shapley.sampled import SampledShapley


class OddShap(SampledShapley):
    """A regression on the part of the game that Shapley values depend on, interactions included.

    Coalitions come in complementary pairs, whose differences it interpolates by all sets of an
    odd number of players, the less of a set the more players it has (arXiv 2602.01399 takes
    sets of one and three). From the same evaluations its error is a fraction of KernelSHAP's.
    """

    name: ClassVar[str] = "odd_shap"
    label: ClassVar[str] = "OddSHAP"

    def sampled(self, game: Game, row: int, size: int) -> Design:
        return Odd(int(game.counts[row]), size, self.seed)


class Shapley(OddShap):
    """What each part adds to the score, on average over all orders in which parts can come.

    Exact for few players: all 2^n coalitions are evaluated. For more, OddSHAP with the budget.
    The evidence says which of both it was, and how far off the values may be.
    """

    name: ClassVar[str] = "shapley"
    label: ClassVar[str] = "Shapley values"

    exact: int = parameter(
        12, "Players up to which every coalition is evaluated, whatever the budget.", ge=0,
        le=MOST, draft=7,
    )  # fmt: skip

    def design(self, game: Game, row: int) -> Design:
        players = int(game.counts[row])
        if players <= self.exact:
            return exhaustive(players, self.seed)
        return super().design(game, row)


__all__ = ["OddShap", "Shapley"]
