"""What an attribution says of itself, and the files it becomes."""

from __future__ import annotations

import io
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from nbxplain import Attribution, ExplanationError, explain
from nbxplain.evidence import findings, percent
from nbxplain.results import Prediction
from tests.models import Function, cnn, picture

METHODS = ["gradient", "grad_cam", "integrated_gradients", "smoothgrad"]


def made(method: str = "integrated_gradients", **options: Any) -> Attribution:
    options = {"target": 1, "labels": list("abcde"), "progress": False, **options}
    return explain(cnn(), picture(2), method, **options)


# Prediction.


def test_probabilities_are_a_softmax_of_scores_unless_they_are_one() -> None:
    scores = torch.tensor([[1.0, 2, 4]])
    shares = Prediction(scores, tuple("abc")).probabilities
    assert shares is not None
    torch.testing.assert_close(shares.double(), scores.double().softmax(1), rtol=1e-6, atol=1e-8)
    given = torch.tensor([[0.25, 0.25, 0.5]])
    assert Prediction(given, tuple("abc")).probabilities is given
    assert Prediction(torch.tensor([[0.7]]), ("a",)).probabilities is None
    assert Prediction(torch.rand(1, 3, 4, 4), tuple("abc")).top() == []


def test_top_is_sorted_and_named() -> None:
    top = Prediction(torch.tensor([[1.0, 3, 2]]), tuple("abc")).top(2)
    assert [(c.index, c.label, c.score) for c in top] == [(1, "b", 3.0), (2, "c", 2.0)]
    assert len(Prediction(torch.rand(1, 3), tuple("abc")).top(50)) == 3


# Provenance.


@pytest.mark.parametrize("method", METHODS)
def test_provenance_gives_the_same_numbers_again(method: str) -> None:
    first = made(method)
    said = json.loads(json.dumps(first.provenance))
    again = explain(
        cnn(),
        picture(2),
        said["method"],
        target=[int("abcde".index(name)) for name in said["target"]],
        layer=said["layer"],
        chunk=said["chunk"],
        layout=said["layout"],
        precision=said["precision"],
        progress=False,
        **said["parameters"],
    )
    assert torch.equal(again.values, first.values)
    assert said["weights"] == again.provenance["weights"]
    assert said["model"] == "ModuleRelu"
    assert said["torch"] == torch.__version__
    assert said["input"] == [2, 3, 16, 16]
    assert re.fullmatch(r"[0-9a-f]{16}", said["weights"])


def test_preprocessing_is_recorded() -> None:
    from nbxplain import Preprocessing

    image = Image.new("RGB", (20, 20), "red")
    chosen = Preprocessing(20, 16)
    result = explain(cnn(), image, "gradient", preprocess=chosen)
    assert result.provenance["preprocessing"] == repr(chosen)
    assert "fed as it is" in made("gradient").provenance["preprocessing"]


# Files.


def test_png(tmp_path: Path) -> None:
    result = made()
    path = result.save(tmp_path / "a.png", dpi=60)
    assert path.read_bytes().startswith(b"\x89PNG")
    with Image.open(path) as image:
        assert json.loads(image.text["Description"]) == result.provenance  # type: ignore[attr-defined]
        assert len(np.unique(np.asarray(image.convert("L")))) > 20


def test_svg(tmp_path: Path) -> None:
    text = made().save(tmp_path / "a.svg", dpi=60).read_text()
    assert text.lstrip().startswith("<?xml")
    assert "<svg" in text
    assert "integrated_gradients" in text
    assert re.search(r"<text[^>]*>[^<]*Integrated Gradients", text), "text is text, not outlines"


def test_pdf(tmp_path: Path) -> None:
    data = made().save(tmp_path / "a.pdf", dpi=60).read_bytes()
    assert data.startswith(b"%PDF")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    text = data + b"".join(_inflated(stream) for stream in streams)
    assert b"integrated_gradients" in text
    assert b"/Type3" not in text.replace(b" ", b""), "fonts are embedded, not drawn"


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


