"""Shortcuts and fairness: where a model looks that it should not, and for whom.

A region (a ruler, a watermark, the border; for tables a feature) matters twice over: by the share
of the attribution inside, and by what the prediction does without it. The first is what the
method says, the second is a fact about the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Unpack

import numpy as np
import torch
from torch import Tensor

from nbxplain.core.errors import InputError, near
from nbxplain.core.inputs import Inputs
from nbxplain.core.passes import Passes
from nbxplain.core.regions import Regions
from nbxplain.evaluation.case import (
    Case,
    Fill,
    Options,
    Unit,
    adapter_for,
    explained,
    part_of,
    spread,
)
from nbxplain.evaluation.check import ACCENT, FAINT, Check, finish, plainly, tidy
from nbxplain.evaluation.localisation import masks_for
from nbxplain.evaluation.tabular import Table
from nbxplain.evidence import Verdict, percent
from nbxplain.explain import ask
from nbxplain.figure import Drawing, Style
from nbxplain.methods.base import Method, make
from nbxplain.methods.coalitions import Masking

FOCUS, FLIPS = 2.0, 0.05
"""A region is a shortcut where it holds this many times its share of the picture, or this share
of the predictions changes without it."""
RESAMPLES = 1000

Places = Mapping[str, Any] | Regions
"""Names of regions -> masks (H, W) or (N, H, W), which may overlap; for tables -> a feature or
several, by name or number. Or Regions."""


@dataclass(frozen=True, repr=False)
class Audit(Check):
    """What R regions mean for N inputs, each in a group and with a predicted class.

    `share` (N, R): of the attribution's magnitude that lies inside; nan for a map that is zero.
    `signed` (N, R): the attribution's sum inside. `area` (N, R): the share of the places.
    `change` (N, R): what the predicted class loses without the region, in `unit`. `flips` (N, R):
    another class is predicted without it; nan where there are no classes.
    """

    name: ClassVar[str] = "audit"
    label: ClassVar[str] = "Audit"

    regions: tuple[str, ...]
    groups: tuple[str, ...]
    classes: tuple[str, ...]
    share: Tensor
    signed: Tensor
    area: Tensor
    change: Tensor
    flips: Tensor
    unit: Unit
    of: str
    seed: int = 0

    def _rows(self, group: str | None = None, label: str | None = None) -> Tensor:
        pairs = zip(self.groups, self.classes, strict=True)
        return torch.tensor([group in (None, g) and label in (None, c) for g, c in pairs])

    def table(self) -> Table:
        """One row for each class, group and region; the first ones are over all classes."""
        groups = [None, *dict.fromkeys(self.groups)] if len(set(self.groups)) > 1 else [None]
        labels = [None, *dict.fromkeys(self.classes)] if len(set(self.classes)) > 1 else [None]
        rows = Table()
        for label in labels:
            for group in groups:
                chosen = self._rows(group, label)
                if not bool(chosen.any()):
                    continue
                for r, region in enumerate(self.regions):
                    rows.append(
                        {
                            "class": label or "all",
                            "group": group or "all",
                            "region": region,
                            "inputs": int(chosen.sum()),
                            "attribution inside": float(self.share[chosen, r].nanmean()),
                            "area": float(self.area[chosen, r].mean()),
                            f"{self.unit} lost without": float(self.change[chosen, r].mean()),
                            "predictions changed": float(self.flips[chosen, r].nanmean()),
                        }
                    )
        return rows

    def differences(self) -> Table:
        """Between each group and all others, for each region, with 95 % intervals over inputs.

        The share of the attribution inside and, with its sign, the attribution's sum.
        """
        rows = Table()
        for group in dict.fromkeys(self.groups) if len(set(self.groups)) > 1 else []:
            chosen = self._rows(group)
            for r, region in enumerate(self.regions):
                row: dict[str, Any] = {"group": group, "region": region}
                for what, values in (("share", self.share), ("signed", self.signed)):
                    middle, low, high = self._difference(values[:, r], chosen)
                    row |= {what: middle, f"{what} from": low, f"{what} to": high}
                rows.append(row)
        return rows

    def _difference(self, values: Tensor, chosen: Tensor) -> tuple[float, float, float]:
        """The difference of the means of the chosen rows and the others, resampled within both."""
        known = values.isfinite()
        one, other = (values[rows & known].double() for rows in (chosen, ~chosen))
        if len(one) < 2 or len(other) < 2:
            return (math.nan,) * 3
        generator = torch.Generator().manual_seed(self.seed)
        means = [
            part[torch.randint(len(part), (RESAMPLES, len(part)), generator=generator)].mean(1)
            for part in (one, other)
        ]
        low, high = np.quantile((means[0] - means[1]).numpy(), (0.025, 0.975))
        return float(one.mean() - other.mean()), float(low), float(high)

    @property
    def shortcuts(self) -> list[str]:
        """The regions that hold too much of the attribution, or without which much changes."""
        focus = self.share.nanmean(0) / self.area.mean(0)
        flips = self.flips.nanmean(0)
        found = (focus >= FOCUS) | (flips >= FLIPS)
        return [region for region, bad in zip(self.regions, found.tolist(), strict=True) if bad]

    @property
    def score(self) -> float:
        """The largest share of predictions that a region changes; of the score lost, without
        classes."""
        found = self.flips.nanmean(0)
        found = self.change.abs().mean(0) if bool(found.isnan().all()) else found
        return float(found.nan_to_num().max())

    @property
    def verdict(self) -> Verdict:
        return "poor" if self.shortcuts else "good"

    @property
    def value(self) -> str:
        return ", ".join(self.shortcuts) or "none found"

    @property
    def reading(self) -> str:
        if not self.complete:
            return f"{self.done} of {self.total} evaluations"
        names = list(self.regions)
        parts = []
        for region in self.shortcuts:
            r = names.index(region)
            flips = float(self.flips[:, r].nanmean())
            text = (
                f"{region} ({percent(float(self.area[:, r].mean()))} of the places) holds "
                f"{percent(float(self.share[:, r].nanmean()))} of {self.of}"
            )
            if not math.isnan(flips):
                text += f", {percent(flips)} of predictions change without it"
            parts.append(text)
        apart = [
            f"{row['group']} and the others differ at {row['region']} by {100 * row['share']:+.0f} "
            f"points ({100 * row['share from']:.0f} to {100 * row['share to']:.0f})"
            for row in self.differences()
            if row["share from"] > 0 or row["share to"] < 0
        ]
        said = "; ".join([*(parts or ["no region stands out"]), *apart[:3]])
        limits = f"(a region stands out from {FOCUS:g} times its area, or {percent(FLIPS)} changed)"
        return f"{said} {limits}"

    def draw(self, style: Style, row: int = 0) -> Drawing:
        groups = list(dict.fromkeys(self.groups))
        figure = style.figure(0, 20 + 6.0 * len(self.regions) * len(groups) + 8 * style.caption)
        axes = figure.subplots(1, 2, sharey=True)
        places, names = list[float](), list[str]()
        for r, region in enumerate(self.regions):
            for group in groups:
                chosen = self._rows(group)
                y = -len(places) - 0.5 * r
                places.append(y)
                names.append(f"{region}, {group}" if len(groups) > 1 else region)
                axes[0].barh(y, float(self.share[chosen, r].nanmean()), color=ACCENT, height=0.7)
                area = float(self.area[chosen, r].mean())
                axes[0].plot([area, area], [y - 0.4, y + 0.4], color="black", linewidth=1)
                axes[1].barh(y, float(self.change[chosen, r].mean()), color=FAINT, height=0.7)
        axes[0].set_yticks(places, names)
        tidy(axes[0], style, "share of the attribution inside", "line: share of the places")
        tidy(axes[1], style, "lost without the region", self.unit)
        axes[1].axvline(0, color="#888888", linewidth=0.5)
        return figure


def audit(
    model: Any,
    dataset: Any,
    groups: Sequence[Any] | None = None,
    regions: Places | None = None,
    method: str | Method = "input_x_gradient",
    *,
    fill: Fill = "mean",
    block: int = 32,
    progress: bool | None = None,
    **options: Unpack[Options],
) -> Audit:
    """How much of the explanations lies in given regions, by class and group, and what predictions
    do without them.

    dataset: the inputs, as explain takes them. groups: one name an input, such as a hospital, a
    camera or an age. regions: what should not matter, see Places; for tables by default each
    feature. fill: what is put there; for tables mean is the mean of the rows. block: inputs
    explained in one call. The class explained is the predicted one, unless `target` is given.

    Raises InputError where groups or masks do not match the data.
    """
    with plainly():
        adapter = adapter_for(model, options)
        inputs = adapter.read(dataset)
    rows = len(inputs.tensor)
    named = ["all"] * rows if groups is None else [str(group) for group in groups]
    if len(named) != rows:
        raise InputError(
            f"{len(named)} groups were given for {rows} inputs.", "Give one group for each input."
        )
    names, masks = _masks(regions, inputs)
    setting = ask(adapter, inputs, options.get("target"))
    if len(setting.inputs.tensor) != rows:
        raise InputError("An audit has one target an input.", "Give one for all, or one for each.")

    def passes() -> Passes:
        return Passes(
            adapter, precision=options.get("precision", "float32"), chunk=options.get("chunk")
        )

    case = Case(setting, torch.empty(rows, 0), passes, make(method), options.get("layer"))
    steps = audit_steps(case, named, names, masks, fill=fill, block=block)
    return finish(steps, "Audit", progress)


def audit_steps(
    case: Case,
    groups: Sequence[str],
    regions: Sequence[str],
    masks: Tensor,
    *,
    fill: Fill = "mean",
    block: int = 32,
) -> Iterator[Audit]:
    """The steps of audit: explanations block by block, then ablations chunk by chunk.

    masks: (N, R, H, W) or (N, R, F), booleans.
    """
    unit = case.unit(None)
    x, flat = case.inputs.tensor, masks.flatten(2).double()
    rows, count = flat.shape[:2]
    target, names = case.setting.target, case.setting.prediction.labels
    empty = torch.full((rows, count), float("nan"), dtype=torch.float64)
    classes = tuple(case.setting.names if target.function else (names[i] for i in target.index))
    label = case.remade().label
    result = Audit(
        tuple(regions), tuple(groups), classes, empty, empty, flat.mean(2), empty, empty,
        unit, label, done=0, total=rows + rows * (count + 1),
    )  # fmt: skip
    share, signed = empty.clone(), empty.clone()
    for start in range(0, rows, block):
        part = slice(start, min(start + block, rows))
        setting = part_of(case.setting, part)
        found = explained(setting, case.remade(), case.passes, case.layer).maps
        maps = spread(found, case.inputs).flatten(1).double()
        sizes = maps.abs()
        inside = flat[part]
        total = sizes.sum(1, keepdim=True)
        share[part] = ((inside @ sizes.unsqueeze(2)).squeeze(2) / total).where(
            total > 0, float("nan")
        )
        signed[part] = (inside @ maps.unsqueeze(2)).squeeze(2)
        result = replace(result, share=share.clone(), signed=signed.clone(), done=part.stop)
        yield result
    masking = Masking(case.question(unit), case.fill(fill))
    hidden = masks.to(x.device)

    def mask(row: Tensor, number: Tensor) -> Tensor:
        """Number 0 keeps all, number r + 1 hides region r."""
        gone = hidden[row, (number - 1).clamp(min=0)]
        gone = gone & (number > 0).view(-1, *[1] * (gone.ndim - 1))
        return ~(gone.unsqueeze(1) if x.ndim == 4 else gone)

    scores, winners = _ablated(masking, mask, count + 1)
    change, flips = scores[:, :1] - scores[:, 1:], empty
    if winners is not None:
        flips = (winners[:, 1:] != winners[:, :1]).double()
    yield replace(result, change=change, flips=flips, done=result.total)


def _ablated(masking: Masking, mask: Any, count: int) -> tuple[Tensor, Tensor | None]:
    """Scores (N, count) of the target under the masks, and the classes predicted, if any."""
    question, rows = masking.question, len(masking.x)
    scores = torch.zeros(rows, count, dtype=torch.float64)
    winners = torch.zeros(rows, count, dtype=torch.long)
    classes = False

    def build(index: Tensor) -> Tensor:
        row, number = masking.split(index)
        return torch.where(mask(row, number), masking.x[row], masking.absent[0, row])

    def both(output: Tensor, index: Tensor) -> Tensor:
        row, _ = masking.split(index)
        score = question.target.score(output, row)
        winner = output.argmax(1) if output.ndim == 2 else torch.zeros_like(score)
        return torch.stack([score, winner.to(score)], 1)

    for index, found in question.passes.scores(rows * count, build, both):
        row, number = (part.cpu() for part in masking.split(index))
        scores[row, number] = found[:, 0].double().cpu()
        winners[row, number] = found[:, 1].long().cpu()
        classes = classes or bool((found[:, 1] > 0).any())
    return scores, winners if classes else None


def _masks(regions: Places | None, inputs: Inputs) -> tuple[list[str], Tensor]:
    """Names and masks (N, R, H, W) or (N, R, F). Raises InputError."""
    x = inputs.tensor
    if isinstance(regions, Regions) or (regions is None and inputs.is_table):
        chosen = regions or Regions()
        labels = chosen.labels_for(inputs, torch.device("cpu"))
        if not bool((labels == labels[:1]).all()):
            raise InputError(
                "Superpixels are others in each picture.", "Give masks, a grid or a label map."
            )
        names = chosen.names_for(inputs, labels[:1])[0]
        return names, torch.stack([labels == r for r in range(len(names))], 1)
    if not regions:
        raise InputError("There is no region to audit.", "Give masks by name.")
    if not isinstance(regions, Mapping):
        raise InputError(
            f"Regions have names, {_named(regions)} has none.",
            'Give a dict, such as {"age": ["age"]} for features or {"ruler": mask} for pictures, '
            "or Regions.grid(4, 4).",
        )
    if inputs.is_table:
        columns = Regions().names_for(inputs, torch.arange(x.shape[1])[None])[0]
        masks = [_columns(chosen, columns).expand(len(x), -1) for chosen in regions.values()]
    else:
        masks = [masks_for(mask, len(x), x.shape[2:]) for mask in regions.values()]
    return list(regions), torch.stack(masks, 1)


def _named(regions: Any) -> str:
    return repr(regions) if isinstance(regions, str) else f"a {type(regions).__name__}"


def _columns(chosen: Any, names: list[str]) -> Tensor:
    """True (F,) for features given by name or number. Raises InputError."""
    mask = torch.zeros(len(names), dtype=torch.bool)
    for each in [chosen] if isinstance(chosen, str | int) else chosen:
        if isinstance(each, str) and each not in names:
            raise InputError(f"There is no feature {each!r}.", near(each, names))
        index = names.index(each) if isinstance(each, str) else int(each)
        if not 0 <= index < len(names):
            raise InputError(f"There is no feature {index}.", f"There are 0 to {len(names) - 1}.")
        mask[index] = True
    return mask


__all__ = ["Audit", "audit", "audit_steps"]
