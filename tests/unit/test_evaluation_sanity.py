"""Sanity checks: their known outcomes on networks that learned something, and copies apart."""

from __future__ import annotations

from typing import Any

import matplotlib.figure
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import ExplanationError, InputError, MethodError, ModelError
from nbxplain.evaluation import random_label_check, sanity_check
from nbxplain.evaluation.randomised import randomised, stages_of, weighted_layers
from nbxplain.evaluation.sanity import Sanity, Stage
from nbxplain.methods.base import make
from tests import digits
from tests.models import Attends, Function, Trained, cnn, linear, picture, seeded

SIGNED = make("grad_cam", relu=False)


def shown() -> Tensor:
    return digits.data()[2][:6]


def test_the_network_has_learned_something() -> None:
    _, _, x, y = digits.data()
    assert float((digits.network()(x).argmax(1) == y).float().mean()) > 0.9


# The outcomes of Adebayo et al.


@pytest.mark.parametrize("method", ["gradient", "smoothgrad", SIGNED])
def test_maps_of_what_was_learned_change(method: Any) -> None:
    found = sanity_check(digits.network(), shown(), method)
    assert found.score < 0.3
    assert found.verdict == "good"
    assert "changes with the weights" in found.reading
    assert abs(found.similarity("ssim")) < 0.4
    assert [len(s.layers) for s in found.cascade] == [1, 2, 3, 5]
    assert [len(s.layers) for s in found.independent] == [1, 1, 1, 2]


@pytest.mark.parametrize("method", ["guided_backprop", "deconvnet"])
def test_maps_that_are_edges_hardly_change(method: str) -> None:
    found = sanity_check(digits.network(), shown(), method, independent=False)
    assert found.score > 0.5
    assert found.verdict == "poor"
    assert "hardly changes" in found.reading
    assert found.similarity("absolute") > 0.5
    assert found.similarity("ssim") > 0.5
    assert found.independent == ()


def test_magnitudes_of_input_times_gradient_hide_the_change() -> None:
    """Where the input is black the map is zero whatever the network has learned."""
    found = sanity_check(digits.network(), shown(), "input_x_gradient", independent=False)
    assert found.verdict == "good"
    assert found.similarity("absolute") > 0.8
    assert "look at its signs" in found.reading


def test_the_outcomes_on_the_pretrained_network(network: nn.Module, cat: Image.Image) -> None:
    options: dict[str, Any] = {"stages": 3, "independent": False}
    scores = {
        method: sanity_check(network, cat, method, **options).score
        for method in ("gradient", "grad_cam", "guided_backprop")
    }
    assert scores["gradient"] < 0.2
    assert scores["grad_cam"] < 0.3
    assert scores["guided_backprop"] > 0.5


# The copies.


def test_the_model_is_left_bit_for_bit() -> None:
    model = seeded(Trained).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    places = [p.data_ptr() for p in model.parameters()]
    sanity_check(model, picture(), "gradient", stages=3)
    assert model.training
    assert [p.data_ptr() for p in model.parameters()] == places
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


def test_a_copy_keeps_every_value_and_loses_the_order() -> None:
    model = cnn()
    copied = randomised(model, ["head", "first"], seed=3)
    for (name, old), (_, new) in zip(
        model.named_parameters(), copied.named_parameters(), strict=True
    ):
        changed = name.startswith(("head", "first"))
        assert torch.equal(old, new) != changed
        assert torch.equal(old.flatten().sort().values, new.flatten().sort().values)
        assert old.data_ptr() != new.data_ptr()


def test_a_cascade_goes_on_from_where_it_was() -> None:
    one = randomised(cnn(), ["head"], seed=3).state_dict()
    two = randomised(cnn(), ["head", "second"], seed=3).state_dict()
    other = randomised(cnn(), ["head"], seed=4).state_dict()
    assert torch.equal(one["head.weight"], two["head.weight"])
    assert not torch.equal(one["head.weight"], other["head.weight"])
    assert not torch.equal(one["second.weight"], two["second.weight"])


def test_layers_come_from_the_top() -> None:
    assert weighted_layers(ModelAdapter(digits.network()), shown()[:1]) == [
        "10",
        "8",
        "5",
        "2",
        "0",
    ]
    # A token that the model itself owns comes last; the order is that of the pass, not of the code.
    tokens = seeded(lambda: Attends(cnn()))
    layers = weighted_layers(ModelAdapter(tokens), picture())
    assert layers == ["trunk.head", "blocks.1", "blocks.0", "trunk.second", "trunk.first", ""]


