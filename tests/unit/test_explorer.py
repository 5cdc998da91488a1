"""The Explorer without a browser: traits, jobs, files, and what it leaves behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from traitlets import TraitError, link

from nbxplain import Baseline, Contrast, ExplanationError, Explorer
from tests.models import Raises, cnn, linear, many, picture

Open = Callable[..., Explorer]


@pytest.fixture
def explore() -> Iterator[Open]:
    """Opens Explorers of a small network and closes them."""
    opened: list[Explorer] = []

    def explore(model: nn.Module | None = None, image: Any = None, **options: Any) -> Explorer:
        image = picture() if image is None else image
        opened.append(Explorer(model or cnn(), image, **options))
        return opened[-1]

    yield explore
    for explorer in opened:
        explorer.close()


def test_it_explains_what_the_model_says(explore: Open) -> None:
    explorer = explore(labels=list("abcde"))
    result = explorer.wait()
    assert result is not None
    assert explorer.method == "grad_cam"
    assert explorer.status == "done"
    assert result.target == [list("abcde")[explorer.target]]
    assert explorer.target == result.prediction.top(1)[0].index
    assert explorer.layer == result.layer is not None


def test_without_a_spatial_layer_it_starts_with_a_path(explore: Open) -> None:
    explorer = explore(linear())
    assert explorer.wait().method.name == "integrated_gradients"


@pytest.mark.parametrize(
    ("trait", "value", "seen"),
    [
        ("method", "gradient", lambda r: r.method.name == "gradient"),
        ("target", "d", lambda r: r.target == ["d"]),
        ("target", Contrast("a", "b"), lambda r: r.target == ["a rather than b"]),
        ("layer", "relus.0", lambda r: r.layer == "relus.0"),
        ("params", {"relu": False}, lambda r: r.method.relu is False),
    ],
)
def test_a_trait_that_is_set_is_computed(
    explore: Open, trait: str, value: Any, seen: Callable[[Any], bool]
) -> None:
    explorer = explore(labels=list("abcde"))
    before = explorer.wait()
    setattr(explorer, trait, value)
    assert explorer.wait() is not before
    assert seen(explorer.result)


def test_the_look_computes_nothing(explore: Open) -> None:
    explorer = explore()
    result, jobs = explorer.wait(), explorer._jobs
    explorer.opacity, explorer.colormap, explorer.clip = 0.2, "viridis", 90
    explorer.sign, explorer.threshold, explorer.view = "positive", 50, "side"
    explorer.native = True
    assert explorer.wait() is result
    assert explorer._jobs == jobs


def test_parameters_come_back_with_their_method(explore: Open) -> None:
    explorer = explore(method="integrated_gradients")
    explorer.params = {"steps": 7}
    explorer.method = "grad_cam"
    explorer.method = "integrated_gradients"
    assert explorer.params["steps"] == 7
    assert explorer.wait().method.steps == 7


@pytest.mark.parametrize("baseline", ["white", {"kind": "blur", "sigma": 3}, Baseline.noise(2)])
def test_a_baseline_in_any_form(explore: Open, baseline: Any) -> None:
    explorer = explore(method="integrated_gradients")
    explorer.baseline = baseline
    used = explorer.wait().method.baseline
    assert used == Baseline.model_validate(baseline)
    assert explorer.baseline["kind"] == used.kind


@pytest.mark.parametrize(
    ("trait", "value", "said"),
    [
        ("method", "grad_cram", "grad_cam"),
        ("target", "bb", "bb"),
        ("target", 99, "99"),
        ("params", {"step": 4}, "step"),
        ("params", {"steps": -4}, "steps"),
        ("baseline", "blak", "blak"),
        ("opacity", 2, "opacity"),
        ("colormap", "jet", "colormap"),
        ("view", "upside down", "view"),
    ],
)
def test_what_cannot_be_is_refused_and_named(
    explore: Open, trait: str, value: Any, said: str
) -> None:
    explorer = explore(method="integrated_gradients", labels=list("abcde"))
    before = getattr(explorer, trait)
    with pytest.raises(TraitError, match=said):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before
    assert explorer.wait().complete


def test_an_unknown_argument_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="methd"):
        Explorer(cnn(), picture(), methd="grad_cam")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"image": "no-such-picture.png"}, "no-such-picture.png"),
        ({"image": picture(rows=2)}, "one picture"),
        ({"image": object()}, "object"),
        ({"method": "grad_cram"}, "grad_cam"),
        ({"target": "nobody"}, "nobody"),
        ({"model": Raises(cnn(), 0)}, "the disk is on fire"),
    ],
)
def test_bad_input_is_a_card(explore: Open, options: dict[str, Any], said: str) -> None:
    explorer = explore(**options)
    assert said in json.dumps(explorer._error)
    assert explorer.status == "error"
    with pytest.raises(ExplanationError, match=re.escape(said)):
        explorer.wait()
    explorer._repr_mimebundle_()


def test_a_good_picture_after_a_bad_one(explore: Open) -> None:
    explorer = explore(image="no-such-picture.png")
    explorer.image = picture()
    assert explorer.wait().complete
    assert explorer._error is None
    assert explorer.status == "done"


def test_a_model_that_fails_later_is_a_card_too(explore: Open) -> None:
    explorer = explore()
    explorer.wait()
    explorer.layer = "no.such.layer"
    with pytest.raises(ExplanationError, match=r"no\.such\.layer"):
        explorer.wait()
    assert "no.such.layer" in json.dumps(explorer._error)
    explorer.layer = "relus.0"
    assert explorer.wait().layer == "relus.0"
    assert explorer._error is None


def test_the_users_function_is_the_target(explore: Open) -> None:
    def margin(output: torch.Tensor) -> torch.Tensor:
        return output[:, 0] - output[:, 1]

    explorer = explore(method="gradient", target=margin)
    by_function = explorer.wait().values
    explorer.target = Contrast(0, 1)
    assert torch.allclose(explorer.wait().values, by_function)


def told(explorer: Explorer) -> list[int]:
    return [choice["index"] for choice in explorer._prediction["top"]]


def test_the_explained_classes_are_told_however_improbable(explore: Open) -> None:
    model, image = many(), picture()
    order = model(image)[0].argsort(descending=True).tolist()
    explorer = explore(model, image, method="gradient", target=order[-1])
    assert told(explorer) == [*order[:5], order[-1]]
    assert explorer._prediction["top"][-1]["probability"] == pytest.approx(
        float(model(image).detach().softmax(1)[0, order[-1]])
    )
    explorer.target = order[1]
    assert told(explorer) == order[:5]
    explorer.target = Contrast(order[7], order[9])
    assert told(explorer) == [*order[:5], order[7], order[9]]
    explorer.image = other = picture(seed=1)
    best = model(other)[0].topk(5).indices.tolist()
    assert told(explorer) == [*best, *(i for i in (order[7], order[9]) if i not in best)]
    explorer.target = lambda output: output.sum(1)
    assert told(explorer) == best


def test_linked_explorers_agree(explore: Open) -> None:
    one, other = explore(), explore(method="gradient")
    links = [link((one, name), (other, name)) for name in ("target", "opacity", "view")]
    one.wait(), other.wait()
    one.target, one.opacity, one.view = 3, 0.9, "map"
    assert (other.target, other.opacity, other.view) == (3, 0.9, "map")
    assert one.wait().target == other.wait().target == ["3"]
    for each in links:
        each.unlink()


@pytest.mark.parametrize("method", ["gradient", "grad_cam", "integrated_gradients", "smoothgrad"])
def test_the_code_gives_the_same_bits(explore: Open, method: str) -> None:
    model, image = cnn(), picture()
    explorer = explore(model, image, labels=list("abcde"), method=method)
    explorer.target = Contrast("a", "c")
    shown = explorer.wait()
    scope: dict[str, Any] = {"model": model, "image": image, "labels": list("abcde")}
    exec(explorer.code(), scope)
    assert torch.equal(scope["attribution"].values, shown.values)


def test_the_code_is_that_of_the_shown_result(explore: Open) -> None:
    explorer = explore(method="gradient")
    explorer.wait()
    shown = explorer.result.target[0]
    explorer.layer = "no.such.layer"
    explorer.method, explorer.target = "grad_cam", 4
    with pytest.raises(ExplanationError):
        explorer.wait()
    assert "'gradient'" in explorer.code()
    assert f"target={shown}" in explorer.code()


@pytest.mark.parametrize(
    ("format", "begins"),
    [
        ("png", b"\x89PNG"),
        ("svg", b"<?xml"),
        ("pdf", b"%PDF"),
        ("npz", b"PK"),
        ("json", b"{"),
        ("html", b"<!doctype html>"),
    ],
)
def test_every_format_is_written(explore: Open, tmp_path: Path, format: str, begins: bytes) -> None:
    explorer = explore()
    explorer.wait()
    path = explorer.save(tmp_path / f"map.{format}")
    assert path.read_bytes().startswith(begins)


def test_an_unknown_format_is_refused(explore: Open, tmp_path: Path) -> None:
    explorer = explore()
    explorer.wait()
    with pytest.raises(ExplanationError, match="tiff"):
        explorer.save(tmp_path / "map.tiff")
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_result_files_say_what_is_missing(explore: Open, tmp_path: Path) -> None:
    explorer = explore(image="no-such-picture.png")
    with pytest.raises(ExplanationError, match="no result"):
        explorer.save(tmp_path / "map.png")
    with pytest.raises(ExplanationError, match="no result"):
        explorer.code()
