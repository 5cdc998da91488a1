"""A benchmark: which method does best on a data set, and how sure is that?"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Unpack

import torch
from torch import Tensor

from nbxplain.core.errors import ExplanationError, InputError, near
from nbxplain.core.passes import Passes
from nbxplain.evaluation import curves, drop, faithfulness, robustness, sparsity
from nbxplain.evaluation.case import Case, Options, adapter_for, explained, part_of
from nbxplain.evaluation.check import ACCENT, CANNOT_TELL, Check, final, finish, plainly, tidy
from nbxplain.evaluation.tabular import Table
from nbxplain.explain import Setting, ask
from nbxplain.figure import Drawing, Style
from nbxplain.methods.base import Method, Methods, listed

RESAMPLES = 1000


class Metric(NamedTuple):
    """One number (N,) for each input of a case; `better` is 1 where high is good, -1 where low."""

    measure: Callable[[Case], Tensor]
    better: int


METRICS: dict[str, Metric] = {
    "deletion": Metric(lambda c: final(curves.deletion_steps(c, random=2)).auc, -1),
    "insertion": Metric(lambda c: final(curves.insertion_steps(c, random=2)).auc, 1),
    "average_drop": Metric(lambda c: final(drop.average_drop_steps(c)).drops, -1),
    "infidelity": Metric(lambda c: final(faithfulness.infidelity_steps(c)).shares, 1),
    "sensitivity_n": Metric(
        lambda c: final(faithfulness.sensitivity_n_steps(c)).correlations.nanmean(1), 1
    ),
    "max_sensitivity": Metric(
        lambda c: final(robustness.max_sensitivity_steps(c, draws=4)).largest, -1
    ),
    "sparseness": Metric(lambda c: final(sparsity.sparseness_steps(c)).gini, 1),
}
"""The metrics by name. Infidelity enters as the share of the changes that is foretold, which does
not depend on the units of the map."""


@dataclass(frozen=True, repr=False)
class Benchmark(Check):
    """Values (methods, metrics, N) of each input; nan where not known or undefined.

    `better` says of each metric whether high (1) or low (-1) is good. `failures` maps a method that
    cannot run on this model to the reason.
    """

    name: ClassVar[str] = "benchmark"
    label: ClassVar[str] = "Benchmark"

    names: tuple[str, ...]
    metrics: tuple[str, ...]
    better: tuple[int, ...]
    values: Tensor
    failures: Mapping[str, str]
    seed: int = 0

    @property
    def means(self) -> Tensor:
        """The mean (methods, metrics) over inputs."""
        return self.values.nanmean(2)

    def _resampled(self) -> Tensor:
        """Means (resamples, methods, metrics) over inputs drawn with replacement, all methods
        over the same ones."""
        generator = torch.Generator().manual_seed(self.seed)
        count = self.values.shape[2]
        drawn = torch.randint(count, (RESAMPLES, count), generator=generator)
        return torch.stack([self.values[:, :, rows].nanmean(2) for rows in drawn])

    def intervals(self) -> tuple[Tensor, Tensor]:
        """The 95 % intervals (methods, metrics) of the means."""
        ends = torch.tensor([0.025, 0.975], dtype=torch.float64)
        low, high = self._resampled().nanquantile(ends, dim=0)
        return low, high

    def telling(self) -> list[bool]:
        """Which metrics can tell methods apart: their means are not all equal."""
        means = self.means
        spans = [column[column.isfinite()] for column in means.T]
        return [
            len(known) > 1 and float(known.max() - known.min()) > 1e-9 * float(known.abs().max())
            for known in spans
        ]

    def _ranks(self, means: Tensor) -> Tensor:
        """Ranks (..., methods) from 1, means over the metrics that can tell; ties share theirs.

        Where a method has no value it has no rank, and stands in nobody's way.
        """
        told = torch.tensor(self.telling())
        values = (means * torch.tensor(self.better))[..., told]
        above = (values.unsqueeze(-3) > values.unsqueeze(-2)).sum(-2)
        same = (values.unsqueeze(-3) == values.unsqueeze(-2)).sum(-2)
        ranks = (1 + above + (same - 1) / 2).double()
        return ranks.masked_fill(values.isnan(), float("nan")).nanmean(-1)

    @property
    def ranks(self) -> Tensor:
        """The mean rank (methods,) over the metrics that can tell; nan where none can."""
        return self._ranks(self.means)

    def rank_intervals(self) -> tuple[Tensor, Tensor]:
        """The 95 % intervals (methods,) of the mean ranks over inputs."""
        ranks = self._ranks(self._resampled())
        low, high = ranks.nanquantile(torch.tensor([0.025, 0.975], dtype=torch.float64), dim=0)
        return low, high

    @property
    def best(self) -> str | None:
        """The method with the lowest mean rank, if no other could share it; None otherwise."""
        if not any(self.telling()) or len(self.names) < 2:
            return None
        resampled = self._ranks(self._resampled()).nan_to_num(math.inf)
        first = int(self.ranks.nan_to_num(math.inf).argmin())
        rest = torch.cat([resampled[:, :first], resampled[:, first + 1 :]], 1).amin(1)
        wins = float((resampled[:, first] < rest).double().mean())
        return self.names[first] if wins >= 0.95 else None

    @property
    def score(self) -> float:
        """The lowest mean rank."""
        return float(self.ranks.nan_to_num(math.inf).min()) if any(self.telling()) else math.nan

    @property
    def value(self) -> str:
        return self.best or CANNOT_TELL

    @property
    def reading(self) -> str:
        if not self.complete:
            return f"{self.done} of {self.total}"
        if not any(self.telling()):
            return f"{CANNOT_TELL}: no metric tells the methods apart"
        flat = [m for m, told in zip(self.metrics, self.telling(), strict=True) if not told]
        first = f"{self.best} ranks" if self.best else "no method ranks"
        sure = "at least 95 %" if self.best else "95 %"
        text = (
            f"{first} first in {sure} of {RESAMPLES} resamples of {self.values.shape[2]} inputs "
            f"(mean rank over {len(self.metrics) - len(flat)} metrics)"
        )
        return text + (f"; {', '.join(flat)} {CANNOT_TELL}" if flat else "")

    def table(self) -> Table:
        """One row a method, best first: mean rank and the mean of each metric, with 95 %
        intervals."""
        low, high = self.intervals()
        ranks, (first, last) = self.ranks, self.rank_intervals()
        rows = Table()
        for m in ranks.argsort().tolist():
            row: dict[str, Any] = {
                "method": self.names[m],
                "rank": float(ranks[m]),
                "rank 95 %": f"{float(first[m]):.2g} to {float(last[m]):.2g}",
            }
            for i, (metric, told) in enumerate(zip(self.metrics, self.telling(), strict=True)):
                arrow = "↑" if self.better[i] > 0 else "↓"
                row[f"{metric} {arrow}"] = float(self.means[m, i]) if told else CANNOT_TELL
                row[f"{metric} 95 %"] = f"{float(low[m, i]):.3g} to {float(high[m, i]):.3g}"
            rows.append(row)
        return rows

    def draw(self, style: Style, row: int = 0) -> Drawing:
        columns = len(self.metrics)
        figure = style.figure(0, 18 + 6.0 * len(self.names) + 8 * style.caption)
        axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
        low, high = self.intervals()
        order = self.ranks.argsort().tolist()[::-1]
        for i, axis in enumerate(axes):
            middle = self.means[order, i]
            reach = torch.stack([middle - low[order, i], high[order, i] - middle]).clamp(min=0)
            axis.errorbar(
                middle.tolist(), range(len(order)), xerr=reach.nan_to_num().tolist(), fmt="o",
                markersize=3, color=ACCENT, linewidth=1, capsize=2,
            )  # fmt: skip
            title = f"{self.metrics[i]} {'↑' if self.better[i] > 0 else '↓'}"
            tidy(axis, style, title if self.telling()[i] else f"{title} ({CANNOT_TELL})")
        axes[0].set_yticks(range(len(order)), [self.names[m] for m in order])
        return figure


def benchmark(
    model: Any,
    data: Any,
    methods: Methods,
    metrics: Sequence[str] | Mapping[str, Metric] = ("deletion", "insertion", "sensitivity_n"),
    *,
    path: str | os.PathLike[str] | None = None,
    block: int = 8,
    seed: int = 0,
    progress: bool | None = True,
    **options: Unpack[Options],
) -> Benchmark:
    """Ranks methods over a data set by metrics, with 95 % intervals over its inputs.

    data: inputs as explain takes them. methods: names or method objects. metrics: names of
    METRICS, or a dict from names to Metric. path: a JSON file that keeps what is done and is gone
    on from; it belongs to one model, data set, background and choice of target. block: inputs
    explained in one call. A method that cannot run is listed under `failures` with what to do, and
    stops no other. Of tables, `background` is what methods average over. Raises InputError.
    """
    with plainly():
        adapter = adapter_for(model, options)
        setting = ask(adapter, adapter.read(data), options.get("target"))

    def passes() -> Passes:
        return Passes(
            adapter, precision=options.get("precision", "float32"), chunk=options.get("chunk")
        )

    steps = benchmark_steps(
        setting, passes, methods, metrics, path=path, block=block, seed=seed,
        layer=options.get("layer"),
    )  # fmt: skip
    return finish(steps, "Benchmark", progress)


def benchmark_steps(
    setting: Setting,
    passes: Callable[[], Passes],
    methods: Methods,
    metrics: Sequence[str] | Mapping[str, Metric],
    *,
    path: str | os.PathLike[str] | None = None,
    block: int = 8,
    seed: int = 0,
    layer: str | None = None,
) -> Iterator[Benchmark]:
    """The steps of benchmark: one for each method, block of inputs and metric."""
    chosen, measured = _distinct(methods), _metrics(metrics)
    rows = len(setting.inputs.tensor)
    kept = _Kept(path, setting)
    labels, better = tuple(chosen), tuple(m.better for m in measured.values())
    values = torch.full((len(chosen), len(measured), rows), float("nan"), dtype=torch.float64)
    starts = range(0, rows, block)
    total, done = len(chosen) * len(starts) * len(measured), 0
    failures: dict[str, str] = {}

    def result() -> Benchmark:
        return Benchmark(
            labels, tuple(measured), better, values.clone(), dict(failures), seed,
            done=done, total=total,
        )  # fmt: skip

    for m, (label, method) in enumerate(chosen.items()):
        for start in starts:
            part, case = slice(start, start + block), None
            for i, (name, metric) in enumerate(measured.items()):
                key = f"{method!r} {layer or ''} | {name} | {start}+{block}"
                known = kept.get(key)
                if known is None and label not in failures:
                    try:
                        case = case or explained(part_of(setting, part), method, passes, layer)
                        known = metric.measure(case).double().tolist()
                        kept.put(key, known)
                    except ExplanationError as error:
                        failures[label] = str(error)
                if known is not None:
                    values[m, i, part] = torch.tensor(known, dtype=torch.float64)
                done += 1
                yield result()


def _distinct(methods: Methods) -> dict[str, Method]:
    """Methods by label; two of one label are told apart by their parameters."""
    made = listed(methods)
    if not made:
        raise InputError("There is no method to rank.", "Name at least two.")
    labels = [method.label for method in made]
    named = {
        method.label if labels.count(method.label) == 1 else repr(method): method for method in made
    }
    if len(named) < len(made):
        raise InputError("A method comes twice.", "Give each once, or with other parameters.")
    return named


def _metrics(metrics: Sequence[str] | Mapping[str, Metric]) -> dict[str, Metric]:
    if isinstance(metrics, Mapping):
        return dict(metrics)
    for name in metrics:
        if name not in METRICS:
            raise InputError(
                f"There is no metric {name!r}.", near(str(name), METRICS) or ", ".join(METRICS)
            )
    return {name: METRICS[name] for name in metrics}


class _Kept:
    """What is done, in a JSON file that is written anew after each piece."""

    def __init__(self, path: str | os.PathLike[str] | None, setting: Setting) -> None:
        self._path = None if path is None else Path(path)
        digest = hashlib.sha256(str(setting.adapter.weight_hash).encode())
        digest.update(repr((setting.names, tuple(setting.inputs.tensor.shape))).encode())
        if setting.inputs.table is not None:
            digest.update(str(setting.inputs.table.digest).encode())
        digest.update(setting.inputs.tensor.detach().cpu().contiguous().numpy().tobytes())
        self._of = digest.hexdigest()[:16]
        self._known: dict[str, list[float | None]] = {}
        if self._path is not None and self._path.exists():
            self._known = self._read(self._path)

    def _read(self, path: Path) -> dict[str, list[float | None]]:
        try:
            found = json.loads(path.read_text())
            of, known = found["of"], dict(found["known"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path.name!r} holds no benchmark: {error}", "Give another path, or remove it."
            ) from error
        if of != self._of:
            raise InputError(
                f"{path.name!r} belongs to another model, data set, background or target.",
                "Give another path, or remove it to start anew.",
            )
        return known

    def get(self, key: str) -> list[float] | None:
        known = self._known.get(key)
        return None if known is None else [math.nan if v is None else v for v in known]

    def put(self, key: str, values: list[float]) -> None:
        self._known[key] = [None if math.isnan(v) else v for v in values]
        if self._path is not None:
            # Never half a file: it is written beside, and then takes the other's place.
            beside = self._path.with_name(self._path.name + ".part")
            beside.write_text(json.dumps({"of": self._of, "known": self._known}))
            beside.replace(self._path)


__all__ = ["METRICS", "Benchmark", "Metric", "benchmark", "benchmark_steps"]
