"""The Concepts panel: gathered, tested, shown, steered; bad input is named and loses nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nbxplain import Explorer
from nbxplain.concepts import Concept, steer, tcav
from nbxplain.core.errors import InputError, LayerError, MethodError
from nbxplain.core.passes import Passes
from tests.unit.page import FakePage, until

pytest_plugins = ["tests.unit.page"]

SIDE = 24
KINDS = ("upright", "lying", "plain")


class Stripes(nn.Module):
    """Class 0 is upright stripes, class 1 lying ones, class 2 a bias; `aside` leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.edges, self.relu = nn.Conv2d(3, 6, 4, bias=False), nn.ReLU()
        self.aside, self.head = nn.Conv2d(3, 2, 3), nn.Linear(6, 3)
        wave = torch.tensor([1.0, 1, -1, -1])
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            self.edges.weight.normal_(0, 0.05, generator=generator)
            self.edges.weight[0] = wave.view(1, 1, 4) / 12
            self.edges.weight[1] = wave.view(1, 4, 1) / 12
            self.head.weight.zero_()
            self.head.weight[0, 0] = self.head.weight[1, 1] = 30
            self.head.bias.copy_(torch.tensor([0.0, 0, 3]))

    def forward(self, x: Tensor) -> Tensor:
        self.aside(x)
        scores: Tensor = self.head(self.relu(self.edges(x)).mean((2, 3)))
        return scores


