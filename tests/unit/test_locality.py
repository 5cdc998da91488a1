"""What is computed of a window only is what the whole picture gives, wherever the window is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nbxplain.core.locality import Locality
from nbxplain.core.patches import Patch, whole
from nbxplain.core.windows import Boxes
from tests.architectures import ARCHITECTURES, architecture, drawn, pictures

Box = tuple[int, int, int, int]
"""Top, left, height, width."""


def changed(x: Tensor, boxes: list[Box]) -> Tensor:
    """The picture (1, C, H, W), once for each box with other values inside it, (n, C, H, W)."""
    generator = torch.Generator().manual_seed(1)
    inputs = x.repeat(len(boxes), 1, 1, 1)
    for row, (top, left, height, width) in zip(inputs, boxes, strict=True):
        inside = row[:, top : top + height, left : left + width]
        inside.copy_(torch.randn(inside.shape, generator=generator, dtype=x.dtype))
    return inputs


def everywhere(x: Tensor, side: int) -> list[Box]:
    """Windows at all corners and edges and in the middle."""
    height, width = x.shape[2:]
    tops, lefts = ((0, (size - side) // 2, size - side) for size in (height, width))
    return [(top, left, side, side) for top in tops for left in lefts]


def nearby(model: nn.Module, x: Tensor, inputs: Tensor) -> tuple[Tensor, Locality]:
    """The model's output for inputs near x (R, C, H, W), and the mode that made it."""
    locality = Locality(x)
    which = [row % len(x) for row in range(len(inputs))]
    boxes = Boxes.different(inputs, x, which)
    with torch.no_grad(), locality:
        output: Tensor = whole(model(locality.patch(inputs, which, boxes)))
    return output, locality


def check(model: nn.Module, x: Tensor, boxes: list[Box]) -> Locality:
    """Asserts in float64 that the outputs are those of whole passes."""
    model, x = copy.deepcopy(model).double(), x.double()
    inputs = changed(x, boxes)
    with torch.no_grad():
        expected = model(inputs.clone())
    output, locality = nearby(model, x, inputs)
    assert type(output) is Tensor
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-10)
    return locality


class Followed(nn.Module):
    """Asserts that what comes out of a network is known only around windows."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        followed, output = type(x) is Patch, self.inner(x)
        assert type(output) is Patch or not followed
        return output


def seeded(*layers: nn.Module) -> nn.Module:
    return drawn(nn.Sequential(*layers))


def sizes(height: int = 41, width: int = 32, channels: int = 3) -> Tensor:
    return torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(0))


SLIDING: dict[str, Callable[[], nn.Module]] = {
    "1": lambda: nn.Conv2d(3, 4, 1),
    "1 padded": lambda: nn.Conv2d(3, 4, 1, padding=2),
    "3": lambda: nn.Conv2d(3, 4, 3, padding=1),
    "3 unpadded": lambda: nn.Conv2d(3, 4, 3),
    "3 padded by more": lambda: nn.Conv2d(3, 4, 3, padding=3),
    "5 stride 2": lambda: nn.Conv2d(3, 4, 5, 2, 2),
    "3 stride 3": lambda: nn.Conv2d(3, 4, 3, 3),
    "1 stride 2": lambda: nn.Conv2d(3, 4, 1, 2),
    "2 stride 3": lambda: nn.Conv2d(3, 4, 2, 3, bias=False),
    "4 even": lambda: nn.Conv2d(3, 4, 4, 2, 1),
    "dilated": lambda: nn.Conv2d(3, 4, 3, 1, 4, dilation=4),
    "dilated stride 2": lambda: nn.Conv2d(3, 4, 3, 2, 2, dilation=2),
    "rectangular": lambda: nn.Conv2d(3, 4, (1, 7), (2, 1), (0, 3), (1, 1)),
    "same": lambda: nn.Conv2d(3, 4, 4, padding="same"),
    "same dilated": lambda: nn.Conv2d(3, 4, (2, 3), padding="same", dilation=3),
    "valid": lambda: nn.Conv2d(3, 4, 3, padding="valid"),
    "groups": lambda: nn.Conv2d(3, 6, 3, padding=1, groups=3),
    "asymmetric": lambda: nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 4, 3, 2)),
    "padded twice": lambda: nn.Sequential(nn.ZeroPad2d((2, 1, 0, 3)), nn.Conv2d(3, 4, 3, 2, 1)),
    "padded with ones": lambda: nn.Sequential(nn.ConstantPad2d(2, 1.0), nn.Conv2d(3, 4, 3)),
    "max": lambda: nn.MaxPool2d(2),
    "max overlapping": lambda: nn.MaxPool2d(3, 2, 1),
    "max ceil": lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
    "max ceil padded": lambda: nn.MaxPool2d(2, 2, 1, ceil_mode=True),
    "max dilated": lambda: nn.MaxPool2d(3, 1, 1, dilation=2),
    "max rectangular": lambda: nn.MaxPool2d((1, 3), (2, 1), (0, 1)),
    "mean": lambda: nn.AvgPool2d(2),
    "mean padded": lambda: nn.AvgPool2d(3, 2, 1),
    "mean divided": lambda: nn.AvgPool2d(3, 1, 1, divisor_override=5),
    "mean divided ceil": lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True, divisor_override=5),
}


@pytest.mark.parametrize("side", [1, 6])
@pytest.mark.parametrize("kind", SLIDING)
def test_sliding(kind: str, side: int) -> None:
    """And with one more of it behind, which sees what is next to the first one's window."""
    x, layer = sizes(), SLIDING[kind]()
    check(seeded(Followed(layer)), x, everywhere(x, side))
    again = nn.Conv2d(3, 3, 1), nn.ReLU(), Followed(SLIDING[kind]())
    outputs = layer(x).shape[1]
    check(seeded(layer, nn.ReLU(), nn.Conv2d(outputs, 3, 1), *again), x, everywhere(x, side))


