"""Models of every kind: what they return, how they are stored, and how they misbehave."""

from __future__ import annotations

import threading
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import ExplanationError, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ModelError, TargetError
from tests.models import Function, Quadratic, Raises, Trained, cnn, linear, picture, seeded
from tests.snapshot import snapshot

X = picture(2)


class Wrapped(nn.Module):
    """Returns its inner model's scores in some other form."""

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.inner, self.form = cnn(), form

    def forward(self, x: Tensor) -> Any:
        return self.form(self.inner(x))


def gradient(model: nn.Module, **options: Any) -> Tensor:
    return explain(model, X, "gradient", target=1, **options).values


# What a model returns.

Pair = namedtuple("Pair", "first second")


@pytest.mark.parametrize(
    ("form", "output"),
    [
        (lambda s: (s, s * 2), None),
        (lambda s: [s], None),
        (lambda s: {"loss": s.sum(), "logits": s}, None),
        (lambda s: {"features": s}, None),
        (lambda s: SimpleNamespace(logits=s), None),
        (lambda s: (s * 2, s), 1),
        (lambda s: {"a": s * 2, "b": s}, "b"),
        (lambda s: SimpleNamespace(deep=[s]), lambda out: out.deep[0]),
        (lambda s: Pair(s, s * 2), None),
        (lambda s: s.half(), None),
    ],
)
def test_outputs_that_hold_scores(form: Any, output: Any) -> None:
    expected = gradient(cnn())
    tolerance = {"rtol": 1e-2, "atol": 1e-5} if output is None else {"rtol": 1e-6, "atol": 1e-9}
    torch.testing.assert_close(gradient(Wrapped(form), output=output), expected, **tolerance)


@pytest.mark.parametrize(
    ("form", "output", "says"),
    [
        (lambda s: None, None, "NoneType, which holds no scores"),
        (lambda s: "logits", None, "str"),
        (lambda s: {"a": s}, "b", r"no 'b'\. .*It has: a"),
        (lambda s: (s,), 3, "no 3"),
        (lambda s: s, lambda out: out.logits, "AttributeError"),
        (lambda s: s.sum(), None, r"shape \(\) for a batch of 2"),
        (lambda s: s[:1], None, r"shape \(1, 5\) for a batch of 2"),
        (lambda s: s * torch.nan, None, "NaN"),
        (lambda s: s / 0, None, "infinite"),
    ],
)
def test_outputs_that_cannot_be_explained(form: Any, output: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        gradient(Wrapped(form), output=output)
    assert caught.value.hint


def test_one_score_a_row() -> None:
    result = explain(Function(lambda x: x.flatten(1).sum(1)), X, "gradient")
    assert bool((result.values == 1).all())


# No module, a broken module.


@pytest.mark.parametrize("model", [None, "resnet50", nn.Module])
def test_what_is_no_module(model: Any) -> None:
    with pytest.raises(ModelError, match=r"neither a torch\.nn\.Module nor an estimator"):
        explain(model, X)


def test_model_that_raises() -> None:
    with pytest.raises(ModelError, match=r"RuntimeError .*\(2, 3, 16, 16\): the disk is on fire"):
        gradient(Raises(cnn(), 0))


@pytest.mark.parametrize("calls", [1, 2])
def test_model_that_raises_while_its_layers_are_listed(calls: int) -> None:
    with pytest.raises(ModelError, match="the disk is on fire"):
        explain(Raises(cnn(), calls), X, "grad_cam")


def test_model_with_nan_weights() -> None:
    model = cnn()
    nn.init.constant_(model.head.bias, torch.nan)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="NaN"):
        gradient(model)


def test_score_whose_gradient_is_not_finite() -> None:
    with pytest.raises(ModelError, match="gradient is NaN or infinite"):
        explain(Function(lambda x: (x - x).abs().sqrt().flatten(1).sum(1)), X, "gradient", target=0)


def test_lazy_model() -> None:
    with pytest.raises(ModelError, match="lazy"):
        gradient(nn.Sequential(nn.Flatten(), nn.LazyLinear(5)))


