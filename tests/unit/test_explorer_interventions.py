"""Correcting what a concept bottleneck sees, from Python and as the page does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from nbxplain import ConceptBottleneck, Explorer
from nbxplain.core.errors import InputError
from tests.models import cnn, picture
from tests.unit.page import FakePage

pytest_plugins = ["tests.unit.page"]

CONCEPTS = ["round", "striped", "wet"]
CLASSES = ["ball", "zebra", "lake"]
SEEN = torch.tensor([2.0, 0.3, -1.0])
"""Logits of the concepts, whatever the picture."""
HEAD = torch.tensor([[2.0, -1.0, 0.0], [-1.0, 3.0, 0.0], [0.0, 0.0, 4.0]])


def bottleneck() -> ConceptBottleneck:
    """Sees the same in each picture; its classes are a product by hand."""
    model = ConceptBottleneck(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), CONCEPTS, CLASSES)
    model(picture())
    with torch.no_grad():
        linear = cast(nn.Linear, model.to_concepts.linear)
        linear.weight.zero_()
        linear.bias.copy_(SEEN)
        head = cast(nn.Linear, model.to_classes)
        head.weight.copy_(HEAD)
        head.bias.zero_()
    return model.eval()


def shares(**values: float) -> list[float]:
    """The class probabilities by hand, with some concepts as given."""
    said = SEEN.double().sigmoid()
    for name, value in values.items():
        said[CONCEPTS.index(name)] = value
    found: list[float] = (HEAD.double() @ said).softmax(0).tolist()
    return found


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    made = Explorer(bottleneck(), picture(), method="gradient")
    made.wait()
    made.interventions.wait()
    yield made
    made.close()


def told(explorer: Explorer) -> dict[str, Any]:
    explorer.interventions.wait()
    return cast(dict[str, Any], explorer._bottleneck)


def test_the_page_is_told_what_the_model_sees(explorer: Explorer) -> None:
    shown = told(explorer)
    assert [each["name"] for each in shown["concepts"]] == CONCEPTS
    probabilities = [each["probability"] for each in shown["concepts"]]
    assert probabilities == pytest.approx(SEEN.sigmoid().tolist())
    # -log2 of .5744 and .4256, each by its share
    assert shown["concepts"][1]["uncertainty"] == pytest.approx(0.9840, abs=1e-4)
    assert {each["corrected"] for each in shown["concepts"]} == {None}
    assert shown["next"] == "striped"
    before = {each["label"]: each["before"] for each in shown["choices"]}
    assert before == pytest.approx(dict(zip(CLASSES, shares(), strict=True)))
    assert all(each["after"] == each["before"] for each in shown["choices"])
    assert shown["reading"] == ""
    assert shown["failure"] is None


def test_corrections_add_up_and_are_taken_back(explorer: Explorer) -> None:
    explorer.interventions.correct({"striped": 1})
    explorer.interventions.correct({"round": 0})
    state = explorer.interventions.state
    assert state.corrections() == {"striped": 1, "round": 0}
    assert state.predicted == ["zebra"]
    assert state.class_probabilities[0].tolist() == pytest.approx(shares(striped=1, round=0))
    assert explorer.interventions.result.changed == [True]
    explorer.interventions.correct({"round": None})
    assert explorer.interventions.state.corrections() == {"striped": 1}
    explorer.interventions.reset()
    assert explorer.interventions.state.corrections() == {}
    assert told(explorer)["reading"] == ""


def test_the_page_corrects(explorer: Explorer) -> None:
    page = FakePage(explorer)
    assert page.ask("intervene", corrections={"striped": 1.0})["ok"]
    assert page.ask("intervene", corrections={"wet": 0.0})["ok"]
    shown = told(explorer)
    assert [each["corrected"] for each in shown["concepts"]] == [None, 1.0, 0.0]
    assert [each["uncertainty"] > 0 for each in shown["concepts"]] == [True, False, False]
    assert shown["next"] == "round"
    after = {each["label"]: each["after"] for each in shown["choices"]}
    expected = shares(striped=1, wet=0)
    assert not page.ask("intervene", corrections={"stripd": 0.0})["ok"]
    assert after == pytest.approx(dict(zip(CLASSES, expected, strict=True)))
    assert "striped = 1, wet = 0 corrected" in shown["reading"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"stripd": 1}, "'striped'"), ({"striped": 2}, "in [0, 1]"), ({"stripd": None}, "'striped'")],
)
def test_what_cannot_be_is_refused_and_nothing_is_lost(
    explorer: Explorer, wrong: dict[str, Any], words: str
) -> None:
    explorer.interventions.correct({"striped": 1})
    with pytest.raises(InputError) as error:
        explorer.interventions.correct({"wet": 1, **wrong})
    assert words in str(error.value)
    assert explorer.interventions.state.corrections() == {"striped": 1}


def test_another_picture_is_seen_afresh(explorer: Explorer) -> None:
    explorer.interventions.correct({"striped": 1})
    explorer.image = picture(2)[1:]
    assert {each["corrected"] for each in told(explorer)["concepts"]} == {None}


def test_changed_weights_are_looked_at_again(explorer: Explorer) -> None:
    model = cast(ConceptBottleneck, explorer._adapter.model)
    with torch.no_grad():
        cast(nn.Linear, model.to_concepts.linear).bias.fill_(-3.0)
    explorer.interventions.correct({"striped": 1})
    seen = explorer.interventions.state.probabilities[0]
    assert seen.tolist() == pytest.approx([0.0474] * 3, abs=1e-4)


def test_without_a_bottleneck_there_is_nothing_to_correct() -> None:
    explorer = Explorer(cnn(), picture(), method="gradient")
    try:
        explorer.wait()
        assert explorer._bottleneck is None
        with pytest.raises(InputError, match="no concepts"):
            explorer.interventions.correct({"striped": 1})
        with pytest.raises(InputError, match="no concepts"):
            explorer.interventions.reset()
        with pytest.raises(InputError, match="no concepts"):
            _ = explorer.interventions.state
    finally:
        explorer.close()


class Own(nn.Module):
    """A user's bottleneck over rows of a table: one number a concept, and a way of its own to say
    the classes."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes, self.classify = nn.Linear(5, 3), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"logits": self.classify(self.attributes(x).sigmoid())}


