"""The synced traits."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from nbxplain.widget.protocol.alternatives import Alternatives
from nbxplain.widget.protocol.catalog import BaselineInfo, Catalog, Prediction
from nbxplain.widget.protocol.checks import Checks
from nbxplain.widget.protocol.concepts import Concepts
from nbxplain.widget.protocol.data import Picture
from nbxplain.widget.protocol.edits import Edits
from nbxplain.widget.protocol.interventions import Bottleneck
from nbxplain.widget.protocol.jobs import Failure, Job
from nbxplain.widget.protocol.results import Comparison, Contrast, HistoryItem, Result
from nbxplain.widget.protocol.rows import SummaryInfo, TableInfo

View = Literal["overlay", "side", "swipe", "map"]


Sign = Literal["both", "positive", "negative", "absolute"]


Alone = Literal["", "waterfall", "summary"]


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
    _concepts: Concepts | None
    _bottleneck: Bottleneck | None
    _edits: Edits | None
    _alternatives: Alternatives | None
    _checks: Checks | None
