"""Concept bottlenecks: trained three ways, corrected, asked what to correct next, seen to leak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest
from torch import Tensor, nn

from nbxplain import ConceptBottleneck, Explorer, explain
from nbxplain.concepts.bottleneck import (
    Intervention,
    InterventionCurve,
    Leakage,
    draw_curves,
    intervention_curve,
    leakage,
)
from nbxplain.core.errors import (
    ExplanationError,
    InputError,
    LayerError,
    MethodError,
    ModelError,
)
from tests.models import picture
from tests.snapshot import snapshot

VOTERS = [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8], [8, 9, 10, 11, 0]]
CONCEPTS = [f"concept {number}" for number in range(12)]
NOISE = 1.0


def votes(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Twelve binary concepts seen in 40 noisy numbers; three majority votes give one of 8 classes.

    Returns inputs (N, 40), concepts (N, 12) and classes (N,).
    """
    generator = torch.Generator().manual_seed(seed)
    concepts = (torch.rand(count, 12, generator=generator) < 0.5).float()
    mixing = torch.randn(12, 40, generator=torch.Generator().manual_seed(99)) / 12**0.5
    noise = NOISE * torch.randn(count, 40, generator=generator)
    ballots = [concepts[:, voters].sum(1) > 2.5 for voters in VOTERS]
    classes = torch.stack(ballots, 1).long() @ torch.tensor([1, 2, 4])
    return (2 * concepts - 1) @ mixing + noise, concepts, classes


def untrained() -> ConceptBottleneck:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        head = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 8))
        backbone = nn.Sequential(nn.Linear(40, 64), nn.ReLU())
        return ConceptBottleneck(backbone, CONCEPTS, 8, head=head)


@pytest.fixture(scope="module")
def trained() -> Callable[[str], ConceptBottleneck]:
    """A model for each way of training, made once."""
    made: dict[str, ConceptBottleneck] = {}
    weights = {"independent": 1.0, "sequential": 1.0, "leaky": 0.01}

    def give(way: str) -> ConceptBottleneck:
        if way not in made:
            made[way] = untrained()
            mode: Any = "joint" if way == "leaky" else way
            data = votes(3000, 0)
            made[way].fit(*data, mode, concept_weight=weights[way], epochs=15, batch_size=100)
        return made[way]

    return give


@pytest.mark.parametrize("way", ["independent", "sequential"])
def test_correcting_concepts_mends_the_class(trained: Any, way: str) -> None:
    curve = intervention_curve(trained(way), *votes(400, 1), "random")
    accuracy = np.array(curve.accuracy)
    assert accuracy[0] < 0.8
    assert accuracy[-1] >= 0.99
    assert (np.diff(accuracy) >= 0).all(), accuracy


@pytest.mark.parametrize("way", ["independent", "sequential"])
@pytest.mark.parametrize("order", ["uncertainty", "change"])
def test_asking_for_the_right_ones_beats_chance(trained: Any, way: str, order: Any) -> None:
    data = votes(400, 1)
    random = intervention_curve(trained(way), *data, "random")
    asked = intervention_curve(trained(way), *data, order)
    assert asked.accuracy[4] >= random.accuracy[4] + 0.10
    assert asked.score > random.score


def test_a_leaky_joint_model_falls(trained: Any) -> None:
    light = leakage(trained("leaky"), *votes(400, 1))
    assert light.score > 0.2
    assert light.verdict == "poor"
    assert light.steps == (0, 12)
    assert "leak" in light.reading
    assert light.curve.concept_accuracy < 0.8


@pytest.mark.parametrize("way", ["independent", "sequential"])
def test_the_light_is_green_for_honest_models(trained: Any, way: str) -> None:
    light = leakage(trained(way), *votes(400, 1))
    assert light.verdict == "good", light


def test_joint_training_with_a_high_weight_is_honest() -> None:
    model = untrained()
    model.fit(*votes(3000, 0), "joint", concept_weight=5.0, epochs=15, batch_size=100)
    light = leakage(model, *votes(400, 1), seeds=3)
    assert light.verdict == "good", light
    assert light.curve.accuracy[-1] > 0.95


# What a correction does, by hand.


