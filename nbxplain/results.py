"""What an explanation is: raw values, the prediction they explain, evidence and provenance."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from nbxplain.contributions import strongest
from nbxplain.core.counting import numbered
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.meaning import Meaning, probabilities
from nbxplain.evidence import Finding, findings
from nbxplain.methods.base import Attention, Method, Path, Players, paint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nbxplain.evaluation.check import Check


@dataclass(frozen=True)
class Choice:
    """One class of a prediction; `probability` is None where scores are not classes' scores."""

    index: int
    label: str
    score: float
    probability: float | None


@dataclass(frozen=True)
class Prediction:
    """The model's output (N, K) for the explained inputs; `meaning` says what its columns are."""

    scores: Tensor
    labels: tuple[str, ...]
    meaning: Meaning = "scores"

    @property
    def probabilities(self) -> Tensor | None:
        """(N, K), where the scores are of classes: see core/meaning.py."""
        return probabilities(self.scores, self.meaning)

    def top(self, count: int = 5, row: int = 0, also: Sequence[int] = ()) -> list[Choice]:
        """The classes with the highest scores of one row, best first, then those of `also` that
        are not among them. Raises InputError for a row that is not there."""
        if self.scores.ndim != 2:
            return []
        row = numbered(row, len(self.scores))
        scores, shares = self.scores[row], self.probabilities
        best = scores.topk(min(count, len(scores))).indices.tolist()
        listed = [*best, *(i for i in also if i not in best)]
        return [
            Choice(i, self.labels[i], s, None if shares is None else float(shares[row, i]))
            for i, s in zip(listed, scores[listed].tolist(), strict=True)
        ]


