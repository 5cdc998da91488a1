"""The one door to the model: every forward and backward pass goes through here.

Inputs are built inside the chunk by a function of row numbers, so a method never holds more than
one chunk of them, and a chunk that does not fit in memory can be built again at half the size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn

from nbxplain.core.balance import RowsMixed, check_balance
from nbxplain.core.capture import Capture, Edit, Edited
from nbxplain.core.errors import Cancelled, MethodError, ModelError
from nbxplain.core.fusion import FEW, settled
from nbxplain.core.nearby import Near, Nearby
from nbxplain.core.outcome import finite, gradients_at, reached
from nbxplain.core.pace import Layout
from nbxplain.core.rules import attention_rules
from nbxplain.core.setup import Build, Mode, Precision, Setup

if TYPE_CHECKING:
    from nbxplain.core.adapter import ModelAdapter
    from nbxplain.core.rules import RuleSet

T = TypeVar("T")
Score = Callable[[Tensor, Tensor], Tensor]
"""Model output (n, K) and row numbers (n,) -> one score a row (n,)."""
Change = Callable[[Tensor], Edit]
"""Row numbers (n,) -> what is changed inside the network for them."""


@dataclass
class Pass:
    """What one chunk gave: rows (n,), scores (n,), and the gradient if one was asked for.

    `gradient` is taken at the input, or at the layer, whose `activation` then comes with it.
    Under rules `reference` holds the baseline's scores (n,) and `sinks` what was absorbed (n,).
    """

    rows: Tensor
    scores: Tensor
    gradient: Tensor
    activation: Tensor | None = None
    reference: Tensor | None = None
    sinks: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class Attended:
    """Attention weights (n, heads, tokens, tokens) of every layer, first to last, for rows (n,).

    `gradients` of the score at them are empty unless asked for.
    """

    rows: Tensor
    weights: list[Tensor]
    gradients: list[Tensor] = field(default_factory=list)


@dataclass
class Layered:
    """Activations (n, ...) at several layers for rows (n,), and the score's gradients at them."""

    rows: Tensor
    activations: dict[str, Tensor]
    gradients: dict[str, Tensor] = field(default_factory=dict)