def by_hand() -> ConceptBottleneck:
    """Three inputs are the logits of three concepts; class scores are linear in them."""
    head = nn.Linear(3, 2)
    model = ConceptBottleneck(nn.Identity(), ["a", "b", "c"], ["left", "right"], head=head)
    model(torch.zeros(1, 3))
    with torch.no_grad():
        model.to_concepts.linear.weight.copy_(torch.eye(3))
        model.to_concepts.linear.bias.zero_()
        head.weight.copy_(torch.tensor([[2.0, -1.0, 0.0], [0.0, 1.0, 0.5]]))
        head.bias.copy_(torch.tensor([0.25, 0.0]))
    return model.eval()


def class_shares(values: np.ndarray) -> np.ndarray:
    """Class probabilities of concepts (3,), in float64."""
    scores = np.array([2 * values[0] - values[1] + 0.25, values[1] + 0.5 * values[2]])
    powers = np.exp(scores)
    return np.asarray(powers / powers.sum())


LOGITS = torch.tensor([[0.3, -1.2, 2.0], [-0.1, 0.0, 3.0]])
PRESENT = 1 / (1 + np.exp(-LOGITS.double().numpy()))


def test_a_correction_by_hand() -> None:
    result = by_hand().intervene(LOGITS, {"b": 1, "a": torch.tensor([0.0, 0.5])})
    np.testing.assert_allclose(result.before.probabilities, PRESENT, rtol=1e-6)
    for row, first in enumerate([0.0, 0.5]):
        expected = class_shares(np.array([first, 1.0, PRESENT[row, 2]]))
        np.testing.assert_allclose(result.after.class_probabilities[row], expected, rtol=1e-5)
        expected = class_shares(PRESENT[row])
        np.testing.assert_allclose(result.before.class_probabilities[row], expected, rtol=1e-5)
    assert result.before.predicted[0] == "left"
    assert result.after.predicted[0] == "right"
    assert result.changed == [True, result.before.predicted[1] != "right"]
    assert "left becomes right" in result.reading(0)


def test_what_a_panel_shows() -> None:
    said = by_hand().corrected(LOGITS, {"b": True}).as_dict(1)
    assert said["concepts"] == ["a", "b", "c"]
    assert said["corrections"] == {"b": 1.0}
    assert said["next"] == ["a", "c"]
    assert said["classes"] == ["left", "right"]
    p = PRESENT[1]
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    np.testing.assert_allclose(said["uncertainty"], [entropy[0], 0, entropy[2]], rtol=1e-6)
    assert by_hand().state(LOGITS).as_dict(1)["next"] == ["b", "a", "c"]


@pytest.mark.parametrize("told", [{}, {"a": 1.0}])
def test_the_expected_change_by_hand(told: dict[str, float]) -> None:
    def change(row: int, place: int) -> float:
        values = PRESENT[row].copy()
        values[0] = told.get("a", values[0])
        moved = 0.0
        for answer, chance in ((1.0, values[place]), (0.0, 1 - values[place])):
            then = values.copy()
            then[place] = answer
            moved += chance * 0.5 * np.abs(class_shares(then) - class_shares(values)).sum()
        return moved

    open_ones = [name for name in "abc" if name not in told]
    expected = [sorted(open_ones, key=lambda n: -change(row, "abc".index(n))) for row in range(2)]
    assert by_hand().next_concepts(LOGITS, told, by="change") == expected


def test_the_class_sees_nothing_but_concepts(trained: Any) -> None:
    """With all concepts given, any two inputs have the same scores."""
    x, concepts, _ = votes(2, 5)
    told = dict(zip(CONCEPTS, concepts[0].tolist(), strict=True))
    one, other = trained("leaky").corrected(x, told).class_probabilities
    assert torch.equal(one, other)


# Curves and the light, of results that are made up.


def made_up(accuracies: list[float], inputs: int = 200, chance: float = 0.25) -> InterventionCurve:
    """A curve on which the first inputs are right, as many as the accuracy says."""
    rows = [torch.arange(inputs) < round(a * inputs) for a in accuracies]
    return InterventionCurve(torch.stack(rows).unsqueeze(0), "random", 0.5, chance)


