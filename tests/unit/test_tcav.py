"""TCAV: planted concepts are found, chance is called chance, and bad input loses nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torch import Tensor, nn

from nbxplain import ExplanationError
from nbxplain.concepts import CAV, Concept, FeatureCache, align, alignment, features, tcav
from nbxplain.concepts.directions import Estimator
from nbxplain.concepts.significance import false_discovery, permutation_p, t_test_p
from nbxplain.concepts.tcav import Test
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError, LayerError, MethodError, ModelError
from nbxplain.core.passes import Passes
from tests.snapshot import snapshot

ESTIMATORS: list[Estimator] = ["mean", "ridge", "logistic", "pattern"]
SIDE = 16


def textured(kind: str, count: int, seed: int) -> Tensor:
    """Grey pictures (N, 1, 16, 16) of stripes, dots or nothing at random places, in noise."""
    generator = torch.Generator().manual_seed(seed)
    noise = 0.3 * torch.randn(count, 1, SIDE, SIDE, generator=generator)
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    shift = torch.randint(0, 4, (count, 1, 1, 1), generator=generator)
    patterns = {
        "stripes": ((x + shift) % 4 < 2).float(),
        "dots": (((x + shift) % 4 == 0) & (y % 4 == 0)).float() * 3,
        "plain": torch.zeros(count, 1, SIDE, SIDE),
    }
    return noise + patterns[kind]


def framed(count: int, seed: int) -> Tensor:
    """Random textures with a frame, which is no part of any label."""
    pictures = everything(count, seed)
    pictures[..., 0, :] = pictures[..., -1, :] = 2
    return pictures


def everything(count: int, seed: int) -> Tensor:
    """A third of each texture, mixed."""
    kinds = ("stripes", "dots", "plain")
    parts = [textured(kind, -(-count // 3), seed + 7 * i) for i, kind in enumerate(kinds)]
    order = torch.randperm(3 * -(-count // 3), generator=torch.Generator().manual_seed(seed))
    return torch.cat(parts)[order][:count].clone()


@pytest.fixture(scope="module")
def textures() -> nn.Module:
    """A small network that has learned the three textures."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(16, 3),
    )  # fmt: skip
    x = torch.cat([textured(kind, 120, 100) for kind in ("stripes", "dots", "plain")])
    y = torch.arange(3).repeat_interleave(120)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    assert float((model(x).argmax(1) == y).float().mean()) > 0.98
    return model.eval()


def asked(model: nn.Module, **changes: Any) -> Any:
    options: dict[str, Any] = {
        "concepts": {"stripes": textured("stripes", 30, 1), "dots": textured("dots", 30, 2)},
        "class_images": textured("stripes", 40, 3),
        "target": 0,
        "layers": "4",
        "random_sets": everything(120, 4),
    }
    return tcav(model, **{**options, **changes})


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_planted_concepts_are_found(textures: nn.Module, estimator: Estimator) -> None:
    result = asked(textures, estimator=estimator)
    stripes, dots = result.of("stripes"), result.of("dots")
    assert stripes.significant, stripes.verdict
    assert stripes.score >= 0.95
    assert dots.score <= 0.05
    assert stripes.p <= 0.02
    assert "towards" in stripes.verdict


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_unrelated_concept_gets_no_score(textures: nn.Module, estimator: Estimator) -> None:
    result = asked(textures, concepts={"plain draw": everything(30, 50)}, estimator=estimator)
    (score,) = result.scores
    assert not score.significant, score.verdict
    assert "no score" in result.summary()


def test_relative_concepts(textures: nn.Module) -> None:
    result = asked(textures, relative=[("stripes", "dots")])
    assert result.of("stripes against dots").score > 0.95
    assert result.of("stripes against dots").significant


class Head(nn.Module):
    """Features as they are, then one linear score for each of two classes."""

    def __init__(self) -> None:
        super().__init__()
        self.features: nn.Module = nn.Identity()
        self.head = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x))
        return scores


def test_a_linear_head_gives_exactly_zero_or_one() -> None:
    torch.manual_seed(3)
    model, x = Head(), torch.randn(200, 6)
    shown = x[:80][model(x[:80]).argmax(1) == 1]
    result = tcav(
        model, {"a": x[80:100] + 0.3}, shown, 1, "features", random_sets=x[100:], permutations=19
    )
    (score,) = result.scores
    assert set(score.runs.tolist()) <= {0.0, 1.0}
    slope = model.head.weight[1].detach()
    expected = float(slope @ score.direction)
    assert np.sign(score.magnitude) == np.sign(expected)


