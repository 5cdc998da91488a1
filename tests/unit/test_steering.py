"""Steering: more or less of a concept, against direct sums and derivatives."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nbxplain import ExplanationError
from nbxplain.concepts import CAV, Concept, Steering, steer
from nbxplain.concepts.steering import DOSES, steps
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import Cancelled, InputError, LayerError, ModelError
from nbxplain.core.passes import Passes
from nbxplain.explain import ask, explain
from tests.models import CLASSES, Attends, ModuleRelu, Trained, picture, seeded
from tests.snapshot import snapshot


def along(width: int, layer: str, **fields: Any) -> CAV:
    generator = torch.Generator().manual_seed(1)
    fields = {"name": "stripes", "distance": 0.7, **fields}
    return CAV.of(layer, torch.randn(width, generator=generator), **fields)


def test_doses_are_added_to_the_activation() -> None:
    """Against the upper part of the network, run on the changed activation."""
    model: Any = seeded(ModuleRelu)
    x, cav = picture(3), along(6, "second")
    doses = (-2.0, 0.0, 1.5)
    result = steer(model, x, cav, doses=doses, target=1)
    with torch.no_grad():
        low = model.second(torch.relu(model.first(x)))
        for place, dose in enumerate(doses):
            moved = low + dose * 0.7 * cav.direction[:, None, None]
            expected = model.head(torch.relu(moved).mean((2, 3)))
            torch.testing.assert_close(result.outputs[:, place], expected)
            torch.testing.assert_close(result.scores[:, place], expected[:, 1])
    assert result.complete


def test_dose_zero_is_the_prediction_as_it_is() -> None:
    model, x = seeded(ModuleRelu), picture(2)
    result = steer(model, x, along(6, "second"))
    place = DOSES.index(0)
    torch.testing.assert_close(result.outputs[:, place], model(x).detach())
    torch.testing.assert_close(result.at(place).scores, result.before.scores)


@pytest.mark.parametrize("space", ["channels", "cells"])
def test_the_slope_at_zero_is_the_directional_derivative(space: Any) -> None:
    model, x = seeded(ModuleRelu).double(), picture(2).double()
    cav = along(6 if space == "channels" else 6 * 8 * 8, "second", space=space)
    small = 1e-5
    result = steer(model, x, cav, doses=(-small, small), target=1)
    slope = (result.scores[:, 1] - result.scores[:, 0]) / (2 * small)
    found = explain(model, x, "concept_map", target=1, concept=cav)
    expected = torch.tensor(found.evidence["directional_derivative"]) * 0.7
    torch.testing.assert_close(slope.float(), expected, rtol=1e-3, atol=1e-6)


def test_class_tokens_are_left_alone() -> None:
    """A direction of channels lies on the picture: with no way from patch to score, no effect."""
    adapter = ModelAdapter(seeded(lambda: Attends(ModuleRelu())))
    tokens = next(la for la in adapter.layers(picture()) if la.arrangement == "NTC" and la.prefix)
    cav = along(tokens.shape[-1], tokens.name)
    field = cav.field(tokens)
    assert not bool(field[: tokens.prefix].any())
    assert torch.equal(field[tokens.prefix], cav.direction)


def test_one_input_and_several_targets() -> None:
    result = steer(seeded(ModuleRelu), picture(), along(6, "second"), target=[0, 1, 2])
    assert result.scores.shape == (3, len(DOSES))
    torch.testing.assert_close(result.scores, result.outputs[0, :, :3].T)
    assert result.summary().count("\n") >= 3


def steerable() -> nn.Module:
    """Two classes: the first channel's mean against its opposite."""
    head = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]]))
    return nn.Sequential(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).eval()


def test_where_the_prediction_turns() -> None:
    x = torch.zeros(2, 3, 8, 8)
    x[0, 0], x[1, 0] = 0.6, 9.0
    cav = CAV.of("0", torch.tensor([1.0, 0, 0]))
    result = steer(steerable(), x, cav, doses=(-1, -0.5, 0, 0.5, 1), labels=["cat", "dog"])
    assert result.turning(0) == (-1.0, "dog")
    assert result.turning(1) is None
    assert "dog from dose -1" in result.summary()
    said = json.loads(json.dumps(result.describe()))
    assert said["turning"] == [[-1.0, "dog"], None]
    assert said["predictions"][0][0][0]["label"] == "dog"
    axis = result.figure().axes[0]
    assert [line.get_xydata()[0, 0] for line in axis.lines[:1]] == [-1.0]


