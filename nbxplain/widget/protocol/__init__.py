"""The traits and messages that cross between Python and the browser, as types.

Facts are traits: a second view, a reloaded page or a saved notebook must know them. Events are
messages: requests, their answers, and partial frames that may be dropped. Every message to Python
carries an `id`; every answer repeats it. `js/src/model/protocol.ts` is generated from this package
(`python -m tests.typescript`), and a test keeps the two equal.
"""

from __future__ import annotations

from nbxplain.widget.protocol.catalog import (
    BaselineInfo,
    Catalog,
    Choice,
    Control,
    LayerInfo,
    MethodInfo,
    ModelInfo,
    Prediction,
)
from nbxplain.widget.protocol.checks import Checks
from nbxplain.widget.protocol.concepts import Concepts
from nbxplain.widget.protocol.data import Grid, Picture, Runs
from nbxplain.widget.protocol.edits import Edits
from nbxplain.widget.protocol.jobs import Failure, Job, Phase, State
from nbxplain.widget.protocol.messages import (
    AblateRequest,
    Ack,
    Answer,
    AttentionRequest,
    BaselineImage,
    CodeRequest,
    CompareRequest,
    DraftRequest,
    EditRequest,
    ExportRequest,
    Frame,
    HeadsRequest,
    Hello,
    HistoryRequest,
    Message,
    PaintedRegions,
    PathRequest,
    RegionsRequest,
    Request,
    ResumeRequest,
    RunRequest,
    StopRequest,
)
from nbxplain.widget.protocol.results import (
    Comparison,
    Contrast,
    Curve,
    Evidence,
    Heads,
    HistoryItem,
    Players,
    Result,
    Spec,
    Verdict,
)
from nbxplain.widget.protocol.rows import Ablation, Feature, Fill, Moved, SummaryInfo, TableInfo
from nbxplain.widget.protocol.traits import Alone, Sign, Traits, View

VERSION = 1
"""Raised whenever a trait or a message changes its meaning."""

__all__ = [
    "VERSION",
    "AblateRequest",
    "Ablation",
    "Ack",
    "Alone",
    "Answer",
    "AttentionRequest",
    "BaselineImage",
    "BaselineInfo",
    "Catalog",
    "Checks",
    "Choice",
    "CodeRequest",
    "CompareRequest",
    "Comparison",
    "Concepts",
    "Contrast",
    "Control",
    "Curve",
    "DraftRequest",
    "EditRequest",
    "Edits",
    "Evidence",
    "ExportRequest",
    "Failure",
    "Feature",
    "Fill",
    "Frame",
    "Grid",
    "Heads",
    "HeadsRequest",
    "Hello",
    "HistoryItem",
    "HistoryRequest",
    "Job",
    "LayerInfo",
    "Message",
    "MethodInfo",
    "ModelInfo",
    "Moved",
    "PaintedRegions",
    "PathRequest",
    "Phase",
    "Picture",
    "Players",
    "Prediction",
    "RegionsRequest",
    "Request",
    "Result",
    "ResumeRequest",
    "RunRequest",
    "Runs",
    "Sign",
    "Spec",
    "State",
    "StopRequest",
    "SummaryInfo",
    "TableInfo",
    "Traits",
    "Verdict",
    "View",
]
