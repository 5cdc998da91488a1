"""CRAFT: what crops of a class's pictures have in common, as parts that add up.

The activations of crops at a layer are sums of a few non-negative parts; each part is a concept,
the crops that have most of it show it, and its coefficients in the cells of a whole picture say
where it fires. Fel et al. 2023. Other than there, what the parts do not account for stays in the
activation when their worth is measured, so that all of them together are the picture itself; and
where negative activations count they are factorised too, see factors.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nbxplain.concepts.crops import random_crops
from nbxplain.concepts.factors import Factors, parts, signs_count
from nbxplain.concepts.found import Discovered, Discovery, pictures_of
from nbxplain.concepts.looking import Look, mean_and_error
from nbxplain.concepts.worth import Importance, Parts, ablation, sobol


@dataclass(frozen=True)
class Craft:
    """How many concepts and crops a picture, shares of its sides that crops have, how a concept's
    worth is measured, and how many crops show it."""

    count: int
    crops: int
    sizes: tuple[float, ...]
    importance: Importance
    examples: int
    seed: int

    def steps(self, state: Discovery, look: Look) -> Iterator[Discovery]:
        """Yields after every chunk of crops, and with concepts after every picture."""
        crops = random_crops(look.pictures, self.crops, self.sizes, self.seed)
        state.total = len(crops) + len(look.pictures)
        signed = signs_count(look.activations, look.gradients)
        means: list[Tensor] = []
        split: list[Tensor] = []
        for cells in look.cells(crops):
            means.append(cells.mean(1))
            split.append(parts(cells, signed).mean(1))
            state.done += len(cells)
            yield state
        features = look.check(torch.cat(split))
        factors = Factors(features, self.count, signed, self.seed)
        has = factors.coefficients(features)
        maps = self._maps(look, factors, signed, state)
        found = []
        for number, direction in enumerate(factors.directions):
            shown = has[:, number].argsort(descending=True, stable=True)[: self.examples]
            name, tensor = f"concept {number + 1}", crops[shown]
            concept = look.concept(name, tensor, direction, torch.cat(means), shown)
            pictures = pictures_of(tensor, state.inputs)
            found.append(Discovered(concept, pictures, 0.0, 0.0, maps[:, number].float()))
        worth: list[Tensor] = []
        for values in self._worth(look, maps, factors.directions):
            worth.append(values)
            if len(worth) > 1:
                mean, error = mean_and_error(torch.stack(worth))
                state.concepts = ranked(found, mean, error)
            state.done += 1
            yield state

    def _maps(self, look: Look, factors: Factors, signed: bool, state: Discovery) -> Tensor:
        """The coefficients (N, k, rows, columns) of the cells of the pictures."""
        cells = parts(look.activations.movedim(1, -1), signed)
        flat = cells.flatten(0, 2)
        coefficients = factors.coefficients(flat)
        state.explained = factors.explained(flat, coefficients)
        return coefficients.view(*cells.shape[:3], -1).movedim(-1, 1)

    def _worth(self, look: Look, maps: Tensor, directions: Tensor) -> Iterator[Tensor]:
        """What each concept is worth (k,) to one picture after the other."""
        once = False
        for row, own in enumerate(maps):
            picture = look.pictures[row : row + 1]
            part = Parts(look.passes, look.layer, picture, look.target, row, own, directions, once)
            if row == 0:
                part.once = once = part.once_is_enough()
            if self.importance == "ablation":
                yield ablation(part.scores, len(own))
            else:
                # A design of its own: the error over pictures is then that of the estimate too.
                yield sobol(part.scores, len(own), self.seed + row)


def ranked(found: list[Discovered], mean: Tensor, error: Tensor) -> list[Discovered]:
    """The concepts with their worth, the most important first."""
    known = [
        replace(one, importance=float(mean[number]), error=float(error[number]))
        for number, one in enumerate(found)
    ]
    return sorted(known, key=lambda one: -one.importance)


__all__ = ["Craft"]
