"""Concepts that are found: in pictures of three colours, of which a model likes one."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nbxplain import ExplanationError, explain
from nbxplain.concepts import Concept, Discovered, Discovery, discover, steer, tcav, worth
from nbxplain.concepts.crops import random_crops, superpixels
from nbxplain.concepts.discovery import search, steps
from nbxplain.concepts.factors import Factors, parts, signs_count
from nbxplain.concepts.worth import Parts, ablation, sobol
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import Cancelled, InputError, LayerError, MethodError
from nbxplain.core.passes import Passes
from nbxplain.core.target import Target
from tests.models import Attends, ModuleRelu, picture, seeded
from tests.snapshot import snapshot

SIDE = 24
WEIGHTS = (3.0, 1.0, -2.0)


def coloured(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Dark pictures with a red, a green and a blue square, and the cell (count, 3) each is in of
    3 x 3."""
    generator = torch.Generator().manual_seed(seed)
    pictures = 0.05 * torch.rand(count, 3, SIDE, SIDE, generator=generator)
    cells = torch.stack([torch.randperm(9, generator=generator)[:3] for _ in range(count)])
    for number, own in enumerate(cells.tolist()):
        for colour, cell in enumerate(own):
            top, left = 8 * (cell // 3), 8 * (cell % 3)
            pictures[number, colour, top : top + 8, left : left + 8] = 1
    return pictures, cells


def likes(weights: tuple[float, ...] = WEIGHTS) -> nn.Module:
    """Class 1 has the mean of each colour, times a weight; class 0 has nothing."""
    model = nn.Sequential(
        nn.AvgPool2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
    head: Any = model[4]
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[0.0, 0, 0], weights]))
        head.bias.zero_()
    return model.eval()


SHOWN, CELLS = coloured(12)


@pytest.fixture(scope="module")
def craft() -> Discovery:
    return discover(likes(), SHOWN, 1, "1", count=3, sizes=(1 / 3,), crops=16)


def of_colour(result: Discovery, colour: int) -> Discovered:
    """The concept whose crops have most of a colour."""
    return max(result.concepts, key=lambda one: float(colour_of(one)[colour]))


def colour_of(one: Discovered) -> Tensor:
    assert isinstance(one.concept.examples, Tensor)
    return one.concept.examples.mean((0, 2, 3))


# CRAFT


def test_planted_concepts_are_found_and_ranked_by_what_they_are_worth(craft: Discovery) -> None:
    assert craft.complete
    assert craft.target == "1"
    order = [int(one.concept.cav.direction.argmax()) for one in craft.concepts]
    assert order == [0, 1, 2]
    assert all(float(one.concept.cav.direction.max()) > 0.97 for one in craft.concepts)
    assert craft.explained is not None
    assert craft.explained > 0.95


def test_worth_is_what_the_score_loses(craft: Discovery) -> None:
    """A colour fills a ninth of the picture, so it gives the score a ninth of its weight."""
    for colour, weight in enumerate(WEIGHTS):
        assert of_colour(craft, colour).importance == pytest.approx(weight / 9, abs=0.06)
    # The score is a sum of colours, and the factors account for nearly all of them.
    total = sum(one.importance for one in craft.concepts)
    score = float(likes()(SHOWN)[:, 1].detach().mean())
    assert total == pytest.approx(score, abs=0.03)


def test_maps_fire_where_the_colour_is(craft: Discovery) -> None:
    for colour in range(3):
        maps = of_colour(craft, colour).maps
        assert maps.shape == (12, 3, 3)
        assert torch.equal(maps.flatten(1).argmax(1), CELLS[:, colour])


def test_crops_show_the_colour(craft: Discovery) -> None:
    for colour in range(3):
        one = of_colour(craft, colour)
        assert isinstance(one.concept.examples, Tensor)
        shown = one.concept.examples.mean((2, 3))
        others = [c for c in range(3) if c != colour]
        assert bool((shown[:, colour] > 1.5 * shown[:, others].amax(1)).all())
        assert len(one.crops) == len(shown) == 12