def test_model_that_cannot_be_copied() -> None:
    model = cnn()
    model.lock = threading.Lock()
    with pytest.raises(ModelError, match="cannot be copied"):
        gradient(model)


def test_model_that_keeps_what_it_computed() -> None:
    """Tensors with a graph refuse to be copied; a model may well keep some."""
    model = cnn()
    model.kept = [model(X)]
    model.named = {"scores": (model(X),)}
    model.last = model(X)
    torch.testing.assert_close(gradient(model), gradient(cnn()))


@pytest.mark.parametrize("device", ["nothing", "cuda:99"])
def test_device_that_is_not_there(device: str) -> None:
    with pytest.raises(ModelError, match="cannot be used"):
        gradient(cnn(), device=device)


# Gradients that do not arrive.


class UnderInference(nn.Module):
    def __init__(self, guard: Any) -> None:
        super().__init__()
        self.inner, self.guard = cnn(), guard

    def forward(self, x: Tensor) -> Tensor:
        with self.guard():
            scores: Tensor = self.inner(x)
        return scores


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("method", ["gradient", "grad_cam", "integrated_gradients", "smoothgrad"])
def test_forward_without_gradient(method: str, guard: Any) -> None:
    with pytest.raises(ModelError, match="No gradient"):
        explain(UnderInference(guard), X, method)


@pytest.mark.filterwarnings("ignore")
def test_quantised_model() -> None:
    float_model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5))
    model = torch.ao.quantization.quantize_dynamic(float_model, {nn.Linear})
    with pytest.raises(ModelError, match="quantised"):
        explain(model, X, "gradient")
    assert ModelAdapter(model).outputs(X).shape == (2, 5)


@pytest.mark.filterwarnings("ignore")
def test_traced_model_has_gradients_but_no_layers() -> None:
    model = torch.jit.trace(cnn(), X)
    torch.testing.assert_close(gradient(model), gradient(cnn()))
    with pytest.raises(ExplanationError, match="layer"):
        explain(model, X, "grad_cam")


# Training mode, inference mode, autocast.


def test_training_mode_is_explained_in_evaluation_mode_and_left() -> None:
    model = seeded(Trained)
    expected = gradient(model)
    model.train()
    before = snapshot(model)
    result = explain(model, X, "gradient", target=1)
    assert torch.equal(result.values, expected)
    assert any("training mode" in notice for notice in result.notices)
    assert snapshot(model) == before
    assert explain(model.eval(), X, "gradient").notices == []


@pytest.mark.parametrize(
    ("method", "step"),
    [
        ("lrp", lambda x: torch.fft.fft2(x).abs()),
        ("deep_lift", torch.vmap(lambda x: 2 * x)),
        ("deep_lift", torch.func.grad(lambda x: (x**3).sum())),
    ],
)
def test_a_model_that_runs_is_not_blamed_for_what_a_rule_cannot(method: str, step: Any) -> None:
    model = nn.Sequential(Function(step), cnn())
    assert bool(explain(model, X, "gradient", target=1).values.any())
    with pytest.raises(ModelError, match="cannot follow the model, which itself runs"):
        explain(model, X, method, target=1)


@pytest.mark.parametrize("method", ["lrp", "deep_lift", "gradient"])
def test_a_model_that_does_not_run_is_blamed_by_every_method(method: str) -> None:
    with pytest.raises(ModelError, match="The model raised RuntimeError"):
        explain(Function(lambda x: x.flatten(1) @ torch.ones(7, 5)), X, method, target=1)


def test_says_that_a_score_depends_on_the_batch() -> None:
    """A batch norm without running statistics takes those of the batch, in any mode."""
    for tracked, said in ((True, False), (False, True)):
        norm = nn.BatchNorm2d(3, track_running_stats=tracked)
        notices = explain(nn.Sequential(norm, cnn()).eval(), X, "gradient", target=1).notices
        assert any("else is in the batch" in notice for notice in notices) is said


@pytest.mark.parametrize("labels", [3, "abcde", set("abcde"), iter("abcde")])
def test_labels_that_are_no_list_are_refused(labels: Any) -> None:
    with pytest.raises(TargetError, match=type(labels).__name__):
        explain(cnn(), X, "gradient", target=1, labels=labels)


