"""Convolutions run together with the batch norm, the sum and the ReLU that follow them.

Without gradients a batch norm in evaluation mode is nothing but other weights of the convolution
before it, and a sum or a ReLU costs next to nothing while the convolution's result is still in the
processor's cache, which oneDNN offers. A TorchFunctionMode keeps a convolution waiting until it
sees what is done with the result. Whatever it does not know of is given the result itself, so that
the outcome is the network's own up to rounding, whatever the network does.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nbxplain.core.calls import Operation, plain
from nbxplain.core.errors import ModelError

_fuses: weakref.WeakKeyDictionary[nn.Module, bool] = weakref.WeakKeyDictionary()
"""Whether it is worth while and right for models that were tried."""

Activation = tuple[str, list[float], str]
"""oneDNN's name of an activation, its numbers, and its variant."""

ACTIVATIONS: dict[str, Callable[..., Activation]] = {
    "relu": lambda: ("relu", [], ""),
    "relu6": lambda: ("hardtanh", [0.0, 6.0], ""),
    "hardtanh": lambda min_val=-1.0, max_val=1.0: ("hardtanh", [min_val, max_val], ""),
    "silu": lambda: ("swish", [], ""),
    "hardswish": lambda: ("hardswish", [], ""),
}
"""How oneDNN calls what torch calls so."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A convolution, what is added to it, and the activation of the sum, all in one run.

    `versions` are those of the tensors that it will read.
    """

    input: Tensor
    weight: Tensor
    bias: Tensor | None
    padding: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    summand: Tensor | None = None
    activation: Activation | None = None
    versions: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the result."""
        height, width = (
            1 + (size + 2 * padding - dilation * (kernel - 1) - 1) // stride
            for size, padding, dilation, kernel, stride in zip(
                self.input.shape[2:],
                self.padding,
                self.dilation,
                self.weight.shape[2:],
                self.stride,
                strict=True,
            )
        )
        return self.input.shape[0], self.weight.shape[0], height, width

    def run(self) -> Tensor:
        """The result. Raises RuntimeError when what it reads was overwritten meanwhile."""
        if self.versions != _versions(self.input, self.summand):
            raise RuntimeError("What a convolution reads was overwritten before it ran.")
        where = list(self.padding), list(self.stride), list(self.dilation), self.groups
        name, numbers, variant = self.activation or ("none", [], "")
        fused = torch.ops.mkldnn._convolution_pointwise
        result: Tensor
        if self.summand is None:
            weights = self.input, self.weight, self.bias
            result = fused(*weights, *where, name, numbers, variant)
        else:
            tensors = self.input, self.summand, self.weight, self.bias
            then = name if self.activation else None
            result = fused.binary(*tensors, *where, "add", 1.0, then, numbers, variant)
        return result


class Pending(Tensor):
    """The result of a plan, which is computed when it is needed."""

    plan: Plan
    known: Tensor | None

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def of(cls, plan: Plan) -> Pending:
        shape = plan.shape
        _, channels, height, width = shape
        strides = height * width * channels, 1, width * channels, channels
        pending: Pending = Tensor._make_wrapper_subclass(
            cls, shape, strides=strides, dtype=plan.input.dtype, device=plan.input.device
        )
        pending.plan, pending.known = plan, None
        return pending

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Reached where no mode is: within TorchScript, or later, by what a module kept."""
        return func(*settled(args), **settled(kwargs or {}))


def settled(value: Any) -> Any:
    """The value with tensors that are pending computed, also in tuples, lists and dicts."""
    if isinstance(value, Pending):
        if value.known is None:
            value.known = value.plan.run()
        return value.known
    if type(value) in (tuple, list):
        return type(value)(settled(item) for item in value)
    if type(value) is dict:
        return {key: settled(item) for key, item in value.items()}
    return value


