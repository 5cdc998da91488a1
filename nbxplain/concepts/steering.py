"""More or less of a concept: the prediction as a layer's activation is moved along a direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from nbxplain.concepts.concept import Concept, cav_of
from nbxplain.concepts.result import ConceptScore
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.capture import Edit
from nbxplain.core.cav import CAV
from nbxplain.core.counting import numbered
from nbxplain.core.errors import InputError
from nbxplain.core.layers import find
from nbxplain.core.passes import Passes
from nbxplain.core.target import TargetLike
from nbxplain.explain import Setting, ask
from nbxplain.results import Prediction

DOSES = tuple(step / 4 for step in range(-8, 9))
"""From two distances away from the concept to two towards it."""
RANDOM = 10
"""Random directions that a concept's stands beside: whatever is added moves a score somewhat."""


@dataclass
class Steering:
    """The scores of N inputs at D doses of a concept; D grows until `complete`.

    A dose of 1 adds what lies between random pictures and the concept's, -1 takes it away; 0 is the
    input as it is. `doses` (D,), `scores` (N, D) of the targets; `outputs` (N, D, K) are the
    model's, empty where they are no scores of classes. `random` (N, 2, R) are the scores of the
    targets at the first and the last dose of R random directions as long as the concept's; empty
    where there were none. `done` of `total` counts evaluations.
    """

    cav: CAV
    target: list[str]
    doses: Tensor
    scores: Tensor
    outputs: Tensor
    before: Prediction
    done: int
    total: int
    random: Tensor = field(default_factory=lambda: torch.empty(0, 2, 0))
    notices: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return self.done >= self.total

    def at(self, place: int) -> Prediction:
        """What the model says of all inputs at one of the doses."""
        return Prediction(self.outputs[:, place], self.before.labels, self.before.meaning)

    def turning(self, row: int = 0) -> tuple[float, str] | None:
        """The smallest dose at which another class is predicted for an input, and which.

        Raises InputError for an input that is not there, as `farther` does.
        """
        row = numbered(row, len(self.scores))
        as_it_is = self.before.top(1, min(row, len(self.before.scores) - 1))
        for place in self.doses.abs().argsort(stable=True).tolist():
            now = self.at(place).top(1, row)
            if now and now[0].index != as_it_is[0].index:
                return float(self.doses[place]), now[0].label
        return None

    def farther(self, row: int = 0) -> int | None:
        """Than how many of the random directions the concept moves an input's score, from the
        first dose to the last; None where there are none."""
        row = numbered(row, len(self.scores))
        if not self.random.numel():
            return None
        own, others = self.scores[row, -1] - self.scores[row, 0], self.random[row].diff(dim=0)
        return int((own.abs() > others.abs()).sum())

    def summary(self) -> str:
        """What the doses do to each input: one line each."""
        lines = [f"{self.cav.name} at {self.cav.layer}, {len(self.doses)} doses"]
        for row, (target, scores) in enumerate(zip(self.target, self.scores, strict=True)):
            turn = self.turning(row)
            then = f"; {turn[1]} from dose {turn[0]:+.3g}" if turn else ""
            ends = f"{float(scores[0]):.3g} to {float(scores[-1]):.3g}"
            beaten, than = self.farther(row), f"of {self.random.shape[2]} random directions"
            beside = "" if beaten is None else f", farther than {beaten} {than}"
            lines.append(f"{target}: {ends} over doses {_span(self.doses)}{beside}{then}")
        return "\n".join([*lines, *self.notices])

    def __repr__(self) -> str:
        return f"<Steering of {self.cav.name}: {len(self.scores)} inputs, {len(self.doses)} doses>"

    def describe(self) -> dict[str, Any]:
        """Everything as JSON; of the predictions the first five classes at each dose."""
        rows = range(len(self.scores))
        return {
            "concept": self.cav.name,
            "layer": self.cav.layer,
            "target": self.target,
            "doses": self.doses.tolist(),
            "scores": self.scores.tolist(),
            "predictions": [
                [[vars(choice) for choice in self.at(place).top(5, row)] for row in rows]
                for place in range(len(self.doses))
            ],
            "turning": [self.turning(row) for row in rows],
            "random": self.random.tolist(),
            "farther": [self.farther(row) for row in rows],
            "complete": self.complete,
            "notices": self.notices,
        }

    def figure(self, **options: Any) -> Any:
        """Scores against dose; options as in nbxplain.figure.Style."""
        from nbxplain.concepts.figure import draw_steering

        return draw_steering(self, **options)


