"""Layers: listed with shapes, laid out on the picture, and one suggested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.capture import Capture
from nbxplain.core.errors import LayerError, ModelError
from nbxplain.core.layers import Layer, arrange, find
from tests.models import Function, InplaceRelu, ReusedRelu, cnn, picture, seeded

SQUARE, WIDE = (64, 64), (64, 96)

SIZES: dict[str, Any] = {"num_labels": 5, "image_size": 64}
TOKENS: dict[str, Any] = {
    **SIZES,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "patch_size": 16,
}


def vit(**options: Any) -> nn.Module:
    config = transformers.ViTConfig(**{**TOKENS, **options})
    return transformers.ViTForImageClassification(config)


def deit() -> nn.Module:
    return transformers.DeiTForImageClassification(transformers.DeiTConfig(**TOKENS))


def registers() -> nn.Module:
    config = transformers.Dinov2WithRegistersConfig(**TOKENS)
    return transformers.Dinov2WithRegistersForImageClassification(config)


def swin() -> nn.Module:
    config = transformers.SwinConfig(
        **SIZES, patch_size=4, embed_dim=8, depths=[2, 2], num_heads=[2, 2], window_size=4
    )
    return transformers.SwinForImageClassification(config)


def convnext() -> nn.Module:
    config = transformers.ConvNextConfig(**SIZES, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1])
    return transformers.ConvNextForImageClassification(config)


def resnet() -> nn.Module:
    config = transformers.ResNetConfig(
        num_labels=5, embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1]
    )
    return transformers.ResNetForImageClassification(config)


def listed(model: nn.Module, x: Tensor) -> list[Layer]:
    return ModelAdapter(model).layers(x)


def suggested(layers: list[Layer]) -> Layer:
    (only,) = [layer for layer in layers if layer.suggested]
    return only


# Listing.


def test_names_shapes_and_order_of_a_cnn() -> None:
    layers = listed(cnn(), picture())
    assert [(layer.name, layer.shape, layer.grid) for layer in layers] == [
        ("first", (4, 16, 16), (16, 16)),
        ("relus.0", (4, 16, 16), (16, 16)),
        ("second", (6, 8, 8), (8, 8)),
        ("relus.1", (6, 8, 8), (8, 8)),
        ("head", (5,), None),
    ]
    assert suggested(layers).name == "relus.1"


def test_reused_module_is_listed_once_where_it_ran_last() -> None:
    layers = listed(seeded(ReusedRelu), picture())
    assert [layer.name for layer in layers] == ["first", "second", "relu", "head"]
    assert [layer.calls for layer in layers] == [1, 1, 2, 1]
    assert layers[2].shape == (6, 8, 8)


def test_module_that_never_runs_is_not_listed() -> None:
    model = cnn()
    model.spare = nn.Conv2d(3, 3, 1)
    assert "spare" not in [layer.name for layer in listed(model, picture())]
    with pytest.raises(LayerError, match="'spare' is not reached"):
        explain(model, picture(), "grad_cam", layer="spare")


def test_layer_that_is_not_there_has_near_matches() -> None:
    layers = listed(cnn(), picture())
    with pytest.raises(LayerError, match=r"no layer 'relu\.1'.*'relus\.1'"):
        find("relu.1", layers, cnn())
    with pytest.raises(LayerError, match="cannot be ReLU"):
        find(nn.ReLU(), layers, cnn())  # type: ignore[arg-type]


def test_layer_without_a_place_on_the_picture() -> None:
    with pytest.raises(LayerError, match=r"\(5,\), which has no place|spatial map"):
        explain(cnn(), picture(), "grad_cam", layer="head")


class Windows(nn.Module):
    """Looks at the quarters of a picture one by one, as rows of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.scalar = cnn(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        quarters = x.unfold(2, 8, 8).unfold(3, 8, 8).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
        scores = self.inner(quarters).unflatten(0, (-1, 4)).mean(1)
        return scores * self.scalar(x.new_ones(()))


@pytest.mark.parametrize("method", ["grad_cam", "eigen_cam", "score_cam", "ablation_cam"])
def test_rows_that_are_windows_have_no_place_on_the_picture(method: str) -> None:
    with pytest.raises(LayerError, match=r"no place|spatial map"):
        explain(Windows(), picture(), method, layer="inner.first", target=1)


def test_model_without_a_spatial_layer() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(768, 5))
    assert not any(layer.suggested for layer in listed(model, picture()))
    with pytest.raises(LayerError, match="this model has none"):
        explain(model, picture(), "grad_cam")


# Suggestions.


BUILDS = [vit, deit, registers, swin, convnext, resnet]


def wide_vit() -> nn.Module:
    return vit(image_size=WIDE)


@pytest.mark.parametrize(
    ("build", "size"),
    [(b, SQUARE) for b in BUILDS] + [(b, WIDE) for b in (wide_vit, swin, convnext, resnet)],
)
def test_suggestion_has_a_gradient_everywhere_and_the_right_grid(
    build: Any, size: tuple[int, int]
) -> None:
    model, x = seeded(build), torch.rand(1, 3, *size)
    layer = suggested(listed(model, x))
    assert layer.grid is not None
    assert layer.grid[0] * size[1] == layer.grid[1] * size[0]
    assert layer.shape[0 if layer.arrangement == "NCHW" else 1] > 1
    result = explain(model, x, "grad_cam", relu=False, target=1)
    assert result.values.shape == (1, 1, *layer.grid)
    assert bool((result.values != 0).all())


