"""What every method must pass. A new method is covered by being registered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nbxplain import Attribution, Background, Baseline, ExplanationError, Regions, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.cav import CAV
from nbxplain.core.errors import Cancelled, LayerError, ModelError
from nbxplain.core.passes import Passes
from nbxplain.explain import ask, attributions
from nbxplain.methods.base import REGISTRY, Method, make
from tests.models import (
    CLASSES,
    Attends,
    Function,
    FunctionRelu,
    InplaceRelu,
    ModuleRelu,
    Raises,
    ReusedRelu,
    Trained,
    picture,
    seeded,
)
from tests.snapshot import snapshot

every_name = pytest.mark.parametrize("name", sorted(REGISTRY))
explains_networks = sorted(
    name for name, cls in REGISTRY.items() if not (cls.needs_trees or cls.needs_concept)
)
"""What needs trees or a concept passes like tests in test_trees.py and test_concept_map.py."""
every_method = pytest.mark.parametrize("name", explains_networks)
attentive = [name for name, cls in REGISTRY.items() if cls.needs_attention]
every_streaming = pytest.mark.parametrize(
    "name", sorted(name for name, cls in REGISTRY.items() if cls.resumable)
)


def stream(
    model: nn.Module, inputs: Tensor, method: str | Method, passes: dict[str, Any]
) -> tuple[Passes, Iterator[Attribution]]:
    adapter = ModelAdapter(model)
    door = Passes(adapter, **passes)
    setting = ask(adapter, adapter.read(inputs), 1)
    return door, attributions(setting, make(method), door, None)


def suited(name: str, build: Callable[[], nn.Module] = ModuleRelu) -> nn.Module:
    """A small model that the method can explain: the network, with attention where that is read."""
    return seeded(lambda: Attends(build()) if name in attentive else build())


def used(name: str) -> nn.Module:
    """A model in the middle of its life: partly trained, frozen, hooked, with gradients."""
    model = suited(name, Trained).train()
    part: Any = model.trunk if name in attentive else model
    part.norm.eval()
    part.head.bias.requires_grad_(False)
    model(picture(2)).sum().backward()
    part.conv.register_forward_hook(_says_nothing)
    part.norm.register_buffer("note", torch.ones(1))
    return model


def _says_nothing(module: nn.Module, inputs: Any, output: Any) -> None:
    return None


# The model is preserved.


@every_method
def test_preserves_the_model(name: str) -> None:
    model = used(name)
    before = snapshot(model)
    explain(model, picture(2), name, target=1, progress=False)
    assert snapshot(model) == before


@every_method
def test_preserves_the_model_when_a_pass_fails(name: str) -> None:
    model = Raises(used(name), calls=3)
    before = snapshot(model)
    with pytest.raises(ModelError, match="disk is on fire"):
        explain(model, picture(6), name, target=1, chunk=1, progress=False)
    assert snapshot(model) == before
    assert model.left == 3


@every_method
def test_preserves_the_model_when_closed_half_way(name: str) -> None:
    model = used(name)
    before = snapshot(model)
    _, running = stream(model, picture(3), name, {"chunk": 1})
    assert not next(running).complete
    running.close()  # type: ignore[attr-defined]
    assert snapshot(model) == before


@every_method
def test_cancel_is_obeyed_within_one_chunk(name: str) -> None:
    model, stop = used(name), threading.Event()
    before = snapshot(model)
    passes, running = stream(model, picture(3), name, {"chunk": 1, "cancelled": stop.is_set})
    next(running)
    done = passes.evaluations
    stop.set()
    # What needs no further pass may still be said.
    with pytest.raises(Cancelled):
        list(running)
    assert passes.evaluations == done
    assert snapshot(model) == before


@every_method
def test_the_user_calls_the_model_meanwhile(name: str) -> None:
    model, x = suited(name, Trained), picture(3)
    expected, answers, stop = model(x), [], threading.Event()

    def call() -> None:
        while not stop.is_set():
            answers.append(model(x))

    caller = threading.Thread(target=call)
    caller.start()
    try:
        explain(model, x, make(name).draft(), target=1, chunk=1, progress=False)
    finally:
        stop.set()
        caller.join()
    assert answers
    assert all(torch.equal(answer, expected) for answer in answers)
    assert all(answer.requires_grad for answer in answers)


@pytest.mark.parametrize("name", sorted(set(explains_networks) - set(attentive)))
def test_preserves_the_pretrained_network(name: str, network: nn.Module, fed_cat: Tensor) -> None:
    before = snapshot(network)
    result = explain(network, fed_cat, make(name).draft(), progress=False)
    assert snapshot(network) == before
    assert bool(result.values.isfinite().all())
    assert bool(result.values.any())


# The same answer, however it is computed.


@every_method
def test_batch_equals_one_by_one(name: str) -> None:
    model, x, method = suited(name), picture(5), make(name).draft()
    together = explain(model, x, method, target=[0, 1, 2, 3, 4], progress=False)
    for row in range(5):
        alone = explain(model, x[row], method, target=row, progress=False)
        own = together.row(row)
        torch.testing.assert_close(own.values, alone.values, rtol=1e-5, atol=1e-7)


@every_method
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_does_not_depend_on_chunk_or_layout(name: str, layout: Any) -> None:
    model, x, method = suited(name), picture(3), make(name).draft()
    expected = explain(model, x, method, target=1, progress=False).values
    for chunk in (1, 7):
        result = explain(model, x, method, target=1, chunk=chunk, layout=layout, progress=False)
        torch.testing.assert_close(result.values, expected, rtol=1e-5, atol=1e-7)


@every_method
def test_does_not_depend_on_how_the_input_lies_in_memory(name: str) -> None:
    model, x, method = suited(name), picture(2), make(name).draft()
    strided = x.contiguous(memory_format=torch.channels_last)
    expected, result = (
        explain(model, given, method, target=1, progress=False).values for given in (x, strided)
    )
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-7)


@every_method
@pytest.mark.usefixtures("two_threads")
def test_same_seed_same_bytes(name: str) -> None:
    model, x, method = suited(name), picture(2), make(name).draft()
    first, second = (explain(model, x, method, target=1, progress=False).values for _ in range(2))
    assert torch.equal(first, second)


@every_method
def test_another_seed_another_draw(name: str) -> None:
    if "seed" not in REGISTRY[name].model_fields:
        assert "samples" not in REGISTRY[name].model_fields
        return
    model, x, method = suited(name), picture(2), make(name).draft()
    first, second = (
        explain(model, x, method, target=1, seed=seed, progress=False).values for seed in (0, 1)
    )
    assert not torch.equal(first, second)


@every_method
def test_double_precision_is_kept(name: str) -> None:
    single = explain(suited(name), picture(2), name, target=1, progress=False)
    double = explain(suited(name).double(), picture(2).double(), name, target=1, progress=False)
    assert double.values.dtype == torch.float64
    torch.testing.assert_close(double.values.float(), single.values, rtol=1e-3, atol=1e-4)


@every_method
@pytest.mark.parametrize("build", [ModuleRelu, InplaceRelu, ReusedRelu])
def test_implementation_of_relu_does_not_matter(name: str, build: type[nn.Module]) -> None:
    x = picture(2)
    if name == "cam":
        with pytest.raises(LayerError, match="pooling"):
            explain(suited(name, build), x, name, target=1, layer="second")
        return
    method = make(name).draft()
    layer = "second" if REGISTRY[name].needs_layer else None
    # One layout, because the faster one is measured, and the last bits depend on it.
    expected, result = (
        explain(
            suited(name, kind),
            x,
            method,
            target=1,
            layer=layer,
            layout="contiguous",
            progress=False,
        ).values
        for kind in (FunctionRelu, build)
    )
    assert bool(expected.any())
    torch.testing.assert_close(result, expected, rtol=1e-6, atol=1e-8)


class Scales(FunctionRelu):
    """The same after scaling the pixels."""

    def features(self, x: Tensor) -> Tensor:
        return super().features(2 * x - 1)


class Overwrites(FunctionRelu):
    """The same in place: what the model is fed does not outlive the pass."""

    def features(self, x: Tensor) -> Tensor:
        return super().features(x.mul_(2).sub_(1))


@every_method
def test_a_model_may_overwrite_its_input(name: str) -> None:
    x = picture(2)
    layer = "second" if REGISTRY[name].needs_layer else None
    if name == "cam":
        with pytest.raises(LayerError, match="pooling"):
            explain(suited(name, Overwrites), x, name, target=1, layer=layer)
    else:
        expected, result = (
            explain(
                suited(name, build), x, make(name).draft(), target=1, layer=layer, progress=False
            ).values
            for build in (Scales, Overwrites)
        )
        torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-6)
    assert torch.equal(x, picture(2))


# What is yielded on the way.


@every_method
def test_every_partial_is_finite_and_further_than_the_last(name: str) -> None:
    _, running = stream(suited(name), picture(3), make(name).draft(), {"chunk": 2})
    parts = list(running)
    shape = parts[-1].values.shape
    assert shape[0] == 3
    assert all(part.values.shape == shape for part in parts)
    assert all(bool(part.values.isfinite().all()) for part in parts)
    done = [part.done for part in parts]
    assert done == sorted(set(done))
    assert parts[-1].complete
    assert parts[-1].done == parts[-1].total
    assert not any(part.complete for part in parts[:-1])
    assert parts[-1].provenance["method"] == name


@every_method
def test_a_later_partial_leaves_an_earlier_one_alone(name: str) -> None:
    _, running = stream(suited(name), picture(3), make(name).draft(), {"chunk": 1})
    first = next(running)
    kept = first.values.clone()
    list(running)
    assert torch.equal(first.values, kept)


def plenty(name: str) -> Method:
    """The method with draws enough for statements about averages."""
    if name == "deep_shap":
        return make(name, background=picture(40, seed=1))
    return make(name)


@every_streaming
def test_reported_error_falls(name: str) -> None:
    _, running = stream(suited(name), picture(), plenty(name), {"chunk": 1})
    errors = [part.error for part in running if part.error is not None]
    quarter = len(errors) // 4
    assert quarter >= 4
    assert sum(errors[-quarter:]) < 0.5 * sum(errors[:quarter])


@every_streaming
def test_partials_approach_the_result(name: str) -> None:
    _, running = stream(suited(name), picture(), plenty(name), {"chunk": 1})
    values = [part.values for part in running]
    distance = [float((value - values[-1]).norm()) for value in values]
    quarter = len(distance) // 4
    assert sum(distance[-quarter:]) < 0.5 * sum(distance[:quarter])


# What cannot be explained.


@every_method
def test_model_that_does_not_look_is_an_error_or_a_zero_map_with_a_reason(name: str) -> None:
    constant = nn.Sequential(
        nn.Conv2d(3, 2, 3), nn.Flatten(), Function(lambda x: x.new_ones(len(x), CLASSES))
    )
    try:
        result = explain(constant, picture(), name, target=1, progress=False)
    except ExplanationError as error:
        reason = error.hint
    else:
        # Without gradients nobody can tell a model that does not look from one that sees nothing.
        assert not bool(result.values.any())
        reason = result.reason
    assert reason


@every_method
def test_zero_gradient_is_a_zero_map_with_a_reason(name: str) -> None:
    model = suited(name)
    before = explain(model, picture(), name, target=1, progress=False)
    head: Any = model.trunk.head if name in attentive else model.head
    nn.init.zeros_(head.weight)
    result = explain(model, picture(), name, target=1, progress=False)
    if name in attentive and name != "attention_gradient":
        # Attention is there before the score is, and does not depend on it.
        assert torch.equal(result.values, before.values)
        return
    assert not bool(result.values.any())
    assert result.reason
    assert result.reason in result.summary()


@every_method
def test_nan_in_the_input_is_an_error(name: str) -> None:
    x = picture()
    x[0, 0, 3, 4] = torch.nan
    with pytest.raises(ExplanationError, match="NaN"):
        explain(suited(name), x, name, progress=False)


@every_method
def test_wrong_target_is_an_error(name: str) -> None:
    with pytest.raises(ExplanationError, match="no class 5"):
        explain(suited(name), picture(), name, target=CLASSES, progress=False)


@every_method
def test_wrong_shape_is_an_error(name: str) -> None:
    with pytest.raises(ModelError, match=r"\(1, 4, 16, 16\)"):
        explain(suited(name), torch.rand(1, 4, 16, 16), name, progress=False)


@every_method
def test_wrong_layer_is_an_error_where_a_layer_is_used(name: str) -> None:
    if not REGISTRY[name].needs_layer:
        assert explain(suited(name), picture(), make(name).draft(), progress=False).layer is None
        return
    with pytest.raises(LayerError, match="'second'"):
        explain(suited(name), picture(), name, layer="secnd", progress=False)


# The parameters are data.


def variants(name: str) -> list[Method]:
    """The method with its defaults, its draft, and every parameter moved."""
    cls = REGISTRY[name]
    baselines = Baseline.blur(3), Baseline.tensor(torch.rand(1, 3, 2, 2))
    several = "baseline" in cls.model_fields and (
        cls.model_fields["baseline"].annotation is not Baseline
    )
    moved = {
        "baseline": baselines if several else baselines[1],
        "background": Background.batch(torch.rand(2, 3, 2, 2)),
        "concept": CAV.of("second", torch.arange(3.0), name="stripes", distance=2.0),
        "regions": Regions.map(torch.arange(12).view(3, 4) // 5, names=("a", "b", "c")),
        "seed": 7,
        "relu": False,
        "noise": 0.3,
    }
    known = {key: value for key, value in moved.items() if key in cls.model_fields}
    return [cls(), cls().draft(), cls(**known)]


@every_name
def test_json_round_trip(name: str) -> None:
    for method in variants(name):
        again = type(method).model_validate_json(method.model_dump_json())
        assert again == method
        assert hash(again) == hash(method)


@every_name
def test_repr_evaluates_to_an_equal_method(name: str) -> None:
    kinds = {"Background": Background, "Baseline": Baseline, "CAV": CAV, "Regions": Regions}
    names = {**vars(import_module("nbxplain.methods")), **kinds}
    for method in variants(name):
        assert eval(repr(method), names) == method


@every_name
def test_every_parameter_explains_itself(name: str) -> None:
    for field, info in REGISTRY[name].model_fields.items():
        assert info.description, field
    assert REGISTRY[name].label
    assert REGISTRY[name].__doc__


@pytest.mark.gpu
@every_method
def test_cpu_equals_cuda(name: str) -> None:
    model, x = suited(name), picture(3)
    here = explain(model, x, name, target=1, progress=False)
    there = explain(model, x, name, target=1, device="cuda", progress=False)
    torch.testing.assert_close(there.values, here.values, rtol=1e-3, atol=1e-5)
