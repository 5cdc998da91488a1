"""What crosses once: requests, their answers, partial frames."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from nbxplain.widget.protocol.alternatives import AlternativeRequest, AlternativesRequest
from nbxplain.widget.protocol.concepts import (
    ConceptCard,
    ConceptControls,
    ConceptCrop,
    ConceptDiscover,
    ConceptKeep,
    ConceptMap,
    ConceptPictures,
    ConceptSteer,
    ConceptTest,
)
from nbxplain.widget.protocol.data import Grid, Runs
from nbxplain.widget.protocol.edits import (
    ClonePicture,
    FindRequest,
    FoundRequest,
    Painted,
    PaintRequest,
    ProbeRequest,
)
from nbxplain.widget.protocol.interventions import InterveneRequest
from nbxplain.widget.protocol.jobs import Failure
from nbxplain.widget.protocol.results import Result, Spec
from nbxplain.widget.protocol.rows import Ablation, Fill


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
    """Stop at the next chunk and keep the partial result; of a panel, if one is named."""

    id: str
    kind: Literal["stop"]
    panel: NotRequired[Literal["checks", "edits", "concepts", "alternatives"]]


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


class CheckRequest(TypedDict):
    """Puts the result that is shown through these checks of the battery. Answered when the work is
    queued; what comes of it is in the trait."""

    id: str
    kind: Literal["check"]
    result: str
    checks: list[str]


class CodeRequest(TypedDict):
    """The code that reproduces the current result. Answered by CodeAnswer."""

    id: str
    kind: Literal["code"]


class ExportRequest(TypedDict):
    """The current result, or the comparison (png, svg, pdf), as a file: the first buffer of the
    answer."""

    id: str
    kind: Literal["export"]
    format: Literal["png", "svg", "pdf", "html", "npz", "report.html", "report.pdf"]
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
    painted: NotRequired[Painted]
    fill: NotRequired[dict[str, Any]]


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
    | CheckRequest
    | CodeRequest
    | ExportRequest
    | HistoryRequest
    | BaselineImage
    | RegionsRequest
    | PaintedRegions
    | PaintRequest
    | ClonePicture
    | FindRequest
    | ProbeRequest
    | AlternativesRequest
    | AlternativeRequest
    | FoundRequest
    | ConceptPictures
    | ConceptCrop
    | ConceptCard
    | ConceptControls
    | ConceptTest
    | ConceptMap
    | ConceptSteer
    | ConceptDiscover
    | ConceptKeep
    | InterveneRequest
    | Ack
)


Message = Frame | Answer