def test_a_model_without_a_backward_pass_has_layers() -> None:
    """A sigmoid whose result was overwritten has none, and Score-CAM needs none."""

    def build(form: Callable[[Tensor], Tensor]) -> nn.Module:
        return seeded(lambda: nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.Sigmoid(), Function(form), nn.AdaptiveAvgPool2d(1),
            nn.Flatten(), nn.Linear(4, 5),
        ))  # fmt: skip

    overwritten, apart = build(lambda h: h.add_(1)), build(lambda h: h + 1)
    with pytest.raises(ModelError, match="backward pass failed"):
        explain(overwritten, picture(), "grad_cam", layer="0", progress=False)
    expected = explain(apart, picture(), "score_cam", layer="2", target=1, progress=False)
    found = explain(overwritten, picture(), "score_cam", target=1, progress=False)
    assert found.layer == "2"
    torch.testing.assert_close(found.values, expected.values)


def test_vit_suggests_the_stream_before_the_last_attention() -> None:
    """No patch of the last block's output reaches the score: it is read at the class token."""
    layers = listed(seeded(vit), torch.rand(1, 3, *SQUARE))
    assert suggested(layers).name == "vit.layers.2.layernorm_before"
    assert (suggested(layers).prefix, suggested(layers).grid) == (1, (4, 4))


@pytest.mark.parametrize(("build", "prefix"), [(vit, 1), (deit, 2), (registers, 5)])
def test_class_and_register_tokens(build: Any, prefix: int) -> None:
    assert suggested(listed(seeded(build), torch.rand(1, 3, *SQUARE))).prefix == prefix


# Arrangement.


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((64, 7, 7), (224, 224), ("NCHW", 0, (7, 7))),
        ((7, 7, 64), (224, 224), ("NHWC", 0, (7, 7))),
        ((64, 7, 10), (224, 320), ("NCHW", 0, (7, 10))),
        ((7, 10, 64), (224, 320), ("NHWC", 0, (7, 10))),
        ((64, 1, 1), (224, 224), ("NCHW", 0, None)),
        ((197, 768), (224, 224), ("NTC", 1, (14, 14))),
        ((196, 768), (224, 224), ("NTC", 0, (14, 14))),
        ((198, 768), (224, 224), ("NTC", 2, (14, 14))),
        ((261, 768), (224, 224), ("NTC", 5, (16, 16))),
        ((281, 768), (224, 320), ("NTC", 1, (14, 20))),
        ((1000,), (224, 224), ("other", 0, None)),
        ((768, 1), (224, 224), ("other", 0, None)),
        ((2, 3, 4, 5), (224, 224), ("other", 0, None)),
    ],
)
def test_arrangement(shape: Any, size: Any, expected: Any) -> None:
    assert arrange(shape, size) == expected


def test_maps_put_every_value_in_its_place() -> None:
    expected = torch.arange(2 * 6).view(1, 2, 2, 3)
    plain = {"type": "Any", "grid": (2, 3), "calls": 1}
    tokens = torch.cat([torch.full((1, 1, 2), -1), expected.flatten(2).transpose(1, 2)], 1)
    cases = {
        "NCHW": (expected, 0),
        "NHWC": (expected.permute(0, 2, 3, 1), 0),
        "NTC": (tokens, 1),
    }
    for arrangement, (activation, prefix) in cases.items():
        shape = tuple(activation.shape[1:])
        layer = Layer("x", shape=shape, arrangement=arrangement, prefix=prefix, **plain)  # type: ignore[arg-type]
        assert torch.equal(layer.maps(activation), expected), arrangement


def test_channels_last_maps_give_the_same_grad_cam() -> None:
    class Permuted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = cnn()
            self.last = nn.Identity()
            self.relu = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            maps = self.inner.second(self.inner.first(x).relu()).permute(0, 2, 3, 1)
            scores: Tensor = self.inner.head(self.relu(self.last(maps)).mean((1, 2)))
            return scores

    expected = explain(cnn(), picture(2), "grad_cam", target=1, layer="second")
    result = explain(Permuted(), picture(2), "grad_cam", target=1, layer="last")
    torch.testing.assert_close(result.values, expected.values)


# Capture.


def test_capture_is_not_changed_by_what_comes_after() -> None:
    model, x = seeded(InplaceRelu), picture()
    expected = model.first(x).detach()  # type: ignore[operator]
    assert bool((expected < 0).any())
    for cut in (False, True):
        with Capture(model, ["first"], cut=cut) as captured:
            scores = model(x.clone().requires_grad_())
        assert torch.equal(captured.outputs["first"].detach(), expected)
        (gradient,) = torch.autograd.grad(scores.sum(), captured.outputs["first"])
        assert not bool(gradient[expected < 0].any())
        assert bool(gradient[expected > 0].any())


def test_capture_removes_its_hooks_also_after_an_error() -> None:
    model = cnn()
    with pytest.raises(RuntimeError), Capture(model, ["first", "second"]):
        model(torch.rand(1, 4, 16, 16))
    assert not any(module._forward_hooks for module in model.modules())


def test_capture_with_cut_differentiates_nothing_below() -> None:
    model, x = cnn(), picture().requires_grad_()
    with Capture(model, ["second"], cut=True):
        scores = model(x)
    (gradient,) = torch.autograd.grad(scores.sum(), x, allow_unused=True)
    assert gradient is None


def test_capture_of_a_reused_module_is_its_last_call() -> None:
    model, x = seeded(ReusedRelu), picture()
    with Capture(model, ["relu"]) as captured:
        model(x)
    assert captured.calls == {"relu": 2}
    assert captured.outputs["relu"].shape == (1, 6, 8, 8)
