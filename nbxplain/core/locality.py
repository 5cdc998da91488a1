"""Scores of pictures that differ from a known one only in a window.

A convolution sees a few places only: where none of them changed, its output is that of the known
picture. So the known picture, the reference, is run once, and of the others only what the window
touches is computed, layer by layer, as long as that is a small part of the map. Nakandala, Kumar
and Papakonstantinou 2019, without their approximation.

A TorchFunctionMode follows the windows through the operations it knows. Anything else is given the
whole map: the reference with the windows pasted in, so that the outcome is the network's own up to
rounding, whatever the network does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from nbxplain.core.calls import Operation, plain
from nbxplain.core.convolution import pair
from nbxplain.core.lazy import LOOKS, any_of
from nbxplain.core.operations import ELEMENTWISE
from nbxplain.core.patches import Patch, Tape, Window, whole
from nbxplain.core.windows import Boxes, Step, cut

POINTWISE = (ELEMENTWISE - {"rrelu"}) | frozenset(
    "add sub mul multiply div divide true_divide maximum minimum neg".split()
)
"""Operations of each place by itself."""

KNOWN = LOOKS | {Tensor.requires_grad.__get__}  # type: ignore[attr-defined]
"""What a patch tells without being made whole: no gradient is ever taken of one."""

MOST = 0.6
"""The share of a map from which on a window is not worth while."""


class Locality(TorchFunctionMode):
    """Follows patches through the network; what is left of its operations goes to `then`, a mode.

    `done` and `saved` count multiplications of convolutions and linear layers.
    """

    def __init__(self, reference: Tensor, then: TorchFunctionMode | None = None) -> None:
        super().__init__()
        self.done = self.saved = 0
        self.reference, self._then = reference, then
        self._tape = Tape(self._call)

    def patch(self, inputs: Tensor, which: Sequence[int], boxes: Boxes) -> Patch:
        """Inputs (n, C, H, W) as patches on the reference (R, C, H, W); a new pass begins."""
        self.done = self.saved = self._tape.place = 0
        data = cut(inputs, range(len(inputs)), boxes)
        return Patch.of(Window(self.reference, tuple(which), data, boxes))

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not any_of((args, kwargs), Patch):
            return self._counted(func, args, kwargs)
        if func in KNOWN:
            return func(*args, **kwargs)
        operation, target = plain(func, args, kwargs)
        made = self._local(operation, target)
        if made is None:
            return self._counted(func, whole(args), whole(kwargs))
        if isinstance(made, Patch):
            return made
        if target is None:
            return Patch.of(made)
        target.window = made  # type: ignore[attr-defined]
        return target

    def _call(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        if self._then is None:
            return func(*args, **kwargs)
        return self._then.__torch_function__(func, (), args, kwargs)

    def _counted(self, func: Any, args: Any, kwargs: Any) -> Any:
        result = self._call(func, *args, **kwargs)
        if func in (torch.conv2d, F.linear) and len(args) > 1:
            self.done += result.numel() * args[1][0].numel()
        return result

    def _local(self, operation: Operation, target: Any) -> Window | Patch | None:
        """What becomes of the windows, or None where the whole is needed."""
        rule = RULES.get(operation.name)
        if rule is None or "out" in operation.options:
            return None
        if torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return None
        if target is not None and _window(target) is None:
            return None
        made = rule(self, operation)
        if isinstance(made, Window) and target is not None and made.data.dtype != target.dtype:
            return None
        return made

    # Operations. Each gives None where it cannot do it.

    def _dropout(self, operation: Operation) -> Patch | None:
        """In evaluation mode it returns what it is given."""
        first, *rest = operation.arguments
        training = rest[1] if len(rest) > 1 else operation.options.get("training", True)
        return None if training or _window(first) is None else first

    def _batch_norm(self, operation: Operation) -> Window | None:
        arguments = operation.arguments
        training = arguments[5] if len(arguments) > 5 else operation.options.get("training", False)
        return None if training else self._each(operation)

    def _pointwise(self, operation: Operation) -> Window | None:
        values = *operation.arguments, *operation.options.values()
        known = all(isinstance(value, Patch) or _placeless(value) for value in values)
        return self._each(operation) if known else None

    def _each(self, operation: Operation) -> Window | None:
        """Each place by itself."""
        return self._together(operation, [a for a in operation.arguments if isinstance(a, Patch)])

    def _cat(self, operation: Operation) -> Window | None:
        given = _named(CAT, operation)
        parts = given["tensors"]
        if given["dim"] not in (1, -3) or not all(isinstance(part, Patch) for part in parts):
            return None
        return self._together(replace(operation, arguments=(parts, 1), options={}), parts)

    def _together(self, operation: Operation, patches: Sequence[Patch]) -> Window | None:
        """An operation on the same places of several maps."""
        windows = {id(patch): _window(patch) for patch in patches}
        found = [window for window in windows.values() if window is not None]
        alike = {(window.which, *window.shape[2:]) for window in found}
        if len(found) < len(windows) or len(alike) != 1 or any_of((operation.options,), Patch):
            return None
        ((which, height, width),) = alike
        boxes = Boxes.around([window.boxes for window in found], height, width)

        def with_each(part: Callable[[Window], Tensor]) -> tuple[Any, ...]:
            return tuple(_exchanged(a, windows, part) for a in operation.arguments)

        reference = self._beside(operation, with_each(lambda window: window.reference))
        data = self._call(
            operation.function, *with_each(lambda w: w.within(boxes)), **operation.options
        )
        return Window(reference, which, data, boxes)

    def _convolution(self, operation: Operation) -> Window | None:
        given = _named(CONVOLUTION, operation)
        window, weight = _window(given["input"]), given["weight"]
        if window is None:
            return None
        kernel = weight.shape[2:]
        stride, dilation = pair(given["stride"]), pair(given["dilation"])
        padding = given["padding"]
        if padding == "same":
            padding = tuple(d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True))
        padding = (0, 0) if padding == "valid" else pair(padding)
        steps = _steps(kernel, stride, padding, dilation)

        def here(buffer: Tensor) -> Tensor:
            options = given["bias"], stride, 0, dilation, given["groups"]
            result: Tensor = self._call(torch.conv2d, buffer, weight, *options)
            return result

        made = self._slid(operation, window, steps, 0.0, here)
        if made is not None:
            places = len(window.which) * weight.numel()
            self.done += places * made.boxes.area
            self.saved += places * (made.shape[2] * made.shape[3] - made.boxes.area)
        return made

    def _max_pool(self, operation: Operation) -> Window | None:
        given = _named(MAX_POOL, operation)
        window = _window(given["input"])
        if window is None:
            return None
        kernel, dilation = pair(given["kernel_size"]), pair(given["dilation"])
        stride = pair(given["stride"] or kernel)
        steps = _steps(kernel, stride, pair(given["padding"]), dilation)

        def here(buffer: Tensor) -> Tensor:
            result: Tensor = self._call(F.max_pool2d, buffer, kernel, stride, 0, dilation)
            return result

        return self._slid(operation, window, steps, -torch.inf, here)

    def _average_pool(self, operation: Operation) -> Window | None:
        """Where each mean is over a whole kernel."""
        given = _named(AVERAGE_POOL, operation)
        window = _window(given["input"])
        if window is None:
            return None
        kernel, padding = pair(given["kernel_size"]), pair(given["padding"])
        stride = pair(given["stride"] or kernel)
        steps = _steps(kernel, stride, padding, (1, 1))
        sizes = zip(window.shape[2:], steps, strict=True)
        ragged = any((size + 2 * s.padding - s.kernel) % s.stride for size, s in sizes)
        divisor = given["divisor_override"]
        if divisor is None and (
            (given["ceil_mode"] and ragged) or (any(padding) and not given["count_include_pad"])
        ):
            return None

        def here(buffer: Tensor) -> Tensor:
            options = 0, False, True, divisor
            result: Tensor = self._call(F.avg_pool2d, buffer, kernel, stride, *options)
            return result

        return self._slid(operation, window, steps, 0.0, here)

    def _slid(
        self,
        operation: Operation,
        window: Window,
        steps: tuple[Step, Step],
        outside: float,
        here: Callable[[Tensor], Tensor],
    ) -> Window | None:
        """What slides over the map and sees `outside` around it; `here` does so without padding."""
        reference = self._beside(operation, (window.reference, *operation.arguments[1:]))
        _, _, height, width = reference.shape
        boxes = window.boxes.outputs(steps, height, width)
        if boxes.area > MOST * height * width:
            return None
        if all(step.alone for step in steps):
            return Window(reference, window.which, here(window.data), boxes)
        sizes = zip(steps, (height, width), window.shape[2:], strict=True)
        after = [step.after(size, outputs) for step, outputs, size in sizes]
        pad = steps[1].padding, after[1], steps[0].padding, after[0]
        source = self._tape.result(_padded, (window.reference, pad, outside), {})
        place = window.boxes.moved(steps[0].padding, steps[1].padding)
        data = here(window.framed(source, boxes.seen(steps), place))
        return Window(reference, window.which, data, boxes)

    def _pad(self, operation: Operation) -> Window | None:
        """Zeros around the maps."""
        given = _named(PAD, operation)
        window, pad = _window(given["input"]), given["pad"]
        if window is None or given["mode"] != "constant" or len(pad) > 4 or min(pad) < 0:
            return None
        left, _, top, _ = (*pad, 0, 0)[:4]
        reference = self._beside(operation, (window.reference, *operation.arguments[1:]))
        return Window(reference, window.which, window.data, window.boxes.moved(top, left))

    def _beside(self, operation: Operation, arguments: Sequence[Any]) -> Tensor:
        """The same operation on the reference."""
        result: Tensor = self._tape.result(operation.function, arguments, operation.options)
        return result


RULES: dict[str, Callable[[Locality, Operation], Window | Patch | None]] = {
    **dict.fromkeys(POINTWISE, Locality._pointwise),
    **dict.fromkeys(("dropout", "dropout2d", "alpha_dropout"), Locality._dropout),
    "batch_norm": Locality._batch_norm,
    "prelu": Locality._each,
    **dict.fromkeys(("cat", "concat", "concatenate"), Locality._cat),
    "pad": Locality._pad,
    "conv2d": Locality._convolution,
    "max_pool2d": Locality._max_pool,
    "avg_pool2d": Locality._average_pool,
}
"""The operations through which windows are followed."""

CONVOLUTION = {
    "input": None, "weight": None, "bias": None, "stride": 1, "padding": 0, "dilation": 1,
    "groups": 1,
}  # fmt: skip
MAX_POOL = {
    "input": None, "kernel_size": None, "stride": None, "padding": 0, "dilation": 1,
    "ceil_mode": False,
}  # fmt: skip
AVERAGE_POOL = {
    "input": None, "kernel_size": None, "stride": None, "padding": 0, "ceil_mode": False,
    "count_include_pad": True, "divisor_override": None,
}  # fmt: skip
CAT = {"tensors": None, "dim": 0}
PAD = {"input": None, "pad": None, "mode": "constant", "value": None}
"""Arguments in their order, and their defaults."""


def _named(names: dict[str, Any], operation: Operation) -> dict[str, Any]:
    return names | dict(zip(names, operation.arguments, strict=False)) | operation.options


def _window(value: Any) -> Window | None:
    """The window of a patch that nobody needed as a whole."""
    return value.window if isinstance(value, Patch) and value.known is None else None


def _placeless(value: Any) -> bool:
    """Whether it is the same at all places and for all inputs: a number, one for each channel."""
    if not isinstance(value, Tensor):
        return True
    shape = (1, 1, 1, 1, *value.shape)[-4:]
    return value.ndim <= 4 and shape[0] == shape[2] == shape[3] == 1


def _exchanged(
    value: Any, windows: dict[int, Window | None], part: Callable[[Window], Tensor]
) -> Any:
    """An argument, or a list of them, with patches exchanged for a part of their windows."""
    if isinstance(value, tuple | list):
        return type(value)(_exchanged(item, windows, part) for item in value)
    window = windows.get(id(value))
    return value if window is None else part(window)


def _padded(maps: Tensor, pad: Sequence[int], value: float) -> Tensor:
    padded = F.pad(maps, list(pad), value=value) if any(pad) else maps
    return padded.contiguous(memory_format=torch.channels_last)


def _steps(
    kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> tuple[Step, Step]:
    down, right = map(Step, kernel, stride, padding, dilation)
    return down, right


__all__ = ["Locality"]
