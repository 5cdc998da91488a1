"""summarize(): many explanations at once, and what they say of the model as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from nbxplain.contributions import parts
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError
from nbxplain.core.passes import Passes
from nbxplain.core.regions import Regions
from nbxplain.core.setup import Precision
from nbxplain.core.tables import Categories, Table, is_background
from nbxplain.core.target import Target, TargetLike, resolve
from nbxplain.explain import Setting, ask, attributions, suited
from nbxplain.figure import Drawing, encode
from nbxplain.figure.summary import Kind, drawn
from nbxplain.methods.base import Method, make
from nbxplain.results import Attribution, Prediction

if TYPE_CHECKING:
    from nbxplain.widget.alone import Alone

Floats = NDArray[np.float64]

BACKGROUND = 100
"""Rows of the data that stand for what is usual where no background was given."""
BINS = 12
"""Groups of rows with similar values in which interactions are looked for."""
ADDITIVE = 0.05
"""Share of the spread of phi that its own feature may leave unexplained without a partner."""


@dataclass
class Summary:
    """The explanations of N inputs, part by part: features of a table, or regions of pictures.

    `values` (N, P) holds what each part adds to the score of `target`, `base` (N,) where it starts,
    both in `unit`. For tables `features` (N, P) holds the encoded values, NaN where one is
    missing or the part is a group. `labels` (H, W) says for pictures whose a pixel is.
    """

    values: Tensor
    names: list[str]
    target: str
    method: Method
    unit: str
    base: Tensor | None
    features: Tensor | None
    columns: Table | None
    labels: Tensor | None
    pictures: list[Image.Image]
    provenance: dict[str, Any]
    notices: list[str] = field(default_factory=list)

    @property
    def mean(self) -> Tensor:
        """The mean of |phi| (P,)."""
        return self.values.abs().mean(0)

    @property
    def errors(self) -> Tensor:
        """The standard errors (P,) of the mean over rows; NaN for a single row."""
        variance: Tensor = self.values.abs().var(0) / len(self.values)
        return variance.sqrt()

    @property
    def order(self) -> list[int]:
        """The parts, strongest first."""
        order: list[int] = self.mean.argsort(descending=True, stable=True).tolist()
        return order

    @property
    def map(self) -> Tensor:
        """The mean of |phi| at each pixel (H, W). Raises InputError for tables."""
        if self.labels is None:
            raise InputError("A table has no map.", "Look at .mean.")
        return self.mean[self.labels]

    @cached_property
    def partners(self) -> list[int]:
        """For each feature the one with which it interacts most strongly, or itself.

        Among rows with similar values of a feature its phi should not differ, unless another one
        has a say: the one whose values correlate best with what is left.
        """
        return _partners(self.values.double().numpy(), self._codes())

    def _codes(self) -> Floats:
        if self.features is None:
            raise InputError("Regions have no values to depend on.", "Choose kind='bar' or 'map'.")
        return self.features.double().numpy()

    def column(self, name: str) -> int:
        """The number of a part. Raises InputError."""
        if name not in self.names:
            raise InputError(
                f"There is no {name!r} in this summary.", f"It has {', '.join(self.names[:12])}."
            )
        return self.names.index(name)

    def table(self) -> list[dict[str, Any]]:
        """A dict for each part, strongest first: name, mean and standard error of |phi|, and the
        mean of phi; `pandas.DataFrame` takes it as it is."""
        mean, errors, signed = self.mean, self.errors, self.values.mean(0)
        return [
            {
                "name": self.names[i],
                "mean": float(mean[i]),
                "error": float(errors[i]),
                "signed": float(signed[i]),
            }
            for i in self.order
        ]

    def figure(
        self, kind: Kind | None = None, feature: str | None = None, **options: Any
    ) -> Drawing:
        """A figure: "bar" of the mean |phi|, "beeswarm" of every row, "dependence" of phi on the
        value of one `feature` (the strongest), "map" for pictures. Options as in figure.Style.

        Raises InputError for a kind that does not suit, and for unknown features.
        """
        return drawn(self, kind, feature, **options)

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes a figure (.png, .svg, .pdf) or a page that opens without a kernel (.html)."""
        path = Path(path)
        format = path.suffix.lstrip(".").lower()
        if format == "html":
            return self.widget().save(path)
        path.write_bytes(encode(self.figure(**options), format, self.provenance))
        return path

    def widget(self) -> Alone:
        """The summary as a widget."""
        from nbxplain.widget.overview import overview

        return overview(self)

    def __repr__(self) -> str:
        rows, players = self.values.shape
        return f"<Summary of {rows} explanations by {self.method.name}, {players} parts>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if find_spec("anywidget") is None:
            return {"text/plain": repr(self), "image/png": self.figure()._repr_png_()}
        return self.widget()._repr_mimebundle_(**options)


