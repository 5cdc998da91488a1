"""Concept maps: they sum to the directional derivative, and are what every other map is."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nbxplain import Attribution, ExplanationError, explain
from nbxplain.concepts import CAV, tcav
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import Cancelled, InputError, LayerError, MethodError, ModelError
from nbxplain.core.layers import Layer
from nbxplain.core.passes import Passes
from nbxplain.core.target import Target
from nbxplain.explain import ask, attributions
from nbxplain.methods import ConceptMap
from nbxplain.methods.base import make
from tests.models import Attends, ModuleRelu, Raises, Trained, picture, seeded
from tests.snapshot import snapshot


def along(width: int, layer: str, **fields: Any) -> CAV:
    generator = torch.Generator().manual_seed(1)
    return CAV.of(layer, torch.randn(width, generator=generator), **fields)


SECOND = along(6, "second", name="stripes")


class Channels(nn.Module):
    """Puts channels last, as Swin does."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)


class Back(nn.Module):
    """Puts them first again, and looks at places differently."""

    def forward(self, x: Tensor) -> Tensor:
        places = torch.linspace(0.5, 2, x.shape[1] * x.shape[2]).view(1, x.shape[1], -1, 1)
        return torch.tanh(x * places).mean((1, 2))


def channels_last() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), Channels(), Back(), nn.Linear(6, 5))


def place(model: nn.Module, name: str) -> Layer:
    return next(la for la in ModelAdapter(model).layers(picture()) if la.name == name)


def slope(model: nn.Module, x: Tensor, cav: CAV, target: int) -> Tensor:
    """The score's derivative along the direction, by finite differences in float64."""
    model, x, small = model.double(), x.double(), 1e-6
    change = small * cav.field(place(model, cav.layer)).double()
    ends = []
    for sign in (1, -1):
        module = model.get_submodule(cav.layer)
        handle = module.register_forward_hook(lambda m, i, o, s=sign: o + s * change)
        ends.append(model(x)[:, target].detach())
        handle.remove()
    rise: Tensor = (ends[0] - ends[1]) / (2 * small)
    return rise


@pytest.mark.parametrize(
    ("build", "layer", "width"),
    [
        (ModuleRelu, "second", 6),
        (ModuleRelu, "first", 4),
        (channels_last, "1", 6),
        (channels_last, "0", 6),
    ],
)
@pytest.mark.parametrize("space", ["channels", "cells"])
def test_the_map_sums_to_the_directional_derivative(
    build: Any, layer: str, width: int, space: Any
) -> None:
    model, x = seeded(build), picture(3)
    shape = place(model, layer).shape
    cav = along(width if space == "channels" else math.prod(shape), layer, space=space)
    result = explain(model, x, "concept_map", concept=cav, target=2)
    assert result.layer == layer
    assert result.values.shape[1] == 1
    expected = slope(model, x, cav, 2)
    torch.testing.assert_close(result.values.sum((1, 2, 3)), expected.float(), rtol=1e-3, atol=1e-6)
    said = torch.tensor(result.evidence["directional_derivative"])
    torch.testing.assert_close(said, expected.float(), rtol=1e-3, atol=1e-6)
    assert "directional derivative" in result.summary()


def test_of_tokens_the_class_token_has_no_place() -> None:
    model = seeded(lambda: Attends(ModuleRelu()))
    tokens = next(la for la in ModelAdapter(model).layers(picture()) if la.arrangement == "NTC")
    cav = along(tokens.shape[-1], tokens.name)
    result = explain(model, picture(2), "concept_map", concept=cav, target=2)
    assert result.values.shape == (2, 1, *(tokens.grid or ()))
    expected = slope(model, picture(2), cav, 2)
    torch.testing.assert_close(result.values.sum((1, 2, 3)), expected.float(), rtol=1e-3, atol=1e-6)


# With what tcav finds.


