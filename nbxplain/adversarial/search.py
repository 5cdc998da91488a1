"""The calls: attacks at given epsilons, the smallest epsilon that works, and a whole curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nbxplain.adversarial import ball
from nbxplain.adversarial.attacks import ATTACKS
from nbxplain.adversarial.ball import Norm
from nbxplain.adversarial.deepfool import deep_fool_pixels
from nbxplain.adversarial.probe import Labels, Probe, probe
from nbxplain.adversarial.result import Adversarial, found
from nbxplain.core.counting import counted
from nbxplain.core.errors import MethodError

if TYPE_CHECKING:
    from nbxplain.figure import Drawing

Epsilons = float | Sequence[float] | Tensor

NO_GRADIENT = 0.1
"""Share of inputs without any gradient from which it is said that gradients may be masked."""


def fgsm(
    model: nn.Module, inputs: Any, epsilon: Epsilons, *, norm: Norm = "linf",
    truth: Labels = None, toward: Labels = None, **options: Any,
) -> Adversarial:  # fmt: skip
    """One step of size epsilon along the gradient (Goodfellow et al. 2015).

    inputs: as in explain. epsilon: one or several, in pixels from 0 to 1 (tables: the model's
    units). truth: the true classes, by default the predicted ones. toward: the class to reach;
    without it any other will do. options: preprocess, labels, output, device as in explain.
    """
    return attacked(probe(model, inputs, truth, toward, **options), "fgsm", epsilon, norm, 1)


def pgd(
    model: nn.Module, inputs: Any, epsilon: Epsilons, *, norm: Norm = "linf", steps: int = 40,
    truth: Labels = None, toward: Labels = None, seed: int = 0, **options: Any,
) -> Adversarial:  # fmt: skip
    """Projected gradient steps from a random start (Madry et al. 2018); arguments as in fgsm."""
    asked = probe(model, inputs, truth, toward, **options)
    return attacked(asked, "pgd", epsilon, norm, steps, seed)


def apgd(
    model: nn.Module, inputs: Any, epsilon: Epsilons, *, norm: Norm = "linf", steps: int = 50,
    truth: Labels = None, toward: Labels = None, seed: int = 0, **options: Any,
) -> Adversarial:  # fmt: skip
    """Steps that choose their own size (Croce and Hein 2020); arguments as in fgsm."""
    asked = probe(model, inputs, truth, toward, **options)
    return attacked(asked, "apgd", epsilon, norm, steps, seed)


def deep_fool(
    model: nn.Module, inputs: Any, *, norm: Norm = "l2", steps: int = 50, classes: int = 10,
    truth: Labels = None, toward: Labels = None, **options: Any,
) -> Adversarial:  # fmt: skip
    """A small change over the nearest boundary (Moosavi-Dezfooli et al. 2016).

    The result has one variant an input; its `epsilon` is the median size of the changes.
    """
    return fooled(probe(model, inputs, truth, toward, **options), norm, steps, classes)


def fooled(asked: Probe, norm: Norm = "l2", steps: int = 50, classes: int = 10) -> Adversarial:
    """DeepFool on a probe."""
    ball.checked(norm)
    pixels = deep_fool_pixels(asked, norm, counted("steps", steps), counted("classes", classes))
    sizes = ball.size(pixels - asked.clean, norm)
    return found("deep_fool", norm, sizes.median()[None], pixels, asked, _rows(asked, 1))


@dataclass
class Smallest:
    """The smallest epsilon (N,) at which an attack changed each input, up to `tolerance` as a
    share; inf where the largest one tried did not. `best` holds the changed inputs."""

    epsilon: Tensor
    tolerance: float
    largest: float
    best: Adversarial

    def figure(self, row: int = 0, **options: Any) -> Drawing:
        """An input, the nearest variant that changed it, and the change; see Adversarial.figure."""
        return self.best.figure(row, **options)


def smallest_epsilon(
    model: nn.Module, inputs: Any, *, norm: Norm = "l2", attack: str = "apgd", steps: int = 30,
    largest: float | None = None, tolerance: float = 0.02, truth: Labels = None,
    toward: Labels = None, seed: int = 0, **options: Any,
) -> Smallest:  # fmt: skip
    """The smallest change that works, by bisection of all inputs at once; arguments as in fgsm.

    largest: where the search begins; by default 1 for linf, the length of a white picture for l2.
    """
    asked = probe(model, inputs, truth, toward, **options)
    return smallest(asked, norm, attack, steps, largest, tolerance, seed)


def smallest(
    asked: Probe, norm: Norm = "l2", attack: str = "apgd", steps: int = 30,
    largest: float | None = None, tolerance: float = 0.02, seed: int = 0,
) -> Smallest:  # fmt: skip
    """The smallest epsilons of a probe."""
    ball.checked(norm)
    row = _rows(asked, 1)
    top = largest or (1.0 if norm == "linf" else float(asked.clean[0].numel()) ** 0.5)
    high = torch.full((len(asked),), top, dtype=asked.clean.dtype, device=asked.clean.device)
    low = torch.zeros_like(high)
    best, reached = asked.clean.clone(), torch.zeros_like(high, dtype=torch.bool)
    now = high.clone()
    while bool(((high - low > tolerance * high) & (reached | (now == top))).any()):
        pixels = _chosen(attack)(asked, row, now, norm, counted("steps", steps), seed)
        won = asked.margins(pixels, row) > 0
        best[won], reached = pixels[won], reached | won
        # The change that was found may be smaller than it was allowed to be.
        high = torch.where(won, ball.size(pixels - asked.clean, norm).minimum(now), high)
        low = torch.where(won, low.minimum(high), now)
        if not bool(reached.any()):
            break
        now = torch.where(reached, (low + high) / 2, now)
        low = torch.where(reached, low, high)
    epsilon = torch.where(reached, high, torch.inf).cpu()
    result = found(attack, norm, high.median()[None], best, asked, row)
    if not bool(reached.all()):
        missed = f"{int((~reached).sum())} of {len(asked)} inputs"
        result.notices.append(f"{missed} were not changed within {top:.4g}.")
    return Smallest(epsilon, tolerance, top, result)


@dataclass
class Robustness:
    """Accuracy and mean confidence in the true class (E,) against epsilon; epsilon 0 is clean.

    `random` is the accuracy under random changes of the same size. `flags` names what hints at
    masked gradients, under which the curve flatters the model (Athalye et al. 2018).
    """

    epsilon: Tensor
    accuracy: Tensor
    confidence: Tensor
    random: Tensor
    attack: str
    norm: Norm
    flags: list[str] = field(default_factory=list)

    def figure(self, **options: Any) -> Drawing:
        """Accuracy against epsilon, with that under random changes beside it."""
        from nbxplain.figure import Style

        style = Style(**options)
        figure = style.figure(0.5, 6 * style.caption)
        axis = figure.subplots()
        axis.plot(self.epsilon, self.accuracy, color="#2961c4", label=self.attack)
        axis.plot(self.epsilon, self.random, color="#8a8f98", label="random change")
        axis.plot(self.epsilon, self.confidence, color="#2961c4", ls=":", label="confidence")
        axis.set_ylim(0, 1.02)
        axis.set_xlabel(f"epsilon ({self.norm})", fontsize=style.text)
        axis.set_title("How fragile it is", loc="left", fontsize=style.text)
        axis.legend(frameon=False, fontsize=style.text - 1)
        axis.tick_params(labelsize=style.text - 1)
        axis.spines[["top", "right"]].set_visible(False)
        if style.caption:
            text = " · ".join(["a probe of fragility, not an explanation", *self.flags])
            figure.supxlabel(text, fontsize=5, color="#555555", wrap=True)
        return figure


def robustness_curve(
    model: nn.Module, inputs: Any, epsilons: Sequence[float], *, truth: Labels = None,
    attack: str = "apgd", norm: Norm = "linf", steps: int = 20, seed: int = 0, **options: Any,
) -> Robustness:  # fmt: skip
    """Accuracy against epsilon; every epsilon of every input is in one batch. See fgsm."""
    asked = probe(model, inputs, truth, None, **options)
    return curve(asked, epsilons, attack, norm, steps, seed)


def curve(
    asked: Probe, epsilons: Sequence[float], attack: str = "apgd", norm: Norm = "linf",
    steps: int = 20, seed: int = 0,
) -> Robustness:  # fmt: skip
    """The robustness curve of a probe."""
    ball.checked(norm)
    epsilon = _epsilons(epsilons, asked)
    row, reach = _rows(asked, len(epsilon)), epsilon.repeat(len(asked))
    clean = asked.clean[row]
    change = ball.random(clean, reach, norm, seed)
    variants = {
        attack: _chosen(attack)(asked, row, reach, norm, counted("steps", steps), seed),
        "one step": ATTACKS["fgsm"](asked, row, reach, norm, 1, seed),
        "random": asked.boxed(clean + change),
    }
    for name, pixels in variants.items():
        # Nothing may be worse than nothing: at epsilon 0 every attack is the clean input.
        variants[name] = torch.where((reach > 0).view(-1, *[1] * (clean.ndim - 1)), pixels, clean)
    scores = {name: asked.scores(pixels) for name, pixels in variants.items()}
    right = {
        name: (s.argmax(1) == asked.truth[row]).view(len(asked), -1).double().mean(0).cpu()
        for name, s in scores.items()
    }
    own = scores[attack].softmax(1).gather(1, asked.truth[row].unsqueeze(1))
    confidence = own.view(len(asked), -1).mean(0).cpu()
    result = Robustness(epsilon.cpu(), right[attack], confidence, right["random"], attack, norm)
    result.flags = _flags(asked, right, attack)
    return result


def _flags(asked: Probe, right: dict[str, Tensor], attack: str) -> list[str]:
    flags = []
    if bool((right["one step"] < right[attack] - 1e-9).any()):
        flags.append("one step does better than many: gradients may be masked")
    if bool((right["random"] < right[attack] - 1e-9).any()):
        flags.append("random changes do better than the attack: gradients may be masked")
    seen = asked.look(asked.clean, _rows(asked, 1))
    flat = float((seen.gradient.flatten(1) == 0).all(1).double().mean())
    if flat >= NO_GRADIENT:
        flags.append(f"{flat:.0%} of the inputs have no gradient at all")
    return flags


def attacked(
    asked: Probe, name: str, epsilon: Epsilons, norm: Norm = "linf", steps: int = 40, seed: int = 0
) -> Adversarial:
    """An attack on a probe."""
    ball.checked(norm)
    reach = _epsilons(epsilon, asked)
    row = _rows(asked, len(reach))
    steps = counted("steps", steps)
    pixels = _chosen(name)(asked, row, reach.repeat(len(asked)), norm, steps, seed)
    return found(name, norm, reach, pixels, asked, row)


def _rows(asked: Probe, repeats: int) -> Tensor:
    """Each row of the probe so many times, row by row."""
    return torch.arange(len(asked), device=asked.clean.device).repeat_interleave(repeats)


def _epsilons(given: Epsilons, asked: Probe) -> Tensor:
    values = torch.as_tensor(given, dtype=asked.clean.dtype, device=asked.clean.device).flatten()
    if not len(values) or not bool(values.isfinite().all()) or bool((values < 0).any()):
        raise MethodError(f"epsilon = {given!r} is no size.", "Give numbers of at least 0.")
    return values


def _chosen(attack: str) -> Any:
    if attack not in ATTACKS:
        raise MethodError(f"There is no attack {attack!r}.", f"Choose one of {list(ATTACKS)}.")
    return ATTACKS[attack]


__all__ = [
    "Robustness", "Smallest", "apgd", "attacked", "curve", "deep_fool", "fgsm", "fooled", "pgd",
    "robustness_curve", "smallest", "smallest_epsilon",
]  # fmt: skip
