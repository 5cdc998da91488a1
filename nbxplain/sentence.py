"""An explanation in one sentence, for those who cannot see the map and for reports."""

from __future__ import annotations

import numpy as np

from nbxplain.contributions import strongest
from nbxplain.results import Attribution


def sentence(attribution: Attribution) -> str:
    """Where the first row's support lies and how concentrated it is, or a table's strongest
    features."""
    head = f"{attribution.method.label} for {attribution.target[0]}"
    if attribution.inputs.is_table:
        return f"{head}: {'; '.join(strongest(attribution, 3)) or 'no feature matters'}."
    support = attribution.heatmap().double().numpy().clip(min=0)
    total = float(support.sum())
    if total <= 0:
        return f"{head}: nothing supports the class."
    ranked = np.sort(support.ravel())[::-1]
    share = ranked[: max(1, len(ranked) // 10)].sum() / total
    rows, columns = np.indices(support.shape)
    centre = (
        float((rows * support).sum() / total + 0.5) / support.shape[0],
        float((columns * support).sum() / total + 0.5) / support.shape[1],
    )
    return (
        f"{head}: support centred {_place(*centre)}, "
        f"{100 * share:.0f} % of the positive mass in 10 % of the area."
    )


def _place(row: float, column: float) -> str:
    vertical = "upper" if row < 0.42 else "lower" if row > 0.58 else ""
    horizontal = "left" if column < 0.42 else "right" if column > 0.58 else ""
    return f"{vertical} {horizontal}".strip() or "in the middle"
