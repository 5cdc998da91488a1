"""Backward rules on tensor operations: how relevance flows, whatever the architecture.

A TorchFunctionMode sees each operation of a forward pass: functional, module, method, inline and
in-place forms alike. Where an operation has a rule, its true value is kept and its derivative is
replaced by that of a surrogate which the rule writes down as an ordinary torch expression; autograd
then does the rest in one backward pass. Operations that are compositions of simpler ones (layer
norm, attention, an LSTM) are taken apart and run again under the mode.

A rule may need the same operation's inputs in a reference pass. The reference is run first and its
inputs go on a tape, which the second pass reads in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nbxplain.core.calls import Operation, continuous, observes, picks, plain, tensors
from nbxplain.core.decompositions import DECOMPOSITIONS
from nbxplain.core.errors import MethodError
from nbxplain.core.fusion import settled
from nbxplain.core.kept import Keeper
from nbxplain.core.operations import LINEAR, STRUCTURAL
from nbxplain.core.tape import Decomposition, Recorder, Tape, rescue

Rule = Callable[[Operation], Any]
"""Gives the operation's output with the derivative that the rule asks for, see graft."""


@dataclass
class RuleSet:
    """Rules with what a pass needs to follow them.

    `reference` builds the reference inputs of rows. With `unit` the pass differentiates by a tensor
    of ones that is multiplied with the input, so that the gradient is relevance itself; it is the
    companion of tensors that are still the input. `met` collects the rules that applied. Operations
    in `dynamic` have their rule only where their weights are no parameters.
    """

    rules: Mapping[str, Rule]
    decompositions: Mapping[str, Decomposition]
    strict: bool = True
    dynamic: frozenset[str] = frozenset()
    reference: Callable[[Tensor], Tensor] | None = None
    unit: bool = False
    sinks: tuple[str, ...] = ()
    met: set[str] = field(default_factory=set)

    def recorder(self) -> Recorder:
        """The mode of the reference pass."""
        return Recorder(self.decompositions, self.on_tape)

    def mode(self, tape: Tape | None, rows: int, like: Tensor) -> Rules:
        """The mode of the pass that is differentiated."""
        sinks = {name: like.new_ones(rows).requires_grad_() for name in self.sinks}
        return Rules(self, tape, sinks)

    @property
    def fusible(self) -> bool:
        """Whether convolutions and batch norms keep their own derivative."""
        return "batch_norm" not in self.rules and ("conv2d" not in self.rules.keys() - self.dynamic)

    def on_tape(self, operation: Operation) -> bool:
        """Whether the operation takes part: it has a rule, or is unknown and must be checked."""
        if operation.name in self.rules:
            constant = operation.name in self.dynamic and _constant_weight(operation)
            return not constant and any(tensors(a) for a in operation.arguments)
        if not self.strict or operation.name in LINEAR:
            return False
        return any(isinstance(a, Tensor) and continuous(a) for a in operation.arguments)

    def leaf(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """What is differentiated by, and what the model is fed."""
        if not self.unit:
            inputs = inputs.requires_grad_()
            return inputs, inputs
        leaf = torch.ones_like(inputs).requires_grad_()
        return leaf, accompany(leaf * inputs, leaf)


def attention_rules(found: list[Tensor]) -> RuleSet:
    """Rules that change nothing and collect every softmax that looks like attention in `found`.

    One without heads, (n, tokens, tokens), is one head, if it then mixes tokens of its own row and
    no other has heads.
    """
    several: list[Tensor] = []
    alone: dict[int, Tensor] = {}

    def collect(operation: Operation) -> Tensor:
        weights: Tensor = operation(*operation.arguments)
        if weights.ndim == 4:
            several.append(weights)
            found[:] = several
        dim = operation.options.get("dim", (*operation.arguments, None)[1])
        if weights.ndim == 3 and weights.shape[1] == weights.shape[2] and dim in (2, -1):
            one = weights.unsqueeze(1)
            weights = one.squeeze(1)  # so that its gradient is the score's
            alone[weights.data_ptr()] = one
        return weights

    def mix(operation: Operation) -> Tensor:
        factors, rows = tensors(operation.arguments), len(operation.sinks["rows"])
        if not several and all(f.ndim == 3 and len(f) == rows for f in factors):
            used = [alone.pop(factor.data_ptr(), None) for factor in factors]
            found.extend(weights for weights in used if weights is not None)
        result: Tensor = operation(*operation.arguments)
        return result

    compound = ("scaled_dot_product_attention", "multi_head_attention_forward")
    parts = {name: DECOMPOSITIONS[name] for name in compound}
    rules = {"softmax": collect, **dict.fromkeys(("matmul", "bmm", "einsum"), mix)}
    return RuleSet(rules, parts, strict=False, sinks=("rows",))


def accompany(tensor: Tensor, companion: Tensor) -> Tensor:
    """Lays a companion of the same shape beside a tensor, for later rules to find.

    Operations that only move values move both; whoever overwrites the tensor loses it.
    """
    tensor._companion = companion, tensor._version  # type: ignore[attr-defined]
    return tensor


def companion_of(tensor: Tensor) -> Tensor | None:
    """What accompanies a tensor, if anything does."""
    companion, version = getattr(tensor, "_companion", (None, 0))
    return companion if companion is not None and version == tensor._version else None


def _accompanied(operation: Operation, result: Any) -> Any:
    """Moves a companion along."""
    first = operation.arguments[0] if operation.arguments else None
    if (
        operation.name in STRUCTURAL
        and isinstance(first, Tensor)
        and (companion := companion_of(first)) is not None
    ):
        for part, beside in zip(tensors(result), tensors(operation(companion)), strict=True):
            accompany(part, beside)
    return result


def _overwritten(target: Tensor, result: Tensor) -> Tensor:
    """In place, which also changes whatever shares memory with the target."""
    target.copy_(result)
    companion = companion_of(result)
    return target if companion is None else accompany(target, companion)


def handed_over(value: list[Tensor]) -> Tensor:
    """The one tensor of a list, for an autograd function to return as its own.

    In a list, autograd does not see it: of what it sees it would make a view.
    """
    (result,) = value
    # Autograd forbids to overwrite a view that it did not see being made.
    return result.clone() if result._is_view() else result


class _Graft(torch.autograd.Function):
    """The value of one tensor with the derivative of another."""

    @staticmethod
    def forward(context: Any, surrogate: Tensor, value: list[Tensor], change: Any) -> Tensor:
        context.change = change
        return handed_over(value)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        return (gradient if context.change is None else context.change(gradient)), None, None


def graft(
    surrogate: Tensor, value: Tensor, change: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """`value` forward; backward the gradient goes through `change` and on to `surrogate`.

    The value must be nobody else's, for an operation in place may follow.
    """
    result: Tensor = _Graft.apply(surrogate, [value], change)  # type: ignore[no-untyped-call]
    return result


class _Deferred(torch.autograd.Function):
    """A graft whose surrogate is written down only when a gradient arrives."""

    @staticmethod
    def forward(context: Any, build: Any, value: list[Tensor], keeper: Keeper, *leaves: Any) -> Any:
        context.build, context.kept = build, [keeper.keep(t) for t in (*value, *leaves)]
        return handed_over(value)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        # Let go as soon as it was used, as autograd does with what it saves.
        (value, *leaves), context.kept = (kept.value for kept in context.kept), None
        with torch.enable_grad():
            leaves = [leaf.detach().requires_grad_() for leaf in leaves]
            surrogate = context.build(value, *leaves)
        found = torch.autograd.grad(surrogate, leaves, gradients[0], allow_unused=True)
        return None, None, None, *found


def defer(build: Callable[..., Tensor], value: Tensor, keeper: Keeper, *leaves: Tensor) -> Tensor:
    """`value` forward; backward the derivative of `build(value, *leaves)`.

    What is never asked for costs nothing: a convolution that a batch norm merges with, for one.
    The value must be nobody else's, for an operation in place may follow.
    """
    result: Tensor = _Deferred.apply(  # type: ignore[no-untyped-call]
        build, [value], keeper, *leaves
    )
    return result


class Rules(TorchFunctionMode):
    """Runs a forward pass whose derivative follows rules, by operation name.

    Decompositions take compound operations apart. If the rules are strict, an operation that has
    none and is not linear is refused (MethodError), unless it is linear between the reference and
    here; otherwise it keeps its own derivative. `tape` holds the reference pass for rules that need
    it; without one the reference of the linearity check is zero. `sinks` are leaves (n,) of ones,
    one a row, that a rule may multiply into its surrogate: their gradient is what went there.
    """

    def __init__(
        self, rules: RuleSet, tape: Tape | None = None, sinks: Mapping[str, Tensor] | None = None
    ) -> None:
        super().__init__()
        self._rules = rules
        self._tape = tape
        self._keeper = Keeper()
        self.sinks = sinks or {}

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if observes(func):
            return func(*args, **kwargs)
        operation, target = plain(func, args, kwargs)
        name = operation.name
        if name in self._rules.decompositions:
            with self:
                decomposition = self._rules.decompositions[name]
                result = decomposition(*operation.arguments, **operation.options)
        elif not self._rules.on_tape(operation):
            self._compare(operation)
            rescue(self._keeper, func, args, kwargs)
            return _accompanied(operation, func(*args, **kwargs))
        else:
            # Of fused convolutions before it, a rule sees the result, and it fuses nothing itself.
            with torch._C.DisableTorchFunction():
                operation.arguments = settled(operation.arguments)
                result = _accompanied(operation, self._apply(operation))
        rescue(self._keeper, func, args, kwargs)
        return result if target is None else _overwritten(target, result)

    def _apply(self, operation: Operation) -> Any:
        operation.sinks, operation.keeper = self.sinks, self._keeper
        if self._tape is not None:
            operation.reference = self._tape.read(operation)
        rule = self._rules.rules.get(operation.name)
        if not operation.data and self._rules.strict:
            return operation.value()
        if rule is not None:
            if operation.data:
                self._rules.met.add(operation.name)
            return rule(operation)
        result = operation(*operation.arguments)
        if _flows(result) and not linear_here(operation):
            raise MethodError(
                f"No rule says how relevance flows through {operation.name!r}.",
                "Choose a gradient or perturbation method, or add a rule for it "
                "(nbxplain.core.operations lists what is covered).",
            )
        return result

    def _compare(self, operation: Operation) -> None:
        """Whether a linear operation picked the same places in the reference pass."""
        if self._tape is None or not (here := picks(operation)):
            return
        there = self._tape.read(operation)
        if len(here) != len(there) or not all(map(torch.equal, here, there)):
            raise MethodError(
                f"{operation.name!r} picks otherwise for the baseline than for the input.",
                "Choose another baseline, or integrated gradients.",
            )


def _constant_weight(operation: Operation) -> bool:
    weight = operation.arguments[1]
    return isinstance(weight, nn.Parameter) and not weight.requires_grad


def _flows(result: Any) -> bool:
    parts = result if isinstance(result, tuple | list) else (result,)
    return any(isinstance(part, Tensor) and part.requires_grad for part in parts)


def linear_here(operation: Operation) -> bool:
    """Whether the operation is affine on the segment from the reference to here, tested inside it.

    Without a reference: whether it is linear from zero, which is what conservation needs.
    """
    here = operation.arguments
    there = operation.reference or tuple(
        torch.zeros_like(a) if i in operation.data else a for i, a in enumerate(here)
    )
    with torch.no_grad():
        try:
            ends = [_parts(operation(*point)) for point in (there, here)]
            inside = [
                _parts(
                    operation(*(_between(a, b, share) for a, b in zip(there, here, strict=True)))
                )
                for share in (0.25, 0.5)
            ]
        except RuntimeError:
            return False
    return all(
        part.shape == low.shape == high.shape
        and torch.allclose(part, torch.lerp(low, high, share), rtol=1e-3, atol=1e-5)
        for share, parts in zip((0.25, 0.5), inside, strict=True)
        for part, low, high in zip(parts, *ends, strict=True)
    )


def _between(low: Any, high: Any, share: float) -> Any:
    if isinstance(high, Tensor) and continuous(high):
        return torch.lerp(low.detach(), high.detach(), share)
    return high


def _parts(result: Any) -> list[Tensor]:
    parts = result if isinstance(result, tuple | list) else (result,)
    return [part for part in parts if isinstance(part, Tensor) and continuous(part)]