def test_sobol_is_the_share_of_the_squares_where_worths_add_up(craft: Discovery) -> None:
    options: dict[str, Any] = {"count": 3, "sizes": (1 / 3,), "crops": 16}
    result = discover(likes(), SHOWN, 1, "1", importance="sobol", **options)
    squares = torch.tensor([of_colour(craft, colour).importance for colour in range(3)]).square()
    for colour, expected in enumerate((squares / squares.sum()).tolist()):
        one = of_colour(result, colour)
        assert abs(one.importance - expected) < 4 * one.error
        assert one.error < 0.03


def test_the_error_is_that_of_a_mean_over_pictures() -> None:
    """By the formula, from the worth of each picture alone."""
    values = torch.tensor([[1.0, 2.0], [3.0, 2.0], [5.0, 2.0]])
    from nbxplain.concepts.looking import mean_and_error

    mean, error = mean_and_error(values)
    assert mean.tolist() == [3.0, 2.0]
    assert error.tolist() == pytest.approx([2 / 3**0.5, 0.0])


def test_a_found_concept_can_be_named_tested_followed_and_kept(
    craft: Discovery, tmp_path: Path
) -> None:
    red = of_colour(craft, 0).concept.named("red")
    assert (red.name, red.cav.name, red.cav.layer) == ("red", "red", "1")
    noise = torch.rand(40, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(5))
    score = tcav(likes(), [red], SHOWN, 1, "1", random_sets=noise, permutations=19).of("red")
    assert score.score == 1
    assert score.significant
    steered = steer(likes(), SHOWN[:1], red, target=1)
    assert bool((steered.scores.diff() > 0).all())
    present = explain(likes(), SHOWN, "concept_map", concept=red, target=1, show="presence")
    assert torch.equal(present.values.flatten(1).argmax(1), CELLS[:, 0])
    again = Concept.load(red.save(tmp_path / "red"))
    assert again.cav == red.cav
    assert torch.equal(again.examples, red.examples)  # type: ignore[arg-type]


def test_where_negative_activations_count_they_are_factorised() -> None:
    """A tanh above the layer sees both signs; a ReLU sees one."""
    x = torch.randn(4, 3, 6, 6)
    for last, expected in ((nn.Tanh(), True), (nn.ReLU(), False)):
        y = x.clone().requires_grad_()
        last(y).sum().backward()
        assert y.grad is not None
        assert signs_count(x, y.grad) is expected
    both = parts(x, True)
    assert both.shape[-1] == 12
    ahead, behind = both.chunk(2, -1)
    assert torch.equal(ahead - behind, x)
    assert torch.equal(parts(x, False), x.relu())


@pytest.mark.parametrize("signed", [False, True])
def test_factors_of_an_exact_product(signed: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.rand(80, 3, generator=generator) * (
        torch.rand(80, 3, generator=generator) > 0.5
    )
    basis = torch.eye(3).repeat(1, 2) + 0.05
    if signed:
        basis[:, 3:] = -torch.eye(3)
    features = parts(weights @ basis, signed)
    factors = Factors(features, 3, signed, seed=0)
    found = factors.coefficients(features)
    assert bool((found >= 0).all())
    assert factors.explained(features, found) > 0.995
    unit = nn.functional.normalize(factors.directions.float(), dim=1)
    likeness = unit @ nn.functional.normalize(basis, dim=1).T
    assert bool((likeness.amax(0) > 0.98).all())


# Worth


def linear(left: Tensor) -> Tensor:
    return 5 + left.double() @ torch.tensor([3.0, -1.0, 0.0]).double()


def test_ablation_of_a_sum_is_each_term() -> None:
    assert ablation(linear, 3).tolist() == pytest.approx([3.0, -1.0, 0.0])


def test_sobol_indices_are_those_of_the_textbook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worth, "DESIGNS", 1024)
    assert sobol(linear, 3, 0).tolist() == pytest.approx([0.9, 0.1, 0.0], abs=0.01)
    # u v has variance 7/144; with either fixed 1/36 of it is left on average.
    product = sobol(lambda left: left[:, 0].double() * left[:, 1].double(), 2, 0)
    assert product.tolist() == pytest.approx([4 / 7, 4 / 7], abs=0.02)
    assert sobol(lambda left: left.new_ones(len(left)).double(), 2, 0).tolist() == [0, 0]


