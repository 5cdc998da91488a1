"""What the model says of an input when parts of it are taken away, together and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.background import Background
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.target import Target
from nbxplain.methods.base import Method


@dataclass(frozen=True)
class Removal:
    """One input with the parts `players` and without them.

    `before` and `after` are the target's scores, `singles` says by how much the score drops when
    each part alone is taken away. `intact` (1, classes) and `removed` (K, classes) are the model's
    outputs, `input` (1, ...) is what it saw without them: the mean over K samples.
    """

    players: list[int]
    before: float
    after: float
    singles: list[float]
    intact: Tensor
    removed: Tensor
    input: Tensor

    @property
    def drop(self) -> float:
        return self.before - self.after

    @property
    def interaction(self) -> float | None:
        """What the joint drop has beyond the sum of the single ones; None for a single part.

        0 where the model adds the parts up, negative where one can stand in for another.
        """
        return self.drop - sum(self.singles) if len(self.players) > 1 else None


def remove(
    adapter: ModelAdapter,
    x: Tensor,
    target: Target,
    labels: Tensor,
    players: Sequence[int],
    absent: Tensor,
) -> Removal:
    """Asks the model once, in one batch, about an input with and without some of its parts.

    x: the input (1, C, H, W) or (1, F). target: of one row. labels: the part of each place (H, W)
    or (F,). absent: (K, *x.shape[1:]), what is seen in the place of a part; scores are averaged
    over K. Raises InputError for parts that are not there.
    """
    x, absent, labels = (t.to(adapter.device) for t in (x, absent, labels))
    players = list(dict.fromkeys(players))
    count = int(labels.max()) + 1
    wrong = [player for player in players if not 0 <= player < count]
    if wrong:
        raise InputError(
            f"There is no part {wrong[0]}.", f"The explanation has the parts 0 to {count - 1}."
        )
    together = [players] if len(players) < 2 else [players, *([player] for player in players)]
    gone = torch.stack([torch.isin(labels, labels.new_tensor(group)) for group in together])
    # Masks (groups, 1, ...) against samples (1, K, ...); all channels of a pixel go together.
    masks = gone.view(len(gone), *[1] * (x.ndim - labels.ndim), *labels.shape)
    without = torch.where(masks, absent.unsqueeze(0), x.unsqueeze(0))
    with adapter.lock:
        outputs = adapter.outputs(torch.cat([x, without.flatten(0, 1).to(x)])).cpu()
    scores = target.score(outputs, torch.zeros(len(outputs), dtype=torch.long)).double()
    before, means = float(scores[0]), scores[1:].view(len(gone), len(absent)).mean(1).tolist()
    drops = [before - mean for mean in means]
    return Removal(
        players,
        before,
        means[0],
        (drops[1:] or drops)[: len(players)],
        outputs[:1],
        outputs[1 : 1 + len(absent)],
        without[0].mean(0, keepdim=True).cpu(),
    )


def absence(method: Method, inputs: Inputs, device: torch.device) -> Tensor:
    """What stands for absence in a method, for one input: samples (K, *inputs.tensor.shape[1:]).

    Its background, its baselines, or where it has neither a black picture or a usual row.
    """
    background = getattr(method, "background", None)
    if isinstance(background, Background):
        return background.tensors_for(inputs, device)[:, 0]
    usual = Baseline(kind="mean" if inputs.is_table else "black")
    baseline = getattr(method, "baseline", usual)
    several = baseline if isinstance(baseline, tuple) else (baseline,)
    return torch.cat([one.tensor_for(inputs, device) for one in several])


__all__ = ["Removal", "absence", "remove"]
