"""Estimates from as many coalitions as a budget of evaluations allows.

With a background the budget holds for each of its samples, as users of KernelSHAP know it: a
coalition's value is the mean over all of them, and a default that a hundred usual rows would use up
serves nobody. What was evaluated in all is in the evidence.
"""

from __future__ import annotations

from abc import abstractmethod

from nbxplain.core.errors import MethodError
from nbxplain.methods.base import parameter
from nbxplain.methods.coalitions import Game
from nbxplain.methods.shapley.base import Design, ShapleyMethod
from nbxplain.methods.shapley.exact import exhaustive


class SampledShapley(ShapleyMethod):
    """Base of those that evaluate `budget` inputs; exact where all 2^n coalitions fit in it."""

    budget: int = parameter(
        1024, "Evaluations of the model, for each sample of the background if there is one.",
        ge=4, le=1_048_576, draft=128, log=True,
    )  # fmt: skip
    seed: int = parameter(0, "Seed of the coalitions.", ge=0, le=9999)

    def design(self, game: Game, row: int) -> Design:
        """Raises MethodError for a budget of less than two coalitions a player."""
        players = int(game.counts[row])
        complete = self.complete(game, row, self.budget)
        if complete is not None:
            return complete
        least = 2 * players
        if self.budget < least:
            raise MethodError(
                f"A budget of {self.budget} is too small: {players} players need {least} "
                "coalitions.",
                f"Give budget={least} or more, or fewer players.",
            )
        return self.sampled(game, row, self.budget)

    def complete(self, game: Game, row: int, size: int) -> Design | None:
        """All the coalitions that there are to ask for, if they are no more than `size`."""
        players = int(game.counts[row])
        return exhaustive(players, self.seed) if size >= 2 ** min(players, 30) else None

    @abstractmethod
    def sampled(self, game: Game, row: int, size: int) -> Design:
        """At most `size` coalitions for one row of the batch, of 2^n."""


__all__ = ["SampledShapley"]