def test_sliding_over_gaps() -> None:
    """What changes between two kernels changes nothing."""
    places = [(row, column, 1, 1) for row in range(8) for column in range(8)]
    check(Followed(nn.MaxPool2d(2, 7)), sizes(), places)


SETTLING: dict[str, Callable[[], nn.Module]] = {
    "mean of what is there": lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "mean ceil": lambda: nn.AvgPool2d(2, 2, ceil_mode=True),
    "reflected": lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
    "cropped": lambda: nn.ZeroPad2d(-1),
    "instance norm": lambda: nn.InstanceNorm2d(3),
    "group norm": lambda: nn.GroupNorm(1, 3),
    "transposed": lambda: nn.ConvTranspose2d(3, 4, 3, 2),
    "upsampled": lambda: nn.Upsample(scale_factor=2),
    "adaptive": lambda: nn.AdaptiveAvgPool2d(3),
    "scripted": lambda: torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())),
}


@pytest.mark.parametrize("kind", SETTLING)
def test_settling(kind: str) -> None:
    x = sizes()
    check(seeded(nn.Conv2d(3, 3, 3), SETTLING[kind]()), x, everywhere(x, 4))


@pytest.mark.parametrize("size", [(17, 17), (40, 23), (16, 64)])
def test_windows_of_all_sizes(size: tuple[int, int]) -> None:
    x, model = sizes(*size), architecture("resnet")
    for side in (1, 2, 5, 8, 16, min(size)):
        check(model, x, everywhere(x, side))
    check(model, x, [(0, 0, size[0], 3), (0, 0, 4, size[1]), (1, 2, 1, 9), (0, 0, *size)])


def test_windows_of_different_sizes_in_one_call() -> None:
    x = sizes()
    check(architecture("resnet"), x, [(0, 0, 1, 1), (30, 3, 11, 2), (5, 17, 3, 15), (40, 31, 1, 1)])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures(name: str) -> None:
    x = pictures()
    check(architecture(name), x, everywhere(x, 5))


class Net(nn.Module):
    """Two convolutions and a batch norm, wired by a function."""

    def __init__(self, wiring: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 5, padding=2)
        self.norm, self.slope = nn.BatchNorm2d(4), nn.PReLU(4)
        self.wiring = wiring

    def forward(self, x: Tensor) -> Tensor:
        return self.wiring(self, x)


