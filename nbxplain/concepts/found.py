"""What a discovery of concepts found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image
from torch import Tensor

from nbxplain.concepts.concept import Concept
from nbxplain.concepts.result import ConceptScore
from nbxplain.concepts.worth import Importance
from nbxplain.core.inputs import Inputs, PixelSpace

Way = Literal["craft", "ace"]


@dataclass(frozen=True)
class Discovered:
    """One concept that nobody named yet.

    concept: its crops as examples, and its direction: for `tcav`, `steer` and concept maps, and to
    be renamed with `.concept.named("stripes")`. crops: the same to look at. importance: of
    ablation, what the class's score loses without it; of sobol, the share of the score's variance
    that it has a hand in; of ace, the magnitude of its TCAV score. A mean over the class's
    pictures; error: its standard error. maps (N, rows, columns): where it fires on each picture.
    score: of ace, its TCAV score with the test.
    """

    concept: Concept
    crops: list[Image.Image]
    importance: float
    error: float
    maps: Tensor
    score: ConceptScore | None = None


@dataclass
class Discovery:
    """Concepts of a class at a layer, the most important first.

    `pictures` are the class's, as fed. explained: of craft, the share of the activations' squares
    that the concepts account for. `done` of `total` counts crops and pictures; importances and
    their errors are known better with every picture.
    """

    method: Way
    layer: str
    target: str
    importance: Importance | Literal["tcav"]
    inputs: Inputs
    concepts: list[Discovered] = field(default_factory=list)
    explained: float | None = None
    notices: list[str] = field(default_factory=list)
    done: int = 0
    total: int = 1

    @property
    def complete(self) -> bool:
        return self.done >= self.total

    def summary(self) -> str:
        """One line a concept."""
        lines = [f"concepts of {self.target} at {self.layer}, found by {self.method}"]
        for one in self.concepts:
            verdict = "" if one.score is None else f". {one.score.verdict}"
            lines.append(
                f"{one.concept.name}: {self.importance} {one.importance:.3g} ± {one.error:.2g}"
                f"{verdict}"
            )
        if self.explained is not None:
            lines.append(f"they account for {self.explained:.0%} of the activations")
        return "\n".join([*lines, *self.notices])

    def __repr__(self) -> str:
        return f"<Discovery of {len(self.concepts)} concepts of {self.target} at {self.layer}>"

    def describe(self) -> dict[str, Any]:
        """Everything but pictures and maps, as JSON."""
        return {
            "method": self.method,
            "layer": self.layer,
            "target": self.target,
            "importance": self.importance,
            "explained": self.explained,
            "complete": self.complete,
            "notices": self.notices,
            "concepts": [
                {
                    "name": one.concept.name,
                    "importance": one.importance,
                    "error": one.error,
                    "verdict": None if one.score is None else one.score.verdict,
                }
                for one in self.concepts
            ],
        }

    def figure(self, **options: Any) -> Any:
        """A row a concept: its importance, its crops, where it fires; options as in
        nbxplain.figure.Style."""
        from nbxplain.concepts.figure import draw_discovery

        return draw_discovery(self, **options)


def pictures_of(tensor: Tensor, inputs: Inputs) -> list[Image.Image]:
    """Crops (n, C, H, W) in the model's units as pictures."""
    space = inputs.view or inputs.pixels or PixelSpace()
    return [space.picture(row) for row in tensor]


__all__ = ["Discovered", "Discovery", "Way", "pictures_of"]