@pytest.mark.parametrize("build", [ModuleRelu, lambda: Attends(ModuleRelu())])
def test_parts_are_taken_out_of_the_activation(build: Any) -> None:
    """Against a hook that does the same, one input at a time."""
    model, x = seeded(build), picture()
    adapter = ModelAdapter(model)
    layer = next(la for la in adapter.layers(x) if la.grid and la.arrangement != "other")
    if isinstance(model, Attends):
        layer = next(la for la in adapter.layers(x) if la.arrangement == "NTC")
    channels = layer.maps(torch.zeros(1, *layer.shape)).shape[1]
    coefficients, directions = torch.rand(2, *(layer.grid or ())), torch.rand(2, channels)
    part = Parts(
        Passes(adapter), layer, x, Target((2,), (-1,)), 0, coefficients, directions
    )  # fmt: skip
    left = torch.tensor([[1.0, 1], [0, 1], [0.3, 0.6]])
    found = part.scores(left)
    assert float(found[0]) == pytest.approx(model(x)[0, 2].item(), rel=1e-4, abs=1e-5)
    for row, (one, other) in enumerate(left.tolist()):
        taken = (1 - one) * torch.einsum("hw,c->chw", coefficients[0], directions[0])
        taken = taken + (1 - other) * torch.einsum("hw,c->chw", coefficients[1], directions[1])

        def without(module: Any, given: Any, output: Tensor, taken: Tensor = taken) -> Tensor:
            changed = output.clone()
            layer.maps(changed)[:] -= taken
            return changed

        handle = model.get_submodule(layer.name).register_forward_hook(without)
        expected = model(x)[0, 2].item()
        handle.remove()
        assert float(found[row]) == pytest.approx(expected, rel=1e-4, abs=1e-5)