def prepared(picture: Image.Image) -> Tensor:
    pixels = np.asarray(picture.convert("RGB").resize((SIDE, SIDE)), np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def drawn(kind: str, seed: int) -> Image.Image:
    """A picture of stripes, or of nothing, in noise."""
    generator = np.random.default_rng(seed)
    noise = generator.uniform(60, 120, (SIDE, SIDE, 3))
    y, x = np.mgrid[:SIDE, :SIDE] + generator.integers(0, 4)
    waves = {"upright": x % 4 < 2, "lying": y % 4 < 2, "plain": np.zeros_like(x, bool)}
    return Image.fromarray((noise + 90 * waves[kind][..., None]).astype(np.uint8))


def several(kind: str, count: int, seed: int) -> list[Image.Image]:
    return [drawn(kind, seed + number) for number in range(count)]


def mixed(count: int, seed: int) -> list[Image.Image]:
    return [drawn(KINDS[number % 3], seed + number) for number in range(count)]


def encoded(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(
        Stripes().eval(), drawn("upright", 900), preprocess=prepared, labels=list(KINDS), target=0
    )
    explorer.wait()
    yield explorer
    explorer.close()


@pytest.fixture
def gathered(explorer: Explorer) -> Explorer:
    """All that a test needs: two concepts, random pictures, pictures of the class."""
    concepts = explorer.concepts
    concepts.add("upright", several("upright", 12, 0))
    concepts.add("lying", several("lying", 10, 100))
    concepts.random_set(mixed(40, 200))
    concepts.class_pictures(several("upright", 8, 300))
    return explorer


def told(explorer: Explorer) -> dict[str, Any]:
    state = explorer._concepts
    assert state is not None
    return dict(state)


def counts(explorer: Explorer) -> dict[str, int]:
    state = told(explorer)
    piles = {pile["name"]: pile["count"] for pile in state["concepts"]}
    return piles | {name: state[name]["count"] for name in ("random", "pictures")}


def ran(explorer: Explorer, permutations: int = 39, **options: Any) -> Explorer:
    explorer.concepts.run("relu", permutations=permutations, **options)
    explorer.concepts.wait()
    return explorer


# Gathering


def test_what_is_wanting_is_told_from_the_start(explorer: Explorer) -> None:
    first, second, third = told(explorer)["wanting"]
    assert "No concept has the 4 examples" in first
    assert "0 random pictures" in second
    assert "1 pictures of upright; 5 are needed" in third
    with pytest.raises(InputError, match="No concept has"):
        explorer.concepts.run()


def test_concepts_are_added_renamed_and_removed(explorer: Explorer) -> None:
    concepts = explorer.concepts
    concepts.add("stripes")
    concepts.add_examples("stripes", several("upright", 3, 0))
    concepts.add("  dots ", several("plain", 2, 9))
    with pytest.raises(InputError, match="'dots' already"):
        concepts.add("dots ")
    concepts.rename("stripes", "  bars ")
    assert concepts.names == ["bars", "dots"]
    assert counts(explorer) == {"bars": 3, "dots": 2, "random": 0, "pictures": 0}
    concepts.remove("dots")
    assert concepts.names == ["bars"]
    for call in (lambda: concepts.remove("dots"), lambda: concepts.rename("dots", "x")):
        with pytest.raises(InputError, match="no concept 'dots'"):
            call()
    with pytest.raises(InputError, match="'bars' already"):
        concepts.add("bars")
    with pytest.raises(InputError, match="needs a name"):
        concepts.rename("bars", "  ")


def test_a_folder_a_tensor_and_a_concept_are_pictures(explorer: Explorer, tmp_path: Path) -> None:
    for number, picture in enumerate(mixed(5, 0)):
        picture.save(tmp_path / f"{number}.png")
    concepts = explorer.concepts
    concepts.random_set(tmp_path)
    assert counts(explorer)["random"] == 5
    tensor = torch.stack([prepared(picture) for picture in mixed(7, 50)])
    concepts.random_set(tensor)
    assert counts(explorer)["random"] == 7, "a new set takes the place of the old one"
    assert torch.equal(concepts._gathered().fed(concepts._gathered().random)[:], tensor)
    concepts.add("upright", Concept("any", several("upright", 4, 0)))
    kept = concepts.concept("upright")
    assert Concept.load(kept.save(tmp_path / "kept")).name == "upright"
    with pytest.raises(InputError, match=r"\(3, 8, 8\), the explained picture \(3, 24, 24\)"):
        concepts.random_set(torch.zeros(4, 3, 8, 8))
    assert counts(explorer)["random"] == 7


def test_controls_are_made_of_what_was_gathered(explorer: Explorer, page: FakePage) -> None:
    explorer.concepts.class_pictures(several("upright", 4, 0))
    explorer.concepts.generate_controls(12)
    assert page.ask("concept_controls", controls="noise", count=5)["ok"]
    assert page.ask("concept_controls", controls="noise", count=5)["ok"], "other noise"
    assert counts(explorer)["random"] == 22
    assert not page.ask("concept_controls", controls="noise", count=9999)["ok"]


def test_a_crop_is_what_was_cut_out(explorer: Explorer, page: FakePage) -> None:
    assert page.ask("concept_crop", concept="new", box=[4, 0, 16, 12])["ok"]
    tray = explorer.concepts._gathered()
    fed = tray.fed(tray.concepts["new"])[0]
    inside = explorer._study.setting.inputs.tensor[0, :, :12, 4:16]
    again = nn.functional.interpolate(fed[None], (12, 12), mode="area")[0]
    assert torch.corrcoef(torch.stack([again.flatten(), inside.flatten()]))[0, 1] > 0.9
    answer = page.ask("concept_crop", concept="new", box=[4, 4, 8, 20])
    assert "4 × 16 pixels" in answer["error"]["title"]
    assert counts(explorer)["new"] == 1


# What is refused, by name, and loses nothing


def test_a_file_that_is_no_picture_is_named_and_the_others_taken(
    explorer: Explorer, page: FakePage
) -> None:
    good = [encoded(picture) for picture in several("upright", 3, 0)]
    answer = page.ask(
        "concept_pictures",
        [good[0], b"not a picture", good[1], b"\0" * 10_000_001, good[2]],
        into="concept",
        concept="stripes",
        names=["a.png", "notes.txt", "b.png", "huge.png", "c.png"],
    )
    assert not answer["ok"]
    assert "'notes.txt' is no picture" in answer["error"]["title"]
    assert "'huge.png' is larger than 10 MB" in answer["error"]["title"]
    assert "other 3 were taken" in answer["error"]["hint"]
    assert counts(explorer)["stripes"] == 3


def test_from_python_all_are_taken_or_none(explorer: Explorer, tmp_path: Path) -> None:
    bad = tmp_path / "notes.txt"
    bad.write_text("no picture")
    concepts = explorer.concepts
    concepts.add("stripes", several("upright", 4, 0))
    with pytest.raises(InputError, match=r"notes\.txt"):
        concepts.add_examples("stripes", [drawn("upright", 70), bad])
    with pytest.raises(InputError, match=r"notes\.txt"):
        concepts.add("other", [bad])
    with pytest.raises(InputError, match="already"):
        concepts.add("third", [drawn("plain", 80), drawn("upright", 1)])
    assert counts(explorer) == {"stripes": 4, "random": 0, "pictures": 0}


def test_the_same_picture_on_both_sides_is_named(explorer: Explorer, page: FakePage) -> None:
    same = encoded(drawn("upright", 5))
    page.ask("concept_pictures", [same], into="random", concept="", names=["street.png"])
    answer = page.ask("concept_pictures", [same], into="concept", concept="a", names=["bars.png"])
    assert (
        "'bars.png' is in the random pictures already, as 'street.png'"
        in (answer["error"]["title"])
    )
    page.ask("concept_pictures", [encoded(drawn("upright", 6))], into="concept", concept="a",
             names=["one.png"])  # fmt: skip
    twice = page.ask("concept_pictures", [encoded(drawn("upright", 6))], into="concept",
                     concept="b", names=["two.png"])  # fmt: skip
    assert "'two.png' is in 'a' already, as 'one.png'" in twice["error"]["title"]
    of_class = page.ask("concept_pictures", [same], into="class", concept="", names=["x.png"])
    assert of_class["ok"], "a picture of the class may show the concept"


def test_two_pictures_in_all_are_too_few(explorer: Explorer) -> None:
    concepts = explorer.concepts
    concepts.add("stripes", several("upright", 2, 0))
    concepts.random_set(mixed(20, 100))
    concepts.class_pictures(several("upright", 8, 300))
    with pytest.raises(InputError, match="stripes has 2"):
        concepts.run("relu")
    assert counts(explorer) == {"stripes": 2, "random": 20, "pictures": 8}


def test_a_concept_that_is_too_small_is_left_out_and_that_is_said(gathered: Explorer) -> None:
    gathered.concepts.add("small", several("plain", 3, 500))
    ran(gathered)
    assert {score.concept for score in gathered.concepts.result.scores} == {"upright", "lying"}
    assert any("small is left out" in notice for notice in told(gathered)["notices"])


def test_pictures_of_another_class_are_refused(gathered: Explorer, page: FakePage) -> None:
    gathered.target = 1
    assert not told(gathered)["explained"], "the explained picture is of another class"
    gathered.concepts.run("relu")
    with pytest.raises(InputError, match="None of the 8 class pictures is predicted as lying"):
        gathered.concepts.wait()
    failure = told(gathered)["failure"]
    assert "None of the 8" in failure["title"]
    assert counts(gathered) == {"upright": 12, "lying": 10, "random": 40, "pictures": 8}
    gathered.target = 0
    assert len(ran(gathered).concepts.result.scores) == 2
    assert told(gathered)["failure"] is None


def test_a_layer_without_gradient_is_refused(gathered: Explorer) -> None:
    gathered.concepts.run(["relu", "aside"], permutations=19)
    with pytest.raises(LayerError, match="no gradient at 'aside'"):
        gathered.concepts.wait()
    assert told(gathered)["job"]["state"] == "error"
    assert counts(gathered)["upright"] == 12


def test_what_the_layer_does_not_tell_apart_is_said_and_not_scored(gathered: Explorer) -> None:
    gathered.concepts.add("holiday", mixed(12, 700))
    ran(gathered)
    (holiday,) = (each for each in told(gathered)["tested"] if each["concept"] == "holiday")
    assert not holiday["found"]
    assert "does not tell holiday from random pictures" in holiday["verdict"]


def test_activations_that_are_nan_are_refused(gathered: Explorer) -> None:
    with torch.no_grad():
        gathered._adapter.model.edges.weight[5] = float("nan")
    gathered.concepts.run("relu", permutations=19)
    with pytest.raises(Exception, match="NaN"):
        gathered.concepts.wait()
    assert counts(gathered)["upright"] == 12


def test_what_cannot_be_asked_is_refused_at_the_door(gathered: Explorer, page: FakePage) -> None:
    with pytest.raises(MethodError, match="no estimator 'magic'"):
        gathered.concepts.run("relu", "magic")  # type: ignore[arg-type]
    with pytest.raises(MethodError, match="permutations = 3"):
        gathered.concepts.run("relu", permutations=3)
    with pytest.raises(MethodError, match="no concept 'x'"):
        gathered.concepts.run("relu", relative=[("x", "upright")])
    with pytest.raises(InputError, match="No concept was tested"):
        gathered.concepts.heatmap("upright")
    for wrong in ({"into": "attic"}, {"index": 99}):
        request = {"action": "take_out", "into": "random", "concept": "", "index": 0, **wrong}
        assert not page.ask("concept_card", **request)["ok"]
    assert not page.ask("concept_card", action="eat", into="concept", concept="lying")["ok"]


def test_a_row_of_a_table_has_no_concepts(wire: None) -> None:
    explorer = Explorer(nn.Linear(3, 2), torch.ones(1, 3))
    assert explorer._concepts is None
    with pytest.raises(InputError, match="shown by pictures"):
        explorer.concepts.add("x")
    explorer.close()


# Testing


def test_the_scores_are_those_of_tcav(gathered: Explorer) -> None:
    ran(gathered, 199, estimator=["ridge", "mean"], relative=[("upright", "lying")])
    pictures = [drawn("upright", 900), *several("upright", 8, 300)]
    alone = tcav(
        gathered._adapter.model,
        {"upright": several("upright", 12, 0), "lying": several("lying", 10, 100)},
        pictures, 0, "relu", random_sets=mixed(40, 200), estimator="ridge", permutations=199,
        relative=[("upright", "lying")], preprocess=prepared, labels=list(KINDS),
    )  # fmt: skip
    assert list(gathered.concepts.results) == ["ridge", "mean"]
    state = told(gathered)
    assert state["target"] == "upright"
    for mine, theirs in zip(state["tested"][:3], alone.scores, strict=True):
        assert mine["verdict"] == theirs.verdict
        assert mine["magnitude"] == pytest.approx(theirs.magnitude, rel=1e-4)
        assert mine["score"] == pytest.approx(theirs.score)
        assert mine["q"] == pytest.approx(theirs.q)
        assert sum(mine["null"]["counts"]) == 199
        assert mine["null"]["low"] == pytest.approx(float(theirs.null.min()), rel=1e-4)
    assert [each["against"] for each in state["tested"]] == ["", "", "lying"] * 2
    upright = state["tested"][0]
    assert upright["significant"], upright["verdict"]
    assert upright["magnitude"] > 0
    raised = upright["aligned"]["raised"]
    assert raised == sorted(raised, reverse=True)
    assert raised[0] == pytest.approx(float(alone.of("upright").derivatives.max()), rel=1e-4)


def test_one_more_example_costs_one_pass(
    gathered: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Passes] = []

    def passes(cancelled: Any) -> Passes:
        made.append(Passes(gathered._adapter, cancelled=cancelled))
        return made[-1]

    monkeypatch.setattr(gathered.concepts, "_passes", passes)
    ran(gathered)
    assert made[0].evaluations == 12 + 10 + 40 + 9
    gathered.concepts.add_examples("upright", several("upright", 1, 77))
    assert told(gathered)["stale"].startswith("The pictures have changed")
    ran(gathered)
    assert made[1].evaluations == 1
    assert told(gathered)["stale"] == ""


def test_stop_keeps_what_was_tested(gathered: Explorer, page: FakePage) -> None:
    concepts = gathered.concepts
    for number in range(6):
        concepts.add(f"more {number}", several("plain", 8, 1000 + 50 * number))
    answer = page.ask("concept_test", layers=["relu", "edges"], estimators=["logistic", "ridge"],
                      permutations=99, relative=[])  # fmt: skip
    assert answer["ok"]
    until(lambda: told(gathered)["tested"], "no score comes")
    assert page.ask("stop", panel="concepts")["ok"]
    until(lambda: told(gathered)["job"]["state"] == "cancelled", "it does not stop")
    concepts.wait()
    kept = len(told(gathered)["tested"])
    assert 0 < kept < 2 * 2 * 8
    assert not concepts.result.complete or len(concepts.results) == 1
    assert ran(gathered).concepts.result.complete


def test_nothing_but_stop_and_another_test_ends_a_test(gathered: Explorer) -> None:
    gathered.concepts.run(["relu", "edges"], "logistic", permutations=99)
    for interrupt in (lambda: gathered.concepts.steer("upright"), gathered.concepts.discover):
        with pytest.raises(MethodError, match="being tested"):
            interrupt()
    gathered.method = "gradient"
    gathered.wait()
    gathered.concepts.wait()
    assert gathered.concepts.result.complete


def test_another_picture_keeps_what_was_gathered(gathered: Explorer) -> None:
    ran(gathered)
    gathered.concepts.steer("upright")
    gathered.concepts.wait()
    gathered.image = drawn("lying", 901)
    gathered.wait()
    state = told(gathered)
    assert counts(gathered) == {"upright": 12, "lying": 10, "random": 40, "pictures": 8}
    assert state["stale"] == "Another picture is explained now."
    assert state["steered"] == [], "that was of the other picture"
    assert not state["explained"]


# What can be done with a concept


def test_the_map_of_a_concept_is_a_result_like_any_other(
    gathered: Explorer, page: FakePage
) -> None:
    ran(gathered)
    answer = page.ask("concept_map", concept="lying", discovered=False, layer="relu", show="effect")
    assert answer["ok"]
    shown = gathered.wait()
    assert gathered.method == "concept_map"
    assert gathered.layer == shown.layer == "relu"
    assert shown.method.concept.name == "lying"
    score = gathered.concepts.result.of("lying")
    assert torch.equal(shown.method.concept.direction, score.direction)
    assert gathered._history[-1]["result"]["title"] == "Concept map"
    gathered.concepts.heatmap("upright", show="presence")
    assert gathered.wait().method.show == "presence"


def test_steering_is_that_of_the_function(gathered: Explorer, page: FakePage) -> None:
    ran(gathered)
    assert page.ask("concept_steer", concept="lying", layer="relu")["ok"]
    gathered.concepts.wait()
    (curve,) = told(gathered)["steered"]
    score = gathered.concepts.result.of("lying")
    alone = steer(gathered._adapter.model, drawn("upright", 900), score, target=0,
                  preprocess=prepared, labels=list(KINDS))  # fmt: skip
    assert curve["doses"] == alone.doses.tolist()
    assert curve["scores"] == pytest.approx(alone.scores[0].tolist(), abs=1e-4)
    assert curve["best"][8] == "upright"
    assert curve["turning"] == alone.turning()[0]
    assert np.array(curve["random"]) == pytest.approx(alone.random[0].numpy(), abs=1e-4)
    assert curve["farther"] == alone.farther()
    assert gathered.concepts.steered["lying", "relu"].target == ["upright"]
    assert set(gathered.concepts.concept("lying").cavs) == {"relu"}


def test_discovered_concepts_are_kept_shown_and_tested(gathered: Explorer, page: FakePage) -> None:
    assert page.ask("concept_discover", way="craft", layer="relu", count=3)["ok"]
    gathered.concepts.wait()
    found = told(gathered)["discovery"]
    assert found["target"] == "upright"
    first = found["concepts"][0]["name"]
    worth = [one["importance"] for one in found["concepts"]]
    assert worth == sorted(worth, reverse=True)
    request = {"concept": first, "discovered": True, "layer": "relu", "show": "presence"}
    assert page.ask("concept_map", **request)["ok"]
    assert gathered.wait().method.concept.layer == "relu"
    assert page.ask("concept_keep", discovered=first, name="bars")["ok"]
    assert counts(gathered)["bars"] >= 4
    assert told(gathered)["discovery"]["concepts"][0]["kept"] == "bars"
    assert not page.ask("concept_keep", discovered="nobody", name="x")["ok"]
    ran(gathered)
    assert gathered.concepts.result.of("bars")


# What a saved page holds


def test_the_page_is_told_little_however_much_was_gathered(explorer: Explorer) -> None:
    concepts = explorer.concepts
    for number in range(8):
        concepts.add(f"concept {number}", mixed(20, 1000 * number + 1000))
    concepts.random_set(mixed(60, 20_000))
    concepts.class_pictures(several("upright", 20, 30_000))
    concepts.run(["relu", "edges"], ["mean", "ridge"], permutations=19)
    concepts.wait()
    assert weight(told(explorer)) < 150_000


def weight(value: Any) -> int:
    """Bytes of a state, roughly as JSON with buffers aside."""
    if isinstance(value, bytes | str):
        return len(value) + 2
    if isinstance(value, dict):
        return sum(len(key) + 3 + weight(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return sum(map(weight, value))
    return len(repr(value)) + 1