def unequal_sum(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return net.second(y) + y - net.second(net.second(y)) * x[:, :1]


def unequal_sum_the_other_way(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return net.first(x[:, :3] * 1) - torch.add(y, net.second(y), alpha=2)


def sum_in_place(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    z = net.norm(net.second(F.relu(y)))
    z += y
    F.relu(z, inplace=True)
    z.mul_(2).add_(1)
    return z - y.relu_() + y


def in_place_after_it_was_needed(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    whole = y.flatten(2).sum(2)
    y += 1
    return y.relu_() + y * whole[:, :, None, None]


def a_view_is_written_to(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    y[:, 0] = 0
    y.mul_(3)
    return net.norm(y)


def the_input_is_written_to(net: Net, x: Tensor) -> Tensor:
    x.sub_(0.5).div_(torch.tensor([1.0, 2.0, 4.0], dtype=x.dtype).view(3, 1, 1))
    return net.first(x)


def constants(net: Net, x: Tensor) -> Tensor:
    y = (2 - x) / 3 * torch.arange(3.0, dtype=x.dtype).view(1, 3, 1, 1)
    y = torch.clamp(net.slope(net.first(y)), min=torch.tensor(-1.0, dtype=x.dtype), max=2) ** 2
    ramp = torch.linspace(0, 1, y.shape[3], dtype=y.dtype)
    return net.norm(F.dropout(y, training=False)) * ramp + y


def dropout_is_the_same_tensor(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    F.dropout(y, 0.3, False).relu_()
    return net.second(y)


def joined(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    z = torch.cat([net.second(y), y], dim=1)
    return torch.cat((z, x, torch.maximum(y, net.norm(y)).sigmoid()), 1)


def joined_with_a_known_one(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return torch.cat([y, y.flip(3)], 1)


def squeeze_and_excite(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return net.second(y * y.mean((2, 3), keepdim=True).sigmoid())


def factors_of_each(net: Net, x: Tensor) -> Tensor:
    return net.second(net.first(x) * net.first(x).mean((2, 3), keepdim=True))


def columns(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return y * F.avg_pool2d(y, (y.shape[2], 1))


def joined_along_the_map(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return torch.cat([y, torch.cat([y, y], 0)[: len(y)]], dim=2)


def bounds_of_each(net: Net, x: Tensor) -> Tensor:
    return torch.clamp(net.first(x), min=net.norm(net.first(x)) * 0.1)


def filters_of_each(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return F.conv2d(F.pad(y, (5, 5, 5, 5)), net.first(x))


def one_number_for_all(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return y * y[:1, :1, :1, :1] + y.mean()


def norm_of_the_batch(net: Net, x: Tensor) -> Tensor:
    return F.batch_norm(net.first(x), None, None, training=True)


def weights_that_are_computed(net: Net, x: Tensor) -> Tensor:
    return F.conv2d(x, weight=net.first.weight.tanh(), padding=(1, 1), bias=net.first.bias)


def weights_that_depend_on_the_input(net: Net, x: Tensor) -> Tensor:
    return F.conv2d(x, x[:1, :, :3, :3])


def shapes_are_looked_at(net: Net, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    assert x.ndim == x.dim() == 4
    assert x.size(3) == w
    assert x.is_floating_point()
    y = net.first(x).type(x.dtype)
    return y.view(n, 4, h * w).mean(2) + c


def control_flow(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return net.second(y) if float(y.mean()) > 0 else y.abs()


def named_arguments(net: Net, x: Tensor) -> Tensor:
    y = F.max_pool2d(input=net.first(x), kernel_size=3, stride=[2], padding=(1, 0))
    return F.avg_pool2d(y, kernel_size=(2, 3), stride=1) + F.avg_pool2d(y, (2, 3), 1, (0, 0))


def where_it_was(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    values, places = F.max_pool2d(y, 2, return_indices=True)
    return F.max_unpool2d(values, places, 2, output_size=y.shape[2:])


class Swish(torch.autograd.Function):
    """An activation with a derivative of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * x.sigmoid()


def own_function(net: Net, x: Tensor) -> Tensor:
    return net.second(Swish.apply(net.first(x)))


def written_elsewhere(net: Net, x: Tensor) -> Tensor:
    y, z = net.first(x), torch.empty(0, dtype=x.dtype)
    torch.cat(tensors=[y, y], dim=1, out=z)
    return torch.mul(z, 2, out=torch.empty_like(z))


def slopes_of_the_input(net: Net, x: Tensor) -> Tensor:
    y = net.first(x)
    return F.prelu(y, y[0, :, 0, 0]).clamp(min=net.first(x) * 0.1)


WIRINGS = [
    own_function, written_elsewhere, slopes_of_the_input, unequal_sum, unequal_sum_the_other_way,
    sum_in_place, in_place_after_it_was_needed, a_view_is_written_to, the_input_is_written_to,
    constants, dropout_is_the_same_tensor, joined, joined_with_a_known_one, joined_along_the_map,
    squeeze_and_excite, factors_of_each, columns, bounds_of_each, filters_of_each,
    one_number_for_all, norm_of_the_batch, weights_that_are_computed,
    weights_that_depend_on_the_input, shapes_are_looked_at, control_flow, named_arguments,
    where_it_was,
]  # fmt: skip


@pytest.mark.parametrize("boxes", [1, 9])
@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda wiring: wiring.__name__)
def test_wirings(wiring: Callable[[Net, Tensor], Tensor], boxes: int) -> None:
    x = sizes()
    check(drawn(Net(wiring)), x, everywhere(x, 4)[:boxes])


@st.composite
def networks(draw: st.DrawFn) -> nn.Module:
    """A few layers that slide, in a row or beside each other, with what stands between them."""
    layers: list[nn.Module] = []
    for _ in range(draw(st.integers(1, 5))):
        kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
        padding = tuple(draw(st.integers(0, size // 2)) for size in kernel)
        stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 2)))
        dilation, groups = draw(st.integers(1, 2)), draw(st.sampled_from([1, 2, 4]))
        pooled = {"kernel_size": kernel, "stride": stride, "padding": padding}
        layers.append(
            draw(
                st.sampled_from([
                    nn.Conv2d(4, 4, kernel, stride, padding, dilation, groups),
                    nn.Conv2d(4, 4, kernel, 1, padding, groups=groups),
                    nn.MaxPool2d(**pooled, dilation=dilation, ceil_mode=draw(st.booleans())),
                    nn.AvgPool2d(
                        **pooled, ceil_mode=draw(st.booleans()),
                        count_include_pad=draw(st.booleans()),
                    ),
                    nn.ZeroPad2d(draw(st.tuples(*[st.integers(0, 3)] * 4))),
                    nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
                    Beside(nn.Conv2d(4, 4, 3, 1, 1), nn.MaxPool2d(5, 1, 2)),
                ])
            )
        )  # fmt: skip
    return drawn(nn.Sequential(*layers))


class Beside(nn.Module):
    """Two layers on one input, and the sum."""

    def __init__(self, one: nn.Module, other: nn.Module) -> None:
        super().__init__()
        self.one, self.other = one, other

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.one(x) + self.other(x) - x
        return result


@settings(max_examples=100, deadline=None)
@given(
    networks(),
    st.tuples(st.integers(18, 30), st.integers(18, 30)),
    st.lists(
        st.tuples(*[st.integers(0, 17)] * 2, *[st.integers(1, 9)] * 2), min_size=1, max_size=5
    ),
)
def test_random_networks(model: nn.Module, size: tuple[int, int], boxes: list[Box]) -> None:
    x = sizes(*size, channels=4)
    try:
        model(x)
    except RuntimeError:
        return  # Nothing is left of the map: no network.
    check(model, x, boxes)


def test_several_pictures() -> None:
    """Each input is near its own picture."""
    x, model = pictures(3), architecture("resnet")
    x, model = x.double(), copy.deepcopy(model).double()
    inputs = x[[row % 3 for row in range(9)]]
    for row, (top, left, height, width) in enumerate(everywhere(x, 6)):
        inputs[row, :, top : top + height, left : left + width] = 0
    with torch.no_grad():
        expected = model(inputs)
    torch.testing.assert_close(nearby(model, x, inputs)[0], expected, rtol=1e-10, atol=1e-10)


def test_only_what_a_window_touches_is_computed() -> None:
    """Three convolutions of 3 x 3 on a window of 4 x 4 make 6 x 6, 8 x 8 and 10 x 10 outputs."""
    x = sizes(64, 64)
    layers = [nn.Conv2d(3, 3, 3, padding=1) for _ in range(3)]
    locality = check(nn.Sequential(*layers), x, [(20, 30, 4, 4), (40, 10, 4, 4)])
    multiplications = 3 * 3 * 3 * 3
    assert locality.done == 2 * multiplications * (6**2 + 8**2 + 10**2)
    assert locality.done + locality.saved == 2 * multiplications * 3 * 64**2


def test_a_window_that_covers_most_of_the_map_is_no_longer_followed() -> None:
    x = sizes(32, 32)
    locality = check(nn.Conv2d(3, 3, 3, padding=1), x, [(0, 0, 30, 30)])
    assert locality.saved == 0


def test_weights_that_change_are_seen() -> None:
    """What was computed of the reference is not used any more."""
    model, x = copy.deepcopy(architecture("resnet")).double(), pictures().double()
    locality, inputs = Locality(x), changed(x, [(9, 9, 4, 4)])
    boxes = Boxes.different(inputs, x, [0] * len(inputs))
    for _ in range(3):
        with torch.no_grad():
            for weight in model.parameters():
                weight *= 1.1
            with locality:
                output = whole(model(locality.patch(inputs, [0], boxes)))
            torch.testing.assert_close(output, model(inputs), rtol=1e-10, atol=1e-10)


class Spy(TorchFunctionMode):
    """Remembers how many inputs each convolution had."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.conv2d:
            self.rows.append(len(args[0]))
        return func(*args, **kwargs or {})


def test_the_reference_is_computed_once() -> None:
    x, spy = sizes(), Spy()
    inputs = changed(x, everywhere(x, 3)[:2])
    model = nn.Sequential(nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)).requires_grad_(False)
    locality = Locality(x, spy)
    for expected in ([1, 2, 1, 2], [2, 2]):
        with torch.no_grad(), locality:
            model(locality.patch(inputs, [0, 0], Boxes.different(inputs, x, [0] * len(inputs))))
        assert spy.rows == expected
        spy.rows.clear()


def test_patches_can_be_kept() -> None:
    """A tensor that a module keeps is good after the pass, without the mode."""
    x, layer = sizes(), nn.Conv2d(3, 4, 3).requires_grad_(False)
    inputs, locality = changed(x, [(3, 4, 5, 6)]), Locality(x)
    with torch.no_grad(), locality:
        kept = layer(locality.patch(inputs, [0], Boxes.different(inputs, x, [0] * len(inputs))))
    assert type(kept) is Patch
    torch.testing.assert_close(kept * 1, layer(inputs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("context", [torch.enable_grad, lambda: torch.autocast("cpu")])
def test_within_other_modes_nothing_is_followed(context: Callable[[], Any]) -> None:
    def wiring(net: Net, x: Tensor) -> Tensor:
        with context():
            y = net.first(x)
        assert type(y) is Tensor
        return y.float()

    x = sizes()
    with context(), torch.no_grad():
        expected = drawn(Net(wiring))(x)
    inputs = x.repeat(2, 1, 1, 1)
    output = nearby(drawn(Net(wiring)), x, inputs)[0]
    torch.testing.assert_close(output, expected.repeat(2, 1, 1, 1))


def test_what_is_overwritten_keeps_its_precision() -> None:
    def wiring(net: Net, x: Tensor) -> Tensor:
        y = net.first(x)
        y += torch.ones(4, 1, 1, dtype=torch.float64)
        return y.relu()

    x, model = sizes(), drawn(Net(wiring))
    output = nearby(model, x, x.repeat(2, 1, 1, 1))[0]
    with torch.no_grad():
        expected = model(x).repeat(2, 1, 1, 1)
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-5)


def test_nothing_that_differs() -> None:
    x = sizes()
    assert Boxes.different(x, x, [0]).area == 1
    check(architecture("resnet"), x, [(0, 0, 0, 0), (41, 32, 0, 0)])