def test_the_band_is_wilsons() -> None:
    curve = made_up([0.2, 0.75, 1.0])
    for step, right in enumerate([40, 150, 200]):
        low, high = binomtest(right, 200).proportion_ci(0.95, "wilson")
        assert curve.band[0][step] == pytest.approx(low, abs=1e-4)
        assert curve.band[1][step] == pytest.approx(high, abs=1e-4)


@pytest.mark.parametrize(
    ("accuracies", "inputs", "verdict", "steps"),
    [
        ([0.6, 0.7, 1.0], 200, "good", (0, 0)),
        ([0.6, 0.9, 0.7, 0.8], 200, "poor", (1, 2)),
        ([0.9, 0.87], 200, "weak", (0, 1)),
        ([0.9, 0.8], 10, "weak", (0, 1)),
    ],
)
def test_the_light(accuracies: Any, inputs: int, verdict: str, steps: Any) -> None:
    light = Leakage(made_up(accuracies, inputs))
    assert light.score == pytest.approx(accuracies[steps[0]] - accuracies[steps[1]])
    assert (light.verdict, light.steps) == (verdict, steps)


def test_a_model_that_knows_no_class_has_nothing_to_leak() -> None:
    light = Leakage(made_up([0.3, 0.25]))
    assert light.verdict == "plain"
    assert light.value == "cannot tell"
    assert "cannot tell" in light.reading


def test_draws_of_the_order(trained: Any) -> None:
    data = votes(50, 2)
    three = intervention_curve(trained("independent"), *data, seeds=3)
    assert three.right.shape == (3, 13, 50)
    again = intervention_curve(trained("independent"), *data, seeds=[2])
    assert torch.equal(again.right[0], three.right[2])
    certain = intervention_curve(trained("independent"), *data, "uncertainty", seeds=3)
    assert certain.right.shape == (1, 13, 50)


def test_figures(trained: Any) -> None:
    x, concepts, classes = votes(30, 2)
    curve = intervention_curve(trained("leaky"), x, concepts, classes, seeds=2)
    result: Intervention = trained("leaky").intervene(x, {"concept 3": 1})
    legend = draw_curves({"ours": curve}).axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.texts] == ["ours"]
    for figure in (curve.figure(), Leakage(curve).figure(), result.figure(1, width="single")):
        assert figure._repr_png_().startswith(b"\x89PNG")


# Training.


def test_training_is_repeatable_and_leaves_the_random_states() -> None:
    data, first, second = votes(200, 3), untrained(), untrained()
    before = torch.get_rng_state()
    first.fit(*data, epochs=2, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    second.fit(*data, epochs=2, seed=4)
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_weights_are_saved_and_loaded(trained: Any) -> None:
    model, fresh, (x, *_) = trained("independent"), untrained(), votes(10, 2)
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.concepts(x), model.concepts(x))
    assert torch.equal(fresh.eval()(x), model(x))


def test_double_precision_stays() -> None:
    x, concepts, classes = votes(60, 0)
    model = ConceptBottleneck(nn.Linear(40, 8).double(), CONCEPTS, 8)
    model.fit(x, concepts, classes, "joint", epochs=1)
    assert model(x.double()).dtype == torch.float64
    assert model.intervene(x, {"concept 1": 1}).after.class_probabilities.dtype == torch.float64


def test_independent_and_sequential_share_their_concepts() -> None:
    data, models = votes(300, 3), [untrained(), untrained()]
    for model, mode in zip(models, ("independent", "sequential"), strict=True):
        model.fit(*data, mode, epochs=2)  # type: ignore[arg-type]
    one, other = (model.concepts(data[0]) for model in models)
    assert torch.equal(one, other)
    heads = [model.to_classes[0].weight for model in models]  # type: ignore[index]
    assert not torch.equal(*heads)


def test_a_frozen_backbone_keeps_its_weights_and_statistics() -> None:
    backbone = nn.Sequential(nn.Linear(40, 16), nn.BatchNorm1d(16)).requires_grad_(False).train()
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    model = ConceptBottleneck(backbone, CONCEPTS, 8)
    # 65 inputs in batches of 64: no batch of a single one.
    model.fit(*votes(65, 0), "joint", epochs=2)
    assert all(torch.equal(before[name], value) for name, value in backbone.state_dict().items())
    assert not model.training