@dataclass
class Attribution:
    """An explanation of N inputs (or of one input for N targets).

    `values` is raw and signed on the CPU, at the method's own resolution: (N, C, H, W) per pixel,
    (N, 1, h, w) per cell of a layer, (N, F) per feature, (N, P) per player where there are
    `players`. `base_value` (N,) is the baseline's score.
    `evidence` maps names to one number per row; `findings()` puts them in words. `provenance` says
    what is needed to get the same numbers again. `complete` is False for a partial result, which
    was stopped at `done` of `total`. `reason` says why a map is all zero. `checks` holds by name
    what nbxplain.evaluation found out about it, if it was checked in an Explorer.
    """

    values: Tensor
    prediction: Prediction
    target: list[str]
    method: Method
    layer: str | None
    evidence: dict[str, list[float]]
    provenance: dict[str, Any]
    inputs: Inputs
    base_value: Tensor | None = None
    path: Path | None = None
    attention: Attention | None = None
    players: Players | None = None
    done: int = 1
    total: int = 1
    error: float | None = None
    notices: list[str] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.done >= self.total

    @property
    def reason(self) -> str | None:
        """Why the map is empty, or None. An empty map is a finding, not an error."""
        if bool(self.values.any()):
            return None
        if self.method.needs_layer:
            advice = "Keep the sign (relu off), or choose" if self._positive else "Choose"
            return (
                f"No evidence for {self.target[0]} at layer {self.layer}: every value is zero. "
                f"{advice} another layer."
            )
        return f"The score of {self.target[0]} does not change with the input here: all zero."

    @property
    def _positive(self) -> bool:
        """True when the method was asked to drop negative values."""
        return bool(getattr(self.method, "relu", False))

    def heatmap(self, row: int = 0) -> Tensor:
        """One map (h, w) as drawn: values summed over channels, or each player's on its region.

        Raises InputError for tables and for a row that is not there.
        """
        if self.inputs.is_table:
            raise InputError("A table row has no heatmap.", "Look at .values.")
        row = numbered(row, len(self.values))
        if self.players is not None:
            return paint(self.values, self.players.labels)[row]
        return self.values[row].sum(0)

    def drawn(self, row: int = 0) -> Tensor:
        """The heatmap; for a table a line (1, F), each feature with its group's value.

        Raises InputError for a row that is not there.
        """
        if not self.inputs.is_table:
            return self.heatmap(row)
        values = paint(self.values, self.players.labels) if self.players else self.values
        return values[numbered(row, len(values))].unsqueeze(0)

    def row(self, index: int) -> Attribution:
        """One row of a batch as an attribution of its own.

        Raises InputError for a row that is not there.
        """
        index = numbered(index, len(self.values))
        one = slice(index, index + 1)
        scores = self.prediction.scores
        inputs = replace(self.inputs, tensor=self.inputs.tensor[one])
        players = None if self.players is None else self.players.row(index)
        values = self.values[one]
        return replace(
            self,
            values=values if players is None else values[:, : int(players.counts)],
            prediction=replace(self.prediction, scores=scores[one] if len(scores) > 1 else scores),
            target=self.target[one],
            evidence={k: v[one] if len(v) > 1 else v for k, v in self.evidence.items()},
            inputs=inputs,
            base_value=None if self.base_value is None else self.base_value[one],
            path=None,
            attention=None,
            players=players,
            checks={},
        )

    @property
    def signed(self) -> bool:
        """True when the drawn map may have both supporting and opposing values.

        Shapley values are signed even where all of them support: they share out a difference.
        """
        return self.players is not None or bool((self.values < 0).any())

    def findings(self, row: int = 0) -> list[Finding]:
        """The evidence of one row in words, see evidence.py, and that of complete checks.

        Raises InputError for a row that is not there.
        """
        row = numbered(row, len(self.values))
        return [*findings(self.evidence, row), *self._found()]

    def _found(self) -> list[Finding]:
        """What the checks that were made to their end say."""
        return [check.finding() for check in self.checks.values() if check.complete]

    def summary(self) -> str:
        """What was explained, how, and how far it can be trusted: a few lines of text."""
        best = self.prediction.top(3)
        says = ", ".join(
            f"{c.label} {c.score:.3g}"
            if c.probability is None
            else f"{c.label} {c.probability:.2f}"
            for c in best
        )
        state = "" if self.complete else f" (partial: {self.done} of {self.total})"
        lines = [f"{self.method.label} for {', '.join(self.target)}{state}", f"prediction: {says}"]
        if self.layer:
            lines.append(f"layer: {self.layer}")
        if self.inputs.is_table:
            lines += strongest(self)
        lines += [f"{f.label}: {f.value}" for f in self.findings()]
        lines += [self.reason] if self.reason else []
        return "\n".join(lines + self.notices)

    def __repr__(self) -> str:
        shape = tuple(self.values.shape)
        return f"<Attribution {self.method.name} of {', '.join(self.target)}, values {shape}>"

    def figure(self, **options: Any) -> Figure:
        """Picture, map and overlay as a matplotlib figure; options as in nbxplain.figure.draw."""
        from nbxplain.figure import draw

        return draw(self, **options)

    def save(self, path: str | FilePath, **options: Any) -> FilePath:
        """Writes a figure (.png, .svg, .pdf) or the numbers (.npz, .json); returns the path.

        Every format carries the provenance. Options are those of `figure`. Raises InputError for
        other suffixes.
        """
        path = FilePath(path)
        path.write_bytes(self.encode(path.suffix.lstrip(".").lower(), **options))
        return path

    def encode(self, format: str, **options: Any) -> bytes:
        """The bytes of a file of one of the formats of `save`."""
        if format == "npz":
            return self._npz()
        if format == "json":
            return json.dumps(self.describe(), indent=1).encode()
        if format in ("png", "svg", "pdf"):
            from nbxplain.figure import draw, encode

            return encode(draw(self, **options), format, self.provenance)
        raise InputError(
            f"Cannot write {format or 'a file without suffix'}.",
            "Choose one of .png, .svg, .pdf, .npz, .json.",
        )

    def describe(self) -> dict[str, Any]:
        """Everything but the values, as JSON."""
        return {
            "method": self.method.name,
            "parameters": self.method.model_dump(mode="json"),
            "target": self.target,
            "layer": self.layer,
            "prediction": [vars(choice) for choice in self.prediction.top()],
            "evidence": self.evidence,
            "checks": {finding.name: vars(finding) for finding in self._found()},
            "complete": self.complete,
            "players": [] if self.players is None else self.players.names,
            "provenance": self.provenance,
        }

    def _npz(self) -> bytes:
        buffer = io.BytesIO()
        arrays = {"values": self.values.numpy(), "input": self.inputs.tensor.numpy()}
        if self.base_value is not None:
            arrays["base_value"] = self.base_value.numpy()
        if self.players is not None:
            arrays["labels"] = self.players.labels.numpy()
            if self.players.errors is not None:
                arrays["standard_errors"] = self.players.errors.numpy()
        if self.path is not None:
            arrays |= {
                "alpha": self.path.alpha.numpy(),
                "path_score": self.path.score.numpy(),
                "path_accumulated": self.path.accumulated.numpy(),
            }
        np.savez_compressed(buffer, description=json.dumps(self.describe()), **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.encode("png", dpi=110)


def rows_of(evidence: dict[str, Tensor]) -> dict[str, list[float]]:
    """Evidence as plain numbers."""
    return {name: values.detach().cpu().flatten().tolist() for name, values in evidence.items()}
