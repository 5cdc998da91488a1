"""LRP's rules: relevance is split among what an operation summed, and none is made.

Relevance of a tensor is its value times the derivative that arrives, R = y g. A rule therefore
writes a surrogate whose derivative, times the input's value, is the input's share of R. What biases
and stabilisers take is multiplied by a sink, so that the sum can be accounted for.
Bach et al. 2015; Montavon et al. 2019; Achtibat et al. 2024 for transformers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from nbxplain.core.calls import Operation
from nbxplain.core.convolution import fold, norm_arguments
from nbxplain.core.errors import MethodError
from nbxplain.core.operations import ELEMENTWISE, PRODUCTS
from nbxplain.core.rules import Rule, accompany, companion_of, defer, graft
from nbxplain.methods.propagation.shares import BIAS, share, spread

WeightRule = Literal["epsilon", "gamma", "z_plus", "alpha_beta", "flat", "w_squared", "z_box"]

CONVOLUTIONS = tuple(f"conv{kind}{d}d" for kind in ("", "_transpose") for d in (1, 2, 3))


@dataclass(frozen=True)
class Composite:
    """Which rule each kind of weighted operation follows; `first` is for those at the input."""

    dense: WeightRule
    convolution: WeightRule
    first: WeightRule | None = None


@dataclass(frozen=True)
class Strengths:
    """The constants of the rules, and the box (low, high) in model units that z_box needs.

    Without `biases` they take no share, and relevance is conserved in spite of them.
    """

    epsilon: float
    gamma: float
    alpha: float
    biases: bool = True
    box: tuple[Tensor, Tensor] | None = None


def conserving_rules(composite: Composite, strengths: Strengths) -> dict[str, Rule]:
    """The rules of a composite by operation name."""

    def weighted(kind: WeightRule) -> Callable[..., Tensor]:
        def rule(operation: Operation, known: Tensor | None = None) -> Tensor:
            at_input = composite.first and companion_of(operation.arguments[0]) is not None
            chosen = composite.first if at_input else kind
            assert chosen is not None
            value = operation.value() if known is None else known
            return _marked(operation, weighted_rule(operation, chosen, strengths, value))

        return rule

    def batch_norm(operation: Operation) -> Tensor:
        origin = _origin(operation.arguments[0])
        # Of a sequence, a batch norm's channels are not the outputs of the linear map before it.
        if origin is None or (origin.name == "linear" and operation.arguments[0].ndim > 2):
            return affine_rule(operation, strengths)
        merged = _merged(origin, operation)
        same = dense if merged.name == "linear" else convolution
        return same(merged, operation.value())

    def stabilised(operation: Operation) -> Tensor:
        return sum_rule(operation, strengths)

    def ratio(operation: Operation) -> Tensor:
        return ratio_rule(operation, strengths)

    dense, convolution = weighted(composite.dense), weighted(composite.convolution)
    rules: dict[str, Rule] = {
        **dict.fromkeys(ELEMENTWISE, ratio),
        **dict.fromkeys(PRODUCTS, product_rule),
        **dict.fromkeys(CONVOLUTIONS, convolution),
        **dict.fromkeys(("add", "sub", "rsub"), stabilised),
        **dict.fromkeys(KEPT, kept_rule),
        **dict.fromkeys(("softmax", "log_softmax", "logsumexp"), tangent_rule),
        **dict.fromkeys(WITH_CONSTANTS, constants_rule),
        "linear": dense,
        "batch_norm": batch_norm,
        "rsqrt": constant_rule,
    }
    return rules


KEPT = (
    *(f"{kind}max_pool{d}d{end}" for kind in ("", "adaptive_") for d in (1, 2, 3)
      for end in ("", "_with_indices")),
    "amax",
)  # fmt: skip
"""Their own derivative is the rule: the winner takes all."""

WITH_CONSTANTS = (
    "cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "pad", "where",
    "masked_fill", "masked_scatter", "__setitem__", "fill", "scatter", "slice_scatter",
    "select_scatter", "diagonal_scatter", "index_fill", "index_copy", "index_put",
)  # fmt: skip
"""They put something beside the data, or in its place."""


def kept_rule(operation: Operation) -> Tensor:
    """The operation as it is."""
    result: Tensor = operation(*operation.arguments)
    return result


def tangent_rule(operation: Operation) -> Tensor:
    """Softmax as its tangent plane, x (R - s sum R); the offset of the plane counts as a bias."""
    result: Tensor = operation(*operation.arguments)
    x = operation.arguments[0].detach()
    _, along = torch.autograd.functional.jvp(operation, x, torch.where(x.isinf(), 0, x))
    offset = result.detach() - along
    return graft(result + spread(operation, BIAS, result) * offset, result.detach().clone())


def constants_rule(operation: Operation) -> Tensor:
    """What is put beside the data, as a class token is, or in its place, counts as a bias."""
    result: Tensor = operation(*operation.arguments)
    with torch.no_grad():
        bias = operation(*(_without_data(argument) for argument in operation.arguments))
    if not bool(bias.any()):
        return result
    # An infinity keeps something out of a softmax, and takes no relevance.
    bias = torch.where(bias.isinf(), 0, bias)
    return graft(result + spread(operation, BIAS, result) * bias, result.detach().clone())


def _without_data(argument: Any) -> Any:
    """The argument with zeros where it depends on the input."""
    if isinstance(argument, Tensor):
        return torch.zeros_like(argument) if argument.requires_grad else argument
    if type(argument) in (tuple, list):
        return type(argument)(_without_data(part) for part in argument)
    return argument


def constant_rule(operation: Operation) -> Tensor:
    """The scale of a normalisation is taken as a constant (AttnLRP, identity rule)."""
    result: Tensor = operation.value()
    return result


def ratio_rule(operation: Operation, strengths: Strengths) -> Tensor:
    """An activation hands its relevance on: y / x as slope."""
    if operation.data != [0]:
        raise MethodError(f"{operation.name!r} of two tensors has no rule.", "Try gradients.")
    x = operation.arguments[0]
    return share(operation, x, operation.value(), x, None, strengths.epsilon)


def product_rule(operation: Operation) -> Tensor:
    """Half to each of two factors; a divisor counts as a constant. AttnLRP, uniform rule."""
    value = operation.value()
    data = operation.data
    if operation.name.startswith(("div", "true")):
        if 0 not in data:
            raise MethodError("A constant divided by the input has no rule.", "Try gradients.")
        divisor = operation.arguments[1]
        divisor = divisor.detach() if isinstance(divisor, Tensor) else divisor
        return graft(operation(operation.arguments[0], divisor), value)
    if len(data) == 1:
        result: Tensor = operation(*operation.arguments)
        return result
    # The first factor is the one that a product in place overwrites.
    fixed = [a.detach() if isinstance(a, Tensor) else a for a in operation.arguments]
    if isinstance(fixed[0], Tensor):
        fixed[0] = fixed[0].clone()
    halves = [
        operation(*fixed[:position], operation.arguments[position], *fixed[position + 1 :])
        for position in data
    ]
    return graft(torch.stack(halves).mean(0), value)


def sum_rule(operation: Operation, strengths: Strengths) -> Tensor:
    """A sum is split by contribution; what is added and does not depend on the input is a bias."""
    value, data = operation.value(), operation.data
    bias = None
    if len(data) < 2:
        with torch.no_grad():
            parts = [a if i in data else a * 0 for i, a in enumerate(operation.arguments[:2])]
            bias = value - operation(*parts)
    return share(operation, operation(*operation.arguments), value, value, bias, strengths.epsilon)


def affine_rule(operation: Operation, strengths: Strengths) -> Tensor:
    """Batch norm that follows no linear map: a scale and a bias."""
    value = operation.value()
    with torch.no_grad():
        bias = operation(torch.zeros_like(operation.arguments[0]))
    return share(operation, operation(*operation.arguments), value, value, bias, strengths.epsilon)


def weighted_rule(
    operation: Operation, kind: WeightRule, strengths: Strengths, value: Tensor
) -> Tensor:
    """A linear layer or convolution with constant weights; `value` is what it gave."""
    if 1 in operation.data or 2 in operation.data:
        raise MethodError(f"{operation.name!r} with data-dependent weights has no rule.", "")
    x, weight = operation.arguments[:2]
    bias = operation.arguments[2] if len(operation.arguments) > 2 else None
    bias = operation.options.get("bias", bias)
    names, unit = list(operation.sinks), companion_of(x)

    def surrogate(value: Tensor, x: Tensor, *rest: Tensor) -> Tensor:
        sinks = dict(zip(names, rest, strict=False))
        if unit is not None:
            accompany(x, rest[-1])
        again = replace(operation, sinks=sinks)
        return TERMS[kind](Terms(again, x, weight.detach(), bias, value, strengths))

    units = () if unit is None else (unit,)
    return defer(surrogate, value, operation.keeper, x, *operation.sinks.values(), *units)


@dataclass
class Terms:
    """A weighted operation and its parts, for the rules to recombine."""

    operation: Operation
    x: Tensor
    weight: Tensor
    bias: Tensor | None
    value: Tensor
    strengths: Strengths

    def map(self, x: Tensor, weight: Tensor) -> Tensor:
        """The operation without its bias, on other inputs and weights."""
        options = {k: v for k, v in self.operation.options.items() if k != "bias"}
        rest = self.operation.arguments[3:]
        result: Tensor = self.operation.function(x, weight, None, *rest, **options)
        return result

    def biases(self, change: Callable[[Tensor], Tensor]) -> Tensor | None:
        """The changed bias, shaped to be added to every output."""
        if self.bias is None or not self.strengths.biases:
            return None
        shape = [1] * self.value.ndim
        channels = 1 if self.operation.name in CONVOLUTIONS else self.value.ndim - 1
        shape[channels] = -1
        return change(self.bias.detach()).view(shape)

    def share(self, surrogate: Tensor, bias: Tensor | None = None) -> Tensor:
        """`surrogate` normalised so that it and the bias together carry the whole relevance."""
        total = surrogate.detach() if bias is None else surrogate.detach() + bias
        # A tensor of its own, because some rules share the same value twice.
        value = self.value.detach()
        return share(self.operation, surrogate, value, total, bias, self.strengths.epsilon)

    def split(self, same: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor]) -> Tensor:
        """`same` weights for positive inputs and `other` ones for negative."""
        if self.x.numel() and bool(self.x.amin() >= 0):
            return self.map(self.x, same(self.weight))
        positive = self.map(self.x.clamp(min=0), same(self.weight))
        return positive + self.map(self.x.clamp(max=0), other(self.weight))


def _epsilon(t: Terms) -> Tensor:
    return t.share(t.map(t.x, t.weight), t.biases(lambda b: b))


def _z_plus(t: Terms) -> Tensor:
    return t.share(t.split(_above, _below), t.biases(_above))


def _alpha_beta(t: Terms) -> Tensor:
    alpha = t.strengths.alpha
    supporting = t.share(t.split(_above, _below), t.biases(_above))
    opposing = t.share(t.split(_below, _above), t.biases(_below))
    return alpha * supporting - (alpha - 1) * opposing


def _gamma(t: Terms) -> Tensor:
    def more(w: Tensor) -> Tensor:
        return w + t.strengths.gamma * _above(w)

    def less(w: Tensor) -> Tensor:
        return w + t.strengths.gamma * _below(w)

    supporting = t.share(t.split(more, less), t.biases(more))
    opposing = t.share(t.split(less, more), t.biases(less))
    return torch.where(t.value > 0, supporting, opposing)


def _flat(t: Terms) -> Tensor:
    unit = _unit(t)
    return t.share(t.map(unit, torch.ones_like(t.weight)))


def _w_squared(t: Terms) -> Tensor:
    return t.share(t.map(_unit(t), t.weight**2))


def _z_box(t: Terms) -> Tensor:
    unit = _unit(t)
    if t.strengths.box is None or unit.ndim != 4:
        raise MethodError("The z_box rule needs a picture as input.", "Choose another composite.")
    low, high = t.strengths.box
    surrogate = t.map(unit * t.x.detach(), t.weight)
    surrogate = (
        surrogate - t.map(unit * low, _above(t.weight)) - t.map(unit * high, _below(t.weight))
    )
    return t.share(surrogate)


def _unit(t: Terms) -> Tensor:
    unit = companion_of(t.x)
    if unit is None:
        raise MethodError(
            "This rule is for the first layer only, where inputs are pixels.",
            "Choose a composite that uses it there.",
        )
    return unit


TERMS: dict[WeightRule, Callable[[Terms], Tensor]] = {
    "epsilon": _epsilon,
    "gamma": _gamma,
    "z_plus": _z_plus,
    "alpha_beta": _alpha_beta,
    "flat": _flat,
    "w_squared": _w_squared,
    "z_box": _z_box,
}


def _above(x: Tensor) -> Tensor:
    return x.clamp(min=0)


def _below(x: Tensor) -> Tensor:
    return x.clamp(max=0)


def _marked(operation: Operation, result: Tensor) -> Tensor:
    """Remembers the linear map, in case a batch norm follows and is merged into it."""
    result._origin = operation, result._version  # type: ignore[attr-defined]
    return result


def _origin(x: Tensor) -> Operation | None:
    """The linear map that gave x, unless x was overwritten since, by a ReLU in place for one."""
    operation, version = getattr(x, "_origin", (None, 0))
    return operation if operation is not None and version == x._version else None


def _merged(linear: Operation, norm: Operation) -> Operation:
    """The one linear map that equals a linear map and the batch norm after it."""
    given = norm_arguments(norm)
    if given["training"]:
        raise MethodError("Batch norm in training mode has no rule.", "Call model.eval().")
    bias = linear.arguments[2] if len(linear.arguments) > 2 else linear.options.get("bias")
    bias = None if bias is None else bias.detach()
    weight = linear.arguments[1].detach()
    if "transpose" in linear.name:
        # The weight is (inputs, outputs a group, ...): the outputs of all groups are side by side.
        groups = len(given["running_mean"]) // weight.shape[1]
        beside = weight.unflatten(0, (groups, -1)).transpose(0, 1).flatten(1, 2)
        beside, shift = fold(beside, bias, given, outputs=1)
        weight = beside.unflatten(1, (groups, -1)).transpose(0, 1).flatten(0, 1)
    else:
        weight, shift = fold(weight, bias, given)
    input = linear.arguments[0]
    if input.ndim == 4 and input.is_contiguous(memory_format=torch.channels_last):
        # As the convolutions of the rules need it, once and for all of them.
        weight = weight.contiguous(memory_format=torch.channels_last)
    arguments = (input, weight, shift, *linear.arguments[3:])
    options = {k: v for k, v in linear.options.items() if k not in ("weight", "bias")}
    return replace(
        norm, name=linear.name, function=linear.function, arguments=arguments, options=options
    )