@pytest.mark.parametrize("mode", ["independent", "sequential", "joint"])
def test_inputs_pass_a_frozen_backbone_once(mode: Any) -> None:
    """And training is that of a bottleneck on its features."""
    passed: list[int] = []

    class Counts(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            passed.append(len(x))
            return super().forward(x)

    x, concepts, classes = votes(150, 0)
    torch.manual_seed(0)
    backbone = Counts(40, 16).requires_grad_(False)
    features = backbone(x)
    models = []
    for start, given in ((backbone, x), (nn.Identity(), features)):
        torch.manual_seed(1)
        models.append(ConceptBottleneck(start, CONCEPTS, 8))
        passed.clear()
        models[-1].fit(given, concepts, classes, mode, epochs=3)
    one, other = models[0].concepts(x), models[1].concepts(features)
    assert torch.allclose(one, other, atol=1e-5)
    passed.clear()
    models[0].fit(x, concepts, classes, mode, epochs=3)
    assert sum(passed) <= len(x) + 1


def test_a_head_that_is_a_rule_needs_no_training() -> None:
    class Rule(nn.Module):
        def forward(self, concepts: Tensor) -> Tensor:
            return torch.stack([concepts[:, 0], 1 - concepts[:, 0]], 1)

    x, concepts, _ = votes(200, 0)
    model = ConceptBottleneck(nn.Identity(), CONCEPTS, ["yes", "no"], head=Rule())
    told = model.fit(x, concepts, (concepts[:, 0] == 0).long(), epochs=2)
    assert np.isnan(told.class_loss[-1])
    assert model.corrected(x[:2], {"concept 0": 1}).predicted == ["yes", "yes"]


def test_labels_come_as_tables_too() -> None:
    x, concepts, classes = votes(60, 0)
    names = [f"class {number}" for number in range(8)]
    frame = pd.DataFrame(concepts.numpy(), columns=CONCEPTS)
    given: list[Any] = [concepts, concepts.numpy().astype(bool), frame[CONCEPTS[::-1]]]
    given.append({name: frame[name].tolist() for name in CONCEPTS})
    found = []
    for labels in given:
        torch.manual_seed(0)
        model = ConceptBottleneck(nn.Linear(40, 8), CONCEPTS, names)
        model.fit(x, labels, [names[place] for place in classes.tolist()], epochs=1)
        found.append(model.concepts(x))
    assert all(torch.equal(found[0], other) for other in found[1:])


# In the rest of the project, and in a user's own model.


def shapes() -> ConceptBottleneck:
    torch.manual_seed(1)
    backbone = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
    model = ConceptBottleneck(backbone, ["round", "striped"], ["ball", "zebra", "other"])
    labels = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    model.fit(picture(3), labels, [0, 1, 2], epochs=1)
    return model


def test_explain_and_explorer_work_on_it() -> None:
    model = shapes()
    result = explain(model, picture(), "grad_cam", target="zebra")
    assert result.target == ["zebra"]
    concept = explain(model.to_concepts, picture(), "grad_cam", target="striped")
    assert concept.target == ["striped"]
    assert torch.isfinite(concept.values).all()
    explorer = Explorer(model, picture())
    try:
        explorer.wait()
        assert "ball" in str(explorer._prediction)
    finally:
        explorer.close()


class Own(nn.Module):
    """A user's bottleneck: logits of the concepts, a sigmoid, a head, and maybe a way around."""

    def __init__(self, around: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Linear(40, 32), nn.ReLU(), nn.Dropout(0.5))
        self.attributes = nn.Linear(32, 12)
        self.squash = nn.Sigmoid()
        self.classify = nn.Linear(12, 8)
        self.around = nn.Linear(32, 8) if around else None

    def forward(self, x: Tensor) -> Any:
        features = self.features(x)
        present = self.squash(self.attributes(features))
        scores = self.classify(present)
        if self.around is not None:
            scores = 0 * scores + self.around(features)
        return {"attributes": present, "logits": scores}


@pytest.mark.parametrize(
    ("layer", "gives"), [("attributes", "logits"), ("squash", "probabilities")]
)
def test_a_model_of_your_own(layer: str, gives: Any) -> None:
    torch.manual_seed(2)
    model, (x, concepts, classes) = Own(), votes(40, 0)
    model.train()
    model(x)["logits"].sum().backward()
    before = snapshot(model)
    own = ConceptBottleneck.of(model, layer, CONCEPTS, gives=gives)
    after = own.corrected(x, {"concept 3": 1, "concept 7": 0}).class_probabilities
    curve = intervention_curve(own, x, concepts, classes, seeds=2)
    assert snapshot(model) == before
    values = model.eval()(x)["attributes"].detach()
    assert torch.allclose(own.concepts(x), values, atol=1e-6)
    high, low = (1, 0) if gives == "probabilities" else (0.95, 0.05)
    values[:, 3], values[:, 7] = high, low
    expected = model.classify(values).softmax(1)
    assert torch.allclose(after, expected, atol=1e-5)
    assert curve.right.shape == (2, 13, 40)


def test_logits_are_corrected_to_percentiles_of_the_examples() -> None:
    torch.manual_seed(2)
    model, (x, *_) = Own().eval(), votes(200, 0)
    own = ConceptBottleneck.of(model, "attributes", CONCEPTS, gives="logits", examples=x)
    logits = model.attributes(model.features(x)).detach()
    logits[:, 3] = float(np.percentile(logits[:, 3].numpy(), 95))
    expected = model.classify(logits.sigmoid()).softmax(1)
    after = own.corrected(x, {"concept 3": 1}).class_probabilities
    assert torch.allclose(after, expected, atol=1e-5)


def test_the_same_model_from_within_and_from_without(trained: Any) -> None:
    model, data = trained("independent"), votes(60, 2)

    class Seen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.logits, self.squash, self.head = model.to_concepts, nn.Sigmoid(), model.to_classes

        def forward(self, x: Tensor) -> Any:
            return self.head(self.squash(self.logits(x)))

    own = ConceptBottleneck.of(Seen(), "squash", CONCEPTS, gives="probabilities")
    for order in ("random", "uncertainty", "change"):
        one = intervention_curve(model, *data, order, 2)
        other = intervention_curve(own, *data, order, 2)
        assert torch.equal(one.right, other.right)


def test_a_way_around_the_concepts_stays_open() -> None:
    torch.manual_seed(2)
    model, (x, *_) = Own(around=True), votes(20, 0)
    own = ConceptBottleneck.of(model, "squash", CONCEPTS, gives="probabilities")
    told = own.intervene(x, dict.fromkeys(CONCEPTS, 1))
    assert not any(told.changed)


# Bad input.

X, C, Y = votes(20, 0)
ROW = C[0].tolist()


def without(name: str) -> dict[str, Any]:
    return {key: C[:, place] for place, key in enumerate(CONCEPTS) if key != name}


def spoilt(value: float) -> Tensor:
    labels = C.clone()
    labels[4, 2] = value
    return labels


@pytest.mark.parametrize(
    ("concepts", "classes", "said"),
    [
        (None, Y, "no concept labels"),
        (C, None, "no class labels"),
        (C[:19], Y, r"\(19, 12\) do not fit 20 inputs"),
        (C[:, :11], Y, r"\(20, 11\) do not fit"),
        (spoilt(float("nan")), Y, "'concept 2' are not in .* row 4 has nan"),
        (spoilt(2.0), Y, "row 4 has 2"),
        (without("concept 5"), Y, "'concept 5' has no labels"),
        ({**without("concept 5"), "concept 5": [1, 0]}, Y, "not one for each of the 20"),
        ([["yes"] * 12] * 20, Y, "cannot be read as numbers"),
        (C, Y[:5], "20 inputs have 5 class labels"),
        (C, Y + 1, "is none of the 8 classes"),
        (C, Y - 1, "is none of the 8 classes"),
        (C, Y + 0.5, "neither whole numbers nor names"),
        (C, ["zebra"] * 20, "no class 'zebra'"),
    ],
)
def test_labels_that_do_not_fit(concepts: Any, classes: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        untrained().fit(X, concepts, classes if classes is not None else None)
    with pytest.raises(InputError, match=said):
        intervention_curve(ready(), X, concepts, classes)


def ready() -> ConceptBottleneck:
    model = untrained()
    model(X)
    return model


@pytest.mark.parametrize(
    ("corrections", "said"),
    [
        ({"concept x": 1}, "no concept 'concept x'. Did you mean"),
        ({"concept 1": 2}, r"not in \[0, 1\]"),
        ({"concept 1": float("nan")}, r"not in \[0, 1\]"),
        ({"concept 1": "yes"}, "cannot be read as numbers"),
        ({"concept 1": [1, 0, 1]}, r"shape \(3,\) for 20 inputs"),
    ],
)
def test_corrections_that_mean_nothing(corrections: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        ready().intervene(X, corrections)
    with pytest.raises(InputError, match=said):
        ready().next_concepts(X, corrections)


@pytest.mark.parametrize(
    ("concepts", "classes", "said"),
    [
        ([], 8, "needs 1 or more concept names"),
        ("striped", 8, "needs 1 or more concept names"),
        (["a", "b", "a"], 8, "concept 'a' comes twice"),
        (["a", " "], 8, "concept names"),
        (["a"], 1, "needs 2 or more class names"),
        (["a"], ["x", "x"], "class 'x' comes twice"),
    ],
)
def test_names_that_name_nothing(concepts: Any, classes: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        ConceptBottleneck(nn.Identity(), concepts, classes)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "both"}, "no mode 'both'"),
        ({"concept_weight": -1}, "concept_weight"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"head_learning_rate": float("nan")}, "head_learning_rate"),
    ],
)
def test_training_that_cannot_be(options: Any, said: str) -> None:
    with pytest.raises(MethodError, match=said):
        untrained().fit(X, C, Y, **options)


