"""nbxplain: why did it say that? Explanations of PyTorch image models, also in a notebook."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nbxplain.compare import Comparison, compare
from nbxplain.core.background import Background
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import ExplanationError
from nbxplain.core.inputs import Preprocessing
from nbxplain.core.regions import Regions
from nbxplain.core.target import Contrast
from nbxplain.explain import explain
from nbxplain.results import Attribution
from nbxplain.summary import Summary, summarize

if TYPE_CHECKING:
    from nbxplain.concepts import CAV, Concept, discover, steer, tcav
    from nbxplain.concepts.bottleneck import ConceptBottleneck
    from nbxplain.counterfactuals import Counterfactual, picture_counterfactuals
    from nbxplain.evaluation.auditing import audit
    from nbxplain.evaluation.ranking import benchmark
    from nbxplain.evaluation.retraining import roar
    from nbxplain.explorer import Explorer
    from nbxplain.report import Report
    from nbxplain.waterfall import Waterfall

__all__ = [
    "CAV",
    "Attribution",
    "Background",
    "Baseline",
    "Comparison",
    "Concept",
    "ConceptBottleneck",
    "Contrast",
    "Counterfactual",
    "ExplanationError",
    "Explorer",
    "Preprocessing",
    "Regions",
    "Report",
    "Summary",
    "Waterfall",
    "audit",
    "benchmark",
    "compare",
    "discover",
    "explain",
    "methods",
    "picture_counterfactuals",
    "roar",
    "steer",
    "summarize",
    "tcav",
]


def methods() -> Any:
    """The registered methods as a table: name, group, what it needs, its parameters."""
    from nbxplain.registry import table

    return table()


# The function hides the package of the same name; `import nbxplain.methods.base as base` asks it.
methods.__name__ = "nbxplain.methods"


# The widget is imported on first use, so that explain works where no widget library is, and so is
# what takes long to import.
_LATER = {
    "CAV": "nbxplain.concepts",
    "Concept": "nbxplain.concepts",
    "ConceptBottleneck": "nbxplain.concepts.bottleneck",
    "Counterfactual": "nbxplain.counterfactuals",
    "Explorer": "nbxplain.explorer",
    "Report": "nbxplain.report",
    "Waterfall": "nbxplain.waterfall",
    "audit": "nbxplain.evaluation",
    "benchmark": "nbxplain.evaluation",
    "discover": "nbxplain.concepts",
    "picture_counterfactuals": "nbxplain.counterfactuals",
    "roar": "nbxplain.evaluation",
    "steer": "nbxplain.concepts",
    "tcav": "nbxplain.concepts",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
