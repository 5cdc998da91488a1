"""What was found, as a file."""

from __future__ import annotations

from typing import Any

from nbxplain.core.errors import InputError
from nbxplain.counterfactuals import Counterfactual
from nbxplain.figure import encode
from nbxplain.widget.desk import Reply

MIME = {"figure": ("png", "image/png"), "json": ("json", "application/json")}


def taken(found: Any, action: str, name: str) -> Reply:
    """The figure of a counterfactual or a probe, or the numbers of a counterfactual. Raises
    InputError for anything else."""
    counterfactual = isinstance(found, Counterfactual)
    if action not in MIME or (action == "json" and not counterfactual):
        raise InputError(f"What was found cannot {action!r}.", "Reload the page.")
    format, mime = MIME[action]
    data = found.encode(format) if counterfactual else encode(found.figure(), format, {})
    return {"filename": f"nbxplain-{name}.{format}", "mime": mime}, [data]


__all__ = ["taken"]