def test_a_loss_that_is_not_finite() -> None:
    with pytest.raises(ModelError, match="Lower learning_rate"):
        untrained().fit(X, C, Y, epochs=40, learning_rate=1e30)


def test_inputs_that_are_nan() -> None:
    with pytest.raises(InputError, match="NaN"):
        untrained().fit(X * float("nan"), C, Y)


def test_a_model_without_training_has_no_weights_yet() -> None:
    with pytest.raises(ModelError, match="lazy"):
        untrained().concepts(X)


def test_backbones_and_heads_of_the_wrong_shape() -> None:
    with pytest.raises(ModelError, match=r"backbone gives shape \(1, 5, 8\)"):
        ConceptBottleneck(nn.Unflatten(1, (5, 8)), CONCEPTS, 8).fit(X, C, Y)
    with pytest.raises(ModelError, match="one score a class"):
        ConceptBottleneck(nn.Identity(), CONCEPTS, 8, head=nn.Linear(12, 7)).fit(X, C, Y)
    with pytest.raises(ModelError, match=r"input of shape \(1, 12\)"):
        ConceptBottleneck(nn.Identity(), CONCEPTS, 8, head=nn.Linear(11, 8)).fit(X, C, Y)
    with pytest.raises(ModelError, match=r"input of shape \(1, 40\)"):
        ConceptBottleneck(nn.Linear(39, 8), CONCEPTS, 8).fit(X, C, Y)


