"""How the score of one input is shared out among its parts: what a waterfall shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nbxplain.core.errors import InputError

if TYPE_CHECKING:
    from nbxplain.results import Attribution

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """What each of the P features or players of one input is worth.

    `errors` (P,) are the standard errors of `values` (P,), None where they are exact or not known.
    `shown` holds the features' values as text, and is empty for pictures. `labels` (H, W) or
    (F,) is the part of each place.
    """

    names: list[str]
    values: Floats
    errors: Floats | None
    shown: list[str]
    labels: NDArray[np.int64]

    @property
    def of_picture(self) -> bool:
        return self.labels.ndim == 2


@dataclass(frozen=True)
class Contributions(Parts):
    """What each part adds to `base`, E[f] or the baseline's score, on the way to `score`, f(x).

    All are in `unit`: "score" or "probability".
    """

    base: float
    score: float
    unit: str
    evaluations: int

    @property
    def gap(self) -> float:
        """What of the score is not accounted for: 0 up to rounding for Shapley values."""
        return self.score - self.base - float(self.values.sum())


def parts(attribution: Attribution, row: int = 0) -> Parts:
    """The parts of one row: the players, or a table's features.

    Raises InputError for maps and for a row that is not there.
    """
    table = attribution.inputs.is_table
    if not table and attribution.players is None:
        raise InputError(
            f"{attribution.method.label} shares the score out among no parts: it gives a map.",
            "Choose a Shapley method.",
        )
    one = attribution.row(row)
    values = one.values[0].double().numpy()
    players = one.players
    if players is not None:
        labels, names, errors = players.labels[0].numpy(), players.names[0], players.errors
    else:
        assert one.inputs.table is not None
        labels, names, errors = np.arange(len(values)), list(one.inputs.table.names), None
    return Parts(
        names=names,
        values=values,
        errors=None if errors is None else errors[0].double().numpy(),
        shown=_shown(one, labels) if table else [],
        labels=labels.astype(np.int64),
    )


def additive(attribution: Attribution) -> bool:
    """Whether the values of an attribution are parts that add up to a difference of scores."""
    in_parts = attribution.inputs.is_table or attribution.players is not None
    return in_parts and attribution.base_value is not None


def contributions(attribution: Attribution, row: int = 0) -> Contributions:
    """The contributions of the parts of one row.

    Raises InputError where the values do not add up to a difference of scores: maps of pictures,
    and methods without a baseline.
    """
    shares = parts(attribution, row)
    if attribution.base_value is None:
        raise InputError(
            f"The values of {attribution.method.label} do not add up to the score.",
            "Choose a Shapley method" + ("." if shares.of_picture else " or integrated_gradients."),
        )
    numbers = attribution.row(row).evidence
    base = float(attribution.base_value[row])
    # Path methods and rules know the true difference; Shapley values sum to it exactly.
    change = numbers.get("score_change", [float(shares.values.sum())])[0]
    return Contributions(
        **vars(shares),
        base=base,
        score=base + change,
        unit=getattr(attribution.method, "unit", "score"),
        evaluations=int(numbers.get("evaluations", [0])[0]),
    )


def strongest(attribution: Attribution, count: int = 5, row: int = 0) -> list[str]:
    """The strongest parts of a row and what they are worth, a text each; none for maps."""
    found = parts(attribution, row)
    shown = found.shown or [""] * len(found.names)
    return [
        f"{found.names[i]}{' = ' if shown[i] else ''}{shown[i]}: {found.values[i]:+.3g}"
        for i in np.argsort(-np.abs(found.values), kind="stable")[:count]
        if found.values[i]
    ]


def _shown(one: Attribution, labels: NDArray[np.int64]) -> list[str]:
    """The value of each part that is a single feature, as text; nothing for groups of features."""
    assert one.inputs.table is not None
    texts = one.inputs.table.shown(one.inputs.tensor[0])
    members = [np.flatnonzero(labels == part) for part in range(one.values.shape[1])]
    return [texts[places[0]] if len(places) == 1 else "" for places in members]
