"""Whether what rules handed out sums to what there was: what they did not see shows here."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction

from nbxplain.core.errors import MethodError

ROUNDING = {torch.float32: 1e-3, torch.float64: 1e-5}
"""What may be missing without a reason, as a share of all sizes. Some models round to float32."""


class RowsMixed(Exception):
    """What is counted by rows is not: somewhere the batch is not the first dimension."""


def check_balance(parts: Tensor, wholes: Tensor, scores: Tensor, model: nn.Module) -> None:
    """Raises MethodError if `parts` (n, ...) and `wholes` (n, k) differ in their sums by row.

    `scores` have the graph of the pass. Raises RowsMixed where only the rows are mixed up.
    """
    shares, ends = (t.detach().flatten(1).double() for t in (parts, wholes))
    excess = _excess(shares, ends, scores.dtype)
    if bool((excess <= 0).all()):
        return
    if len(shares) > 1 and bool(_excess(shares.view(1, -1), ends.view(1, -1), scores.dtype) <= 0):
        raise RowsMixed
    row = int(excess.argmax())
    unseen = sorted({*_scripted(model), *_functions(scores)})
    raise MethodError(
        f"The values sum to {float(shares[row].sum()):.4g} where it should be "
        f"{float(ends[row].sum()):.4g}: the model does something that no rule sees"
        f"{', in ' + ', '.join(unseen) if unseen else ''}.",
        "TorchScript, an autograd.Function and detached values cannot be followed. Choose "
        "integrated gradients, or write that part in torch operations.",
    )


def _excess(shares: Tensor, ends: Tensor, dtype: torch.dtype) -> Tensor:
    """What is missing, less what rounding explains."""
    missing = (ends.sum(1) - shares.sum(1)).abs()
    sizes = shares.abs().sum(1) + 0.01 * ends.abs().sum(1)
    return missing - ROUNDING.get(dtype, 1e-3) * sizes


def _scripted(model: nn.Module) -> Iterator[str]:
    for name, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            yield f"the scripted module {name!r}" if name else "the scripted model"


def _functions(scores: Tensor) -> Iterator[str]:
    """Autograd functions of others in the graph."""
    left, seen = [scores.grad_fn], set()
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        left += [above for above, _ in node.next_functions]
        if isinstance(node, BackwardCFunction):
            function = type(node)._forward_cls
            if function.__module__.partition(".")[0] != __name__.partition(".")[0]:
                yield f"the autograd function {function.__name__!r}"


__all__ = ["RowsMixed", "check_balance"]
