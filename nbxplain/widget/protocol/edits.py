"""The Edit panel."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from nbxplain.widget.protocol.data import Picture, Runs
from nbxplain.widget.protocol.evidence import Evidence
from nbxplain.widget.protocol.jobs import Failure, Job
from nbxplain.widget.protocol.rows import Moved


class Sketch(TypedDict):
    """An edit of the picture: in `labels` 0 is untouched and i has the i-th fill, from 1. `made` by
    Python, it is to be shown; made by a page, only a page that has none of its own needs it."""

    made: Literal["page", "python"]
    serial: int
    fills: list[dict[str, Any]]
    adjustments: dict[str, float]
    labels: Runs


class Painted(TypedDict):
    """What the model says of the edited picture, whose bytes are the first buffer; `before` and
    `after` are the target's scores. `choices` has the best classes of before, the explained ones,
    then those that have joined them."""

    target: str
    before: float
    after: float
    choices: list[Moved]
    picture: Picture


class Share(TypedDict):
    """How much of a change lies in one region, from 0 to 1."""

    name: str
    share: float


class Fragility(TypedDict):
    """What is left of the prediction under changes of growing size: the probability of the class
    that was predicted, whether it still is (1 or 0), and the same under random changes."""

    epsilon: list[float]
    confidence: list[float]
    kept: list[float]
    random: list[float]
    flags: list[str]


class Way(TypedDict):
    """What each step of a search came to: the loss of the class, and what the change then costs.
    The change is pushed on until `reached`, the first step (from 1) at which the class is, and
    pulled back from there; None before."""

    losses: list[float]
    costs: list[float]
    reached: int | None


class Found(TypedDict):
    """A changed picture that was found. `change` shows the signed difference, `amplified` times
    about grey. `iterates` and `way` are the way there; `maps` the attribution before and
    after."""

    id: str
    kind: Literal["counterfactual", "probe"]
    title: str
    reached: bool
    says: str
    choices: list[Moved]
    picture: Picture
    change: Picture
    amplified: float
    facts: list[Evidence]
    shares: list[Share]
    iterates: list[Picture]
    way: Way
    maps: list[Picture]
    fragility: Fragility | None


class Walk(TypedDict):
    """A search under way: pictures of it from its start to now, what each step came to, and the
    best picture so far with the best classes, the explained and the desired ones."""

    iterates: list[Picture]
    way: Way
    picture: Picture
    choices: list[Moved]


class Edits(TypedDict):
    """What was changed in the picture; what was found to change it is in the history. `task` is
    what the job works at, and `walk` how far it is. `examples` counts the pictures that a
    counterfactual can be made to be like."""

    job: Job
    task: Literal["", "find", "probe"]
    error: Failure | None
    sketch: Sketch | None
    walk: Walk | None
    examples: int


class PaintRequest(TypedDict):
    """Paint the picture and ask the model. The first buffer holds the Runs of labels of this
    `shape` (rows, columns), which may be coarser than the picture; `settled` ends a stroke.
    Answered by `painted`; with `explain` the edited picture becomes the explained one."""

    id: str
    kind: Literal["paint"]
    fills: list[dict[str, Any]]
    adjustments: dict[str, float]
    shape: list[int]
    settled: bool
    explain: NotRequired[bool]


class ClonePicture(TypedDict):
    """A picture file to clone from: its bytes are the first buffer (10 MB at most). Answered by
    `fill`."""

    id: str
    kind: Literal["clone_picture"]
    name: str


class FindRequest(TypedDict):
    """Search the change that makes the model say class `desired`, with at least `probability` if
    one is given. `shape` and the first buffer are the labels of a PaintRequest; with `inside` only
    painted pixels may change. Answered when the work has begun."""

    id: str
    kind: Literal["find"]
    desired: int
    probability: float | None
    shape: list[int]
    inside: bool
    weights: dict[str, float]
    count: int


class ProbeRequest(TypedDict):
    """Attack the prediction, within `epsilon` in pixels from 0 to 1, toward a class or away from
    its own. `seeks` says what for. Answered when the work has begun."""

    id: str
    kind: Literal["probe"]
    attack: Literal["fgsm", "pgd", "apgd", "deep_fool"]
    norm: Literal["linf", "l2"]
    epsilon: float
    toward: int | None
    seeks: Literal["change", "smallest", "curve"]


class FoundRequest(TypedDict):
    """Act on something that was found, by its id in the history; an empty one is the edit by hand.
    Answered by `code`, or by a file as an ExportRequest is."""

    id: str
    kind: Literal["found"]
    action: Literal["explain", "code", "figure", "json"]
    item: str