@pytest.mark.parametrize(
    "labels", [tuple("abcde"), np.array(list("abcde")), dict(enumerate("abcde"))]
)
def test_labels_may_be_any_sequence_or_a_mapping(labels: Any) -> None:
    assert explain(cnn(), X, "gradient", target="b", labels=labels).target == ["b", "b"]


@pytest.mark.parametrize("method", ["gradient", "grad_cam", "integrated_gradients", "smoothgrad"])
def test_weights_inputs_and_call_under_inference_mode(method: str) -> None:
    expected = explain(cnn(), X, method, target=1).values
    with torch.inference_mode():
        model, x = cnn(), picture(2)
        inside = explain(model, x, method, target=1).values
    outside = explain(model, x, method, target=1).values
    torch.testing.assert_close(inside, expected)
    torch.testing.assert_close(outside, expected)


def test_ambient_no_grad_and_autocast_change_nothing() -> None:
    expected = explain(cnn(), X, "gradient", target=1)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        result = explain(cnn(), X, "gradient", target=1)
    assert torch.equal(result.values, expected.values)
    assert torch.equal(result.prediction.scores, expected.prediction.scores)


# Precision.


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("method", ["gradient", "grad_cam", "integrated_gradients", "smoothgrad"])
def test_weights_of_other_precision_are_never_explained_in_a_lower_one(
    method: str, dtype: torch.dtype
) -> None:
    expected = explain(cnn().to(dtype).float(), X, method, target=1).values
    model = cnn().to(dtype)
    before = snapshot(model)
    values = explain(model, X, method, target=1).values
    assert snapshot(model) == before
    assert values.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(values.float(), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_inputs_of_other_precision(dtype: torch.dtype) -> None:
    result = explain(cnn(), X.to(dtype), "gradient", target=1)
    torch.testing.assert_close(result.values, gradient(cnn()), rtol=1e-2, atol=1e-4)


def test_converted_replica_follows_the_weights() -> None:
    model = linear().half()
    adapter = ModelAdapter(model)
    before = adapter.outputs(X)
    with torch.no_grad():
        model[1].bias += 2  # type: ignore[index,operator]
    torch.testing.assert_close(adapter.outputs(X), before + 2, rtol=1e-2, atol=1e-2)


# A model that goes on changing.


def test_replica_follows_training() -> None:
    model = seeded(Trained)
    adapter = ModelAdapter(model)
    first = adapter.outputs(X)
    model.train()(picture(8, seed=1))  # moves the batch-norm statistics
    with torch.no_grad():
        model.head.weight.mul_(2)  # type: ignore[operator]
    expected = model.eval()(X)
    torch.testing.assert_close(adapter.outputs(X), expected.detach())
    assert not torch.allclose(first, expected)


def test_replica_follows_a_replaced_weight_and_a_replaced_module() -> None:
    model = cnn()
    adapter = ModelAdapter(model)
    adapter.outputs(X)
    model.head.weight = nn.Parameter(torch.ones(5, 6))
    torch.testing.assert_close(adapter.outputs(X), model(X).detach())
    model.head = nn.Linear(6, 2)
    torch.testing.assert_close(adapter.outputs(X), model(X).detach())


class Scaled(nn.Module):
    """A model with a plain attribute that its output depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.factor = linear(), 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * self.inner(x)


def test_replica_follows_a_changed_attribute_and_a_new_hook() -> None:
    model = Scaled()
    adapter = ModelAdapter(model)
    first = adapter.outputs(X)
    model.factor = 3.0
    torch.testing.assert_close(adapter.outputs(X), 3 * first)
    model.inner.register_forward_hook(lambda module, inputs, output: -output)
    torch.testing.assert_close(adapter.outputs(X), -3 * first)


class Keeps(nn.Module):
    """A model that keeps itself, tensors and layers in odd places."""

    def __init__(self) -> None:
        super().__init__()
        self.flat, self.head = nn.Flatten(), nn.Linear(768, 5)
        self.kept = {"heads": [self.head], "me": (self, 1), "scale": [torch.full((5,), 2.0)]}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        (scale,) = self.kept["scale"]
        return self.kept["heads"][0](self.flat(x)) * scale


def test_copy_keeps_what_refers_to_what() -> None:
    model = seeded(Keeps)
    copied: Any = ModelAdapter(model).replica()
    assert copied.kept["heads"][0] is copied.head is not model.head
    assert copied.kept["me"][0] is copied
    assert copied.kept["scale"][0] is not model.kept["scale"][0]  # type: ignore[index]
    torch.testing.assert_close(copied(X), model(X).detach())


def test_tied_weights_stay_tied() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(768, 768), nn.Linear(768, 768))
    model[2].weight = model[1].weight
    copied = ModelAdapter(model).replica()
    assert copied[1].weight is copied[2].weight  # type: ignore[index]
    assert copied[1].weight.data_ptr() == model[1].weight.data_ptr()  # type: ignore[index]


def test_weight_hash_changes_with_weights_and_statistics() -> None:
    model = seeded(Trained)
    hashes = [ModelAdapter(model).weight_hash]
    assert ModelAdapter(seeded(Trained)).weight_hash == hashes[0]
    with torch.no_grad():
        model.head.bias[0] += 1  # type: ignore[index,operator]
    hashes.append(ModelAdapter(model).weight_hash)
    model.norm.running_mean += 1
    hashes.append(ModelAdapter(model).weight_hash)
    model.head = nn.Linear(4, 5)
    hashes.append(ModelAdapter(model).weight_hash)
    assert len(set(hashes)) == 4


# Random models.


class Stochastic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = cnn()

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.inner(F.dropout(x, 0.3, training=True))
        return scores


@pytest.mark.parametrize("method", ["gradient", "grad_cam", "integrated_gradients", "smoothgrad"])
def test_random_model_is_explained_with_fixed_seeds(method: str) -> None:
    before = snapshot(Stochastic())["torch"]
    first, second = (explain(Stochastic(), X, method, target=1, progress=False) for _ in range(2))
    assert snapshot(Stochastic())["torch"] == before
    assert torch.equal(first.values, second.values)
    assert torch.equal(first.prediction.scores, second.prediction.scores)
    assert any("random numbers" in notice for notice in first.notices)


# Wrappers and other inputs.


class OptimizedModule(nn.Module):
    """As torch.compile makes it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self._orig_mod = inner

    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("this would compile")


@pytest.mark.parametrize("wrap", [OptimizedModule, nn.DataParallel])
def test_wrappers_are_looked_through(wrap: Any) -> None:
    assert torch.equal(gradient(wrap(cnn())), gradient(cnn()))
    assert torch.equal(gradient(wrap(wrap(cnn()))), gradient(cnn()))


def test_torch_compile_is_looked_through() -> None:
    assert torch.equal(gradient(torch.compile(cnn())), gradient(cnn()))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["gradient", "grad_cam", "integrated_gradients", "smoothgrad"])
def test_input_that_is_not_square(method: str) -> None:
    x = torch.rand(2, 3, 12, 30)
    result = explain(cnn(), x, method, target=1, layer="second" if method == "grad_cam" else None)
    assert result.values.shape == ((2, 1, 6, 15) if method == "grad_cam" else x.shape)


@pytest.mark.parametrize("method", ["gradient", "integrated_gradients", "smoothgrad"])
def test_tables(method: str) -> None:
    model, x = nn.Linear(4, 3), torch.rand(2, 4)
    result = explain(model, x, method, target=1)
    weight = model.weight[1].detach()
    expected = weight * x if method == "integrated_gradients" else weight.expand(2, 4)
    torch.testing.assert_close(result.values, expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(ExplanationError, match="no heatmap"):
        result.heatmap()


def test_model_without_weights() -> None:
    result = explain(Function(lambda x: x.flatten(1)[:, :3] * 2), X, "gradient", target=0)
    assert float(result.values.sum()) == 4
    assert torch.equal(explain(Quadratic(), X, "gradient", target=1).values, 2 * X)
