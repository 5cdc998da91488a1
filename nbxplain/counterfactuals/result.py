"""Counterfactual rows: what would have to be different."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nbxplain.core.counting import numbered
from nbxplain.core.tables import Table, default_names
from nbxplain.counterfactuals.base import Counterfactual

if TYPE_CHECKING:
    from nbxplain.figure import Drawing


@dataclass
class Counterfactuals(Counterfactual):
    """k rows for each of Q queries, encoded (Q, k, F) in `rows` beside the originals (Q, F).

    `valid` (Q, k): predicted as desired, within all bounds. `actions` (Q, k, F): what was changed
    on purpose; with a causal graph the rest followed. `distance` (Q, k): the actions' cost, in
    median absolute deviations of the background times the features' costs (a category counts one).
    `changed` (Q, k): features acted on. `diversity` (Q,): mean distance between the k rows.
    `margin` (Q, k): how clearly each is predicted as desired. `done` of `total`: steps of the
    search; fewer than all where it was stopped.
    """

    original: Tensor
    rows: Tensor
    actions: Tensor
    valid: Tensor
    distance: Tensor
    changed: Tensor
    diversity: Tensor
    margin: Tensor
    table: Table
    desired: str
    search: str
    evaluations: int
    seconds: float
    provenance: dict[str, Any]
    notices: list[str] = field(default_factory=list)
    done: int = 1
    total: int = 1

    def changes(self, query: int = 0) -> list[dict[str, tuple[Any, Any]]]:
        """For each row of a query: the features that differ, with value before and after.

        Raises InputError for a query that is not there, as `summary` and `figure` do.
        """
        query = numbered(query, len(self.rows), "query")
        before = self.table.row(self.original[query])
        found = []
        for row in self.rows[query]:
            after = self.table.row(row)
            found.append(
                {
                    name: (before[name], after[name])
                    for name in before
                    if before[name] != after[name]
                }
            )
        return found

    def describe(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {
            "desired": self.desired,
            "search": self.search,
            "queries": [
                {
                    "original": self.table.row(self.original[query]),
                    "counterfactuals": [
                        {
                            "row": self.table.row(row),
                            "valid": bool(self.valid[query, number]),
                            "distance": float(self.distance[query, number]),
                            "changed": int(self.changed[query, number]),
                        }
                        for number, row in enumerate(self.rows[query])
                    ],
                    "diversity": float(self.diversity[query]),
                }
                for query in range(len(self.rows))
            ],
            "notices": self.notices,
            "provenance": self.provenance,
        }

    def summary(self, query: int = 0) -> str:
        """What would have to be different, a line a row."""
        lines = [f"to be {self.desired}:"]
        for number, changed in enumerate(self.changes(query)):
            said = ", ".join(f"{n} {_text(a)} → {_text(b)}" for n, (a, b) in changed.items())
            state = "" if self.valid[query, number] else " (not reached)"
            cost = float(self.distance[query, number])
            lines.append(f"{said or 'nothing'}{state}, distance {cost:.3g}")
        return "\n".join([*lines, *self.notices])

    def code(self) -> str:
        """The call that finds the same rows; what only the user can write down is named."""
        p = self.provenance
        lines = [f"search={self.search!r},", f"background=background,  # {p['background']}"]
        lines += [f"{name}={p[name]!r}," for name in ("k", "steps", "diversity", "seed")]
        lines += [
            f"{name}={p[name]!r},"
            for name in ("immutable", "ranges", "monotone", "costs")
            if name in p
        ]
        lines += ["causal_graph=causal_graph,"] if "causes" in p else []
        if self.table.names != tuple(default_names(self.table.width)):
            lines += [f"feature_names={list(self.table.names)!r},"]
        body = "\n".join(f"    {line}" for line in ["model,", "row,", f"{p['desired']!r},", *lines])
        call = f"found = counterfactuals(\n{body}\n)\n"
        return f"from nbxplain.counterfactuals import counterfactuals\n\n{call}"

    def __repr__(self) -> str:
        shape = f"{len(self.rows)} x {self.rows.shape[1]}"
        return f"<Counterfactuals to be {self.desired}: {shape}, {self.validity:.0%} valid>"

    def figure(self, query: int = 0, **options: Any) -> Drawing:
        """A table of the row and its counterfactuals, changed cells marked; options as in Style."""
        from nbxplain.counterfactuals.figure import draw_table

        return draw_table(self, query, **options)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