class Passes:
    """Runs batches through a model for one explanation, and counts what that cost.

    `chunk` and `layout` are chosen when None: the layout by measuring both once per model, the
    chunk from the size of the inputs, or, when `interactive`, from the measured time so that it
    takes about a quarter of a second. Results do not depend on the chunk (1e-5). The layouts round
    differently, which on a deep network shows in the fourth digit of a gradient, as the rounding of
    float32 itself does; both are part of the provenance. Many scores of pictures come from fused
    convolutions (fusion.py), for which the layout is channels_last. `precision="bfloat16"` runs
    under autocast and keeps the cosine between its gradients and float32 ones in `fidelity`.
    """

    def __init__(
        self,
        adapter: ModelAdapter,
        *,
        precision: Precision = "float32",
        chunk: int | None = None,
        layout: Layout | None = None,
        interactive: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._adapter = adapter
        self._setup = Setup(adapter, precision, chunk, layout, interactive)
        self.evaluations = 0
        self.fidelity: float | None = None
        self._cancelled = cancelled

    @property
    def precision(self) -> Precision:
        """In which the passes run."""
        return self._setup.precision

    @property
    def chunk(self) -> int | None:
        """Inputs in a pass, once that is settled."""
        return self._setup.chunk

    @property
    def layout(self) -> Layout | None:
        """The memory layout, once that is settled."""
        return self._setup.layout

    def check(self) -> None:
        """Raises Cancelled if the run was stopped; called before every pass."""
        if self._cancelled():
            raise Cancelled

    def scores(
        self,
        count: int,
        build: Build,
        score: Score,
        change: Change | None = None,
        near: Near | None = None,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows and scores of `count` inputs, chunk by chunk, without gradients.

        With `change` a layer's output is edited on the way. Inputs that differ only in a window
        from pictures that they are `near` are computed there alone, where that pays (nearby.py).
        """
        nearby = Nearby(self._adapter.model, near) if near and not change else None

        def step(model: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
            edit = change(rows) if change else None

            def inputs() -> Tensor:
                return self._setup.laid_out(build(rows))

            def work(fusion: Mode) -> Tensor:
                edited = Edited(model, edit) if edit else nullcontext()
                below: Mode = nullcontext()
                if edit and edit.below:
                    with self._setup.autocast():
                        edit.below.learn(model, lambda: self._setup.run(model, inputs()[:1]))
                    below = edit.below.given(model, len(rows))
                with self._setup.autocast(), edited, below, fusion:
                    return self._setup.run(model, inputs())

            with torch.no_grad():
                output = None
                if nearby and self._setup.fusion and self.layout == "channels_last":
                    with self._setup.autocast():
                        run = partial(self._setup.run, model)
                        output = nearby.output(run, inputs, rows, self._setup.fusion)
                if output is None:
                    output = self._setup.fused(work, worth=len(rows) >= FEW)
                return rows, finite(score(output.to(self._adapter.dtype), rows), "score")

        yield from self._chunks(count, build, step, backward=False, fusing=True)

    def activations(self, count: int, build: Build, layer: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows and outputs of `layer` for `count` inputs, chunk by chunk, without gradients."""

        def step(model: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
            with torch.no_grad(), self._setup.autocast(), Capture(model, [layer]) as captured:
                self._setup.run(model, self._setup.laid_out(build(rows)))
            return rows, finite(reached(captured, layer).to(self._adapter.dtype), "activation")

        yield from self._chunks(count, build, step, backward=True)

    def layered(
        self, count: int, build: Build, layers: Sequence[str], score: Score | None = None
    ) -> Iterator[Layered]:
        """Activations of `count` inputs at several layers, chunk by chunk, in one pass each.

        With `score` one backward pass gives its gradients at all of them; a layer that the score
        does not depend on has gradient zero, if another one has a gradient at all.
        """

        def step(model: nn.Module, rows: Tensor) -> Layered:
            def work(fusion: Mode) -> Layered:
                leaf = self._setup.laid_out(build(rows).detach())
                leaf.requires_grad_(score is not None)
                with (
                    torch.set_grad_enabled(score is not None),
                    self._setup.autocast(),
                    Capture(model, layers) as seen,
                    fusion,
                ):
                    output = self._setup.run(model, leaf)
                places = {name: settled(reached(seen, name)) for name in layers}
                activations = {
                    name: finite(exactly(place.detach()), "activation")
                    for name, place in places.items()
                }
                if score is None:
                    return Layered(rows, activations)
                scores = finite(score(exactly(output), rows), "score")
                slopes = gradients_at(scores, list(places.values()), layers[0])
                named = {n: exactly(slope) for n, slope in zip(layers, slopes, strict=True)}
                return Layered(rows, activations, named)

            return self._setup.fused(work, worth=len(rows) >= FEW)

        def exactly(tensor: Tensor) -> Tensor:
            return tensor.to(self._adapter.dtype)

        yield from self._chunks(count, build, step, backward=score is not None, fusing=True)

    def gradients(
        self, count: int, build: Build, score: Score, layer: str | None = None
    ) -> Iterator[Pass]:
        """Scores and gradients of `count` inputs, chunk by chunk.

        The gradient is taken at the input, or at the output of `layer`; then nothing below the
        layer is differentiated. Raises ModelError when no gradient arrives.
        """

        def step(model: nn.Module, rows: Tensor) -> Pass:
            result = self._differentiate(model, build, score, rows, layer)
            if self.precision == "bfloat16" and self.fidelity is None:
                self._compare(model, build, score, rows[:2], layer, result.gradient[:2])
            return result

        yield from self._chunks(count, build, step, backward=True, fusing=True)

    def propagate(self, count: int, build: Build, score: Score, rules: RuleSet) -> Iterator[Pass]:
        """Scores and rule-made gradients at the input of `count` inputs, chunk by chunk.

        The reference pass, if the rules need one, runs first. Raises MethodError for an operation
        that no rule covers, and for precisions in which the rules do not hold.
        """
        if self.precision != "float32":
            raise MethodError("Backward rules need float32.", "Use precision='float32'.")

        def step(model: nn.Module, rows: Tensor) -> Pass:
            inputs = self._setup.laid_out(build(rows).detach())

            def work(fusion: Mode) -> Pass:
                tape, there, baseline = None, None, None
                if rules.reference is not None:
                    baseline = self._setup.laid_out(rules.reference(rows))
                    with torch.no_grad(), fusion, rules.recorder() as recorder:
                        there = self._setup.run(model, baseline)
                    tape = recorder.tape
                with torch.enable_grad(), fusion:
                    leaf, fed = rules.leaf(inputs)
                    with rules.mode(tape, len(rows), inputs) as mode:
                        output = self._setup.run(model, fed)
                    scores = score(output, rows)
                # Not before the input's scores: they may settle what is explained.
                reference = None if there is None else score(there, rows)
                sinks = list(mode.sinks.values())
                gradient, *absorbed = gradients_at(finite(scores, "score"), [leaf, *sinks])
                named = dict(zip(mode.sinks, absorbed, strict=True))
                if rules.unit:
                    parts = gradient.flatten(1), *(taken[:, None] for taken in absorbed)
                    check_balance(torch.cat(parts, 1), scores[:, None], scores, model)
                elif baseline is not None and reference is not None:
                    ends = torch.stack([scores, -reference], 1)
                    check_balance(gradient * (inputs - baseline), ends, scores, model)
                return Pass(rows, scores.detach(), gradient, None, reference, named)

            return self._setup.fused(work, worth=rules.fusible)

        yield from self._chunks(count, build, step, backward=True, fusing=rules.fusible)

    def attentions(
        self, count: int, build: Build, score: Score, *, gradient: bool
    ) -> Iterator[Attended]:
        """Attention weights of `count` inputs, and the score's gradients at them, chunk by chunk.

        Every softmax over the last dimension of scores (n, heads, tokens, tokens) counts as
        attention; fused kernels are taken apart to reach it.
        """
        if self.precision != "float32":
            raise MethodError("Attention is read in float32.", "Use precision='float32'.")

        def step(model: nn.Module, rows: Tensor) -> Attended:
            found: list[Tensor] = []
            inputs = self._setup.laid_out(build(rows).detach()).requires_grad_(gradient)
            with torch.set_grad_enabled(gradient):
                with attention_rules(found).mode(None, len(rows), inputs):
                    output = self._setup.run(model, inputs)
                # Of weights alone none is needed, but it may be how the prediction is heard.
                scores = score(output, rows)
            if not gradient or not found:
                return Attended(rows, [w.detach() for w in found])
            slopes = gradients_at(finite(scores, "score"), [inputs, *found])[1:]
            return Attended(rows, [w.detach() for w in found], slopes)

        yield from self._chunks(count, build, step, backward=True)

    def _differentiate(
        self, model: nn.Module, build: Build, score: Score, rows: Tensor, layer: str | None
    ) -> Pass:
        def work(fusion: Mode) -> Pass:
            leaf = self._setup.laid_out(build(rows).detach()).requires_grad_(layer is None)
            capture = Capture(model, [layer], cut=True) if layer else nullcontext()
            with torch.enable_grad(), capture as captured, self._setup.autocast(), fusion:
                scores = score(self._setup.run(model, leaf).to(self._adapter.dtype), rows)
            place = leaf if captured is None or layer is None else reached(captured, layer)
            (gradient,) = gradients_at(finite(scores, "score"), [place], layer)
            activation = None if captured is None else place.detach().to(self._adapter.dtype)
            return Pass(rows, scores.detach(), gradient.to(self._adapter.dtype), activation)

        return self._setup.fused(work, worth=layer is None or len(rows) >= FEW)

    def _compare(
        self,
        model: nn.Module,
        build: Build,
        score: Score,
        rows: Tensor,
        layer: str | None,
        lower: Tensor,
    ) -> None:
        self._setup.precision = "float32"
        try:
            exact = self._differentiate(model, build, score, rows, layer).gradient
        finally:
            self._setup.precision = "bfloat16"
        self.evaluations += len(rows)
        cosine = nn.functional.cosine_similarity(exact.flatten(1), lower.flatten(1))
        self.fidelity = float(cosine.mean())

    def _chunks(
        self,
        count: int,
        build: Build,
        step: Callable[[nn.Module, Tensor], T],
        backward: bool,
        fusing: bool = False,
    ) -> Iterator[T]:
        model = self._adapter.replica()
        self._setup.settle(model, count, build, backward, fusing)
        start = 0
        while start < count:
            self.check()
            assert self.chunk is not None
            # Chunks of one size: a small last one would run at the pace of a small batch.
            stop = start + -(-(count - start) // -(-(count - start) // self.chunk))
            rows = torch.arange(start, stop, device=self._adapter.device)
            try:
                # Held for one chunk at a time, so that a run that was stopped blocks nobody.
                with self._adapter.lock, self._adapter.randomness(start):
                    result = step(model, rows)
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                self._setup.halve(error)
                continue
            except RowsMixed:
                self._setup.chunk = 1
                continue
            except ModelError:
                if not self._setup.relaid():
                    raise
                continue
            self.evaluations += stop - start
            start = stop
            yield result
