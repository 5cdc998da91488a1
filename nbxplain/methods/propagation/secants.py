"""DeepLIFT's rules: what each operation makes of the difference between input and reference.

Every surrogate is linear in the input with coefficients for which its change between the two points
is exactly the change of the operation; completeness of the whole network follows by composition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.calls import Operation
from nbxplain.core.errors import MethodError
from nbxplain.core.operations import ELEMENTWISE, PRODUCTS
from nbxplain.core.rules import Rule, graft
from nbxplain.methods.propagation.choices import (
    gated,
    masked_fill_rule,
    setitem_rule,
    where_rule,
)
from nbxplain.methods.propagation.duals import Dual, dual

BLOCK = 512
"""Values that are looked over at once for one that is next to nothing."""


@dataclass(frozen=True)
class Places:
    """Some places of tensors of one shape: `index` (k,) into all values in the order of `dims`."""

    dims: tuple[int, ...]
    index: Tensor

    @classmethod
    def small(cls, size: Tensor, least: float) -> Places:
        """Where sizes are below `least`, or no number: what two infinities leave."""
        dims = tuple(sorted(range(size.ndim), key=size.stride, reverse=True))
        line = size.permute(dims).reshape(-1)
        # Most blocks hold no such place, and their minimum says so.
        whole = len(line) // BLOCK * BLOCK
        blocks = line[:whole].view(-1, BLOCK)
        some = torch.nonzero(~(blocks.amin(1) >= least))[:, 0]
        row, column = torch.nonzero(~(blocks[some] >= least), as_tuple=True)
        rest = torch.nonzero(~(line[whole:] >= least))[:, 0]
        return cls(dims, torch.cat([some[row] * BLOCK + column, rest + whole]))

    def of(self, tensor: Tensor) -> Tensor:
        """The values (k,) there."""
        return tensor.permute(self.dims).reshape(-1)[self.index]

    def put(self, tensor: Tensor, values: Tensor) -> None:
        """Sets the values there, of a tensor that is laid out as the sizes were."""
        tensor.permute(self.dims).view(-1)[self.index] = values


def secant(function: Callable[[Tensor], Tensor], x: Dual, alike: bool = True) -> Dual:
    """An elementwise function as the straight line through its two values (the rescale rule).

    Where the two points coincide the line is the tangent. `alike` says that the function is the
    same at all places. Shrikumar et al. 2017, equation 6.
    """

    def limit(places: Places) -> Tensor:
        if alike:
            return tangent(function, places.of(x.here))
        return places.of(tangent(function, x.here))

    with torch.no_grad():
        here, there = function(x.here), function(x.there)
        slope = ratio(here - there, x.here - x.there, limit)
    return Dual(graft(x.here, here, lambda gradient: gradient * slope), there)


def ratio(rise: Tensor, run: Tensor, limit: Callable[[Places], Tensor]) -> Tensor:
    """The slope rise / run, and its limit at the places where the run is next to nothing.

    Most maps have few such places or none.
    """
    slope = rise / run
    places = Places.small(run.abs(), 1e-6 if run.dtype == torch.float32 else 1e-10)
    if len(places.index):
        places.put(slope, limit(places))
    return slope


def tangent(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The derivative of an elementwise function."""
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(function(point).sum(), point)
    return slope


def product(multiply: Callable[[Tensor, Tensor], Tensor], a: Dual, b: Dual) -> Dual:
    """A product in which each side sees the mean of the other.

    ab - a'b' = (a - a') (b + b')/2 + (a + a')/2 (b - b'), for every bilinear operation.
    """
    with torch.no_grad():
        here, there = multiply(a.here, b.here), multiply(a.there, b.there)
    surrogate = multiply(a.here, b.mean) + multiply(a.mean, b.here)
    return Dual(graft(surrogate, here), there)


def linear(function: Callable[[Tensor], Tensor], x: Dual) -> Dual:
    """An affine function: its own derivative is right."""
    return Dual(function(x.here), function(x.there))