@pytest.mark.parametrize(
    ("layer", "concepts", "gives", "said"),
    [
        ("squosh", CONCEPTS, "probabilities", "Did you mean 'squash'"),
        ("features", CONCEPTS, "logits", r"shape \(32,\) for 12 concepts"),
        ("squash", CONCEPTS[:3], "probabilities", r"shape \(12,\) for 3 concepts"),
        ("attributes", CONCEPTS, "probabilities", "which are no probabilities"),
        ("squash", CONCEPTS, "odds", "cannot give 'odds'"),
    ],
)
def test_layers_that_are_no_concepts(layer: str, concepts: Any, gives: Any, said: str) -> None:
    with pytest.raises(ExplanationError, match=said) as caught:
        ConceptBottleneck.of(Own(), layer, concepts, gives=gives).concepts(X)
    assert isinstance(caught.value, LayerError | MethodError)


def test_orders_and_models_that_do_not_exist() -> None:
    with pytest.raises(MethodError, match="no order 'best'"):
        intervention_curve(ready(), X, C, Y, "best")  # type: ignore[arg-type]
    with pytest.raises(MethodError, match="no order 'random'"):
        ready().next_concepts(X, by="random")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no seeds"):
        intervention_curve(ready(), X, C, Y, seeds=0)
    with pytest.raises(ModelError, match=r"ConceptBottleneck\.of"):
        intervention_curve(nn.Linear(40, 8), X, C, Y)  # type: ignore[arg-type]
