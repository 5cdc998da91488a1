"""The one door to the model: every forward and backward pass goes through here.

Inputs are built inside the chunk by a function of row numbers, so a method never holds more than
one chunk of them, and a chunk that does not fit in memory can be built again at half the size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import torch
from torch import Tensor, nn

from nbxplain.core.capture import Capture, Edit, Edited
from nbxplain.core.door import chunk_for, exhausted, is_out_of_memory, run
from nbxplain.core.errors import Cancelled, MethodError, ModelError
from nbxplain.core.fusion import Fusion, fusion_for, settled
from nbxplain.core.nearby import Near, Nearby
from nbxplain.core.outcome import finite, gradients_at, reached
from nbxplain.core.pace import FORMATS, Layout, laid_out, pace
from nbxplain.core.rules import attention_rules

if TYPE_CHECKING:
    from nbxplain.core.adapter import ModelAdapter
    from nbxplain.core.rules import RuleSet

T = TypeVar("T")
Seen = TypeVar("Seen")

Precision = Literal["float32", "bfloat16"]
Build = Callable[[Tensor], Tensor]
"""Row numbers (n,) on the device -> model inputs (n, ...) on the device."""
Score = Callable[[Tensor, Tensor], Tensor]
"""Model output (n, K) and row numbers (n,) -> one score a row (n,)."""
Change = Callable[[Tensor], Edit]
"""Row numbers (n,) -> what is changed inside the network for them."""

PATIENCE = 0.25
"""Seconds that one chunk may take when a person waits for it."""
WORTH_MEASURING = 8
"""Evaluations from which measuring the two memory layouts pays for itself."""


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
        if chunk is not None and (not isinstance(chunk, int) or chunk < 1):
            raise MethodError(
                f"A chunk cannot be {chunk!r}.", "Give the inputs in a pass, or None."
            )
        for name, value, known in (
            ("precision", precision, get_args(Precision)),
            ("layout", layout, (*FORMATS, None)),
        ):
            if value not in known:
                raise MethodError(f"There is no {name} {value!r}.", f"Choose one of {known}.")
        self._adapter = adapter
        self.precision = precision
        self.chunk = chunk
        self.layout = layout
        self.evaluations = 0
        self.fidelity: float | None = None
        self._fusion: Fusion | None = None
        self._interactive = interactive
        self._cancelled = cancelled

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
                return self._laid_out(build(rows))

            with torch.no_grad():
                output = None
                if nearby and self._fusion and self.layout == "channels_last":
                    with self._autocast():
                        run = partial(self._run, model)
                        output = nearby.output(run, inputs, rows, self._fusion)
                if output is None:
                    output, _ = self._fused(
                        model, inputs, lambda: Edited(model, edit) if edit else nullcontext()
                    )
                return rows, finite(score(output.to(self._adapter.dtype), rows), "score")

        yield from self._chunks(count, build, step, backward=False, fusing=True)

    def activations(self, count: int, build: Build, layer: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows and outputs of `layer` for `count` inputs, chunk by chunk, without gradients."""

        def step(model: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
            with torch.no_grad(), self._autocast(), Capture(model, [layer]) as captured:
                self._run(model, self._laid_out(build(rows)))
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
            def work(fusion: AbstractContextManager[object]) -> Layered:
                leaf = self._laid_out(build(rows).detach())
                leaf.requires_grad_(score is not None)
                with (
                    torch.set_grad_enabled(score is not None),
                    self._autocast(),
                    Capture(model, layers) as seen,
                    fusion,
                ):
                    output = self._run(model, leaf)
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

            return self._fusing(work)

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
            inputs = self._laid_out(build(rows).detach())

            def work(fusion: AbstractContextManager[object]) -> Pass:
                tape, there = None, None
                if rules.reference is not None:
                    fed = self._laid_out(rules.reference(rows)).clone()
                    with torch.no_grad(), fusion, rules.recorder() as recorder:
                        there = self._run(model, fed)
                    tape = recorder.tape
                with torch.enable_grad(), fusion:
                    leaf, fed = rules.leaf(inputs)
                    with rules.mode(tape, len(rows), inputs) as mode:
                        output = self._run(model, fed)
                    scores = score(output, rows)
                # Not before the input's scores: they may settle what is explained.
                reference = None if there is None else score(there, rows)
                sinks = list(mode.sinks.values())
                gradient, *absorbed = gradients_at(finite(scores, "score"), [leaf, *sinks])
                named = dict(zip(mode.sinks, absorbed, strict=True))
                return Pass(rows, scores.detach(), gradient, None, reference, named)

            return self._fusing(work) if rules.fusible else work(nullcontext())

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
            inputs = self._laid_out(build(rows).detach()).requires_grad_(gradient)
            with torch.set_grad_enabled(gradient):
                with attention_rules(found).mode(None, len(rows), inputs):
                    output = self._run(model, inputs.clone())
                if not gradient or not found:
                    return Attended(rows, [w.detach() for w in found])
                scores = score(output, rows)
            slopes = gradients_at(finite(scores, "score"), [inputs, *found])[1:]
            return Attended(rows, [w.detach() for w in found], slopes)

        yield from self._chunks(count, build, step, backward=True)

    def _fused(
        self,
        model: nn.Module,
        build: Callable[[], Tensor],
        around: Callable[[], AbstractContextManager[Seen]],
    ) -> tuple[Tensor, Seen]:
        """The output, with convolutions fused where that works, and what was entered around it."""

        def forward(fusion: AbstractContextManager[object]) -> tuple[Tensor, Seen]:
            with self._autocast(), around() as seen, fusion:
                return self._run(model, build()), seen

        return self._fusing(forward)

    def _fusing(self, work: Callable[[AbstractContextManager[object]], T]) -> T:
        """What the work gives under fusion; what that cannot do is done again without it."""
        while True:
            try:
                return work(self._fusion or nullcontext())
            except ModelError:
                if self._fusion is None:
                    raise
                self._fusion = None

    def _differentiate(
        self, model: nn.Module, build: Build, score: Score, rows: Tensor, layer: str | None
    ) -> Pass:
        def work(fusion: AbstractContextManager[object]) -> Pass:
            leaf = self._laid_out(build(rows).detach()).requires_grad_(layer is None)
            capture = Capture(model, [layer], cut=True) if layer else nullcontext()
            with torch.enable_grad(), capture as captured, self._autocast(), fusion:
                scores = score(self._run(model, leaf).to(self._adapter.dtype), rows)
            place = leaf if captured is None or layer is None else reached(captured, layer)
            (gradient,) = gradients_at(finite(scores, "score"), [place], layer)
            activation = None if captured is None else place.detach().to(self._adapter.dtype)
            return Pass(rows, scores.detach(), gradient.to(self._adapter.dtype), activation)

        return self._fusing(work)

    def _compare(
        self,
        model: nn.Module,
        build: Build,
        score: Score,
        rows: Tensor,
        layer: str | None,
        lower: Tensor,
    ) -> None:
        self.precision = "float32"
        try:
            exact = self._differentiate(model, build, score, rows, layer).gradient
        finally:
            self.precision = "bfloat16"
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
        self._choose(model, count, build, backward, fusing)
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
                self._halve(error)
                continue
            self.evaluations += stop - start
            start = stop
            yield result

    def _halve(self, error: Exception) -> None:
        if not is_out_of_memory(error):
            raise error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        assert self.chunk is not None
        if self.chunk == 1:
            raise exhausted() from error
        self.chunk //= 2

    def _choose(
        self, model: nn.Module, count: int, build: Build, backward: bool, fusing: bool
    ) -> None:
        """Settles chunk, layout and fusion; few forward passes leave that to a longer run."""
        worth = count >= WORTH_MEASURING
        if self._fusion is not None:
            self._fusion.passes = count
        chosen = self.chunk is not None and (self.layout is not None or not worth)
        fusible = fusing and (worth or backward) and self._fusion is None and self._fusible
        if chosen and not fusible:
            return
        example = build(torch.arange(1, device=self._adapter.device))
        if fusible and example.ndim == 4:
            with self._autocast():
                run = partial(self._run, model)
                self._fusion = fusion_for(self._adapter.model, example, run, count)
        if chosen:
            return
        fusion = self._fusion if fusing else None
        # Table rows have one layout: only who waits for them has a reason to measure.
        worth = worth and (self._interactive or example.ndim == 4)
        layout, seconds = self._pace(model, example, backward, fusion, worth)
        # Dropout draws in the order of memory: a model that draws must not depend on a stopwatch.
        self.layout = self.layout or ("contiguous" if self._adapter.draws else layout)
        if self.chunk is None:
            self.chunk = chunk_for(example)
            if self._interactive and seconds:
                wanted = max(1, int(PATIENCE / seconds))
                self.chunk = min(self.chunk, 1 << (wanted.bit_length() - 1))

    def _pace(
        self,
        model: nn.Module,
        example: Tensor,
        backward: bool,
        fusion: Fusion | None,
        worth: bool,
    ) -> tuple[Layout | None, float]:
        """The faster layout and its seconds an input, as far as that is worth being measured."""
        forward = fusion is not None and not backward
        if not worth or (forward and not self._interactive):
            return "channels_last" if fusion else None, 0.0

        def run(inputs: Tensor) -> Tensor:
            with self._autocast(), self._adapter.randomness(0), fusion or nullcontext():
                return self._run(model, inputs)

        layouts: tuple[Layout, ...] = (
            ("channels_last",) if forward else ("channels_last", "contiguous")
        )
        case = self.precision, fusion is not None
        return pace(self._adapter.model, case, example, run, backward, layouts)

    @property
    def _fusible(self) -> bool:
        adapter = self._adapter
        usual = self.precision == "float32" and adapter.dtype == torch.float32
        usual = usual and self.layout != "contiguous"
        return usual and adapter.device.type == "cpu" and not adapter.draws

    def _laid_out(self, inputs: Tensor) -> Tensor:
        return laid_out(inputs, self.layout)

    def _autocast(self) -> AbstractContextManager[object]:
        # A user's ambient autocast must not lower the precision either.
        return torch.autocast(
            self._adapter.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def _run(self, model: nn.Module, inputs: Tensor) -> Tensor:
        return run(model, inputs, lambda output: settled(self._adapter.pick(output)))
