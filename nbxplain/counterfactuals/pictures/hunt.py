"""The search: a picture that is decided as desired, made cheaper step by step."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from nbxplain.core.errors import InputError, TargetError
from nbxplain.core.inputs import Inputs
from nbxplain.core.passes import Passes
from nbxplain.core.pixels import PixelSpace
from nbxplain.core.regions import Regions
from nbxplain.counterfactuals.pictures.agreement import Agreement, Likeness, Said
from nbxplain.counterfactuals.pictures.change import Space
from nbxplain.counterfactuals.pictures.honesty import examined
from nbxplain.counterfactuals.pictures.parameters import PictureSearch
from nbxplain.counterfactuals.pictures.place import Mask, mask_of
from nbxplain.counterfactuals.pictures.result import ITERATES, Iterate, PictureCounterfactuals
from nbxplain.counterfactuals.wish import Desired, Wish
from nbxplain.explain import Setting, sources

BACK = 0.05
"""Of a step that is not needed any more: the share of the drive that is given back."""
SLOWER = 4
"""Steps that were not needed after which steps are half as long."""
HALVINGS = 16
UNSTEADY, UNSURE, INVALID = 1e8, 1e10, 1e12
"""What is added to the objective of a picture that holds only undisturbed, that is less probable
than wished, and that is not valid."""
WITHIN = 1e-3
"""How far outside 0 to 1 pixels may lie before the box is given up."""


def hunt(
    setting: Setting,
    desired: Desired,
    passes: Passes,
    *,
    mask: Mask = None,
    examples: Inputs | None = None,
    regions: Regions | None = None,
    **parameters: Any,
) -> Generator[PictureCounterfactuals]:
    """Ever better counterfactuals of the first picture of a setting, one result a step.

    Each holds the best so far: the one with the smallest objective of those that are valid and as
    probable as wished (rather one that stays so when moved and under noise); before there is any,
    the one that comes nearest, rather a valid one. Whoever closes the generator keeps that. The
    last one is examined (honesty.py). Arguments as in picture_counterfactuals. Raises
    ExplanationError.
    """
    started = time.perf_counter()
    search = PictureSearch.of(**parameters)
    walk = _Walk.of(setting, desired, passes, mask, examples, regions, search)
    for step in range(search.steps):
        walk.step(step)
        if step < search.steps - 1:
            yield walk.result(step + 1, started)
    walk.pull_back()
    result = walk.result(search.steps, started)
    result = examined(result, setting, passes)
    yield replace(result, seconds=time.perf_counter() - started)


@dataclass
class _Best:
    """The best drive (k, C, H, W) and picture of each so far, how good it is (small is good), and
    what was said of it."""

    drive: Tensor
    pixels: Tensor
    worth: Tensor
    said: Said
    distance: Tensor

    def offer(self, other: _Best) -> None:
        better = other.worth < self.worth
        where = better.view(-1, 1, 1, 1)
        self.drive = torch.where(where, other.drive, self.drive)
        self.pixels = torch.where(where, other.pixels, self.pixels)
        self.worth = torch.where(better, other.worth, self.worth)
        self.distance = torch.where(better, other.distance, self.distance)
        self.said = self.said.where(better, other.said)


@dataclass
class _Walk:
    """Drives that follow the model's gradient while it does not agree, and shrink while it does.

    `held` (k,) counts the steps at which it agreed, `reached` (k,) is the first of them from 1, or
    0.
    """

    setting: Setting
    inputs: Inputs
    said: str
    before: Said
    space: Space
    pixels: PixelSpace
    agreement: Agreement
    search: PictureSearch
    regions: Regions
    generator: torch.Generator
    drive: Tensor
    best: _Best
    held: Tensor
    reached: Tensor
    curve: dict[str, list[Tensor]] = field(default_factory=dict)
    iterates: list[Iterate] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        setting: Setting,
        desired: Desired,
        passes: Passes,
        mask: Mask,
        examples: Inputs | None,
        regions: Regions | None,
        search: PictureSearch,
    ) -> _Walk:
        """Everything that can be wrong is found here. Raises ExplanationError."""
        adapter, inputs = setting.adapter, setting.inputs
        check_picture(inputs)
        adapter.check_inside()
        inputs = replace(inputs, tensor=inputs.tensor[:1])
        x = inputs.tensor
        output = setting.prediction.scores[:1].to(x.device)
        wish = Wish.of(desired, output.shape[1], setting.prediction.labels)
        said = (
            setting.prediction.labels[wish.index]
            if wish.interval is None
            else f"{wish.interval[0]:g} to {wish.interval[1]:g}"
        )
        _refuse_granted(wish, output, setting.prediction.labels, said)
        pixels = inputs.pixels or PixelSpace()
        clean = pixels.to_pixels(x)[0]
        boxed = bool(((clean >= -WITHIN) & (clean <= 1 + WITHIN)).all())
        allowed = mask_of(mask, inputs).to(x.device)
        if search.likeness and examples is None:
            raise InputError("There are no examples to be like.", "Give examples= or likeness=0.")
        likeness = (
            Likeness.of(adapter, passes, examples, search.layer)
            if search.likeness and examples is not None
            else None
        )
        agreement = Agreement(adapter, passes, wish, search.probability, likeness, search.likeness)
        space = Space.of(clean, allowed, (0.0, 1.0) if boxed else None, search)
        drive = torch.zeros_like(clean).repeat(search.k, 1, 1, 1)
        start = agreement.judged(output)
        nothing = _Best(
            drive,
            space.pixels(drive),
            torch.full((search.k,), torch.inf, dtype=torch.float64, device=x.device),
            start.repeated(search.k),
            torch.zeros_like(start.margin).repeat(search.k),
        )
        notices = [] if boxed else ["The input has no box: it is not a picture from 0 to 1."]
        return cls(
            setting, inputs, said, start, space, pixels, agreement, search,
            regions or Regions.superpixels(20),
            torch.Generator().manual_seed(search.seed), drive, nothing,
            torch.zeros(search.k, device=x.device),
            torch.zeros(search.k, dtype=torch.int64, device=x.device), notices=notices,
        )  # fmt: skip

    def fed(self, pixels: Tensor) -> Tensor:
        """Pictures as the model gets them: bit for bit the input where nothing changed."""
        same = pixels == self.space.clean
        return torch.where(same, self.inputs.tensor, self.pixels.to_model(pixels))

    def step(self, number: int) -> None:
        """One step of mirror descent: along the gradient where the picture, or the disturbed one,
        is not decided as desired, else back."""
        pixels, said, distance = self._tried(self.drive)
        jitter, disturbed = self._disturbed(pixels)
        slope, also = self.agreement.slope(disturbed, said.enough)
        steady = said.enough & also.enough
        self._note(number, pixels, said, distance)
        self._offer(self.drive, pixels, said, distance, steady)
        slope = self._per_pixel(slope.roll((-jitter[0], -jitter[1]), (2, 3)))
        done = steady.view(-1, 1, 1, 1)
        self.held += steady
        self.reached = torch.where((self.reached == 0) & steady, number + 1, self.reached)
        size = (1 / (1 + self.held / SLOWER)).to(slope).view(-1, 1, 1, 1)
        ahead = size * self.space.towards(slope)
        less = self.search.smoothness * self.space.roughness(pixels)
        less = less + torch.where(done, self.drive, 0.0)
        self.drive = self.drive + torch.where(done, BACK * ahead, ahead) - BACK * less

    def pull_back(self) -> None:
        """The smallest share of the best drives that is still decided as desired, by bisection.

        For a linear model that is the cheapest change there is.
        """
        drive, steady = self.best.drive, self.best.worth < UNSTEADY
        noise = self._noise(self.best.pixels)
        low = torch.zeros_like(self.best.said.margin)
        high = torch.ones_like(low)
        for _ in range(HALVINGS):
            share = (low + high) / 2
            pixels, said, distance = self._tried(drive, share)
            enough = said.enough
            if self.search.noise:
                shaken = self.agreement.said(self.pixels.to_model(pixels + noise))
                enough = enough & (shaken.enough | ~steady)
            low, high = torch.where(enough, low, share), torch.where(enough, share, high)
            self._offer(drive, pixels, said, distance, enough & steady)

    def result(self, done: int, started: float) -> PictureCounterfactuals:
        """The best so far."""
        best, setting = self.best, self.setting
        labels = setting.prediction.labels
        tensor = self.fed(best.pixels)
        valid = best.said.valid
        return PictureCounterfactuals(
            original=self.space.clean.cpu(),
            pixels=best.pixels.cpu(),
            tensor=tensor.cpu(),
            valid=valid.cpu(),
            scores=best.said.scores.cpu(),
            margin=best.said.margin.cpu(),
            probability=best.said.probability.cpu(),
            before=float(self.before.probability[0]),
            terms={name: term.cpu() for name, term in self._terms(best).items()},
            curve={name: torch.stack(values).cpu() for name, values in self.curve.items()},
            reached=self.reached.cpu(),
            iterates=list(self.iterates),
            mask=self.space.mask.cpu(),
            wish=self.agreement.wish,
            desired=self.said,
            predicted=labels[int(setting.prediction.scores[0].argmax())],
            after=[labels[index] for index in best.said.predicted.tolist()],
            search=self.search,
            regions=self.regions,
            inputs=replace(self.inputs, tensor=self.inputs.tensor.cpu()),
            evaluations=self.agreement.passes.evaluations,
            seconds=time.perf_counter() - started,
            provenance=self._provenance(),
            done=done,
            total=self.search.steps,
            notices=[
                *setting.adapter.notices,
                *self.inputs.notices,
                *self.notices,
                *self._shortfall(),
            ],
        )

    def _tried(self, drive: Tensor, share: Tensor | None = None) -> tuple[Tensor, Said, Tensor]:
        """Pictures of drives, what is said of them, and their distance from the examples."""
        part = 1.0 if share is None else share.view(-1, 1, 1, 1)
        pixels = self.space.pixels(drive, part)
        fed = self.fed(pixels)
        return pixels, self.agreement.said(fed), self.agreement.distance(fed)

    def _disturbed(self, pixels: Tensor) -> tuple[tuple[int, int], Tensor]:
        """Pictures as the model gets them, moved and with noise, and by how much they are moved."""
        reach = self.search.jitter
        if not reach and not self.search.noise:
            return (0, 0), self.fed(pixels)
        drawn = torch.randint(-reach, reach + 1, (2,), generator=self.generator).tolist()
        jitter = int(drawn[0]), int(drawn[1])
        moved = pixels.roll(jitter, (2, 3)) + self._noise(pixels)
        return jitter, self.pixels.to_model(moved)

    def _noise(self, pixels: Tensor) -> Tensor:
        drawn = torch.randn(pixels.shape, generator=self.generator, dtype=pixels.dtype)
        return self.search.noise * drawn.to(pixels.device)

    def _per_pixel(self, slope: Tensor) -> Tensor:
        """The chain rule through the normalisation: one pixel unit is 1 / std of the model's."""
        return self.pixels.to_model(slope) - self.pixels.to_model(torch.zeros_like(slope))

    def _offer(
        self, drive: Tensor, pixels: Tensor, said: Said, distance: Tensor, steady: Tensor
    ) -> None:
        new = _Best(drive, pixels, torch.empty(0), said, distance)
        objective = torch.stack(list(self._terms(new).values())).sum(0)
        # Far from the wish, the nearest is best: by probability, or by score where there is none.
        far = -torch.where(said.probability.isnan(), said.margin, said.probability.log())
        # In double, or beside such numbers every objective would be the same.
        cost = objective.double() + torch.where(steady, 0.0, UNSTEADY)
        missed = far.double() + torch.where(said.valid, UNSURE, INVALID)
        new.worth = torch.where(said.enough, cost, missed)
        self.best.offer(new)

    def _terms(self, best: _Best) -> dict[str, Tensor]:
        likeness = self.search.likeness * best.distance
        return {**self.space.terms(best.pixels), "likeness": likeness}

    def _note(self, number: int, pixels: Tensor, said: Said, distance: Tensor) -> None:
        """Remembers the step: its losses, and now and then its first picture."""
        terms = {**self.space.terms(pixels), "likeness": self.search.likeness * distance}
        loss = torch.where(said.probability.isnan(), -said.margin, -said.probability.log())
        for name, value in {"class": loss, **terms, "probability": said.probability}.items():
            self.curve.setdefault(name, []).append(value)
        every = -(-self.search.steps // ITERATES)
        if number % every == 0:
            shown = (pixels[0].clamp(0, 1) * 255).round().to(torch.uint8).cpu()
            self.iterates.append(Iterate(number, shown))

    def _shortfall(self) -> list[str]:
        """What is said where the wish was not granted: the best found, and how far it got."""
        said = self.best.said
        missed = ~said.enough
        if not bool(missed.any()):
            return []
        share, margin = float(said.probability[missed].amax()), float(said.margin[missed].amax())
        near = f"comes as near as {margin:.3g} in score"
        if share == share:
            near = f"reaches probability {share:.2g} (from {float(self.before.probability[0]):.2g})"
        count = (
            f"{int(missed.sum())} of {len(missed)} were not" if len(missed) > 1 else "It was not"
        )
        wanted = "" if self.search.probability is None else f" at {self.search.probability:g}"
        return [
            f"{count} made {self.said}{wanted}: the best {near}. Allow a larger mask, more steps, "
            "less blur or noise."
        ]

    def _provenance(self) -> dict[str, Any]:
        found = {
            **sources(self.setting.adapter, self.inputs, self.agreement.passes),
            "method": "picture_counterfactuals",
            "desired": self.said,
            "parameters": self.search.model_dump(mode="json"),
            "regions": self.regions.model_dump(mode="json", exclude_defaults=True),
            "mask": int(self.space.mask.sum()),
        }
        likeness = self.agreement.likeness
        return found if likeness is None else {**found, "examples": likeness.described}


def check_picture(inputs: Inputs) -> None:
    """Raises InputError for a table."""
    if inputs.is_table:
        raise InputError(
            "A table row is no picture.", "Use nbxplain.counterfactuals.counterfactuals."
        )


def _refuse_granted(wish: Wish, scores: Tensor, names: Sequence[str], said: str) -> None:
    """Raises TargetError where the picture is as desired already, and says what is nearest."""
    margin = float(wish.margin(scores)[0])
    if margin <= 0:
        return
    hint = "Ask for something else."
    if wish.interval is None:
        second = names[int(scores[0].argsort(descending=True)[1])]
        hint = (
            f"The nearest boundary is that to {second}, {margin:.3g} away in score: ask for that."
        )
    raise TargetError(f"The picture is {said} already.", hint)


__all__ = ["check_picture", "hunt"]