class Fusion(TorchFunctionMode):
    """Fuses convolutions of float32 pictures in channels_last with what follows, on the CPU.

    `met` counts them. The weights that batch norms change are kept until one of them changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.met = 0
        self._folded: dict[int, _Folded] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        waiting = [a for a in args[:2] if isinstance(a, Pending) and a.known is None]
        if waiting:
            if func is Tensor.dim:
                return 4
            operation, target = plain(func, args, kwargs)
            plan = self._joined(waiting[0], operation)
            if plan is not None and (target is None or target is waiting[0]):
                self.met += 1
                if target is None:
                    return Pending.of(plan)
                target.plan = plan
                return target
        args, kwargs = settled(args), settled(kwargs)
        if func is torch.conv2d and not kwargs and (plan := _planned(*args)) is not None:
            return Pending.of(plan)
        return func(*args, **kwargs)

    def _joined(self, pending: Pending, operation: Operation) -> Plan | None:
        """The plan with one more operation on its result, or None where that cannot be."""
        plan = pending.plan
        if plan.activation is not None:
            return None
        if operation.name == "add":
            return _added(plan, pending, operation)
        if operation.name == "batch_norm" and operation.function is F.batch_norm:
            return self._normed(plan, operation)
        wanted = ACTIVATIONS.get(operation.name)
        if wanted is None or (plan.summand is not None and operation.name != "relu"):
            return None
        options = {k: v for k, v in operation.options.items() if k != "inplace"}
        numbers = operation.arguments[1:3] if operation.name == "hardtanh" else ()
        return replace(plan, activation=wanted(*numbers, **options))

    def _normed(self, plan: Plan, norm: Operation) -> Plan | None:
        given = norm_arguments(norm)
        if plan.summand is not None or given["training"]:
            return None
        names = ("running_mean", "running_var", "weight", "bias")
        sources = plan.weight, plan.bias, *(given[name] for name in names)
        known = self._folded.get(id(plan.weight))
        if known is None or not known.holds(sources, given["eps"]):
            weight, bias = fold(plan.weight, plan.bias, given)
            weight = weight.contiguous(memory_format=torch.channels_last)
            known = _Folded(sources, given["eps"], _versions(*sources), weight, bias)
            self._folded[id(plan.weight)] = known
        return replace(plan, weight=known.weight, bias=known.bias)


@dataclass(frozen=True, eq=False)
class _Folded:
    """A convolution's weight and bias with the batch norm in them, and what they were made of."""

    sources: tuple[Tensor | None, ...]
    eps: float
    versions: tuple[int, ...]
    weight: Tensor
    bias: Tensor

    def holds(self, sources: tuple[Tensor | None, ...], eps: float) -> bool:
        """Whether it is still what would be made."""
        same = all(a is b for a, b in zip(self.sources, sources, strict=True))
        return same and self.eps == eps and self.versions == _versions(*sources)


def _planned(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Plan | None:
    """The plan of torch.conv2d with these arguments, or None where it is not for oneDNN."""
    suits = (
        type(input) is Tensor
        and isinstance(weight, nn.Parameter)
        and _in_rows_of_channels(input)
        and weight.dtype == torch.float32
        and not isinstance(padding, str)
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
    )
    if not suits:
        return None
    where = _pair(padding), _pair(stride), _pair(dilation)
    return Plan(input, weight, bias, *where, groups, versions=_versions(input))


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
    return replace(plan, summand=other, versions=_versions(plan.input, other))


def _in_rows_of_channels(tensor: Tensor) -> bool:
    """Whether it is a batch of float32 pictures on the CPU in the layout that oneDNN is fast in."""
    return (
        tensor.ndim == 4
        and tensor.dtype == torch.float32
        and tensor.device.type == "cpu"
        and not tensor.is_inference()
        and tensor.is_contiguous(memory_format=torch.channels_last)
    )


def _versions(*tensors: Tensor | None) -> tuple[int, ...]:
    return tuple(tensor._version for tensor in tensors if tensor is not None)


def _pair(value: Any) -> tuple[int, int]:
    first, second = (value, value) if isinstance(value, int) else value * (2 // len(value))
    return first, second


def fusion_for(model: nn.Module, example: Tensor, run: Callable[[Tensor], Tensor]) -> Fusion | None:
    """A Fusion for the model, if there is something to fuse and the scores stay the same (1e-5).

    That is tried once for each model, on an `example` (1, C, H, W); `run` is the forward pass.
    """
    if model not in _fuses:
        _fuses[model] = _agrees(example.contiguous(memory_format=torch.channels_last), run)
    return Fusion() if _fuses[model] else None


def _agrees(example: Tensor, run: Callable[[Tensor], Tensor]) -> bool:
    try:
        with torch.no_grad():
            plainly = run(example.clone())
            with Fusion() as fusion:
                fused = run(example.clone())
    except (ModelError, MemoryError, RuntimeError):
        return False
    apart = (fused - plainly).abs().max()
    return fusion.met > 0 and bool(apart <= 1e-5 * plainly.abs().max())


def norm_arguments(norm: Operation) -> dict[str, Any]:
    """The arguments of F.batch_norm by name."""
    names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum")
    defaults = {"weight": None, "bias": None, "training": False, "eps": 1e-5}
    return defaults | dict(zip((*names, "eps"), norm.arguments, strict=False)) | norm.options


def fold(
    weight: Tensor, bias: Tensor | None, norm: dict[str, Any], outputs: int = 0
) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one linear map that equals a linear map and a batch norm after it.

    `norm` has the arguments of the batch norm; `outputs` is the weight's dimension of outputs.
    """
    scale = torch.rsqrt(norm["running_var"] + norm["eps"])
    if norm["weight"] is not None:
        scale = scale * norm["weight"]
    shift = -norm["running_mean"] if bias is None else bias - norm["running_mean"]
    shift = shift * scale
    if norm["bias"] is not None:
        shift = shift + norm["bias"]
    shape = [1] * weight.ndim
    shape[outputs] = -1
    return weight * scale.view(shape), shift


__all__ = ["Fusion", "Pending", "fold", "fusion_for", "norm_arguments", "settled"]