class Remembers(nn.Module):
    """Reshapes to the batch that came in: what is below the layer must have as many rows."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = likes()

    def forward(self, x: Tensor) -> Tensor:
        below = self.inner[1](self.inner[0](x))  # type: ignore[index]
        scores: Tensor = self.inner[4](below.mean((2, 3)).view(len(x), 3))  # type: ignore[index]
        return scores


def test_a_model_that_needs_all_rows_gets_them() -> None:
    plain, remembers = (
        discover(model, SHOWN, 1, layer, count=3, sizes=(1 / 3,), crops=4)
        for model, layer in ((likes(), "1"), (Remembers(), "inner.1"))
    )
    for one, other in zip(plain.concepts, remembers.concepts, strict=True):
        assert one.importance == pytest.approx(other.importance, rel=1e-4)


# ACE


@pytest.fixture(scope="module")
def ace() -> Discovery:
    return discover(likes(), SHOWN, 1, "1", method="ace", count=4, segments=(9,), examples=8)


def test_clusters_are_colours_and_tested(ace: Discovery) -> None:
    assert ace.complete
    for colour, weight in ((0, 3.0), (2, -2.0)):
        one = of_colour(ace, colour)
        assert one.score is not None
        assert one.score.significant, one.score.verdict
        # The head is linear: all pictures agree on the way.
        assert one.score.score == (1.0 if weight > 0 else 0.0)
        assert one.importance == pytest.approx(float(one.score.magnitude), rel=1e-6)
        assert torch.equal(one.maps.flatten(1).argmax(1), CELLS[:, colour])
    holds = [one.score is not None and one.score.significant for one in ace.concepts]
    assert holds == sorted(holds, reverse=True)
    # All tests are corrected together.
    p = [one.score.p for one in ace.concepts if one.score is not None]
    q = [one.score.q for one in ace.concepts if one.score is not None]
    assert all(b >= a for a, b in zip(p, q, strict=True))


def test_clusters_against_random_pictures() -> None:
    pool = torch.rand(30, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    result = discover(
        likes(), SHOWN, 1, "1", method="ace", count=4, segments=(9,), examples=8,
        random_sets=pool, permutations=19,
    )  # fmt: skip
    red = of_colour(result, 0)
    assert red.score is not None
    assert red.score.score == 1


# Crops


def test_random_crops_are_parts_of_their_picture() -> None:
    crops = random_crops(SHOWN, 5, (0.25, 0.5), seed=3)
    assert len(crops) == 60
    assert crops[0:7].shape == (7, 3, SIDE, SIDE)
    sides = crops.boxes[:, 2:] - crops.boxes[:, :2]
    assert sides[:2].tolist() == [[6, 6], [12, 12]]
    assert int(crops.boxes.min()) >= 0
    assert int(crops.boxes.max()) <= SIDE
    top, left, bottom, right = crops.boxes[8].tolist()
    whole = SHOWN[1:2, :, top:bottom, left:right]
    expected = nn.functional.interpolate(whole, (SIDE, SIDE), mode="bilinear")
    assert crops.owner[8] == 1
    torch.testing.assert_close(crops[8:9], expected)
    again = random_crops(SHOWN, 5, (0.25, 0.5), seed=3)
    assert torch.equal(again.boxes, crops.boxes)
    assert not torch.equal(random_crops(SHOWN, 5, (0.25, 0.5), seed=4).boxes, crops.boxes)


def test_superpixels_lie_on_the_mean_colour() -> None:
    inputs = ModelAdapter(likes()).read(SHOWN[:2])
    crops = superpixels(inputs, (9,))
    assert crops.labels is not None
    areas = torch.zeros(2)
    for row in range(len(crops)):
        top, left, bottom, right = crops.boxes[row].tolist()
        owner = int(crops.owner[row])
        seen = crops.labels[0, owner] == crops.region[row]  # type: ignore[index]
        areas[owner] += int(seen.sum())
        assert bool(seen[top].any() and seen[bottom - 1].any())
        assert bool(seen[:, left].any() and seen[:, right - 1].any())
        if not bool(seen[top:bottom, left:right].all()):
            mean = SHOWN[owner].mean((1, 2))
            far = (crops[row : row + 1][0] - mean[:, None, None]).abs().amax(0)
            assert float(far.min()) < 1e-5
    assert areas.tolist() == [SIDE * SIDE, SIDE * SIDE]


# What every computation must pass.


def running(method: Any, chunk: int | None = None, **options: Any) -> tuple[Passes, Iterator[Any]]:
    adapter = ModelAdapter(likes())
    passes = Passes(adapter, chunk=chunk, **options)
    how = search(method, count=3, crops=4, segments=(9,), examples=4, permutations=19)
    return passes, steps(adapter, SHOWN, 1, "1", how, passes)


every_way = pytest.mark.parametrize("method", ["craft", "ace"])


@every_way
def test_it_streams_and_does_not_depend_on_the_chunk(method: Any) -> None:
    expected = list(running(method)[1])[-1]
    for chunk in (1, 7):
        counts = []
        for state in running(method, chunk)[1]:
            counts.append((state.done, len(state.concepts)))
            last = state
        assert all(one[0] < other[0] for one, other in pairwise(counts))
        assert last.complete
        for one, other in zip(last.concepts, expected.concepts, strict=True):
            assert one.importance == pytest.approx(other.importance, rel=1e-4)
            torch.testing.assert_close(one.maps, other.maps, rtol=1e-4, atol=1e-5)


@every_way
def test_the_seed_decides_and_the_model_is_preserved(method: Any) -> None:
    model = likes().train()
    before = snapshot(model)
    options: dict[str, Any] = {"count": 3, "crops": 4, "segments": (9,), "examples": 4}
    first, again = (discover(model, SHOWN, 1, "1", method=method, **options) for _ in range(2))
    assert snapshot(model) == before
    for one, other in zip(first.concepts, again.concepts, strict=True):
        assert (one.importance, one.error) == (other.importance, other.error)
        assert torch.equal(one.maps, other.maps)


@every_way
def test_a_cancel_is_obeyed(method: Any) -> None:
    stop = threading.Event()
    passes, states = running(method, chunk=4, cancelled=stop.is_set)
    next(states)
    stop.set()
    done = passes.evaluations
    with pytest.raises(Cancelled):
        list(states)
    assert passes.evaluations == done


def test_words_and_pictures(craft: Discovery, ace: Discovery) -> None:
    assert "account for" in craft.summary()
    assert craft.summary().count("ablation") == 3
    assert "q 0." in ace.summary()
    for result in (craft, ace):
        said = json.loads(json.dumps(result.describe()))
        assert len(said["concepts"]) == len(result.concepts)
        images = [image for axis in result.figure().axes for image in axis.images]
        assert len(images) >= 8 * len(result.concepts)
    nothing = replace(craft, concepts=[])
    assert nothing.figure() is not None


def test_layer_and_class_are_chosen_where_they_are_not_given() -> None:
    result = discover(likes(), SHOWN, count=2, crops=4)
    assert result.layer in ("0", "1")
    assert result.target == "1"


# Bad input.


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"images": SHOWN[:2]}, InputError, "2 pictures"),
        ({"target": 0}, InputError, "None of the 12 class pictures is predicted as 0"),
        ({"target": 7}, ExplanationError, "no class 7"),
        ({"layer": "11"}, LayerError, "'11'"),
        ({"layer": "4"}, LayerError, "no place on the picture"),
        ({"method": "nmf"}, MethodError, "'nmf'"),
        ({"importance": "shapley"}, MethodError, "'shapley'"),
        ({"count": 1}, MethodError, "count = 1"),
        ({"method": "ace", "alpha": 5.0}, MethodError, "alpha = 5.0 is no level"),
        ({"method": "ace", "alpha": 0.0}, MethodError, "alpha = 0.0 is no level"),
        ({"count": "3"}, MethodError, "count = '3'"),
        ({"crops": 2.5}, MethodError, "crops = 2.5 is not allowed. Give a whole number of at le"),
        ({"examples": None}, MethodError, "examples = None"),
        ({"permutations": True}, MethodError, "permutations = True"),
        ({"seed": -1}, MethodError, "seed = -1"),
        ({"method": "ace", "alpha": "few"}, MethodError, "alpha = 'few' is no level"),
        ({"method": "ace", "segments": (300,)}, InputError, "300 superpixels covers 0.5 %"),
        ({"method": "ace", "random_sets": 3}, InputError, "Random pictures cannot be int"),
        ({"method": "ace", "random_sets": SHOWN[:5]}, InputError, "5 random pictures"),
        ({"images": torch.rand(8, 3)}, InputError, "8 pictures|place"),
        ({"images": [Path(__file__)] * 4}, InputError, "is no picture"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], error: type[Exception], says: str) -> None:
    asked: dict[str, Any] = {"images": SHOWN, "target": 1, "layer": "1", **changes}
    with pytest.raises(error, match=says):
        discover(likes(), asked.pop("images"), asked.pop("target"), asked.pop("layer"), **asked)


def refused(**changes: Any) -> str:
    with pytest.raises(MethodError) as error:
        discover(likes(), SHOWN, 1, "1", **changes)
    assert error.value.hint.startswith("Give ")
    return error.value.title


@pytest.mark.parametrize("sizes", [0.3, (), "half", (0.3, 0), (-0.5,), (2.0,), (float("nan"),)])
def test_sizes_that_are_no_shares(sizes: Any) -> None:
    assert re.fullmatch(r"sizes = .+ is not allowed\.", refused(sizes=sizes))


@pytest.mark.parametrize("segments", [15, [], "few", (15, 0), (-3,), (1,), (501,), (9.5,)])
def test_segments_that_are_no_numbers(segments: Any) -> None:
    assert re.fullmatch(r"segments = .+ is not allowed\.", refused(method="ace", segments=segments))


def test_more_segments_than_pixels() -> None:
    small = SHOWN[:, :, :16, :16]
    with pytest.raises(InputError, match="257 superpixels do not fit a picture of 256 pixels"):
        discover(likes(), small, 1, "1", method="ace", segments=(9, 257))


@every_way
def test_a_layer_that_sees_nothing(method: Any) -> None:
    dark: Any = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    with pytest.raises(LayerError, match="the same for all parts"):
        discover(dark.eval(), SHOWN - 100, None, "0", method=method, segments=(9,))


def test_a_cluster_that_is_nearly_everything_is_left_out() -> None:
    ace: Any = search("ace", count=2, examples=4)
    features = torch.zeros(20, 2)
    features[:3] = 50
    features += torch.rand(20, 2, generator=torch.Generator().manual_seed(0))
    assert ace._clusters(features) == []
    features[:8] += 50
    assert [len(rows) for rows in ace._clusters(features)] == [12, 8]


def test_a_layer_that_the_class_does_not_depend_on() -> None:
    class Aside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.aside = likes(), nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.inner(x) + 0 * self.aside(x).sum()
            return scores

    with pytest.raises(LayerError, match="no gradient"):
        discover(Aside(), SHOWN, 1, "aside")
