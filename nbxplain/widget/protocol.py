"""The traits and messages that cross between Python and the browser, as types.

Facts are traits: a second view, a reloaded page or a saved notebook must know them. Events are
messages: requests, their answers, and partial frames that may be dropped. Every message to Python
carries an `id`; every answer repeats it. `js/src/model/protocol.ts` is generated from this file
(`python -m tests.typescript`), and a test keeps the two equal.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

VERSION = 1
"""Raised whenever a trait or a message changes its meaning."""

Phase = Literal["draft", "final"]
State = Literal["idle", "queued", "running", "cancelling", "done", "cancelled", "error"]
View = Literal["overlay", "side", "swipe", "map"]
Sign = Literal["both", "positive", "negative", "absolute"]
Verdict = Literal["good", "fair", "poor", "plain"]
Fill = Literal["baseline", "blur", "mean", "noise", "black", "white"]
Alone = Literal["", "waterfall", "summary"]


class Picture(TypedDict):
    """An encoded picture: `data` holds the bytes of a file of type `mime`."""

    mime: str
    data: bytes
    width: int
    height: int


class Grid(TypedDict):
    """Quantised maps: value = integer * scale. `shape` is (rows, columns) or (maps, rows, columns).

    `data` holds little-endian signed integers of `bits` (8 or 16) bits, at native resolution.
    """

    shape: list[int]
    bits: Literal[8, 16]
    scale: float
    data: bytes


class Runs(TypedDict):
    """A label map as run lengths: pairs (label, length) of little-endian unsigned 16-bit integers,
    row by row; a longer run is several pairs. `shape` is (rows, columns)."""

    shape: list[int]
    data: bytes


class Choice(TypedDict):
    """A class that can be explained."""

    index: int
    label: str
    score: float
    probability: float | None


class Prediction(TypedDict):
    """What the model says of the picture: the most probable classes first."""

    top: list[Choice]
    classes: int


class Contrast(TypedDict):
    """Why `index` rather than `against`: the difference of the two scores."""

    index: int
    against: int


class Control(TypedDict):
    """One parameter of a method, from its JSON schema: enough to draw a control."""

    name: str
    label: str
    help: str
    type: Literal["integer", "number", "boolean", "choice"]
    default: Any
    draft: NotRequired[Any]
    minimum: NotRequired[float]
    maximum: NotRequired[float]
    step: NotRequired[float]
    logarithmic: NotRequired[bool]
    unit: NotRequired[str]
    choices: NotRequired[list[str]]


class MethodInfo(TypedDict):
    """One row of the method picker. `unavailable` says why it cannot run on this model."""

    name: str
    label: str
    group: str
    help: str
    cost: int
    needs_layer: bool
    needs_baseline: bool
    takes_regions: bool
    resumable: bool
    controls: list[Control]
    unavailable: str | None


class LayerInfo(TypedDict):
    """One row of the layer picker: `shape` is the output's, without the batch."""

    name: str
    type: str
    shape: list[int]
    grid: list[int] | None
    suggested: bool


class BaselineInfo(TypedDict):
    """One tile of the baseline chooser."""

    kind: str
    label: str
    thumbnail: Picture | None
    controls: list[Control]


class ModelInfo(TypedDict):
    """The line at the foot of the widget."""

    name: str
    device: str
    precision: str
    input: str


class Catalog(TypedDict):
    """Everything that can be picked."""

    methods: list[MethodInfo]
    layers: list[LayerInfo]
    labels: list[str]
    model: ModelInfo


class Evidence(TypedDict):
    """One checkable number beside the map. `verdict` is only other than plain where a threshold
    is stated in `help`."""

    label: str
    value: str
    verdict: Verdict
    help: str


class Curve(TypedDict):
    """f along the path from the baseline (alpha 0) to the picture (alpha 1), sorted by alpha.

    `accumulated` is the share of the attribution summed up to that alpha, in units of the score;
    its last value less (last score - first score) is the completeness gap.
    """

    alpha: list[float]
    score: list[float]
    accumulated: list[float]
    baseline: Picture
    has_maps: bool


class Heads(TypedDict):
    """How many attention layers and heads a result has, and the grid that its patches lie on.
    A saved page cannot ask for their maps: there they are in `maps`, made coarser if they are many.
    """

    layers: int
    heads: int
    grid: list[int]
    maps: NotRequired[Grid]


class Players(TypedDict):
    """The parts that share out f(x) - E[f]: `base` + sum of `values` = `score`.

    `shown` holds the features' values as text and is empty for pictures; there `labels` says which
    player each pixel belongs to. `errors` are standard errors, None where the values are exact.
    `unit` says what `values`, `base` and `score` are: "score" or "probability".
    """

    names: list[str]
    values: list[float]
    errors: list[float] | None
    shown: list[str]
    labels: Runs | None
    base: float
    score: float
    unit: str
    evaluations: int


