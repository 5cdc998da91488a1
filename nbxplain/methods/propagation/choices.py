"""DeepLIFT's rules of choices: masks that say place by place which of two values it is.

Activations written out are such choices: x * (x > 0), torch.where(x > 0, x, 0), x[x < 0] = 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nbxplain.core.calls import Operation, tensors
from nbxplain.core.errors import MethodError
from nbxplain.core.rules import graft
from nbxplain.methods.propagation.duals import Dual, dual, otherwise


def where_rule(operation: Operation) -> Tensor:
    """torch.where, whose mask may depend on the input: a ReLU written out is one."""
    if len(operation.arguments) < 3:
        raise MethodError("torch.where without values has no rule.", "Give both of them.")
    return _choice(operation, dual(operation, 0), dual(operation, 1), dual(operation, 2))


def masked_fill_rule(operation: Operation) -> Tensor:
    """A value wherever a mask says so."""
    return _choice(operation, dual(operation, 1), dual(operation, 2), dual(operation, 0))


def setitem_rule(operation: Operation) -> Tensor:
    """A value at places, which may be a mask that depends on the input."""
    assert operation.reference is not None
    index, before = operation.arguments[1], operation.reference[1]
    if isinstance(index, Tensor) and index.dtype == torch.bool:
        x, value = dual(operation, 0), dual(operation, 2)
        if index.shape == x.here.shape and not value.here.ndim:
            return _choice(operation, dual(operation, 1), value, x)
    pairs = zip(tensors(index), tensors(before), strict=True)
    if not all(torch.equal(here, there) for here, there in pairs):
        raise otherwise("An assignment picks")
    result: Tensor = operation(*operation.arguments)
    return result


def _choice(operation: Operation, mask: Dual, chosen: Dual, other: Dual) -> Tensor:
    """One of two values, place by place.

    Where the two passes choose otherwise, the change goes to the value that is chosen here, or, if
    that is the same in both passes, to the other one: of where(x > 0, x, 0) this makes the secant.
    Raises MethodError where neither value changes but the result does.
    """
    alike = mask.here == mask.there
    if bool(alike.all()):
        tensor: Tensor = operation(*operation.arguments)
        return tensor
    with torch.no_grad():
        here = torch.where(mask.here, chosen.here, other.here)
        change = here - torch.where(mask.there, chosen.there, other.there)
        first, second = chosen.here != chosen.there, other.here != other.there
        if bool((~alike & (change != 0) & ~first & ~second).any()):
            raise otherwise(f"{operation.name!r} chooses")
        to_chosen = first & (mask.here | ~second)
        slopes = [
            torch.where(alike, own.to(change), _secant(change, part, carries))
            for own, part, carries in (
                (mask.here, chosen, to_chosen),
                (~mask.here, other, second & ~to_chosen),
            )
        ]
    return graft(chosen.here * slopes[0] + other.here * slopes[1], here)


def _secant(change: Tensor, x: Dual, where: Tensor) -> Tensor:
    """The change for each unit that x changes; 0 elsewhere."""
    return torch.where(where, change / torch.where(where, x.here - x.there, 1), 0)


def gated(operation: Operation, gate: Dual, x: Dual) -> Tensor:
    """x * (x > 0) and the like: a factor without gradient that is 0 or 1 chooses x or nothing."""
    if operation.name not in ("mul", "multiply") or any(((g != 0) & (g != 1)).any() for g in gate):
        raise otherwise(f"A factor of {operation.name!r} that no gradient reaches is")
    nothing = torch.zeros_like(x.here, requires_grad=False)
    return _choice(operation, Dual(*(g != 0 for g in gate)), x, Dual(nothing, nothing))
