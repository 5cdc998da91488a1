"""compare(): side by side, and what cannot be computed said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

from nbxplain import compare, explain
from nbxplain.compare import Comparison
from nbxplain.core.errors import ExplanationError, InputError, MethodError, ModelError
from nbxplain.methods.base import make
from tests.models import cnn, picture

METHODS = ["gradient", "input_x_gradient", make("integrated_gradients", steps=4), "grad_cam"]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(cnn(), picture(), METHODS, target=2)


def test_each_map_is_that_of_explain(comparison: Comparison) -> None:
    assert [a.method.name for a in comparison.attributions] == [make(m).name for m in METHODS]
    assert comparison.answered == [0, 1, 2, 3]
    assert comparison.done == comparison.total == 4
    assert not comparison.failures
    for attribution, method in zip(comparison.attributions, METHODS, strict=True):
        expected = explain(cnn(), picture(), method, target=2, progress=False)
        np.testing.assert_allclose(attribution.values, expected.values, rtol=1e-4, atol=1e-6)


def test_matrices_are_symmetric_with_ones_on_the_diagonal(comparison: Comparison) -> None:
    for matrix in map(np.array, (comparison.rank, comparison.overlap, comparison.structure)):
        assert matrix.shape == (4, 4)
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
        np.testing.assert_allclose(np.diag(matrix), 1)
    assert bool((np.array(comparison.overlap) >= 0).all())
    a, b = (comparison.attributions[i].values[0].sum(0).flatten() for i in (0, 1))
    assert comparison.rank[0][1] == pytest.approx(spearmanr(a, b).statistic, abs=1e-6)


def test_what_fails_is_listed_and_stops_nothing() -> None:
    result = compare(cnn(), picture(), ["gradient", "attention_rollout", "lrp"], target=0)
    assert [a.method.name for a in result.attributions] == ["gradient", "lrp"]
    assert result.answered == [0, 2]
    assert list(result.failures) == ["Attention Rollout"]
    assert isinstance(result.failures["Attention Rollout"], ModelError)
    assert "no attention" in result.summary()
    assert np.array(result.rank).shape == (2, 2)
    assert result.done == result.total == 3


def test_all_of_them_may_fail() -> None:
    result = compare(cnn(), picture(), ["attention_raw"], target=0)
    assert result.attributions == []
    assert result.rank == []
    assert "no attention" in result.summary()


def test_the_summary_names_the_methods(comparison: Comparison) -> None:
    lines = comparison.summary().splitlines()
    assert [line.split()[0] for line in lines] == [make(m).name for m in METHODS]
    assert lines[1].split()[2] == "+1.00"
    assert "grad_cam" in repr(comparison)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_figure_is_saved_with_its_provenance(
    comparison: Comparison, tmp_path: Path, suffix: str
) -> None:
    path = comparison.save(tmp_path / f"side.{suffix}")
    said: Any = None
    if suffix == "png":
        with Image.open(path) as image:
            assert image.width > image.height / 4
            said = json.loads(image.text["Description"])["comparison"]  # type: ignore[attr-defined]
        assert [p["method"] for p in said] == [make(m).name for m in METHODS]
        assert said == [a.provenance for a in comparison.attributions]
    else:
        assert path.read_bytes()[:5] in (b"<?xml", b"%PDF-")
    assert comparison._repr_png_()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("inputs", "methods", "options", "error"),
    [
        (picture(), [], {}, InputError),
        (picture(2), ["gradient"], {}, InputError),
        (picture(), ["gradient"], {"target": [0, 1]}, InputError),
        (picture(), ["gradiant"], {}, MethodError),
        (picture(), "gradiant", {}, MethodError),
        (picture(), None, {}, MethodError),
        (picture(), ["gradient"], {"target": 99}, ExplanationError),
    ],
)
def test_what_concerns_all_of_them_is_raised(
    inputs: Any, methods: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        compare(cnn(), inputs, methods, **options)


@pytest.mark.parametrize("method", ["gradient", make("integrated_gradients", steps=4)])
def test_one_method_may_be_named_without_a_list(method: Any) -> None:
    result = compare(cnn(), picture(), method, target=2)
    expected = explain(cnn(), picture(), method, target=2, progress=False)
    np.testing.assert_allclose(result.attributions[0].values, expected.values, rtol=1e-4, atol=1e-6)


def test_the_same_method_twice_agrees_with_itself() -> None:
    result = compare(cnn(), picture(), ["gradient", "gradient"], target=1)
    np.testing.assert_allclose(result.rank, np.ones((2, 2)))
    assert result.overlap == [[1, 1], [1, 1]]
