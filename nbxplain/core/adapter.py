"""Any torch module or estimator, seen as a function from inputs to scores (N, K)."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from nbxplain.core.capture import first_tensor
from nbxplain.core.door import chunk_for, exhausted, is_out_of_memory, run
from nbxplain.core.errors import ExplanationError, InputError, ModelError
from nbxplain.core.estimator import Estimator, as_module, table_for
from nbxplain.core.inputs import Inputs, read
from nbxplain.core.labels import labels_of
from nbxplain.core.layers import Layer, list_layers
from nbxplain.core.meaning import Meaning, probabilities
from nbxplain.core.pixels import preprocessing
from nbxplain.core.preserve import (
    RandomStates,
    moved,
    random_states,
    refresh,
    replica,
    unwrap,
)
from nbxplain.core.rules import attention_rules
from nbxplain.core.tables import Categories, Table, looks_like_rows
from nbxplain.core.tree import Tree
from nbxplain.core.weights import weight_hash

_steady: weakref.WeakKeyDictionary[nn.Module, tuple[object, ...]] = weakref.WeakKeyDictionary()
"""Signatures of models that were seen to draw nothing."""

_listed: weakref.WeakKeyDictionary[nn.Module, tuple[object, bool, list[Layer]]] = (
    weakref.WeakKeyDictionary()
)
"""The layers last listed, for what, and whether one of them is suggested."""


class ModelAdapter:
    """A model with its preprocessing and labels.

    `model` may return a tensor, a tuple, a dict or an object with `.logits`; `output` is a key, an
    index or a callable that picks otherwise. `preprocess` and `labels` take what the common
    libraries offer (a callable, torchvision weights, a timm configuration, a Hugging Face
    processor; a list, a dict, `id2label`). The model itself is never run: see preserve.py.

    For tables `model` may also be a fitted scikit-learn estimator or pipeline, or a function
    (array (N, F)) -> scores. `background` (a DataFrame, an array or tensor (K, F), a list of dicts)
    says what is usual, `feature_names` how the columns are called, `categories` which of them hold
    no numbers and what they may hold. Raises ModelError when `model` is none of these.
    """

    def __init__(
        self,
        model: Any,
        preprocess: Any = None,
        labels: Sequence[str] | Mapping[int, str] | None = None,
        output: str | int | Callable[[Any], Tensor] | None = None,
        device: str | torch.device | None = None,
        *,
        background: Any = None,
        feature_names: Sequence[str] | None = None,
        categories: Categories | None = None,
    ) -> None:
        self.model = unwrap(as_module(model))
        tree = Tree(self.model)
        tensors = tree.weights()
        if any(type(tensor) is nn.UninitializedParameter for tensor in tensors):
            raise ModelError(
                "The model has lazy layers whose weights do not exist yet.",
                "Call it once on an input of the right shape.",
            )
        self.lock = threading.RLock()
        self.notices: list[str] = []
        self.draws = False
        self._output = output
        self._preprocess = preprocess
        self._given_labels = labels
        parameters = [tensor for tensor in tensors if isinstance(tensor, nn.Parameter)]
        weight = next(iter(parameters), None)
        self.device = _usable(device or (weight.device if weight is not None else "cpu"))
        self._replica: Tree | None = None
        self._of = tree
        self._held = False
        if tree.training:
            self.notices.append(
                "The model is in training mode; it was explained in evaluation mode "
                "(dropout off, batch-norm statistics fixed) and left as it was."
            )
        if any(isinstance(m, _BatchNorm) and m.running_mean is None for m in tree.modules):
            self.notices.append(
                "A batch norm of the model keeps no running statistics: a score depends on what "
                "else is in the batch, and what is explained with it on the chunk size."
            )
        doubles = any(weight.dtype == torch.float64 for weight in parameters)
        is_estimator = isinstance(self.model, Estimator)
        self.dtype = torch.float64 if doubles or is_estimator else torch.float32
        self._categories = categories
        self._takes_rows = is_estimator or categories is not None
        self.table = table_for(self.model, feature_names, categories, background)

    @cached_property
    def transform(self) -> Callable[[Image.Image], Any]:
        """Pictures to tensors (C, H, W)."""
        transform, notice = preprocessing(self._preprocess, self.model)
        if notice:
            self.notices.append(notice)
        return transform

    @property
    def preprocessing_name(self) -> str:
        """How pictures were prepared, for the provenance."""
        if "transform" not in self.__dict__:
            return "none: the tensor was fed as it is"
        name = repr(self.transform)
        return name if len(name) < 500 and " at 0x" not in name else _qualified(self.transform)

    def of(self, model: Any) -> ModelAdapter:
        """The same for another model: a member of an ensemble, a copy with other weights."""
        given = self._preprocess, self._given_labels, self._output, self.device
        other = ModelAdapter(model, *given, categories=self._categories)
        other.table = self.table
        if isinstance(other.model, Estimator):
            other.model.table = self.table
        return other

    def read(self, inputs: Any) -> Inputs:
        """The user's inputs, on the model's device, in its dtype; what was read stays as it is."""
        if isinstance(inputs, Inputs):
            return inputs
        if self.table is not None or self._takes_rows or looks_like_rows(inputs):
            return self._rows(inputs)
        given = isinstance(inputs, Tensor)
        transform = None if given and self._preprocess is None else self.transform
        result = read(inputs, transform)
        result.tensor = self._owned(result.tensor)
        return result

    def _owned(self, tensor: Tensor) -> Tensor:
        with torch.inference_mode(False):
            tensor = tensor.to(self.device, self.dtype)
            # Autograd refuses tensors born under inference_mode, not their copies.
            return tensor.clone() if tensor.is_inference() else tensor

    def _rows(self, rows: Any) -> Inputs:
        """Table rows; the first ones name the columns of a model that does not."""
        table = self.table or Table.of(rows, categories=self._categories)
        encoded = self._owned(table.encode(rows))
        if isinstance(self.model, Estimator):
            self.table = self.model.table = table
        self._check_missing("The row", encoded, table)
        if table.background is not None:
            self._check_missing("The background", self._owned(table.background), table)
        return Inputs(encoded, None, table=table)

    def _check_missing(self, what: str, rows: Tensor, table: Table) -> None:
        """Missing values are for the model to judge: some have a place for them."""
        missing = [n for n, column in zip(table.names, rows.T, strict=True) if column.isnan().any()]
        if not missing:
            return
        cause: Exception | None = None
        if isinstance(self.model, Estimator):
            try:
                self.outputs(rows)
                return
            except ModelError as error:
                cause = error
        raise InputError(
            f"{what} has no value (NaN) for {missing[0]!r}, and the model has no place for that.",
            "Fill it in, or use an estimator that takes missing values.",
        ) from cause

    def replica(self) -> nn.Module:
        """The copy that is run in the model's stead, up to date with its weights."""
        with self.lock:
            if self._held and self._replica is not None:
                return self._replica.root
            tree, known = self._tree, self._replica
            found = tree.signature
            if known is None or self._of.signature != found:
                known = self._replica = moved(replica(tree), self.device, self.dtype)
            else:
                refresh(known, tree)
            self._of = tree
            if self._moved:
                self._copy_weights()
            return known.root

    @contextmanager
    def held(self) -> Iterator[None]:
        """Explains the model as it is now: within, it is not looked over again."""
        self.replica()
        self._held = True
        try:
            yield
        finally:
            self._held = False

    @property
    def _tree(self) -> Tree:
        """The model as it is now, or, while it is held, as it was then."""
        return self._of if self._held else Tree(self.model)

    def _pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each parameter of the replica and of the model."""
        assert self._replica is not None
        return zip(self._replica.parameters(), self._of.parameters(), strict=True)

    @cached_property
    def _moved(self) -> bool:
        """True when the replica could not share the weights: other device or precision."""
        return any(ours.data_ptr() != theirs.data_ptr() for ours, theirs in self._pairs())

    def _copy_weights(self) -> None:
        with torch.inference_mode(False), torch.no_grad():
            for ours, theirs in self._pairs():
                ours.copy_(theirs)

    def pick(self, output: Any) -> Tensor:
        """The tensor that is explained, of whatever the model returned."""
        if callable(self._output):
            picked = self._output(output)
        elif self._output is not None:
            picked = self._named(output)
        else:
            picked = _scores(output)
        if not isinstance(picked, Tensor):
            raise ModelError(
                f"The model returned {type(output).__name__}, which holds no scores.",
                "Say where they are with output=: a key, an index, or a callable.",
            )
        return picked.unsqueeze(1) if picked.ndim == 1 else picked

    def _named(self, output: Any) -> Any:
        try:
            return output[self._output]
        except (KeyError, IndexError, TypeError) as error:
            has = f" It has: {', '.join(map(str, output))}." if isinstance(output, Mapping) else ""
            raise ModelError(
                f"The model's output ({type(output).__name__}) has no {self._output!r}.",
                f"Choose another output=.{has}",
            ) from error

    def outputs(self, tensor: Tensor) -> Tensor:
        """The scores (N, K) of a batch, without gradients. Raises ModelError."""
        model = self.replica()
        with torch.inference_mode(False), torch.no_grad():
            if not self.draws:
                output = self._watched(model, tensor)
            if self.draws:
                with random_states(0):
                    output = self._scores(model, tensor)
        return output

    def checked(self, output: Tensor, count: int) -> Tensor:
        """The scores of `count` inputs, in the model's dtype; else raises ModelError."""
        if output.ndim == 0 or len(output) != count:
            raise ModelError(
                f"The model returned shape {tuple(output.shape)} for a batch of {count}.",
                "The first dimension must be the batch; pick another output with output=.",
            )
        if not bool(torch.isfinite(output).all()):
            raise ModelError(
                "The model's output has values that are NaN or infinite.",
                "Check its weights, and that preprocess= gives what it was trained on.",
            )
        return output.to(self.dtype)

    @property
    def steady(self) -> bool:
        """Whether the model, as it is, was seen to draw no random numbers."""
        return _steady.get(self.model) == self._tree.signature

    def _watched(self, model: nn.Module, tensor: Tensor) -> Tensor:
        """The scores; notices on the first pass whether the model draws random numbers."""
        if self.steady:
            return self._scores(model, tensor)
        before = RandomStates.now()
        output = self._scores(model, tensor)
        self.draws = RandomStates.now().key() != before.key()
        if self.draws:
            before.put_back()
            self.notices.append(
                "The model draws random numbers even in evaluation mode: seeds are fixed while it "
                "is explained."
            )
        else:
            _steady[self.model] = self._tree.signature
        return output

    def _scores(self, model: nn.Module, tensor: Tensor) -> Tensor:
        parts = [self._part(model, part) for part in tensor.split(chunk_for(tensor))]
        return torch.cat(parts)

    def _part(self, model: nn.Module, part: Tensor) -> Tensor:
        """One pass, or, where memory does not hold it, its two halves."""
        try:
            output = run(model, part, self.pick)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if len(part) == 1:
                raise exhausted() from error
            return torch.cat([self._part(model, half) for half in part.tensor_split(2)])
        return self.checked(output, len(part))

    def randomness(self, seed: int) -> AbstractContextManager[None]:
        """Fixes the seeds around a pass where the model draws random numbers."""
        return random_states(seed) if self.draws else nullcontext()

    def labels(self, classes: int) -> list[str]:
        """One label a class: given, from the model's metadata, or the index. Raises TargetError."""
        given = self._given_labels
        if given is None and isinstance(self.model, Estimator):
            given = ["prediction"] if classes == 1 else self.model.labels
        if given is None:
            given = getattr(getattr(self.model, "config", None), "id2label", None)
        if given is None:
            given = getattr(self._preprocess, "meta", {}).get("categories")
        if given is None:
            return [str(index) for index in range(classes)]
        return labels_of(given, classes)

    def layers(self, example: Tensor, suggest: bool = True) -> list[Layer]:
        """The layers reached by `example` (1, ...), with shapes; one is suggested if asked.

        They are listed once for each model and shape of input.
        """
        where = self._tree.signature, tuple(example.shape), self.device, self._output
        known = _listed.get(self.model)
        if known is None or known[0] != where or known[1] < suggest:
            known = _listed[self.model] = where, suggest, self._list(example, suggest)
        return known[2]

    def _list(self, example: Tensor, suggest: bool) -> list[Layer]:
        model = self.replica()
        with torch.inference_mode(False), self.randomness(0), self.lock:
            try:
                return list_layers(model, example, lambda x: run(model, x, self.pick), suggest)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                raise exhausted() from error

    def attends(self, example: Tensor) -> bool:
        """Whether a pass of `example` (1, ...) runs attention over all tokens of the picture."""
        found: list[Tensor] = []
        rules = attention_rules(found)
        try:
            with self.lock, torch.no_grad(), rules.mode(None, 1, example):
                run(self.replica(), example.clone(), self.pick)
        except ExplanationError:
            return False
        shapes = {(w.shape[0], *w.shape[-2:]) for w in found}
        return len(shapes) == 1 and shapes.pop()[0] == 1

    @property
    def name(self) -> str:
        """The class of the model, for the provenance and the title."""
        model = self.model
        return model.title if isinstance(model, Estimator) else type(model).__name__

    @property
    def meaning(self) -> Meaning:
        """What the columns of the output are."""
        return self.model.meaning if isinstance(self.model, Estimator) else "scores"

    def probabilities(self, output: Tensor) -> Tensor | None:
        """The probabilities (N, K) behind an output; None where there are no classes."""
        return probabilities(output, self.meaning)

    @property
    def has_inside(self) -> bool:
        """Whether there are gradients and layers."""
        return not isinstance(self.model, Estimator)

    def check_inside(self) -> None:
        """Raises ModelError where there are none."""
        if not self.has_inside:
            raise ModelError(
                f"{self.name} has no gradient and no layers: it is no torch module.",
                "Use a method that only asks for scores: shapley, tree_shap (for trees), lime or "
                "feature_ablation.",
            )

    @property
    def version(self) -> tuple[object, ...]:
        """Changes whenever a weight is changed or replaced, or an estimator is fitted again."""
        if isinstance(self.model, Estimator):
            return self.model.version
        tree = self._tree
        return (tree.signature, tree.version())

    @property
    def weight_hash(self) -> str | None:
        """A hash of all weights and buffers, 16 hex digits; see weights.py.

        None for an estimator, whose state cannot be read without pickling it.
        """
        return weight_hash(self.model, self.version) if self.has_inside else None


def _usable(device: str | torch.device) -> torch.device:
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"The device {str(device)!r} cannot be used: {str(error).splitlines()[0]}",
            "Leave device= out to use the one that the model is on.",
        ) from error


def _qualified(transform: Any) -> str:
    owner = transform if hasattr(transform, "__qualname__") else type(transform)
    return f"{owner.__module__}.{owner.__qualname__}"


def _scores(output: Any) -> Any:
    if hasattr(output, "logits"):
        return output.logits
    if isinstance(output, Mapping):
        for key in ("logits", "scores", "out", "output"):
            if key in output:
                return output[key]
        return next((v for v in output.values() if isinstance(v, Tensor)), None)
    return first_tensor(output)
