"""The Concepts panel."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from nbxplain.widget.protocol.data import Picture
from nbxplain.widget.protocol.jobs import Failure, Job

Estimator = Literal["mean", "ridge", "logistic", "pattern"]

Gathered = Literal["concept", "random", "class"]
"""What a picture was gathered for: as an example of a concept, as a random picture, as a picture of
the explained class."""


class Pile(TypedDict):
    """Pictures that were gathered. `strip` shows the first `shown` of `count`, side by side as
    squares; None where there are none. Below `fewest` nothing can be tested, from `enough` on
    scores are steady. `name` is a concept's own, else empty."""

    name: str
    count: int
    fewest: int
    enough: int
    shown: int
    strip: Picture | None


class Null(TypedDict):
    """What sets without the concept give, as a histogram: `counts` of equal bins, low to high."""

    low: float
    high: float
    counts: list[int]


class Aligned(TypedDict):
    """The pictures of the class whose score the concept raises most and least: their places in the
    strip `faces`, and by how much it changes the score of each."""

    most: list[int]
    least: list[int]
    raised: list[float]
    lowered: list[float]


class Tested(TypedDict):
    """One concept (or one against another) at one layer: see nbxplain.concepts.ConceptScore.

    `spread` holds the 95 % interval of the score over runs. `against` is the other concept's name,
    else empty. `aligned` is None but for the first estimator.
    """

    concept: str
    against: str
    layer: str
    estimator: Estimator
    score: float
    spread: list[float]
    magnitude: float
    null: Null
    p: float
    q: float
    accuracy: float
    accuracy_p: float
    literature_p: float
    alpha: float
    found: bool
    significant: bool
    verdict: str
    aligned: Aligned | None


class Steering(TypedDict):
    """Prediction against dose: `doses` in units of the distance between random pictures and the
    concept, 0 is the picture as it is. `scores` are the target's, `best` names the class that is
    predicted at each dose, `turning` is the smallest dose at which that is another one. `random`
    holds the scores at the first and the last dose of random directions as long, and `farther` is
    how many of them move the score less far than the concept; empty and null while unknown."""

    concept: str
    layer: str
    target: str
    doses: list[float]
    scores: list[float]
    best: list[str]
    turning: float | None
    random: list[list[float]]
    farther: int | None


class Discovered(TypedDict):
    """A concept that nobody named yet, how much it matters and the standard error of that.

    `strip` shows `shown` of the crops in which it is strongest; `kept` is its name among the
    concepts, empty where it is none.
    """

    name: str
    importance: float
    error: float
    shown: int
    strip: Picture | None
    kept: str


class Discovery(TypedDict):
    """Concepts that were found in the pictures of the class, the most important first: see
    nbxplain.concepts.found. `measure` says what their importance is."""

    way: Literal["craft", "ace"]
    layer: str
    target: str
    measure: str
    explained: float | None
    concepts: list[Discovered]


class Concepts(TypedDict):
    """What was gathered, and what the concepts were found to do.

    `of_class` is the target that `pictures` are to show; where `explained` is True the explained
    picture counts as one of them.
    `tested` grows while the tests run and belongs to `target` at `layers`; `stale` says why it does
    not belong to what is there now, empty where it does. `wanting` says what is missing before
    anything can be tested. Of `steered` there is one for a concept and layer.
    """

    job: Job
    failure: Failure | None
    concepts: list[Pile]
    random: Pile
    pictures: Pile
    of_class: str
    explained: bool
    wanting: list[str]
    target: str
    layers: list[str]
    tested: list[Tested]
    faces: Picture | None
    notices: list[str]
    stale: str
    steered: list[Steering]
    discovery: Discovery | None


class ConceptPictures(TypedDict):
    """Picture files for one pile, 10 MB each: one buffer for each of `names`. A concept that is not
    there yet is made. Answered when all were taken; an error names those that were not, the others
    were taken."""

    id: str
    kind: Literal["concept_pictures"]
    into: Gathered
    concept: str
    names: list[str]


class ConceptCrop(TypedDict):
    """A part of the explained picture as an example: `box` is left, top, right, bottom in its
    pixels."""

    id: str
    kind: Literal["concept_crop"]
    concept: str
    box: list[int]


class ConceptCard(TypedDict):
    """Add a concept without examples, rename or remove one, or take one picture out of a pile
    (`index`; -1 for all of them)."""

    id: str
    kind: Literal["concept_card"]
    action: Literal["add", "rename", "remove", "take_out"]
    into: Gathered
    concept: str
    name: NotRequired[str]
    index: NotRequired[int]


class ConceptControls(TypedDict):
    """Random pictures made of those that were gathered."""

    id: str
    kind: Literal["concept_controls"]
    controls: Literal["scrambled", "noise"]
    count: int


class ConceptTest(TypedDict):
    """Test all concepts for the present target. `relative` holds pairs of concepts."""

    id: str
    kind: Literal["concept_test"]
    layers: list[str]
    estimators: list[Estimator]
    permutations: int
    relative: list[list[str]]


class ConceptMap(TypedDict):
    """Show where a concept matters to the score, or where the layer sees it."""

    id: str
    kind: Literal["concept_map"]
    concept: str
    discovered: bool
    layer: str
    show: Literal["effect", "presence"]


class ConceptSteer(TypedDict):
    """Move the explained picture along a tested concept inside the network."""

    id: str
    kind: Literal["concept_steer"]
    concept: str
    layer: str


class ConceptDiscover(TypedDict):
    """Look for `count` concepts in the pictures of the class."""

    id: str
    kind: Literal["concept_discover"]
    way: Literal["craft", "ace"]
    layer: str
    count: int


class ConceptKeep(TypedDict):
    """Make a discovered concept one of the concepts, under a name."""

    id: str
    kind: Literal["concept_keep"]
    discovered: str
    name: str
