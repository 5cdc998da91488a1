"""explain(): names, parameters and progress; and the methods as a table."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

import nbxplain.demo
from nbxplain import ExplanationError, explain
from nbxplain.core.errors import MethodError, ModelError
from nbxplain.methods.base import REGISTRY, make, registered
from nbxplain.methods.gradient import SmoothGrad
from tests.architectures import architecture, drawn, pictures
from tests.models import cnn, picture


@pytest.mark.parametrize(
    ("method", "parameters", "says"),
    [
        ("integrated_gradient", {}, "Did you mean 'integrated_gradients'"),
        ("GradCAM", {}, "There is no method 'GradCAM'"),
        (None, {}, "There is no method None"),
        ("smoothgrad", {"sampels": 3}, "no parameter 'sampels'.*'samples'"),
        ("gradient", {"steps": 3}, "no parameter 'steps'.*no parameters"),
        ("smoothgrad", {"samples": 0}, "samples = 0 is not allowed.*greater"),
        ("smoothgrad", {"samples": "many"}, "samples = 'many'"),
        ("smoothgrad", {"statistic": "median"}, "'mean', 'square' or 'variance'"),
        ("integrated_gradients", {"steps": 1}, "steps = 1"),
        (SmoothGrad(), {"sampels": 3}, "no parameter 'sampels'"),
        (SmoothGrad(), {"samples": -1}, "samples = -1"),
    ],
)
def test_methods_and_parameters_that_do_not_exist(
    method: Any, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(MethodError, match=says):
        explain(cnn(), picture(), method, **parameters)


def test_method_object_with_a_parameter_changed() -> None:
    assert make(SmoothGrad(samples=5, seed=3), seed=4) == SmoothGrad(samples=5, seed=4)
    x = picture()
    named = explain(cnn(), x, "smoothgrad", target=1, samples=5, seed=4, progress=False)
    given = explain(cnn(), x, SmoothGrad(samples=5), target=1, seed=4, progress=False)
    assert torch.equal(named.values, given.values)
    assert given.method == named.method


def test_methods_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        SmoothGrad().samples = 4  # type: ignore[misc]


def test_every_error_has_a_title_and_a_hint() -> None:
    with pytest.raises(ExplanationError) as caught:
        explain(cnn(), picture(), "nothing")
    assert caught.value.title
    assert caught.value.hint
    assert str(caught.value) == f"{caught.value.title} {caught.value.hint}"
    assert isinstance(caught.value, ValueError)


def test_a_draft_is_never_dearer() -> None:
    for cls in REGISTRY.values():
        draft = cls().draft()
        for name in cls.model_fields:
            before, after = getattr(cls(), name), getattr(draft, name)
            assert before == after or after < before, (cls.name, name)


class Slow(nn.Module):
    """Takes its time, so that a run is worth a progress bar."""

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(0.02)
        return x


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    explain(cnn(), picture(), "gradient")
    assert capsys.readouterr().err == ""
    explain(cnn(), picture(), "gradient", progress=True)
    assert "Gradient" in capsys.readouterr().err
    slow = nn.Sequential(Slow(), cnn())
    explain(slow, picture(), "smoothgrad", samples=70, chunk=1)
    assert "SmoothGrad" in capsys.readouterr().err
    explain(slow, picture(), "smoothgrad", samples=70, chunk=1, progress=False)
    assert capsys.readouterr().err == ""


def test_table_of_methods() -> None:
    table = nbxplain.methods()
    assert [row.name for row in table] == [method.name for method in registered()]
    assert sorted(row.name for row in table) == sorted(REGISTRY)
    needs = {row.name: row.needs for row in table}
    assert needs["gradient"] == ""
    assert needs["grad_cam"] == "layer"
    assert needs["integrated_gradients"] == "baseline"
    assert all(row.name in repr(table) for row in table)
    assert table._repr_html_().count("<tr>") == len(table) + 1


# On the pretrained network.


def test_the_cat_is_a_cat(network: nn.Module, cat: Image.Image) -> None:
    result = explain(network, cat, "grad_cam", layer="_conv_head", labels=nbxplain.demo.labels())
    best = result.prediction.top(3)
    assert [choice.index for choice in best] == [285, 281, 282]
    assert best[0].label == "Egyptian Mau"
    assert best[0].probability == pytest.approx(0.38, abs=0.02)
    assert result.notices == []


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_evidence_is_where_the_cat_is(network: nn.Module, fed_cat: Tensor, side: str) -> None:
    x = fed_cat if side == "left" else fed_cat.flip(3)
    half = torch.zeros_like(x)
    half[..., :112] = x[..., 56:168]
    half = half if side == "left" else half.flip(3)
    heat = explain(network, half, "grad_cam", target=285, layer="_conv_head").heatmap()
    left, right = float(heat[:, :3].sum()), float(heat[:, 4:].sum())
    assert (left > 2 * right) if side == "left" else (right > 2 * left)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("gradient", {}),
        ("grad_cam", {}),
        ("integrated_gradients", {"steps": 4}),
        ("smoothgrad", {"samples": 4}),
    ],
)
def test_chunks_agree_on_the_pretrained_network(
    network: nn.Module, fed_cat: Tensor, method: str, options: dict[str, Any]
) -> None:
    batch = torch.cat([fed_cat, fed_cat.flip(3)])
    values = [
        explain(
            network, batch, method, chunk=chunk, layout="channels_last", progress=False, **options
        ).values
        for chunk in (1, 7)
    ]
    difference = float((values[0] - values[1]).norm() / values[0].norm())
    assert difference < 1e-4


# Methods whose own passes tell the prediction.


class Counted(nn.Module):
    """A network that counts, outside of itself, how many inputs it has seen."""

    seen: ClassVar[list[int]] = []

    def __init__(self, inner: nn.Module | None = None) -> None:
        super().__init__()
        self.inner = inner or cnn()

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(len(x))
        scores: Tensor = self.inner(x)
        return scores


PLAIN = {name: 3 for name, cls in REGISTRY.items() if cls.plain and not cls.needs_concept}
PASSES = {**PLAIN, "deep_lift": 2 * 3, "guided_grad_cam": 2 * 3}
"""Inputs that the model sees of a batch of three."""


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("target", [None, 2])
def test_known_model_is_not_run_for_its_prediction_alone(name: str, target: int | None) -> None:
    model, x = Counted(), picture(3)
    if REGISTRY[name].needs_attention:
        model, x = Counted(architecture("vit")), pictures(3)
    first = explain(model, x, name, target=target)
    model.seen.clear()
    again = explain(model, x, name, target=target)
    assert sum(model.seen) == PASSES[name]
    assert again.target == first.target
    assert again.prediction.labels == first.prediction.labels
    torch.testing.assert_close(again.prediction.scores, model(x).detach())
    assert torch.equal(again.values, first.values)


def test_prediction_is_that_of_every_row_whatever_the_chunk() -> None:
    model, x = Counted(), picture(5)
    explain(model, x, "gradient")
    result = explain(model, x, "gradient", chunk=2)
    torch.testing.assert_close(result.prediction.scores, model(x).detach())
    assert result.target == [str(int(i)) for i in model(x).argmax(1)]


def test_known_model_is_not_believed_when_it_breaks() -> None:
    model, x = Counted(), picture(1)
    explain(model, x, "gradient")
    with torch.no_grad():
        model.inner.head.bias[0] = float("nan")  # type: ignore[union-attr,index,operator]
    with pytest.raises(ModelError, match="output has values that are NaN"):
        explain(model, x, "gradient", target=1)


class Flattened(nn.Module):
    """It takes its maps apart by view, which one of the two memory layouts does not allow."""

    def __init__(self, view: bool, depthwise: bool) -> None:
        super().__init__()
        self.view = view
        self.first = nn.Conv2d(3, 4, 5)
        self.second = nn.Conv2d(4, 4, 3, groups=4 if depthwise else 1)
        self.norm, self.head = nn.BatchNorm2d(4), nn.Linear(4 * 25, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.norm(self.second(F.relu(self.first(x))))), 2)
        scores: Tensor = self.head(x.view(-1, 100) if self.view else x.reshape(-1, 100))
        return scores


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(
    "method",
    [
        "gradient", "smoothgrad", "integrated_gradients", "gradient_shap", "grad_cam", "score_cam",
        "ablation_cam", "guided_backprop", "deep_lift", "deep_shap", "lrp", "occlusion",
        "feature_ablation", "rise", "lime", "shapley",
    ],
)  # fmt: skip
def test_a_model_that_bears_one_memory_layout_alone(method: str, depthwise: bool) -> None:
    viewed, reshaped = (drawn(Flattened(view, depthwise)) for view in (True, False))
    for rows in (1, 2):
        values, expected = (
            explain(model, picture(rows), method, target=1, progress=False).values
            for model in (viewed, reshaped)
        )
        torch.testing.assert_close(values, expected, rtol=1e-3, atol=1e-5)