def test_the_bottleneck_inside_a_users_model() -> None:
    torch.manual_seed(0)
    given: dict[str, Any] = {"labels": CLASSES, "output": "logits"}
    model, row = Own(), torch.randn(1, 5)
    own = ConceptBottleneck.of(model, "attributes", CONCEPTS, gives="logits", **given)
    explorer = Explorer(own, row, method="gradient")
    try:
        explorer.wait()
        explorer.interventions.correct({"wet": 1})
        shown = told(explorer)
        expected = own.corrected(row, {"wet": 1}).class_probabilities[0]
        after = {each["label"]: each["after"] for each in shown["choices"]}
        assert after == pytest.approx(dict(zip(CLASSES, expected.tolist(), strict=True)))
        assert "labels=labels" in explorer.code()
        assert "output=output" in explorer.code()
    finally:
        explorer.close()


def test_a_layer_that_gives_no_concepts_is_a_card() -> None:
    own = ConceptBottleneck.of(
        Own(), "attributes", ["round", "wet"], gives="logits", output="logits"
    )
    explorer = Explorer(own, torch.randn(1, 5), method="gradient")
    try:
        assert explorer.wait() is not None
        with pytest.raises(Exception, match="for 2 concepts"):
            explorer.interventions.wait()
        assert explorer._bottleneck is not None
        assert "for 2 concepts" in explorer._bottleneck["failure"]["title"]
    finally:
        explorer.close()