def steer(
    model: nn.Module,
    inputs: Any,
    concept: CAV | ConceptScore | Concept,
    layer: str | None = None,
    doses: Sequence[float] = DOSES,
    *,
    target: TargetLike = None,
    preprocess: Any = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
) -> Steering:
    """What the model would say with more or less of a concept in its activations at a layer.

    concept: a CAV, a score of `tcav`, or a Concept that knows its directions. layer: where a
    Concept knows several. doses: in distances between random pictures and the concept's, which is
    what the direction was found from. The other arguments are those of `explain`. The slope at dose
    0 is the directional derivative, times the distance; far doses leave what the network has ever
    seen, so their answers are about the network, not about pictures. Random directions as long
    stand beside it at the first and the last dose. Raises ExplanationError.
    """
    adapter = ModelAdapter(model, preprocess, labels, output, device)
    setting = ask(adapter, adapter.read(inputs), target)
    (*_, last) = steps(setting, cav_of(concept, layer), doses, Passes(adapter), RANDOM)
    return last


def steps(
    setting: Setting, cav: CAV, doses: Sequence[float], passes: Passes, random: int = 0
) -> Iterator[Steering]:
    """Yields the doses known so far, from the smallest dose up, after every chunk; then those of
    random directions, if there are two doses."""
    strength = _checked(doses)
    x, adapter, target = setting.inputs.tensor, setting.adapter, setting.target
    cav.check(adapter)
    layer = find(cav.layer, adapter.layers(x[:1], suggest=False), adapter.replica())
    unit = cav.distance * cav.field(layer).to(x)
    scores: list[Tensor] = []
    outputs: list[Tensor] = []

    def more(rows: Tensor) -> Edit:
        change = strength.to(x)[rows // len(x)].view(-1, *(1 for _ in layer.shape)) * unit
        return Edit(layer.name, layer.calls, change.add)

    def score(output: Tensor, rows: Tensor) -> Tensor:
        kept = output if output.ndim == 2 else output.new_empty(len(output), 0)
        outputs.append(kept.detach().cpu())
        return target.score(output, rows % len(x))

    random = random if len(strength) > 1 else 0
    total = (len(strength) + 2 * random) * len(x)
    for _, found in passes.scores(
        len(strength) * len(x), lambda rows: x[rows % len(x)], score, more
    ):
        scores.append(found.cpu())
        done = sum(map(len, scores))
        whole = done // len(x)
        if not whole:
            continue
        state = Steering(
            cav, setting.names, strength[:whole],
            _by_input(torch.cat(scores), whole, len(x)),
            _by_input(torch.cat(outputs), whole, len(x)),
            setting.prediction, done, total,
            notices=[*adapter.notices, *setting.inputs.notices],
        )  # fmt: skip
        yield state
    if not random:
        return
    others = [cav.distance * other.field(layer).to(x) for other in _random(cav, random)]
    known = x.new_empty(random, 2, len(x)).cpu()

    def aside(rows: Tensor) -> Edit:
        which, end = rows // len(x) // 2, rows // len(x) % 2
        dose = strength.to(x)[[0, -1]][end].view(-1, *(1 for _ in layer.shape))
        return Edit(layer.name, layer.calls, (dose * torch.stack(others)[which]).add)

    count = known.numel()
    for rows, found in passes.scores(
        count, lambda rows: x[rows % len(x)], lambda o, rows: target.score(o, rows % len(x)), aside
    ):
        known.view(-1)[rows.cpu()] = found.cpu().to(known)
        state = replace(state, done=total - count + int(rows.max()) + 1)
        if state.complete:
            state.random = known.permute(2, 1, 0)
        yield state


def _random(cav: CAV, count: int) -> list[CAV]:
    """Random directions in the space of a concept's."""
    generator = torch.Generator().manual_seed(0)
    width = len(cav.direction)
    return [
        CAV.of(cav.layer, torch.randn(width, generator=generator), space=cav.space)
        for _ in range(count)
    ]


def _by_input(values: Tensor, doses: int, inputs: int) -> Tensor:
    """Values (doses * inputs, ...) as (inputs, doses, ...); those of a dose half done are left."""
    whole = values[: doses * inputs].view(doses, inputs, *values.shape[1:])
    return whole.transpose(0, 1)


def _checked(doses: Sequence[float]) -> Tensor:
    wrong = InputError("Doses must be finite numbers, at least one.", "For example (-1, 0, 1).")
    try:
        found: Tensor = torch.as_tensor(doses, dtype=torch.float32).flatten().unique()
    except (TypeError, ValueError) as error:
        raise wrong from error
    if len(found) == 0 or not bool(found.isfinite().all()):
        raise wrong
    return found


def _span(doses: Tensor) -> str:
    return f"{float(doses[0]):+.3g} to {float(doses[-1]):+.3g}"


__all__ = ["DOSES", "Steering", "steer", "steps"]