@pytest.mark.parametrize("method", METHODS)
def test_npz(tmp_path: Path, method: str) -> None:
    result = made(method)
    path = result.save(tmp_path / "a.npz")
    assert path.read_bytes().startswith(b"PK")
    with np.load(path) as data:
        assert np.array_equal(data["values"], result.values.numpy())
        assert np.array_equal(data["input"], picture(2).numpy())
        said = json.loads(str(data["description"]))
        assert ("alpha" in data) == (method == "integrated_gradients")
    assert said["provenance"] == result.provenance
    assert said["method"] == method


def test_json(tmp_path: Path) -> None:
    result = made()
    said = json.loads(result.save(tmp_path / "a.JSON").read_text())
    assert said["evidence"]["completeness_gap"] == result.evidence["completeness_gap"]
    assert said["target"] == ["b", "b"]
    assert said["complete"] is True
    assert said["prediction"][0]["label"] == result.prediction.top(1)[0].label


@pytest.mark.parametrize("name", ["a.gif", "a", "a.pngg"])
def test_unknown_suffix_is_an_error_and_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExplanationError, match=r"\.png"):
        made("gradient").save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_repr_png_is_a_picture() -> None:
    with Image.open(io.BytesIO(made("gradient")._repr_png_())) as image:
        assert image.size[0] > 300


# In words.


def test_summary_names_everything() -> None:
    result = made("grad_cam")
    text = result.summary()
    assert "Grad-CAM for b, b" in text
    assert "layer: relus.1" in text
    assert "evaluations: 2" in text
    assert repr(result) == "<Attribution grad_cam of b, b, values (2, 1, 8, 8)>"
    assert "completeness gap" in made().summary()
    assert "standard error" in made("smoothgrad").summary()


def test_partial_result_says_so() -> None:
    result = made("gradient")
    result.done = 1
    assert not result.complete
    assert "(partial: 1 of 2)" in result.summary()
    assert result.describe()["complete"] is False


def test_reason_of_an_empty_map() -> None:
    model = cnn()
    nn.init.zeros_(model.head.weight)  # type: ignore[arg-type]
    for method in METHODS:
        result = explain(model, picture(), method, target=1, progress=False)
        assert result.reason
        assert result.save  # an empty map is a result like any other
        assert result._repr_png_().startswith(b"\x89PNG")
    assert made("gradient").reason is None


def test_findings_judge_by_the_thresholds_they_state() -> None:
    def verdict(**raw: float) -> str:
        return findings({k: [v] for k, v in raw.items()})[0].verdict

    for gap, expected in ((0.009, "good"), (-0.009, "good"), (0.03, "weak"), (0.2, "poor")):
        assert verdict(completeness_gap=gap, score_change=-1.0) == expected
    assert verdict(completeness_gap=0.5, score_change=0.0) == "plain"
    for error, expected in ((0.05, "good"), (0.2, "weak"), (0.5, "poor")):
        assert verdict(standard_error=error) == expected
    for cosine, expected in ((0.995, "good"), (0.95, "weak"), (0.5, "poor")):
        assert verdict(bfloat16_cosine=cosine) == expected


def test_findings_are_of_the_row_that_is_asked_for() -> None:
    evidence = {"standard_error": [0.05, 0.5], "evaluations": [1234.0], "seconds": [2.0]}
    assert [f.verdict for f in findings(evidence, 0)] == ["good", "plain"]
    assert [f.verdict for f in findings(evidence, 1)] == ["poor", "plain"]
    assert "1\u202f234 in 2 s" in findings(evidence, 1)[1].value


@pytest.mark.parametrize(
    ("share", "text"), [(0.123, "12 %"), (0.0123, "1.2 %"), (2.5, "250 %"), (0.0, "0 %")]
)
def test_percent(share: float, text: str) -> None:
    assert percent(share) == text


def test_heatmap_is_the_sum_over_channels() -> None:
    result = made("gradient")
    torch.testing.assert_close(result.heatmap(1), result.values[1].sum(0))
    assert result.signed
    positive = explain(Function(lambda x: x.flatten(1).sum(1)), picture(), "gradient")
    assert not positive.signed
