"""What the Edit panel computes step by step: counterfactuals, and probes of fragility."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from nbxplain.adversarial.ball import Norm
from nbxplain.adversarial.probe import Probe
from nbxplain.adversarial.result import Adversarial
from nbxplain.adversarial.search import Robustness, attacked, curve, fooled, smallest
from nbxplain.core.errors import InputError
from nbxplain.core.passes import Passes
from nbxplain.counterfactuals.pictures import PictureCounterfactuals, examined, hunt
from nbxplain.counterfactuals.wish import Desired
from nbxplain.evaluation import rank_correlation
from nbxplain.explain import Setting, attributions
from nbxplain.methods.base import Method
from nbxplain.results import Attribution, Prediction

Attack = Literal["fgsm", "pgd", "apgd", "deep_fool"]
Seeks = Literal["change", "smallest", "curve"]

EPSILONS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the given epsilon at which a curve is measured."""
STEPS = 30
"""Of an attack that makes several."""


@dataclass
class Hunted:
    """How far a search for counterfactuals is, and what the model says of the best so far."""

    result: PictureCounterfactuals
    said: Prediction

    @property
    def done(self) -> int:
        return self.result.done

    @property
    def total(self) -> int:
        return self.result.total


@dataclass
class Probed:
    """What a probe found: a changed picture, or how the prediction falls with epsilon. `maps` are
    the attributions before and after, `rank` is their Spearman correlation. `source` is the code
    that makes the changed picture the explained one. `epsilon` is the
    smallest one where that was sought: inf where even the largest changed nothing."""

    attack: Attack
    norm: Norm
    changed: Adversarial
    said: Prediction
    before: Prediction
    code: str
    source: str
    epsilon: float | None = None
    robustness: Robustness | None = None
    maps: list[Attribution] = field(default_factory=list)
    rank: float | None = None
    done: int = 1
    total: int = 1


Seen = Hunted | Probed


def hunted(
    setting: Setting,
    desired: Desired,
    passes: Passes,
    enough: Callable[[], bool],
    **options: Any,
) -> Iterator[Hunted]:
    """The steps of a search; once `enough` says so the best so far is the last one."""
    last = None
    for last in hunt(setting, desired, passes, **options):
        if enough():
            break
        if not last.honesty:
            yield Hunted(last, replace(setting.prediction, scores=last.scores))
    assert last is not None
    result = last if last.honesty else examined(last, setting, passes)
    with setting.adapter.lock:
        output = setting.adapter.outputs(result.tensor.to(setting.inputs.tensor)).cpu()
    yield Hunted(result, replace(setting.prediction, scores=output))


def probed(
    setting: Setting,
    passes: Passes,
    attack: Attack,
    norm: Norm,
    epsilon: float,
    toward: int | None,
    seeks: Seeks,
    explaining: tuple[Method, str | None] | None,
) -> Iterator[Probed]:
    """One attack, with the attribution before and after where a method is given.

    Raises ExplanationError, also for an attack that is not known.
    """
    if attack not in get_args(Attack):
        raise InputError(f"There is no attack {attack!r}.", f"Choose one of {get_args(Attack)}.")
    asked = Probe(setting.adapter, setting.inputs, passes, None, toward)
    found, robustness, reached = _sought(asked, attack, norm, epsilon, seeks)
    with setting.adapter.lock:
        output = setting.adapter.outputs(found.tensor[0, -1:].to(setting.inputs.tensor)).cpu()
    result = Probed(
        attack,
        norm,
        found,
        replace(setting.prediction, scores=output),
        setting.prediction,
        _code(attack, norm, epsilon, toward, seeks),
        _source(attack, norm, epsilon, toward, seeks),
        reached,
        robustness,
    )
    if explaining is not None and seeks != "curve":
        result.maps = list(_explained(setting, found, passes, *explaining))
        result.rank = rank_correlation(*(one.heatmap() for one in result.maps))
    yield result


def _sought(
    asked: Probe, attack: Attack, norm: Norm, epsilon: float, seeks: Seeks
) -> tuple[Adversarial, Robustness | None, float | None]:
    if attack == "deep_fool":
        return fooled(asked, norm), None, None
    steps = 1 if attack == "fgsm" else STEPS
    if seeks == "smallest":
        least = smallest(asked, norm, attack, steps)
        return least.best, None, float(least.epsilon[0])
    found = attacked(asked, attack, epsilon, norm, steps)
    if seeks == "curve":
        return found, curve(asked, [epsilon * m for m in EPSILONS], attack, norm, steps), None
    return found, None, None


def _explained(
    setting: Setting, found: Adversarial, passes: Passes, method: Method, layer: str | None
) -> Iterator[Attribution]:
    """The attribution of the class that was predicted, before and after."""
    changed = found.tensor[0, -1:].to(setting.inputs.tensor)
    for inputs in (setting.inputs, replace(setting.inputs, tensor=changed)):
        *_, last = attributions(replace(setting, inputs=inputs), method, passes, layer)
        yield last


def _code(attack: Attack, norm: Norm, epsilon: float, toward: int | None, seeks: Seeks) -> str:
    goal = "" if toward is None else f", toward={toward}"
    if attack == "deep_fool":
        call, name = f"deep_fool(model, image, norm={norm!r}{goal})", "deep_fool"
    elif seeks == "smallest":
        name = "smallest_epsilon"
        call = f"{name}(model, image, norm={norm!r}, attack={attack!r}, steps={STEPS}{goal})"
    elif seeks == "curve":
        name = "robustness_curve"
        epsilons = [epsilon * m for m in EPSILONS]
        call = f"{name}(model, image, {epsilons}, attack={attack!r}, norm={norm!r}, steps={STEPS})"
    else:
        name, steps = attack, "" if attack == "fgsm" else f", steps={STEPS}"
        call = f"{attack}(model, image, {epsilon}, norm={norm!r}{steps}{goal})"
    return f"from nbxplain.adversarial import {name}\n\nprobe = {call}\n"


def _source(attack: Attack, norm: Norm, epsilon: float, toward: int | None, seeks: Seeks) -> str:
    made = _code(attack, norm, epsilon, toward, "change" if seeks == "curve" else seeks)
    probe = "probe.best" if seeks == "smallest" and attack != "deep_fool" else "probe"
    return (
        f"from dataclasses import replace\n{made}"
        f"image = replace({probe}.probe.inputs, tensor={probe}.tensor[0, -1:])\n\n"
    )


__all__ = ["Hunted", "Probed", "Seen", "hunted", "probed"]