def test_the_direction_on_separable_data() -> None:
    torch.manual_seed(4)
    model, x = Head(), 0.1 * torch.randn(200, 6)
    concept = x[:30].clone()
    concept[:, 2] += 5
    shown = x[100:]
    target = int(model(shown).mean(0).argmax())
    result = tcav(model, {"a": concept}, shown, target, "features", random_sets=x[30:100])
    (score,) = result.scores
    assert float(score.direction[2]) > 0.99
    assert score.accuracy == 1.0
    # The concept's pictures lie 5 away along this feature.
    expected = 5 * model.head.weight[target, 2].detach()
    torch.testing.assert_close(torch.tensor(score.magnitude), expected, atol=0.1, rtol=0.05)


class Bent(nn.Module):
    """Features, then a small nonlinear head, so that derivatives differ between rows."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Identity()
        self.head = nn.Sequential(nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 2))

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x))
        return scores


def test_chance_is_called_significant_no_more_often_than_it_says() -> None:
    """200 null concepts: at most 8 % at the 5 % level, where the t-test rejects far more."""
    torch.manual_seed(5)
    model = Bent()
    by_permutation, by_t_test = [], []
    for seed in range(200):
        x = torch.randn(110, 12, generator=torch.Generator().manual_seed(seed))
        shown = x[90:][model(x[90:]).argmax(1) == 1]
        result = tcav(
            model, {"null": x[:20]}, shown, 1, "features", random_sets=x[20:90],
            permutations=39, runs=5, seed=seed,
        )  # fmt: skip
        by_permutation.append(result.scores[0].p <= 0.05)
        by_t_test.append(result.scores[0].literature_p <= 0.05)
    assert np.mean(by_permutation) <= 0.08
    assert np.mean(by_t_test) > 0.2


def test_permutation_p_counts_both_sides() -> None:
    assert permutation_p(2.0, torch.tensor([-3.0, 1.0, 2.0, 0.0])) == 3 / 5
    assert permutation_p(9.0, torch.zeros(99)) == 0.01


def test_false_discovery_is_that_of_scipy_and_bounded() -> None:
    p = [0.01, 0.04, 0.03, 0.5]
    assert false_discovery(p) == stats.false_discovery_control(p).tolist()
    assert false_discovery([]) == []


def test_the_t_test_of_the_literature_is_that_of_scipy() -> None:
    scores, random = torch.tensor([0.9, 1.0, 0.8]), torch.tensor([0.2, 0.9, 0.4, 0.5])
    expected = stats.ttest_ind(scores.numpy(), random.numpy(), equal_var=False).pvalue
    assert t_test_p(scores, random) == pytest.approx(float(expected), rel=1e-5)
    assert t_test_p(torch.ones(3), torch.ones(4)) == 1
    assert t_test_p(torch.ones(3), torch.zeros(4)) == 0
    assert 0 < t_test_p(torch.ones(3), random) < 0.05


# Features: one pass for a picture, and never a stale one.


def passes_of(model: nn.Module, cache: FeatureCache, concept: Any) -> int:
    """How many pictures went through the model, those of the class included."""
    passes = Passes(ModelAdapter(model))
    list(streamed(passes, concept, ["4"], cache))
    return passes.evaluations


def streamed(
    passes: Passes, concept: Any, layers: list[str], cache: FeatureCache
) -> Iterator[tuple[int, int]]:
    """How far a test of stripes is, and how many scores it has, step by step."""
    test = Test(
        passes._adapter, [Concept("stripes", concept)], textured("stripes", 40, 3), 0, layers,
        everything(120, 4), "mean", 19, 2, 0.05, "channels", (), cache, 0,  # type: ignore[arg-type]
    )  # fmt: skip
    for state in test.steps(passes):
        yield state.done, len(state.scores)


def test_one_more_example_costs_one_more_pass(textures: nn.Module) -> None:
    cache, pictures = FeatureCache(), textured("stripes", 31, 1)
    passes_of(textures, cache, pictures[:30])
    nothing_new = passes_of(textures, cache, pictures[:30])
    assert passes_of(textures, cache, pictures) == nothing_new + 1


def test_derivatives_are_computed_once_for_each_class_picture(textures: nn.Module) -> None:
    cache, options = FeatureCache(), {"permutations": 19, "runs": 2}
    first = asked(textures, cache=cache, class_images=textured("stripes", 40, 3), **options)
    alone = asked(textures, class_images=textured("stripes", 41, 3), **options)
    more = asked(textures, cache=cache, class_images=textured("stripes", 41, 3), **options)
    assert torch.allclose(more.of("dots").derivatives, alone.of("dots").derivatives, atol=1e-5)
    other = asked(textures, cache=cache, target=1, class_images=textured("dots", 40, 3), **options)
    fresh = asked(textures, target=1, class_images=textured("dots", 40, 3), **options)
    assert torch.allclose(other.of("dots").derivatives, fresh.of("dots").derivatives, atol=1e-5)
    assert not torch.allclose(other.of("dots").derivatives, first.of("dots").derivatives, atol=0.1)


def test_a_changed_model_never_gets_old_features(textures: nn.Module, tmp_path: Path) -> None:
    first = asked(textures, cache=FeatureCache(tmp_path), permutations=19)
    again = asked(textures, cache=FeatureCache(tmp_path), permutations=19)
    assert torch.equal(first.scores[0].direction, again.scores[0].direction)
    with torch.no_grad():
        next(textures.parameters()).mul_(1.5)
    try:
        changed = asked(textures, cache=FeatureCache(tmp_path), permutations=19)
        fresh = asked(textures, permutations=19)
        assert torch.equal(changed.scores[0].direction, fresh.scores[0].direction)
        assert not torch.equal(changed.scores[0].direction, first.scores[0].direction)
    finally:
        with torch.no_grad():
            next(textures.parameters()).div_(1.5)


def test_the_model_is_preserved_and_the_seed_decides(textures: nn.Module) -> None:
    before = snapshot(textures)
    first, again = asked(textures), asked(textures)
    assert snapshot(textures) == before
    assert torch.equal(first.scores[0].null, again.scores[0].null)


def test_several_layers_and_cells(textures: nn.Module) -> None:
    result = asked(textures, layers=["1", "4"], space="cells", permutations=19)
    assert [(s.concept, s.layer) for s in result.scores] == [
        ("stripes", "1"), ("dots", "1"), ("stripes", "4"), ("dots", "4"),
    ]  # fmt: skip
    assert result.of("stripes", "1").direction.shape == (8 * SIDE * SIDE,)
    assert len(result.figure().axes[0].patches) == 8


# Most and least aligned pictures.


@pytest.mark.parametrize("space", ["channels", "cells"])
def test_pictures_in_the_order_of_the_concept(textures: nn.Module, space: Any) -> None:
    cache, pool = FeatureCache(), everything(120, 4)
    score = asked(textures, space=space, cache=cache).of("stripes")
    shown = torch.cat([textured(kind, 10, 60) for kind in ("dots", "stripes", "plain")])
    found = align(textures, shown, score, cache=cache)
    assert sorted(found.order[:10]) == list(range(10, 20))
    assert found.order == sorted(range(30), key=lambda row: -float(found.values[row]))
    # What the direction was found from lies at 1 and at 0, on average.
    ends = [align(textures, x, score).values.mean() for x in (textured("stripes", 30, 1), pool)]
    assert [float(end) for end in ends] == pytest.approx([1, 0], abs=0.1)


def test_known_pictures_are_aligned_without_a_pass(textures: nn.Module) -> None:
    cache, passes = FeatureCache(), Passes(ModelAdapter(textures))
    cav = asked(textures, cache=cache).of("stripes").cav
    list(alignment.steps(passes._adapter, everything(120, 4), cav, passes, cache))
    assert passes.evaluations == 0
    list(alignment.steps(passes._adapter, textured("dots", 7, 99), cav, passes, cache))
    assert passes.evaluations == 7


def test_the_order_of_the_class_follows_its_derivatives(textures: nn.Module) -> None:
    score = asked(textures).of("stripes")
    changes = [float(score.derivatives[row]) for row in score.order]
    assert changes == sorted(changes, reverse=True)


def test_alignment_needs_pictures_and_its_own_model(textures: nn.Module) -> None:
    cav = asked(textures, permutations=19).of("stripes").cav
    with pytest.raises(InputError, match="no pictures"):
        align(textures, [], cav)
    with pytest.raises(ModelError, match="other weights"):
        align(nn.Sequential(*textures.children(), nn.Linear(3, 3)).eval(), everything(3, 1), cav)


# Concepts in folders.


def test_a_concept_is_saved_and_loaded(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (16, 16), (i, 2 * i, 255 - i)) for i in range(5)]
    Concept("red things", pictures).save(tmp_path / "red")
    back = Concept.load(tmp_path / "red")
    assert back.name == "red things"
    pairs = zip(back.examples, pictures, strict=True)
    assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)
    tensor = torch.randn(4, 1, 8, 8)
    Concept("tensor", tensor).save(tmp_path / "tensor")
    assert torch.equal(Concept.load(tmp_path / "tensor").examples, tensor)  # type: ignore[arg-type]


def test_a_folder_of_pictures_is_a_concept(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "one.png")
    assert Concept.load(tmp_path).name == tmp_path.name
    (tmp_path / "two.png").write_text("no picture")
    with pytest.raises(InputError, match=r"two\.png"):
        Concept.load(tmp_path)


def test_a_saved_concept_names_nothing_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "concept.json").write_text('{"name": "x", "examples": ["../secret.png"]}')
    with pytest.raises(InputError, match="outside"):
        Concept.load(tmp_path)


def test_directions_are_kept_with_the_concept(tmp_path: Path) -> None:
    found = [CAV.of("1", torch.randn(8), distance=2.5, origin=-1.0, weights="ab", name="x")]
    found += [CAV.of("4", torch.randn(5), space="cells")]
    concept = Concept("red", torch.randn(4, 1, 8, 8)).knowing(found)
    back = Concept.load(concept.save(tmp_path / "red"))
    assert back.cavs == concept.cavs
    assert [cav.name for cav in back.cavs.values()] == ["red", "red"]
    assert back.at("4").space == "cells"
    assert torch.equal(back.at("1").direction, found[0].direction)


def test_what_is_saved_is_what_the_model_is_fed(tmp_path: Path) -> None:
    deep = (np.arange(256, dtype=np.uint16).reshape(16, 16) * 257).astype(np.uint16)
    pictures = [Image.new("CMYK", (16, 16), (9, 80, 200, 4)), deep, np.full((16, 16, 3), 0.5)]
    back = Concept.load(Concept("mixed", pictures).save(tmp_path)).examples
    assert all(picture.mode == "RGB" for picture in back)
    assert np.asarray(back[1])[15, 15].tolist() == [255, 255, 255]
    with pytest.raises(InputError, match="runs from"):
        Concept("wrong", [np.full((16, 16, 3), 7.0)]).save(tmp_path)


def test_broken_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    concept = Concept("red", torch.randn(4, 1, 8, 8)).knowing([CAV.of("1", torch.ones(3))])
    folder = concept.save(tmp_path / "red")
    said = (folder / "concept.json").read_text()

    def refused(match: str) -> None:
        with pytest.raises(InputError, match=match):
            Concept.load(folder)

    for text, match in (
        ("{", "cannot be read"),
        ('{"name": "x", "examples": [3]}', "cannot be read"),
        (said.replace('"layer"', '"place"'), "does not fit"),
        (said.replace('"distance": 1.0', '"distance": -1.0'), "does not fit"),
    ):
        (folder / "concept.json").write_text(text)
        refused(match)
    (folder / "concept.json").write_text(said)
    monkeypatch.setattr("nbxplain.concepts.concept.LARGEST", 1000)
    refused("unpacks to more than 1000")
    monkeypatch.undo()
    monkeypatch.setattr("nbxplain.concepts.concept.LONGEST", 10)
    refused("longer than 10")
    monkeypatch.undo()
    np.savez(folder / "examples.npz", examples=np.array([{"a": 1}], object))
    refused(r"examples\.npz")
    np.savez(folder / "examples.npz", other=np.ones(3))
    refused("no examples")
    (folder / "examples.npz").write_bytes(b"no archive")
    refused("cannot be read")
    monkeypatch.setattr("nbxplain.concepts.concept.MOST", 1)
    for name in ("a.png", "b.png"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    with pytest.raises(InputError, match="2 files"):
        Concept.load(tmp_path)


# Bad input.


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"concepts": {"few": textured("stripes", 2, 1)}}, InputError, "2 examples"),
        ({"concepts": {}}, InputError, "no concepts"),
        ({"random_sets": everything(20, 4)}, InputError, "20 random pictures"),
        ({"class_images": textured("dots", 9, 3)}, InputError, "None of the 9"),
        ({"layers": "44"}, LayerError, "44"),
        ({"estimator": "svm"}, MethodError, "svm"),
        ({"permutations": 3}, MethodError, "permutations"),
        ({"alpha": 2}, MethodError, "alpha = 2"),
        ({"alpha": 0.0}, MethodError, "alpha = 0"),
        ({"random_sets": "nowhere/"}, InputError, "no folder 'nowhere'"),
        ({"class_images": "nowhere"}, InputError, "no folder 'nowhere'"),
        ({"concepts": {"a": "nowhere"}}, InputError, "no folder 'nowhere'"),
        ({"relative": [("stripes", "zebras")]}, MethodError, "zebras"),
        ({"target": 9}, ExplanationError, "9"),
    ],
)
def test_bad_input_is_refused_by_name(
    textures: nn.Module, changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        asked(textures, **changes)


@pytest.mark.parametrize("names", [("dots", "dots"), ("dots", "random pictures")])
def test_two_sets_of_one_name_are_refused(textures: nn.Module, names: tuple[str, str]) -> None:
    both = [Concept(name, textured("dots", 30, seed)) for seed, name in enumerate(names)]
    with pytest.raises(InputError, match=f"{names[1]!r} is taken already"):
        asked(textures, concepts=both)


def test_a_picture_on_both_sides_is_named(textures: nn.Module, tmp_path: Path) -> None:
    pool = everything(120, 4)
    pool[70] = textured("dots", 30, 2)[12]
    with pytest.raises(InputError, match=r"picture 13 of dots and picture 71 of random pictures"):
        asked(textures, random_sets=pool)
    files = [tmp_path / f"{number}.png" for number in range(6)]
    for number, file in enumerate(files):
        Image.new("L", (SIDE, SIDE), 40 * number).save(file)
    twice = r"twice in grey: picture 2 \(1.png\) and picture 6 \(1.png\)"
    with pytest.raises(InputError, match=twice):
        asked(textures, concepts={"grey": [*files[:5], files[1]]}, preprocess=grey)


def grey(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(picture.convert("L"), np.float32) / 255)[None]


def test_a_file_that_is_no_picture_is_named(textures: nn.Module, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    cache, pictures = FeatureCache(), textured("stripes", 30, 1)
    for place in ("concepts", "random_sets", "class_images"):
        given: Any = [tmp_path / "notes.txt"] * 5
        changes = {place: {"x": given} if place == "concepts" else given}
        with pytest.raises(InputError, match=r"'notes\.txt' is no picture"):
            asked(textures, preprocess=grey, cache=cache, **changes)
    # What was computed before is kept.
    assert passes_of(textures, cache, pictures) < passes_of(textures, FeatureCache(), pictures)


def test_two_pictures_in_all(textures: nn.Module) -> None:
    two = textured("stripes", 2, 3)
    with pytest.raises(InputError, match="has 1 examples"):
        asked(textures, concepts={"x": two[:1]}, random_sets=two[1:], class_images=two)


def test_classifiers_at_chance_are_said_and_not_scored(textures: nn.Module) -> None:
    (score,) = asked(textures, concepts={"nothing": everything(30, 77)}).scores
    assert not score.found
    assert "does not tell nothing from random pictures" in score.verdict
    assert "no score" in score.verdict


class Poisoned(nn.Module):
    """Gives NaN at a layer for pictures that are bright, and a score that hides it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.layer = inner, nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        bright = x.mean((1, 2, 3), keepdim=True) > 40
        seen = self.layer(torch.where(bright, torch.nan, x))
        scores: Tensor = self.inner(torch.where(bright, x, seen))
        return scores