class Spec(TypedDict):
    """What is computed: enough to compute it again."""

    method: str
    params: dict[str, Any]
    baseline: dict[str, Any]
    regions: dict[str, Any]
    target: int | Contrast | str
    layer: str | None


class Result(TypedDict):
    """One explanation, as drawn. `reason` is set when the map is degenerate (all zero).

    The map of a table row has the shape (1, features).
    """

    id: str
    phase: Phase
    spec: Spec
    title: str
    subtitle: str
    target: str
    map: Grid
    signed: bool
    done: int
    total: int
    error: float | None
    seconds: float
    complete: bool
    reason: str | None
    evidence: list[Evidence]
    curve: Curve | None
    heads: Heads | None
    players: Players | None
    description: str
    provenance: dict[str, Any]


class HistoryItem(TypedDict):
    """An earlier result: small enough to travel in a saved notebook."""

    id: str
    name: str
    pinned: bool
    result: Result


class Comparison(TypedDict):
    """Several results for one picture on one colour scale: several methods, or several classes.

    `rank` holds Spearman correlations between the maps at a common resolution, `overlap` the share
    that their strongest tenths have in common; both are square, in the order of `results`.
    `failures` says which could not be computed and why.
    """

    kind: Literal["methods", "targets"]
    results: list[Result]
    rank: list[list[float]]
    overlap: list[list[float]]
    failures: list[Failure]


class Feature(TypedDict):
    """One column of a table and its value in the explained row: a number, or one of `choices`.

    `shown` is the value as text; `minimum` and `maximum` are the background's, None for categories.
    """

    name: str
    value: float | str | None
    shown: str
    minimum: float | None
    maximum: float | None
    integer: bool
    choices: list[str] | None


class TableInfo(TypedDict):
    """The explained row of a table."""

    features: list[Feature]


class Moved(TypedDict):
    """A class whose probability (or score, where there are no probabilities) has moved."""

    index: int
    label: str
    before: float
    after: float


class Ablation(TypedDict):
    """What f(x) does when players are taken away, or when features are edited.

    `before` and `after` are in the unit of the result's players. `singles` says by how much the
    score drops when each player alone is taken away, `interaction` what the joint drop has
    beyond their sum (None for a single player). `picture` is what the model saw; its bytes are the
    first buffer.
    """

    players: list[int]
    before: float
    after: float
    choices: list[Moved]
    singles: list[float]
    interaction: float | None
    picture: Picture | None


class SummaryInfo(TypedDict):
    """The explanations of many inputs at once, player by player, in order of `names`.

    `mean` is the mean of |phi| over all `rows` and `errors` its standard error. `values` holds phi
    of at most 1000 of them, (rows, players). For tables `features` holds the values of the same
    rows from 0 to 1 between `minimum` and `maximum` (of categories their places in `choices`, which
    is empty for numbers), -1 where one is missing, and `partners` the feature with which each
    interacts most strongly, itself where it is alone. For pictures `map` holds the mean of |phi| at
    each pixel and `picture` the first picture.
    """

    title: str
    target: str
    unit: str
    rows: int
    names: list[str]
    mean: list[float]
    errors: list[float]
    values: Grid
    features: Grid | None
    minimum: list[float]
    maximum: list[float]
    choices: list[list[str]]
    partners: list[int]
    map: Grid | None
    picture: Picture | None


class Job(TypedDict):
    """What the worker is doing. `eta` is in seconds, None until it is known."""

    id: int
    state: State
    phase: Phase
    note: str
    done: int
    total: int
    seconds: float
    eta: float | None
    resumable: bool


class Failure(TypedDict):
    """An error in plain words: what was wrong, the next step, and the traceback to report."""

    title: str
    hint: str
    details: str


class Traits(TypedDict):
    """The synced traits. The public ones are two-way; those with an underscore flow to the page.

    For a row of a table `_table` is set and `_image` is None. `_alone` names the one panel that the
    page shows; nothing is computed there.
    """

    method: str
    target: int | Contrast | str
    layer: str | None
    params: dict[str, Any]
    baseline: dict[str, Any]
    regions: dict[str, Any]
    opacity: float
    colormap: str
    clip: float
    sign: Sign
    threshold: float
    view: View
    native: bool
    shortcuts: bool
    _protocol: int
    _catalog: Catalog
    _image: Picture
    _baselines: list[BaselineInfo]
    _prediction: Prediction | None
    _result: Result | None
    _history: list[HistoryItem]
    _comparison: Comparison | None
    _comparison_stale: bool
    _job: Job
    _error: Failure | None
    _notices: list[str]
    _stale: bool
    _table: TableInfo | None
    _alone: Alone
    _summary: SummaryInfo | None


class Hello(TypedDict):
    """A view was opened. The answer says the protocol's version; no answer means no kernel."""

    id: str
    kind: Literal["hello"]


