"""Convolutions run together with the zeros before them and the batch norm, sum and ReLU after.

A batch norm in evaluation mode is nothing but other weights of the convolution before it, and a sum
or a ReLU costs next to nothing while the convolution's result is still in the processor's cache,
which oneDNN offers. A TorchFunctionMode keeps a convolution waiting until it sees what is done with
the result. Whatever it does not know of is given the result itself, so that the outcome is the
network's own up to rounding, whatever the network does.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nbxplain.core.calls import Operation, plain
from nbxplain.core.convolution import (
    ACTIVATIONS,
    SLOPES,
    Padding,
    Plan,
    fold,
    norm_arguments,
    pair,
    versions,
)
from nbxplain.core.errors import ModelError
from nbxplain.core.lazy import LOOKS, Lazy, any_of, computed

MANY = 1 << 20
"""So many passes that every batch norm is fused."""

COST = 4
"""What a folded weight costs, in places of a map that then needs no batch norm."""
FEW = 2
"""Pictures from which on oneDNN's fused convolutions are faster than torch's own."""

_fuses: weakref.WeakKeyDictionary[nn.Module, bool] = weakref.WeakKeyDictionary()
"""Whether it is worth while and right for models that were tried."""


class Pending(Lazy):
    """The result of a plan, which is computed when it is needed."""

    plan: Plan | Padding

    @classmethod
    def of(cls, plan: Plan | Padding) -> Pending:
        pending = cls.shaped(plan.shape, plan.input)
        pending.plan = plan
        return pending

    def compute(self) -> Tensor:
        return self.plan.run()


def settled(value: Any) -> Any:
    """The value with tensors that are pending computed, also in tuples, lists and dicts."""
    return computed(value, Pending)


class Fusion(TorchFunctionMode):
    """Fuses convolutions of float32 pictures in channels_last with what follows, on the CPU.

    `met` counts what follows. The weights that batch norms change are kept until one of them
    changes; they are made where that costs less than the batch norm itself for `passes` inputs.
    """

    def __init__(self, passes: int) -> None:
        super().__init__()
        self.met = 0
        self.passes = passes
        self._folded: dict[int, _Made] = {}
        self._laid: dict[int, _Made] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in LOOKS:
            return func(*args, **kwargs)
        waiting = [a for a in args[:2] if isinstance(a, Pending) and a.known is None]
        if waiting:
            operation, target = plain(func, args, kwargs)
            plan = self._joined(waiting[0], operation)
            if plan is not None and (target is None or target is waiting[0]):
                self.met += 1
                if target is None:
                    return Pending.of(plan)
                target.plan = plan
                return target
        planned = PLANNED.get(func)
        if planned is not None and (found := planned(*args, **kwargs)) is not None:
            if isinstance(found, Plan) and not self._folds(found):
                found = replace(found, weight=self._in_rows(found.weight))
                if len(found.input) < FEW:
                    return found.run()
            return Pending.of(found)
        # Walking is cheaper than copying, and most often nothing waits.
        if any_of((args, kwargs), Pending):
            args, kwargs = settled(args), settled(kwargs)
        return func(*args, **kwargs)

    def _joined(self, pending: Pending, operation: Operation) -> Plan | None:
        """The plan with one more operation on its result, or None where that cannot be."""
        plan = pending.plan
        if (
            isinstance(plan, Padding)
            or plan.activation is not None
            or plan.graph != torch.is_grad_enabled()
        ):
            return None
        if operation.name == "batch_norm" and operation.function is F.batch_norm:
            return self._normed(plan, operation)
        if len(plan.input) < FEW:
            return None
        if operation.name == "add":
            return _added(plan, pending, operation)
        wanted = ACTIVATIONS.get(operation.name)
        if wanted is None or (plan.summand is not None and operation.name != "relu"):
            return None
        options = {k: v for k, v in operation.options.items() if k != "inplace"}
        numbers = operation.arguments[1:3] if operation.name == "hardtanh" else ()
        activation = wanted(*numbers, **options)
        if plan.differentiated and activation[0] not in SLOPES:
            return None
        return replace(plan, activation=activation)

    def _normed(self, plan: Plan, norm: Operation) -> Plan | None:
        given = norm_arguments(norm)
        if plan.summand is not None or given["training"]:
            return None
        if not self._folds(plan):
            return None
        names = ("running_mean", "running_var", "weight", "bias")
        sources = plan.weight, plan.bias, *(given[name] for name in names)

        def make() -> tuple[Tensor, Tensor]:
            weight, bias = fold(plan.weight, plan.bias, given)
            return weight.contiguous(memory_format=torch.channels_last), bias

        weight, bias = _made(self._folded, sources, given["eps"], make)
        return replace(plan, weight=weight, bias=bias)

    def _folds(self, plan: Plan) -> bool:
        """Whether a batch norm that follows is made part of the weight."""
        if id(plan.weight) in self._folded:
            return True
        _, outputs, height, width = plan.shape
        return self.passes * outputs * height * width >= COST * plan.weight.numel()

    def _in_rows(self, weight: Tensor) -> Tensor:
        """The weight as channels_last needs it, which else is made in each pass, and back."""
        if weight.is_contiguous(memory_format=torch.channels_last):
            return weight
        return _made(
            self._laid, (weight,), 0.0,
            lambda: (weight.contiguous(memory_format=torch.channels_last),),
        )[0]  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Made:
    """Tensors, and what they were made of."""

    sources: tuple[Tensor | None, ...]
    eps: float
    versions: tuple[int, ...]
    tensors: tuple[Tensor, ...]

    def holds(self, sources: tuple[Tensor | None, ...], eps: float) -> bool:
        """Whether they are still what would be made."""
        same = all(a is b for a, b in zip(self.sources, sources, strict=True))
        return same and self.eps == eps and self.versions == versions(*sources)


def _made(
    known: dict[int, _Made],
    sources: tuple[Tensor | None, ...],
    eps: float,
    make: Callable[[], tuple[Tensor, ...]],
) -> tuple[Tensor, ...]:
    """What is made of a weight, the first of `sources`; kept in `known` until one changes."""
    found = known.get(id(sources[0]))
    if found is None or not found.holds(sources, eps):
        with torch.no_grad():
            found = _Made(sources, eps, versions(*sources), make())
        known[id(sources[0])] = found
    return found.tensors


def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Plan | None:
    """The plan of torch.conv2d with these arguments, or None where it is not for oneDNN."""
    padded = _padding_of(input)
    input = settled(input) if padded is None else padded.input
    graph = torch.is_grad_enabled()
    suits = (
        isinstance(weight, nn.Parameter)
        and not (graph and any(w is not None and w.requires_grad for w in (weight, bias)))
        and _in_rows_of_channels(input)
        and weight.dtype == torch.float32
        and not isinstance(padding, str)
        and not torch.is_autocast_enabled("cpu")
    )
    if not suits:
        return None
    down, right = pair(padding)
    if padded is not None:
        down, right = down + padded.width[0], right + padded.width[1]
    where = (down, right), pair(stride), pair(dilation)
    seen = versions(input) if padded is None else padded.versions
    return Plan(input, weight, bias, *where, groups, graph, versions=seen)


def _padding_of(input: Tensor) -> Padding | None:
    """The zeros that wait to be put around it, if nobody needed them yet."""
    if not isinstance(input, Pending) or input.known is not None:
        return None
    plan = input.plan
    ours = isinstance(plan, Padding) and plan.graph == torch.is_grad_enabled()
    return plan if ours and isinstance(plan, Padding) else None


def _padding(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Padding | None:
    """The padding of F.pad with these arguments, or None where a convolution has none such."""
    input = settled(input)
    if mode != "constant" or value or len(pad) != 4 or not _in_rows_of_channels(input):
        return None
    left, right, top, bottom = pad
    if not (left == right >= 0 and top == bottom >= 0):
        return None
    return Padding(input, (top, left), torch.is_grad_enabled(), versions(input))


PLANNED: dict[Any, Callable[..., Plan | Padding | None]] = {
    torch.conv2d: _convolution,
    F.pad: _padding,
}
"""What can wait."""


def _added(plan: Plan, pending: Pending, operation: Operation) -> Plan | None:
    first, second, *more = operation.arguments
    other = settled(second if first is pending else first)
    if (
        plan.summand is not None
        or more
        or operation.options
        or not isinstance(other, Tensor)
        or other is pending.known
        or other.shape != pending.shape
        or not _in_rows_of_channels(other)
    ):
        return None
    seen = *plan.versions, *versions(other)
    return replace(plan, summand=other, versions=seen)


def _in_rows_of_channels(tensor: Tensor) -> bool:
    """Whether it is a batch of float32 pictures on the CPU in the layout that oneDNN is fast in."""
    return (
        type(tensor) is Tensor
        and tensor.ndim == 4
        and tensor.dtype == torch.float32
        and tensor.device.type == "cpu"
        and not tensor.is_inference()
        and tensor.is_contiguous(memory_format=torch.channels_last)
    )


def known_to_fuse(model: nn.Module) -> bool:
    """Whether that was tried, and worth while and right."""
    return _fuses.get(model, False)


def fusion_for(
    model: nn.Module, example: Tensor, run: Callable[[Tensor], Tensor], passes: int
) -> Fusion | None:
    """A Fusion for the model, if there is something to fuse and the scores stay the same (1e-5).

    That is tried once for each model, on an `example` (1, C, H, W); `run` is the forward pass.
    """
    if model not in _fuses:
        _fuses[model] = _agrees(example, run)
    return Fusion(passes) if _fuses[model] else None


def _agrees(example: Tensor, run: Callable[[Tensor], Tensor]) -> bool:
    # Of a single picture little is fused.
    example = example.expand(FEW, *example.shape[1:])
    example = example.contiguous(memory_format=torch.channels_last)
    try:
        with torch.no_grad():
            plainly = run(example.clone())
            with Fusion(MANY) as fusion:
                fused = run(example.clone())
    except (ModelError, MemoryError, RuntimeError):
        return False
    apart = (fused - plainly).abs().max()
    return fusion.met > 0 and bool(apart <= 1e-5 * plainly.abs().max())


__all__ = ["Fusion", "Pending", "fusion_for", "known_to_fuse", "settled"]
