"""How inputs go through the model: how many at once, laid out how in memory, and what is fused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import torch
from torch import Tensor, nn

from nbxplain.core.door import chunk_for, exhausted, is_out_of_memory, run
from nbxplain.core.errors import MethodError, ModelError
from nbxplain.core.fusion import Fusion, fusion_for, known_to_fuse, settled
from nbxplain.core.pace import FORMATS, Layout, laid_out, pace, suits_channels_last

if TYPE_CHECKING:
    from nbxplain.core.adapter import ModelAdapter

T = TypeVar("T")

Precision = Literal["float32", "bfloat16"]
Build = Callable[[Tensor], Tensor]
"""Row numbers (n,) on the device -> model inputs (n, ...) on the device."""
Mode = AbstractContextManager[object]
"""What a pass is run in."""

PATIENCE = 0.25
"""Seconds that one chunk may take when a person waits for it."""
WORTH_MEASURING = 8
"""Evaluations from which measuring the two memory layouts pays for itself."""


class Setup:
    """What the passes of one explanation have in common; see Passes for the arguments."""

    def __init__(
        self,
        adapter: ModelAdapter,
        precision: Precision,
        chunk: int | None,
        layout: Layout | None,
        interactive: bool,
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
        self.precision = precision
        self.chunk = chunk
        self.layout = layout
        self._given = layout
        self.fusion: Fusion | None = None
        self._adapter = adapter
        self._interactive = interactive

    def settle(
        self, model: nn.Module, count: int, build: Build, backward: bool, fusing: bool
    ) -> None:
        """Chooses what is not chosen; few forward passes leave that to a longer run."""
        worth = count >= WORTH_MEASURING
        if self.fusion is not None:
            self.fusion.passes = count
        chosen = self.chunk is not None and (self.layout is not None or not worth)
        fusible = fusing and (worth or backward) and self.fusion is None and self._fusible
        source = self._adapter.model
        if count == 1 and fusible:
            # One picture is done before trying what may be fused would pay for itself.
            fusible = known_to_fuse(source) and suits_channels_last(source)
        if chosen and not fusible:
            return
        example = build(torch.arange(1, device=self._adapter.device))
        if fusible and example.ndim == 4:
            with self.autocast():
                forward = partial(self.run, model)
                self.fusion = fusion_for(source, example, forward, count)
        if chosen:
            return
        fusion = self.fusion if fusing else None
        # Table rows have one layout: only who waits for them has a reason to measure.
        worth = worth and (self._interactive or example.ndim == 4)
        layout, seconds = self._pace(model, example, backward, fusion, worth)
        if count == 1 and layout is None and self._adapter.device.type == "cpu":
            layout = "channels_last" if suits_channels_last(source) else None
        # Dropout draws in the order of memory: a model that draws must not depend on a stopwatch.
        self.layout = self.layout or ("contiguous" if self._adapter.draws else layout)
        if self.chunk is None:
            self.chunk = chunk_for(example)
            if self._interactive and seconds:
                wanted = max(1, int(PATIENCE / seconds))
                self.chunk = min(self.chunk, 1 << (wanted.bit_length() - 1))

    def relaid(self) -> bool:
        """Takes the usual layout instead of one that was chosen here and that a model may not bear.

        Whether there was such a one.
        """
        if self._given is not None or self.layout != "channels_last":
            return False
        self.layout, self.fusion = "contiguous", None
        return True

    def halve(self, error: Exception) -> None:
        """Makes chunks half as large if that may help against the error; else raises it."""
        if not is_out_of_memory(error):
            raise error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        assert self.chunk is not None
        if self.chunk == 1:
            raise exhausted() from error
        self.chunk //= 2

    def fused(self, work: Callable[[Mode], T], worth: bool = True) -> T:
        """What the work gives under fusion; what that cannot do is done again without it.

        It is not `worth` while for one picture that is not differentiated down to the input.
        """
        if not worth:
            return work(nullcontext())
        while True:
            try:
                return work(self.fusion or nullcontext())
            except ModelError:
                if self.fusion is None:
                    raise
                self.fusion = None

    def laid_out(self, inputs: Tensor) -> Tensor:
        """The inputs in the memory layout."""
        return laid_out(inputs, self.layout)

    def autocast(self) -> Mode:
        """The precision."""
        # A user's ambient autocast must not lower it either.
        return torch.autocast(
            self._adapter.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def run(self, model: nn.Module, inputs: Tensor) -> Tensor:
        """The model's output (n, K)."""
        return run(model, inputs, lambda output: settled(self._adapter.pick(output)))

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

        def timed(inputs: Tensor) -> Tensor:
            with self.autocast(), self._adapter.randomness(0), fusion or nullcontext():
                return self.run(model, inputs)

        layouts: tuple[Layout, ...] = (
            ("channels_last",) if forward else ("channels_last", "contiguous")
        )
        case = self.precision, fusion is not None
        return pace(self._adapter.model, case, example, timed, backward, layouts)

    @property
    def _fusible(self) -> bool:
        adapter = self._adapter
        usual = self.precision == "float32" and adapter.dtype == torch.float32
        usual = usual and self.layout != "contiguous"
        return usual and adapter.device.type == "cpu" and not adapter.draws


__all__ = ["Build", "Mode", "Precision", "Setup"]
