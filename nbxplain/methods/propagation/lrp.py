"""Layer-wise relevance propagation: the score shared out among the inputs, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor

from nbxplain.core.decompositions import DECOMPOSITIONS
from nbxplain.core.rules import RuleSet
from nbxplain.methods.base import Group, Method, Partial, Question, parameter
from nbxplain.methods.propagation.conservation import Composite, Strengths, conserving_rules
from nbxplain.methods.propagation.shares import BIAS, STABILISER

COMPOSITES = {
    "epsilon": Composite("epsilon", "epsilon"),
    "gamma": Composite("gamma", "gamma"),
    "z_plus": Composite("z_plus", "z_plus"),
    "alpha_beta": Composite("alpha_beta", "alpha_beta"),
    "epsilon_plus": Composite("epsilon", "z_plus"),
    "epsilon_plus_flat": Composite("epsilon", "z_plus", "flat"),
    "epsilon_alpha_beta": Composite("epsilon", "alpha_beta"),
    "epsilon_gamma": Composite("epsilon", "gamma"),
    "epsilon_gamma_box": Composite("epsilon", "gamma", "z_box"),
    "epsilon_w_squared": Composite("epsilon", "epsilon", "w_squared"),
}
"""Dense layers, convolutions, first layer. The transformer rules are the same in all of them."""

CompositeName = Literal[
    "epsilon", "gamma", "z_plus", "alpha_beta", "epsilon_plus", "epsilon_plus_flat",
    "epsilon_alpha_beta", "epsilon_gamma", "epsilon_gamma_box", "epsilon_w_squared",
]  # fmt: skip


class LRP(Method):
    """The score is handed back through the layers, each sharing it by what its inputs contributed.

    The shares sum to the score, less what biases and the stabiliser absorb, which is reported.
    Attention, normalisation and products follow AttnLRP. Bach et al. 2015. Commercial use of LRP
    may be covered by patents.
    """

    name: ClassVar[str] = "lrp"
    label: ClassVar[str] = "LRP"
    group: ClassVar[Group] = "propagation"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True

    composite: CompositeName = parameter(
        "epsilon_plus", "Which rule dense layers, convolutions and the first layer follow."
    )
    epsilon: float = parameter(1e-6, "Stabiliser of divisions.", ge=1e-12, le=1, log=True)
    gamma: float = parameter(0.25, "How much the gamma rule favours positive weights.", ge=0, le=10)
    alpha: float = parameter(
        2.0, "Weight of support in alpha-beta; beta is alpha - 1.", ge=1, le=10
    )

    biases: bool = parameter(True, "Whether biases absorb their share; off hands it on to inputs.")

    def run(self, question: Question) -> Iterator[Partial]:
        """One pass per input."""
        x = question.tensor
        strengths = Strengths(self.epsilon, self.gamma, self.alpha, self.biases, _box(question))
        rules = RuleSet(
            conserving_rules(COMPOSITES[self.composite], strengths),
            DECOMPOSITIONS,
            unit=True,
            sinks=(BIAS, STABILISER),
        )
        values, done = torch.zeros_like(x), 0
        scores = x.new_zeros(len(x))
        absorbed = {name: x.new_zeros(len(x)) for name in rules.sinks}
        for result in question.passes.propagate(
            len(x), lambda rows: x[rows], question.target.score, rules
        ):
            values[result.rows], scores[result.rows] = result.gradient, result.scores
            for name, sink in absorbed.items():
                sink[result.rows] = result.sinks[name]
            done += len(result.rows)
            evidence = {
                "relevance": values.flatten(1).sum(1),
                "relevance_score": scores,
                **absorbed,
            }
            yield Partial(values.clone(), done, len(x), evidence=dict(evidence))


def _box(question: Question) -> tuple[Tensor, Tensor] | None:
    """The smallest and largest input that a pixel can be, in model units."""
    x, space = question.tensor, question.inputs.pixels
    if space is None:
        return None
    black, white = (space.to_model(torch.full_like(x[:1], value)) for value in (0.0, 1.0))
    low = torch.minimum(black.amin((2, 3), keepdim=True), x.amin((0, 2, 3), keepdim=True))
    high = torch.maximum(white.amax((2, 3), keepdim=True), x.amax((0, 2, 3), keepdim=True))
    return low, high