def bright(count: int, seed: int, level: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(count, 3, 16, 16, generator=generator)
    noise[:, 0] += level
    return noise


def found(**options: Any) -> tuple[nn.Module, Tensor, Tensor, Tensor, Any]:
    model = seeded(ModuleRelu)
    concept, pool, shown = bright(12, 1, 0.7), bright(24, 2, 0), bright(6, 3, 0.3)
    target = int(model(shown).mean(0).argmax())
    result = tcav(
        model, {"red": concept}, shown, target, "second",
        random_sets=pool, permutations=19, runs=4, **options,
    )  # fmt: skip
    return model, concept, pool, shown, (result.of("red"), target)


@pytest.mark.parametrize("space", ["channels", "cells"])
def test_a_score_gives_its_map_and_the_map_its_derivatives(space: Any) -> None:
    model, _, _, shown, (score, target) = found(space=space)
    result = explain(model, shown, "concept_map", concept=score, target=target)
    # The score's are means over runs, each along its own direction and distance.
    change = result.values.sum((1, 2, 3)).double() * score.distance
    torch.testing.assert_close(change, score.derivatives, rtol=0.02, atol=1e-4)
    assert score.order[0] == int(change.argmax())
    assert sorted(score.order) == list(range(6))


@pytest.mark.parametrize("space", ["channels", "cells"])
def test_presence_is_one_on_the_concept_and_zero_elsewhere(space: Any) -> None:
    model, concept, pool, _, (score, target) = found(space=space)
    ends = [
        explain(model, x, "concept_map", concept=score, target=target, show="presence").values
        for x in (concept, pool)
    ]
    total = [float(v.mean() if space == "channels" else v.sum((1, 2, 3)).mean()) for v in ends]
    assert total[0] == pytest.approx(1 + total[1], abs=0.1)
    assert total[1] == pytest.approx(0, abs=0.1)


def test_presence_of_a_bare_direction_is_activation_times_direction() -> None:
    model: Any = seeded(ModuleRelu)
    x = picture(2)
    result = explain(model, x, "concept_map", concept=SECOND, show="presence")
    activation = model.second(torch.relu(model.first(x))).detach()
    expected = (activation * SECOND.direction[:, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(result.values, expected)


def test_a_direction_of_another_model_is_refused() -> None:
    model, _, _, shown, (score, target) = found()
    with torch.no_grad():
        model.head.weight.mul_(2)  # type: ignore[union-attr,operator]
    with pytest.raises(ModelError, match="other weights"):
        explain(model, shown, "concept_map", concept=score, target=target)


# A map like any other.


def stream(model: nn.Module, cav: CAV = SECOND, **options: Any) -> Iterator[Attribution]:
    adapter = ModelAdapter(model)
    passes = Passes(adapter, chunk=1, **options)
    setting = ask(adapter, adapter.read(picture(3)), 1)
    return attributions(setting, make("concept_map", concept=cav), passes, None)


def test_preserves_the_model_also_when_a_pass_fails_or_is_left() -> None:
    model = seeded(Trained).train()
    before = snapshot(model)
    cav = along(4, "relu")
    explain(model, picture(2), "concept_map", concept=cav, target=1)
    running = stream(model, cav)
    assert not next(running).complete
    running.close()  # type: ignore[attr-defined]
    assert snapshot(model) == before
    failing = Raises(model, calls=3)
    with pytest.raises(ModelError, match="disk is on fire"):
        explain(
            failing, picture(6), "concept_map", concept=along(4, "inner.relu"), target=1, chunk=1
        )
    assert snapshot(model) == before


def test_a_cancel_is_obeyed() -> None:
    stop = threading.Event()
    running = stream(seeded(ModuleRelu), cancelled=stop.is_set)
    next(running)
    stop.set()
    with pytest.raises(Cancelled):
        list(running)


def test_a_batch_equals_one_by_one_and_chunks_agree() -> None:
    model, x = seeded(ModuleRelu), picture(5)
    together = explain(model, x, "concept_map", concept=SECOND, target=[0, 1, 2, 3, 4])
    for chunk in (1, 7):
        again = explain(
            model, x, "concept_map", concept=SECOND, target=[0, 1, 2, 3, 4], chunk=chunk
        )
        torch.testing.assert_close(again.values, together.values, rtol=1e-5, atol=1e-7)
    for row in range(5):
        alone = explain(model, x[row], "concept_map", concept=SECOND, target=row)
        torch.testing.assert_close(together.row(row).values, alone.values, rtol=1e-5, atol=1e-7)


def test_partials_do_not_change_afterwards() -> None:
    running = stream(seeded(ModuleRelu))
    first = next(running)
    kept = first.values.clone()
    *_, last = running
    assert torch.equal(first.values, kept)
    assert last.complete
    assert last.provenance["parameters"]["concept"]["name"] == "stripes"


def test_a_layer_behind_a_dead_head_is_a_zero_map_with_a_reason() -> None:
    model: Any = seeded(ModuleRelu)
    nn.init.zeros_(model.head.weight)
    result = explain(model, picture(), "concept_map", concept=SECOND, target=1)
    assert not bool(result.values.any())
    assert result.reason


def test_in_the_explorer() -> None:
    from nbxplain.explorer import Explorer

    model, x = seeded(ModuleRelu), picture()
    method = ConceptMap(concept=along(4, "first"))
    explorer = Explorer(model, x, method=method, target=1)
    try:
        result = explorer.wait(60)
        assert result is not None
        expected = explain(model, x, method, target=1)
        torch.testing.assert_close(result.values, expected.values)
        assert explorer.layer == "first"
        explorer.params = {**explorer.params, "concept": SECOND.model_dump()}
        with pytest.raises(LayerError, match="'second'"):
            explorer.wait(60)
        explorer.layer = "second"
        result = explorer.wait(60)
        assert result is not None
        assert result.layer == "second"
        method_info = {info["name"]: info for info in explorer._catalog["methods"]}["concept_map"]
        assert "concept" in method_info["unavailable"]
        assert [control["name"] for control in method_info["controls"]] == ["show"]
    finally:
        explorer.close()


def test_quoted_as_code_that_runs() -> None:
    from nbxplain.widget.code import code

    model, x = seeded(ModuleRelu), picture()
    result = explain(model, x, "concept_map", concept=SECOND, target=1, show="presence")
    text = code(result, Target((1,), (-1,)), {})
    known: dict[str, Any] = {"model": model, "image": x}
    exec(text, known)
    assert torch.equal(known["attribution"].values, result.values)


# Bad input.


@pytest.mark.parametrize(
    ("concept", "layer", "error", "says"),
    [
        (None, None, MethodError, "needs a concept"),
        (SECOND, "first", LayerError, "a direction at 'second', not at 'first'"),
        (along(5, "second"), None, LayerError, "5 values.*6 channels"),
        (along(6, "secnd"), None, LayerError, "'second'"),
        (along(5, "head"), None, LayerError, "spatial map"),
        (along(6, "second", space="cells"), None, LayerError, "6 values.*384 activations"),
        ("stripes", None, MethodError, "concept"),
        ({"layer": "second", "data": "AAAA"}, None, MethodError, "not allowed"),
    ],
)
def test_bad_concepts_are_refused(
    concept: Any, layer: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        explain(seeded(ModuleRelu), picture(), "concept_map", concept=concept, layer=layer)


def test_bad_directions_are_refused() -> None:
    for values in (torch.zeros(3), torch.tensor([1.0, float("nan")])):
        with pytest.raises(InputError, match="leads nowhere"):
            CAV.of("second", values)
    with pytest.raises(ValueError, match="length 2"):
        CAV(layer="x", data="AAAAQA==")
    with pytest.raises(ValueError, match="distance"):
        CAV.of("second", torch.ones(3), distance=0)


def test_a_table_row_has_no_concept_map() -> None:
    with pytest.raises(ExplanationError):
        explain(nn.Linear(3, 2), torch.rand(1, 3), "concept_map", concept=along(2, ""))