def test_stages_start_with_the_top_layer_and_cover_all() -> None:
    layers = [str(i) for i in range(81)]
    assert [len(s) for s in stages_of(layers, 5)] == [1, 2, 6, 18, 54]
    assert [len(s) for s in stages_of(layers[:2], 4)] == [1, 1]
    assert [len(s) for s in stages_of(layers, 1)] == [81]
    assert [name for stage in stages_of(layers, 5) for name in stage] == layers


def test_the_first_copy_is_the_map_of_that_copy() -> None:
    x = shown()
    found = sanity_check(digits.network(), x, "gradient", target=3, seed=5, stages=2)
    copied = randomised(digits.network(), ["10"], seed=5)
    expected = explain(copied, x, "gradient", target=3)
    assert found.cascade[0].maps is not None
    torch.testing.assert_close(found.cascade[0].maps, expected.values.sum(1), rtol=1e-4, atol=1e-6)


# Verdicts.


def stage(signed: float, absolute: float = 0.1) -> Stage:
    similarity = {"signed": signed, "absolute": absolute, "ssim": 0.0, "hog": 0.0}
    return Stage("top", ("a",), torch.rand(1, 4, 4), similarity)


@pytest.mark.parametrize(
    ("similarities", "verdict", "words"),
    [
        ([0.1, 0.5], "good", "changes with"),
        ([0.3, 0.5], "weak", "a little"),
        ([0.4, 0.6], "poor", "hardly"),
        ([float("nan"), 0.8], "poor", "hardly"),
        ([float("nan")] * 2, "plain", "cannot tell"),
    ],
)
def test_verdicts(similarities: list[float], verdict: str, words: str) -> None:
    cascade = tuple(map(stage, similarities))
    found = Sanity(torch.rand(1, 4, 4), cascade, (), "Gradient")
    assert found.verdict == verdict
    assert words in found.reading


def test_constant_maps_cannot_tell() -> None:
    """The gradient of a linear model with equal weights is the same for every shuffle of them."""
    model = linear()
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(0.5)
    found = sanity_check(model, picture(), "gradient")
    assert np.isnan(found.score)
    assert found.value == "cannot tell"
    assert isinstance(found.figure(), matplotlib.figure.Figure)


# Random labels.


def test_maps_change_with_the_labels() -> None:
    x, y, *_ = digits.data()

    def quick(x: Tensor, y: Tensor, seed: int) -> nn.Module:
        return digits.train(x, y, seed, epochs=3)

    found = random_label_check(quick, (x, y), shown(), "gradient", seeds=2)
    assert found.score < 0.3
    assert "the labels" in found.reading
    assert len(found.cascade) == 2


def test_tables() -> None:
    model = seeded(lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)))
    found = sanity_check(model, torch.rand(3, 6), "gradient")
    assert np.isnan(found.similarity("ssim"))
    assert not np.isnan(found.score)
    assert isinstance(found.figure(), matplotlib.figure.Figure)


def test_figure_and_steps() -> None:
    from nbxplain.core.passes import Passes
    from nbxplain.evaluation import Case, sanity_check_steps
    from nbxplain.explain import ask

    adapter = ModelAdapter(cnn())
    setting = ask(adapter, adapter.read(picture()), 1)
    attribution = explain(cnn(), picture(), "gradient", target=1)
    case = Case.of(attribution, setting, lambda: Passes(adapter))
    steps = list(sanity_check_steps(case, stages=3))
    assert [s.done for s in steps] == [1, 2, 3, 4, 5, 6]
    assert {s.total for s in steps} == {6}
    drawing = steps[-1].figure()
    assert len([a for a in drawing.axes if a.images]) == 2 * (1 + 3)


@pytest.mark.parametrize(
    ("given", "options", "error", "match"),
    [
        (torch.rand(16, 16), {}, MethodError, "cannot be made again"),
        ("gradient", {"stages": 0}, InputError, "at least one"),
    ],
)
def test_bad_input(
    given: Any, options: dict[str, Any], error: type[ExplanationError], match: str
) -> None:
    with pytest.raises(error, match=match):
        sanity_check(cnn(), picture(), given, **options)


def test_a_model_without_weights() -> None:
    model = Function(lambda x: x.flatten(1)[:, :4])
    with pytest.raises(ModelError, match="no weights"):
        sanity_check(model, picture(), "gradient")


@pytest.mark.parametrize(
    ("dataset", "result", "error", "match"),
    [
        ((torch.rand(4, 3, 16, 16), torch.zeros(3)), cnn(), InputError, "4 inputs"),
        ((torch.rand(4, 3, 16, 16), torch.zeros(4)), None, ModelError, "NoneType"),
        (7, cnn(), InputError, "no pair"),
    ],
)
def test_bad_training(dataset: Any, result: Any, error: type[ExplanationError], match: str) -> None:
    with pytest.raises(error, match=match):
        random_label_check(lambda x, y, seed: result, dataset, picture(), "gradient")