def test_activations_that_are_nan(textures: nn.Module) -> None:
    with pytest.raises(ExplanationError, match=r"activation.*NaN"):
        asked(Poisoned(textures), layers="layer", concepts={"bright": textured("dots", 9, 1) + 50})


def test_a_layer_that_the_class_does_not_depend_on() -> None:
    class Side(Head):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.head(x) + 0 * self.features(x).sum()
            return scores

    model, x = Side(), torch.randn(80, 6)
    target = int(model(x).mean(0).argmax())
    with pytest.raises(LayerError, match="no gradient"):
        tcav(model, {"a": x[:20]}, x[20:30], target, "features", random_sets=x[30:])


def test_scores_wait_for_pictures_and_stream(textures: nn.Module) -> None:
    passes, pictures = Passes(ModelAdapter(textures)), textured("stripes", 30, 1)
    states = list(streamed(passes, pictures, ["1", "4"], FeatureCache()))
    assert states == sorted(states)
    assert states[-1] == (30 + 120 + 2 + 1, 2)


class Drawn(Sequence[Tensor]):
    """Pictures that are there when they are asked for; notes how many at a time."""

    def __init__(self, pictures: Tensor) -> None:
        self.pictures, self.most = pictures, 0

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, at: Any) -> Any:
        self.most = max(self.most, len(self.pictures[at]))
        return self.pictures[at]


def test_pictures_are_held_a_batch_at_a_time(textures: nn.Module) -> None:
    shown = textured("stripes", 150, 3)
    drawn = Drawn(shown)
    found = asked(textures, class_images=drawn).of("dots")
    last = asked(textures, class_images=shown[90:]).of("dots")
    assert drawn.most <= features.BATCH < len(shown)
    torch.testing.assert_close(found.derivatives[90:], last.derivatives, rtol=1e-4, atol=1e-5)