def elementwise_rule(operation: Operation) -> Tensor:
    """Any function of one tensor, value by value."""
    if any(operation.arguments[i].is_complex() for i in operation.data):
        raise MethodError(f"{operation.name!r} of complex numbers has no rule.", "Try gradients.")
    if len(operation.data) > 1 or operation.data != [0]:
        if operation.name == "pow" and operation.data == [1]:
            base = operation.arguments[0]
            return secant(lambda y: torch.pow(base, y), dual(operation, 1), alike=False).here
        raise MethodError(
            f"{operation.name!r} of two data-dependent tensors has no rule.",
            "Choose integrated gradients, which needs none.",
        )
    others = (*operation.arguments[1:], *operation.options.values())
    alike = not any(isinstance(other, Tensor) for other in others)
    return secant(lambda x: operation(x), dual(operation), alike).here


def product_rule(operation: Operation) -> Tensor:
    """mul, matmul, einsum and the like: of two data-dependent tensors, or of one and weights."""
    if operation.name == "einsum":
        return _einsum(operation)
    if not all(isinstance(a, Tensor) for a in operation.arguments[:2]):
        return _scaled(operation)
    a, b = dual(operation, 0), dual(operation, 1)
    for gate, x in ((a, b), (b, a)):
        if not gate.here.requires_grad and not torch.equal(gate.here, gate.there):
            return gated(operation, gate, x)
    if operation.name in ("div", "divide", "true_divide"):
        return _ratio(operation, a, b)
    if operation.constant(0) or operation.constant(1):
        tensor: Tensor = operation(*operation.arguments)
        return tensor
    return product(lambda x, y: operation(x, y), a, b).here


def _scaled(operation: Operation) -> Tensor:
    """A tensor and a number: linear, but for a number divided by a tensor."""
    if operation.data == [1] and operation.name.startswith(("div", "true")):
        number = operation.arguments[0]
        return secant(lambda x: number / x, dual(operation, 1)).here
    tensor: Tensor = operation(*operation.arguments)
    return tensor


def _ratio(operation: Operation, a: Dual, b: Dual) -> Tensor:
    if operation.options.get("rounding_mode"):
        raise MethodError("Rounded division has no rule.", "Choose integrated gradients.")
    if not b.here.requires_grad:
        tensor: Tensor = operation(*operation.arguments)
        return tensor
    return product(torch.mul, a, secant(torch.reciprocal, b)).here


def _einsum(operation: Operation) -> Tensor:
    data = operation.data
    if len(operation.arguments) == 2 and not data:
        raise MethodError("einsum over a list of tensors has no rule.", "Pass them one by one.")
    if len(data) == 2 and data == [1, 2]:
        equation = operation.arguments[0]
        return product(
            lambda x, y: torch.einsum(equation, x, y), dual(operation, 1), dual(operation, 2)
        ).here
    if len(data) > 2:
        raise MethodError("einsum of three data-dependent tensors has no rule.", "Split it.")
    tensor: Tensor = operation(*operation.arguments)
    return tensor


def softmax_rule(operation: Operation) -> Tensor:
    """exp, sum, reciprocal, product, each pass after taking off its own maximum."""
    x, (dim,) = dual(operation), _dims(operation)
    powers = secant(torch.exp, _minus(x, _top(x, (dim,))))
    total = linear(lambda t: t.sum(dim, keepdim=True), powers)
    return product(torch.mul, powers, secant(torch.reciprocal, total)).here


def _dims(operation: Operation) -> tuple[int, ...]:
    """The dimensions that an operation works along; all of them if it names none."""
    ndim = operation.arguments[0].ndim
    dims = operation.options.get("dim", (*operation.arguments, ())[1])
    if dims is None:
        # What torch takes for a softmax, where None is still allowed.
        dims = int(ndim not in (0, 1, 3)) if "softmax" in operation.name else ()
    dims = (dims,) if isinstance(dims, int) else tuple(dims) or tuple(range(ndim))
    return tuple(d % ndim for d in dims)


def _keepdim(operation: Operation) -> bool:
    return bool(operation.options.get("keepdim", (*operation.arguments, False, False)[2]))


def _minus(x: Dual, y: Dual) -> Dual:
    return Dual(x.here - y.here, x.there - y.there)


def log_softmax_rule(operation: Operation) -> Tensor:
    """x less the logarithm of the sum of exponentials."""
    x = dual(operation)
    return x.here - _logsumexp(x, _dims(operation)).here


def logsumexp_rule(operation: Operation) -> Tensor:
    """The logarithm of the sum of exponentials."""
    dims = _dims(operation)
    result = _logsumexp(dual(operation), dims).here
    return result if _keepdim(operation) else result.squeeze(dims)