class DraftRequest(TypedDict):
    """A control is being dragged. Answered when the draft is done or superseded."""

    id: str
    kind: Literal["draft"]
    spec: Spec


class RunRequest(TypedDict):
    """Compute the final result of the current traits (again)."""

    id: str
    kind: Literal["run"]


class StopRequest(TypedDict):
    """Stop at the next chunk and keep the partial result."""

    id: str
    kind: Literal["stop"]


class ResumeRequest(TypedDict):
    """Go on where Stop left off."""

    id: str
    kind: Literal["resume"]


class PathRequest(TypedDict):
    """Cumulative maps along the path of a result. Answered by PathAnswer; the Grid's bytes
    are the first buffer."""

    id: str
    kind: Literal["path"]
    result: str


class HeadsRequest(TypedDict):
    """The attention of every head, from the class token (or the mean token) to the patches.
    Answered by `maps` of shape (layers * heads, rows, columns), layer by layer."""

    id: str
    kind: Literal["heads"]
    result: str


class AttentionRequest(TypedDict):
    """Where each patch attends, in one head (-1: the mean of the heads of that layer). Answered by
    `maps` of shape (patches, rows, columns), one map a querying patch, row by row."""

    id: str
    kind: Literal["attention"]
    result: str
    layer: int
    head: int


class CompareRequest(TypedDict):
    """Computes a Comparison into the trait: the given methods for the current target, or the
    current method for the given classes. Answered when the work is queued."""

    id: str
    kind: Literal["compare"]
    methods: list[str]
    targets: list[int]


class AblateRequest(TypedDict):
    """Take players of a result away and ask the model again. Answered by `ablation`."""

    id: str
    kind: Literal["ablate"]
    result: str
    players: list[int]
    fill: Fill


class EditRequest(TypedDict):
    """Give features of the explained row other values, by name. Answered by `ablation`, whose
    players are the changed features; with `apply` the edited row becomes the explained one."""

    id: str
    kind: Literal["edit"]
    values: dict[str, float | str | None]
    apply: bool


class CodeRequest(TypedDict):
    """The code that reproduces the current result. Answered by CodeAnswer."""

    id: str
    kind: Literal["code"]


class ExportRequest(TypedDict):
    """The current result, or the comparison (png, svg, pdf), as a file: the first buffer of the
    answer."""

    id: str
    kind: Literal["export"]
    format: Literal["png", "svg", "pdf", "html", "npz"]
    width: Literal["single", "double", "slide"]
    dpi: int
    comparison: bool
    caption: bool
    transparent: bool


class HistoryRequest(TypedDict):
    """Act on a history item. `name` only with rename."""

    id: str
    kind: Literal["history"]
    action: Literal["pin", "unpin", "rename", "restore", "forget"]
    item: str
    name: NotRequired[str]


class BaselineImage(TypedDict):
    """A picture file to use as the baseline: its bytes are the first buffer (10 MB at most)."""

    id: str
    kind: Literal["baseline_image"]
    name: str


class RegionsRequest(TypedDict):
    """The division that `regions` of a Spec makes of the picture, or `segments` superpixels where
    it is empty. Answered by `labels`, whose bytes are the first buffer, and `names`, which is empty
    where regions have none."""

    id: str
    kind: Literal["regions"]
    regions: dict[str, Any]
    segments: int


class PaintedRegions(TypedDict):
    """A map of regions to use, painted on the picture as it is fed: the first buffer holds Runs,
    in which 0 is what was not painted and i is the region of the i-th name, from 1."""

    id: str
    kind: Literal["painted_regions"]
    names: list[str]


class Ack(TypedDict):
    """A frame was drawn: the next may be sent. Not answered."""

    kind: Literal["ack"]
    seq: int


class Frame(TypedDict):
    """A partial result while a job runs. `result.map.data` is empty: it is the first buffer.
    `result.players.labels.data`, where there are labels, is the second."""

    kind: Literal["frame"]
    seq: int
    result: Result


class Answer(TypedDict):
    """The answer to a request: `error` is set exactly when `ok` is False."""

    id: str
    kind: Literal["answer"]
    ok: bool
    error: Failure | None
    protocol: NotRequired[int]
    code: NotRequired[str]
    filename: NotRequired[str]
    mime: NotRequired[str]
    maps: NotRequired[Grid]
    alpha: NotRequired[list[float]]
    ablation: NotRequired[Ablation]
    labels: NotRequired[Runs]
    names: NotRequired[list[str]]


Request = (
    Hello
    | DraftRequest
    | RunRequest
    | StopRequest
    | ResumeRequest
    | PathRequest
    | HeadsRequest
    | AttentionRequest
    | CompareRequest
    | AblateRequest
    | EditRequest
    | CodeRequest
    | ExportRequest
    | HistoryRequest
    | BaselineImage
    | RegionsRequest
    | PaintedRegions
    | Ack
)
Message = Frame | Answer