@pytest.mark.parametrize(("direction", "farther"), [([2.0, -1, 0], 10), ([1.0, 2, 0], 0)])
def test_random_directions_as_long_stand_beside_it(direction: list[float], farther: int) -> None:
    """Of a linear model no direction moves the score farther than its own weights, and none less
    than one that is at right angles to them."""
    head = nn.Linear(3, 1, bias=False)
    nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.weight[0, :2] = torch.tensor([2.0, -1.0])
    model = nn.Sequential(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).eval()
    cav = CAV.of("0", torch.tensor(direction), distance=0.5)
    result = steer(model, torch.rand(2, 3, 8, 8), cav, doses=(-2, 0, 2))
    assert result.random.shape == (2, 2, 10)
    swings = result.random[:, 1] - result.random[:, 0]
    assert float(swings.abs().max()) < 4 * 0.5 * 5**0.5
    assert len(swings[0].unique()) == 10
    torch.testing.assert_close(swings[0], swings[1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(result.random.mean(1), result.scores[:, 1:2].expand(2, 10))
    assert [result.farther(row) for row in (0, 1)] == [farther] * 2
    assert f"farther than {farther} of 10 random directions" in result.summary()
    grey = [line for line in result.figure().axes[0].lines if line.get_marker() == "_"]
    assert sorted(x for line in grey for x in line.get_xdata()) == [-2.0] * 20 + [2.0] * 20
    assert steer(model, torch.rand(1, 3, 8, 8), cav, doses=[1]).farther() is None


def test_a_concept_knows_its_direction() -> None:
    model, x, cav = seeded(ModuleRelu), picture(), along(6, "second")
    concept = Concept("dotted", [1]).knowing([cav, along(4, "first")])
    at_second = steer(model, x, concept, "second")
    torch.testing.assert_close(at_second.scores, steer(model, x, cav).scores)
    assert at_second.cav.name == "dotted"
    with pytest.raises(InputError, match="several layers"):
        steer(model, x, concept)
    with pytest.raises(InputError, match="no direction at 'third'"):
        steer(model, x, concept, "third")
    with pytest.raises(InputError, match="tcav"):
        steer(model, x, Concept("dotted", [1]))


# What every computation must pass.


def test_preserves_the_model() -> None:
    model = seeded(Trained).train()
    before = snapshot(model)
    steer(model, picture(2), along(4, "relu"))
    assert snapshot(model) == before


def running(chunk: int, **options: Any) -> tuple[Passes, Iterator[Steering]]:
    adapter = ModelAdapter(seeded(ModuleRelu))
    passes = Passes(adapter, chunk=chunk, **options)
    setting = ask(adapter, adapter.read(picture(3)), 1)
    return passes, steps(setting, along(6, "second"), DOSES, passes)


def test_does_not_depend_on_the_chunk_and_streams() -> None:
    expected = list(running(64)[1])[-1]
    for chunk in (1, 7):
        passes, stream = running(chunk)
        states = list(stream)
        torch.testing.assert_close(states[-1].scores, expected.scores, rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(states[-1].outputs, expected.outputs, rtol=1e-5, atol=1e-7)
        assert passes.evaluations == 3 * len(DOSES)
        known = [len(state.doses) for state in states]
        assert known == sorted(known)
        assert all(torch.equal(s.doses, expected.doses[: len(s.doses)]) for s in states)
        assert not states[0].complete


def test_cancel_is_obeyed() -> None:
    stop = threading.Event()
    passes, states = running(6, cancelled=stop.is_set)
    next(states)
    stop.set()
    done = passes.evaluations
    with pytest.raises(Cancelled):
        list(states)
    assert passes.evaluations == done


# Bad input.


@pytest.mark.parametrize(
    ("cav", "doses", "error", "says"),
    [
        (along(6, "secnd"), DOSES, LayerError, "'second'"),
        (along(5, "second"), DOSES, LayerError, "5 values.*6 channels"),
        (along(6, "second", weights="0123"), DOSES, ModelError, "other weights"),
        (along(6, "second"), (), InputError, "Doses"),
        (along(6, "second"), (0.0, float("nan")), InputError, "Doses"),
        (along(6, "second"), ("much", "little"), InputError, "Doses"),
        ("stripes", DOSES, InputError, "str has no direction"),
    ],
)
def test_bad_input_is_refused(cav: Any, doses: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        steer(seeded(ModuleRelu), picture(), cav, doses=doses)


def test_wrong_target_and_dose_that_breaks_the_network() -> None:
    cav = along(6, "second")
    with pytest.raises(ExplanationError, match="no class"):
        steer(seeded(ModuleRelu), picture(), cav, target=CLASSES)
    with pytest.raises(ModelError, match="NaN or infinite"):
        steer(seeded(ModuleRelu), picture(), cav, doses=(0, 3e38), target=1)


def test_a_score_that_is_no_class() -> None:
    def bright(output: Tensor) -> Tensor:
        return output[:, 0].mean((1, 2))

    model = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1))
    result = steer(model.eval(), picture(2), along(2, "0"), target=bright)
    assert result.outputs.numel() == 0
    assert result.turning() is None
    assert result.target == ["bright", "bright"]
    slopes = result.scores.diff(dim=1)
    torch.testing.assert_close(slopes, slopes[:, :1].expand_as(slopes), rtol=1e-3, atol=1e-4)