def _logsumexp(x: Dual, dims: tuple[int, ...]) -> Dual:
    """The maximum put back: exponentials of large numbers must not meet."""
    top = _top(x, dims)
    powers = secant(torch.exp, _minus(x, top))
    total = secant(torch.log, linear(lambda t: t.sum(dims, keepdim=True), powers))
    return Dual(total.here + top.here, total.there + top.there)


def max_pool_rule(operation: Operation) -> Tensor | tuple[Tensor, Tensor]:
    """The change goes to the place of the larger of the two maxima.

    Windows that overlap add up, because the surrogate gathers and its derivative scatters.
    """
    x = dual(operation)
    pool = getattr(F, operation.name.removesuffix("_with_indices"))
    wanted = operation.options.pop("return_indices", False)
    options = {"return_indices": True, **operation.options}
    spatial = int(operation.name.removesuffix("_with_indices")[-2])
    with torch.no_grad():
        here, at = pool(x.here, *operation.arguments[1:], **options)
        there, at_reference = pool(x.there, *operation.arguments[1:], **options)
    flat = Dual(*(t.flatten(-spatial) for t in x))
    places = at.flatten(-spatial), at_reference.flatten(-spatial)
    result = _largest(flat, places, here.flatten(-spatial), there.flatten(-spatial))
    result = result.view_as(here)
    return (result, at) if wanted else result


def amax_rule(operation: Operation) -> Tensor:
    """The largest value along dimensions."""
    dims = _dims(operation)
    result = _top(dual(operation), dims).here
    return result if _keepdim(operation) else result.squeeze(dims)


def _top(x: Dual, dims: tuple[int, ...]) -> Dual:
    """The largest values along `dims`, which stay with length one."""
    rest = [d for d in range(x.here.ndim) if d not in dims]
    flat = Dual(*(t.permute(*rest, *dims).flatten(len(rest)) for t in x))
    here, at = flat.here.detach().max(-1)
    there, at_reference = flat.there.max(-1)
    places = at.unsqueeze(-1), at_reference.unsqueeze(-1)
    result = _largest(flat, places, here.unsqueeze(-1), there.unsqueeze(-1))
    shape = [1 if d in dims else size for d, size in enumerate(x.here.shape)]
    return Dual(result.view(shape), there.view(shape))


def _largest(x: Dual, places: tuple[Tensor, Tensor], here: Tensor, there: Tensor) -> Tensor:
    """The maxima of flattened windows; `places` are those of the input's and the reference's."""
    at = torch.where(here >= there, *places)
    chosen = linear(lambda t: t.gather(-1, at), x)
    with torch.no_grad():
        change = chosen.here - chosen.there
        slope = torch.where(change == 0, 1, (here - there) / change.masked_fill(change == 0, 1))
    return graft(chosen.here, here, lambda gradient: gradient * slope)


def dynamic_rule(operation: Operation) -> Tensor:
    """A linear layer or convolution whose weights depend on the input is a product."""
    if 1 not in operation.data:
        tensor: Tensor = operation(*operation.arguments)
        return tensor
    if 2 in operation.data:
        raise MethodError(f"A data-dependent bias in {operation.name!r} has no rule.", "Add it.")
    a, b = dual(operation, 0), dual(operation, 1)
    bias = operation.arguments[2] if len(operation.arguments) > 2 else None
    here = product(lambda x, w: operation(x, w, *_without_bias(operation)), a, b).here
    return here if bias is None else graft(here, operation.value())


def _without_bias(operation: Operation) -> tuple[None, ...]:
    return (None,) if len(operation.arguments) > 2 else ()


POOLS = [
    f"{kind}max_pool{d}d{end}"
    for kind in ("", "adaptive_")
    for d in (1, 2, 3)
    for end in ("", "_with_indices")
]

DYNAMIC = frozenset(("linear", "conv1d", "conv2d", "conv3d"))
"""Linear, but where their weights depend on the input."""

SECANTS: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE, elementwise_rule),
    **dict.fromkeys(PRODUCTS, product_rule),
    **dict.fromkeys(POOLS, max_pool_rule),
    **dict.fromkeys(DYNAMIC, dynamic_rule),
    "softmax": softmax_rule,
    "log_softmax": log_softmax_rule,
    "logsumexp": logsumexp_rule,
    "amax": amax_rule,
    "where": where_rule,
    "masked_fill": masked_fill_rule,
    "__setitem__": setitem_rule,
}
