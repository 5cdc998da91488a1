"""Runs that compute only what a window touches give what whole passes give, or leave it."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.capture import Edit
from nbxplain.core.locality import Locality
from nbxplain.core.nearby import Near
from nbxplain.core.passes import Passes
from nbxplain.core.patches import Patch, Window
from nbxplain.core.windows import Boxes
from tests.architectures import architecture, drawn, pictures

OCCLUSION: dict[str, Any] = {"method": "occlusion", "window": 8, "stride": 4}
GRID = (torch.arange(32) // 8)[:, None] * 4 + torch.arange(32) // 8
ABLATION: dict[str, Any] = {"method": "feature_ablation", "regions": GRID}
CASES = pytest.mark.parametrize("case", [OCCLUSION, ABLATION], ids=lambda case: case["method"])


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Locality]]:
    """The localities of all passes that followed windows."""
    passes: list[weakref.ref[Locality]] = []
    patch = Locality.patch

    def counted(self: Locality, *arguments: Any) -> Patch:
        passes.append(weakref.ref(self))
        return patch(self, *arguments)

    monkeypatch.setattr(Locality, "patch", counted)
    return passes


def told(model: nn.Module, x: Tensor, **options: Any) -> Tensor:
    """The map of an explanation."""
    baseline = torch.zeros(1, *x.shape[1:], dtype=x.dtype)
    values: Tensor = explain(
        model, x, **{"target": 1, "progress": False, "baseline": baseline} | options
    ).values
    return values


def exactly(model: nn.Module, x: Tensor, **options: Any) -> Tensor:
    """The same in float64, in which nothing is fused or followed."""
    return told(copy.deepcopy(model).double(), x.double(), **options).float()


@CASES
@pytest.mark.parametrize("name", ["resnet", "vgg", "mobilenet", "regnet", "vit", "convnext"])
def test_maps(name: str, case: dict[str, Any]) -> None:
    model, x = architecture(name), pictures()
    torch.testing.assert_close(
        told(model, x, **case), exactly(model, x, **case), rtol=1e-3, atol=1e-5
    )


@CASES
def test_windows_are_followed(case: dict[str, Any], begun: list[Any]) -> None:
    told(architecture("resnet"), pictures(), **case, chunk=5)
    assert len(begun) > 2


@CASES
@pytest.mark.parametrize("count", [2, 3, 6])
def test_several_pictures(count: int, case: dict[str, Any], begun: list[Any]) -> None:
    """Few share a chunk, of many each is too seldom in one."""
    model, x = architecture("resnet"), pictures(count)
    found = told(model, x, **case, chunk=12)
    torch.testing.assert_close(found, exactly(model, x, **case), rtol=1e-3, atol=1e-5)
    assert bool(begun) == (count < 6 or case is ABLATION)


def test_pictures_that_are_asked_about_twice() -> None:
    model, x = architecture("resnet"), pictures()
    both = told(model, x, **OCCLUSION | {"target": [0, 1]})
    torch.testing.assert_close(both[1:], told(model, x, **OCCLUSION), rtol=1e-4, atol=1e-6)


def test_nothing_is_kept(begun: list[Any]) -> None:
    told(architecture("resnet"), pictures(), **OCCLUSION)
    gc.collect()
    assert begun
    assert not any(locality() for locality in begun)


def test_large_changes_are_looked_at_only_for_a_while(
    begun: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Tensor] = []
    look = Boxes.different

    def counted(inputs: Tensor, *known: Any) -> Boxes:
        looks.append(inputs)
        return look(inputs, *known)

    monkeypatch.setattr(Boxes, "different", counted)
    told(architecture("resnet"), pictures(), method="lime", regions=GRID, samples=60, chunk=10)
    assert len(looks) == 2
    assert not begun


def test_one_large_region_is_no_hindrance(begun: list[Any]) -> None:
    """Its chunk is computed as a whole."""
    regions = GRID.clone()
    regions[0], regions[:, 0] = 0, 0
    model, x = architecture("resnet"), pictures()
    case = {"method": "feature_ablation", "regions": regions, "chunk": 4}
    torch.testing.assert_close(
        told(model, x, **case), exactly(model, x, **case), rtol=1e-3, atol=1e-5
    )
    assert len(begun) == 3


def test_one_picture_after_the_other(begun: list[Any]) -> None:
    """What was computed of the last one is of no use for the next."""
    model, x = architecture("resnet"), pictures(3)
    case = ABLATION | {"chunk": 16}
    torch.testing.assert_close(
        told(model, x, **case), exactly(model, x, **case), rtol=1e-3, atol=1e-5
    )
    assert len(begun) == 3


def test_a_network_in_which_little_is_local(begun: list[Any]) -> None:
    """The first chunk shows that nearly all is done in the linear layer."""
    layers = (
        nn.Conv2d(3, 4, 3, 2, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1024, 256),
        nn.Linear(256, 2),
    )
    told(drawn(nn.Sequential(*layers)), pictures(), **OCCLUSION, chunk=8)
    assert len(begun) == 1


class Cheat(nn.Module):
    """A network that notices."""

    def __init__(self, wiring: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inner, self.wiring = architecture("resnet"), wiring

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.inner(self.wiring(x))
        return scores


def raising(x: Tensor) -> Tensor:
    if isinstance(x, Patch):
        raise TypeError("What is this?")
    return x


def different(x: Tensor) -> Tensor:
    return x * 1.01 if isinstance(x, Patch) else x


@pytest.mark.parametrize("wiring", [raising, different])
def test_what_goes_wrong_is_not_used(wiring: Callable[[Tensor], Tensor], begun: list[Any]) -> None:
    """Nor tried again in the run; wrong scores are remembered for the model."""
    model, x = Cheat(wiring), pictures()
    expected = told(architecture("resnet"), x, **OCCLUSION)
    begun.clear()
    for tried in (1, 2 if wiring is raising else 1):
        torch.testing.assert_close(told(model, x, **OCCLUSION), expected, rtol=1e-4, atol=1e-6)
        assert len(begun) == tried


def test_control_flow() -> None:
    """What depends on values depends on those of the whole."""

    class Forked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
            self.norm = nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            y = self.norm(self.first(x)).relu()
            y = self.second(y) if float(y[0].sum()) > self.level else y.square()
            return y.mean((2, 3))

    model, x = drawn(Forked()), pictures()
    with torch.no_grad():
        model.level = 0.0
        model.level = float(model.norm(model.first(x)).relu().sum()) - 10
    for chunk in (1, 3):
        found = told(model, x, **OCCLUSION, chunk=chunk)
        expected = exactly(model, x, **OCCLUSION, chunk=chunk)
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "options", [{"precision": "bfloat16"}, {"layout": "contiguous"}, {"window": 30}]
)
def test_not_in_other_precisions_nor_layouts(options: dict[str, Any], begun: list[Any]) -> None:
    told(architecture("resnet"), pictures(), **OCCLUSION | options)
    assert not begun


def test_not_where_a_layer_is_changed(begun: list[Any]) -> None:
    passes, x = Passes(ModelAdapter(architecture("resnet"))), pictures()

    def scores(change: Callable[[Tensor], Edit] | None) -> None:
        def build(rows: Tensor) -> Tensor:
            inputs = x.repeat(len(rows), 1, 1, 1)
            inputs[:, :, :4, :4] = 0
            return inputs

        near = Near(x, torch.zeros_like)
        list(passes.scores(16, build, lambda output, rows: output[:, 0], change, near))

    scores(lambda rows: Edit("inner.resnet.embedder", 1, lambda tensor: 2 * tensor))
    assert not begun
    scores(None)
    assert begun


def test_out_of_memory_leaves_it(begun: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = architecture("resnet"), pictures()
    expected = told(model, x, **OCCLUSION)
    begun.clear()

    def whole(self: Window) -> Tensor:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(Window, "whole", whole)
    result = told(model, x, **OCCLUSION, chunk=8)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-6)
    assert len(begun) == 1