def summarize(
    model: Any,
    data: Any,
    method: str | Method = "shapley",
    *,
    target: TargetLike = None,
    layer: str | None = None,
    preprocess: Any = None,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    output: str | int | Callable[[Any], Tensor] | None = None,
    device: str | torch.device | None = None,
    precision: Precision = "float32",
    batch: int = 32,
    progress: bool | None = None,
    background: Any = None,
    feature_names: Sequence[str] | None = None,
    categories: Categories | None = None,
    **parameters: Any,
) -> Summary:
    """Explains many rows or pictures, `batch` of them at a time, for one target.

    data: rows of a table (a DataFrame, an array (N, F), a list of dicts), or pictures. target: by
    default the class that is predicted most often. background: for tables by default up to 100
    rows of the data, evenly spaced. Pictures need regions that are the same for all: by default a
    grid of 4 x 4. The other arguments are those of explain.

    Raises ExplanationError for what cannot be explained or has no parts in common.
    """
    notices = []
    if background is None and is_background(data) and not isinstance(data, Mapping):
        background = data[:: -(-len(data) // BACKGROUND)]
        notices.append(f"The background is {len(background)} of the {len(data)} rows themselves.")
    if background is not None and not is_background(background):
        parameters["background"], background = background, None
    chosen = make(method, **parameters)
    adapter = ModelAdapter(
        model,
        preprocess,
        labels,
        output,
        device,
        background=background,
        feature_names=feature_names,
        categories=categories,
    )
    with torch.inference_mode(False), torch.autocast(adapter.device.type, enabled=False):
        inputs = adapter.read(data)
        chosen = _common(suited(chosen, inputs), inputs.is_table)
        setting = _one_target(ask(adapter, inputs, None if _several(target) else target), target)
        found = []
        # A run that ends within a second leaves no bar behind in a saved notebook.
        with tqdm(
            total=len(inputs.tensor),
            desc=chosen.label,
            unit="row",
            leave=False,
            delay=0 if progress else 1,
            disable=progress is False,
        ) as bar:
            for part in _batches(setting, batch):
                passes = Passes(adapter, precision=precision)
                (*_, last) = attributions(part, chosen, passes, layer)
                found.append(last)
                bar.update(len(last.values))
    return _summary(setting, found, notices)


def _several(target: TargetLike) -> bool:
    return isinstance(target, list | tuple | Tensor | np.ndarray)


def _common(method: Method, table: bool) -> Method:
    """The method with regions that all pictures share."""
    fields = type(method).model_fields
    if table or "regions" not in fields or {"regions", "segments"} & method.model_fields_set:
        return method
    return make(method, regions=Regions.grid(4, 4))


def _one_target(setting: Setting, target: TargetLike) -> Setting:
    """The setting with one target for all rows."""
    if _several(target):
        raise InputError("A summary has one target.", "Give one class, or leave it out.")
    if target is not None:
        return setting
    most = int(torch.tensor(setting.target.index).mode().values)
    names = setting.prediction.labels
    resolved = resolve(most, setting.prediction.scores, names)
    return replace(setting, target=resolved, names=resolved.names(names))


def _batches(setting: Setting, size: int) -> Iterator[Setting]:
    """The setting in pieces of at most `size` rows."""
    inputs, target, said = setting.inputs, setting.target, setting.prediction
    for start in range(0, len(inputs.tensor), size):
        rows = slice(start, start + size)
        yield replace(
            setting,
            inputs=replace(inputs, tensor=inputs.tensor[rows]),
            prediction=Prediction(said.scores[rows], said.labels, said.meaning),
            target=Target(target.index[rows], target.against[rows], target.function),
            names=setting.names[rows],
        )


def _summary(setting: Setting, found: list[Attribution], notices: list[str]) -> Summary:
    """One summary of the attributions of all batches. Raises InputError without common parts."""
    first, inputs = found[0], setting.inputs
    shares = parts(first)
    labels = torch.from_numpy(shares.labels)
    for attribution in found:
        players = attribution.players
        if players is not None and not bool((players.labels == labels).all()):
            raise InputError(
                "The regions differ from picture to picture.",
                "Give regions that all share: regions=Regions.grid(4, 4), or a label map.",
            )
    values = torch.cat([a.values for a in found])
    bases = [a.base_value for a in found if a.base_value is not None]
    return Summary(
        values=values,
        names=shares.names,
        target=setting.names[0],
        method=first.method,
        unit=getattr(first.method, "unit", "score"),
        base=torch.cat(bases) if bases else None,
        features=_features(inputs.tensor.cpu(), labels, values) if inputs.is_table else None,
        columns=inputs.table,
        labels=None if inputs.is_table else labels,
        pictures=inputs.pictures,
        provenance={**found[-1].provenance, "input": list(inputs.tensor.shape)},
        notices=list(dict.fromkeys([*notices, *(n for a in found for n in a.notices)])),
    )


def _features(x: Tensor, labels: Tensor, values: Tensor) -> Tensor:
    """The values (N, P) of the features that are parts of their own; NaN for groups."""
    columns = [x[:, labels == part] for part in range(values.shape[1])]
    unknown = x.new_full((len(x), 1), torch.nan)
    return torch.cat([c if c.shape[1] == 1 else unknown for c in columns], 1)


def _partners(values: Floats, features: Floats) -> list[int]:
    """See Summary.partners; values (N, P), features (N, P) with NaN where unknown."""
    usual = np.array([c[~np.isnan(c)].mean() if (~np.isnan(c)).any() else 0 for c in features.T])
    filled = np.where(np.isnan(features), usual, features)
    partners = []
    for j, own in enumerate(filled.T):
        bins = _bins(own)
        rest = _unexplained(values[:, j], own, bins)
        strength = [
            0.0 if k == j else _explained(rest, c, own, bins) for k, c in enumerate(filled.T)
        ]
        additive = rest.std() <= max(ADDITIVE * values[:, j].std(), 1e-6 * values.std())
        partners.append(j if additive or not max(strength) else int(np.argmax(strength)))
    return partners


def _explained(rest: Floats, other: Floats, own: Floats, bins: NDArray[np.intp]) -> float:
    """How much of what is left follows another feature, group by group: the sign may change."""
    left = _unexplained(other, own, bins)
    total = 0.0
    for group in np.unique(bins):
        members = bins == group
        size = float(left[members] @ left[members])
        # Rounding leaves something of whatever is constant in a group.
        if size > 1e-12 * max(float(other @ other), 1e-30):
            total += float(rest[members] @ left[members]) ** 2 / size
    return total


def _bins(column: Floats) -> NDArray[np.intp]:
    """Groups of rows with equal or similar values."""
    edges = np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])
    known = np.unique(column)
    return np.searchsorted(known if len(known) <= BINS else np.unique(edges), column)


def _unexplained(column: Floats, own: Floats, bins: NDArray[np.intp]) -> Floats:
    """What is left of a column without its linear trend along `own` in each group."""
    left: Floats = column.astype(np.float64).copy()
    for group in np.unique(bins):
        members = bins == group
        x = own[members] - own[members].mean()
        y = left[members] - left[members].mean()
        slope = float(x @ y) / max(float(x @ x), 1e-30)
        left[members] = y - slope * x
    return left


__all__ = ["Summary", "summarize"]
