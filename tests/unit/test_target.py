"""What is explained: every way of saying it, and every way of saying it wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nbxplain import Contrast, ExplanationError, explain
from nbxplain.core.errors import ModelError, TargetError
from nbxplain.core.target import Target, resolve
from tests.models import CLASSES, SIDE, Function, cnn, linear, picture

LABELS = ["cat", "dog", "crane", "egret", "Grey Whale"]
OUTPUT = torch.tensor([[1.0, 5, 2, 4, 3], [9, 1, 2, 3, 4]])
ROWS = torch.arange(2)


def score(target: Any) -> list[float]:
    return list(resolve(target, OUTPUT, LABELS).score(OUTPUT, ROWS))


@pytest.mark.parametrize(
    ("target", "scores"),
    [
        (None, [5, 9]),
        (2, [2, 2]),
        (np.int64(2), [2, 2]),
        ("dog", [5, 1]),
        ("grey whale", [3, 4]),
        ([2, 0], [2, 9]),
        (("cat", 4), [1, 4]),
        (torch.tensor([2, 0]), [2, 9]),
        (np.array([2, 0]), [2, 9]),
        (torch.tensor(3), [4, 3]),
        (Contrast("dog", "cat"), [4, -8]),
        (Contrast(1, "cat"), [4, -8]),
        ([Contrast(1, 0), 0], [4, 9]),
        (lambda output: output[:, 1:3].sum(1), [7, 3]),
    ],
)
def test_ways_to_say_it(target: Any, scores: list[float]) -> None:
    assert score(target) == scores


def test_rows_say_which_target_belongs_to_which_row_of_a_chunk() -> None:
    target = resolve([2, 0], OUTPUT, LABELS)
    rows = torch.tensor([1, 0, 1])
    assert target.score(OUTPUT[rows], rows).tolist() == [9, 2, 9]


def test_names() -> None:
    assert resolve(None, OUTPUT, LABELS).names(LABELS) == ["dog", "cat"]
    assert resolve(Contrast(0, 1), OUTPUT, LABELS).names(LABELS) == ["cat rather than dog"] * 2

    def second(output: torch.Tensor) -> torch.Tensor:
        return output[:, 1]

    assert resolve(second, OUTPUT, LABELS).names(LABELS) == ["second"] * 2
    assert len(Target((1, 2), (-1, -1))) == 2


@pytest.mark.parametrize("target", [5, -1, 10**9])
def test_index_out_of_range(target: int) -> None:
    with pytest.raises(TargetError, match=rf"no class {target}\. .*0 to 4"):
        score(target)


@pytest.mark.parametrize(("label", "near"), [("dgo", "dog"), ("whale", "Grey Whale")])
def test_unknown_label_has_near_matches(label: str, near: str) -> None:
    with pytest.raises(TargetError, match=f"Did you mean .*{near!r}"):
        score(label)


def test_label_of_two_classes_is_refused() -> None:
    with pytest.raises(TargetError, match=r"2 classes are called 'crane'\. .*2 or 3"):
        resolve("crane", OUTPUT, ["cat", "dog", "crane", "Crane", "whale"])


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (1.0, "float"),
        (True, "bool"),
        ([], "0 targets"),
        ([0, 1, 2], "3 targets were given for 2 inputs"),
        ([0, "nothing"], "nothing"),
        (Contrast(1, 1), "two different"),
        (Contrast("dog", "dgo"), "dgo"),
        ({"a": 1}, "dict"),
    ],
)
def test_targets_that_do_not_exist(target: Any, says: str) -> None:
    with pytest.raises(TargetError, match=says):
        score(target)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda output: output.sum(), r"returned \(\)"),
        (lambda output: output, r"returned \(2, 5\)"),
        (lambda output: 3, "returned int"),
        (lambda output: output.logits, "AttributeError"),
        (lambda output: output[:, 17], "IndexError"),
        (lambda output: output[:, 0] * torch.nan, "NaN"),
        (lambda output: output.argmax(1).float(), "No gradient"),
    ],
)
def test_target_functions_that_fail(function: Any, says: str) -> None:
    with pytest.raises(ExplanationError, match=says) as caught:
        explain(cnn(), picture(2), "gradient", target=function)
    assert caught.value.hint


# In explain.


def test_several_targets_for_one_input() -> None:
    model, x = linear(), picture()
    result = explain(model, x, "gradient", target=[0, 3, Contrast(1, 2)], labels=LABELS)
    weight = model[1].weight.detach()  # type: ignore[index]
    expected = torch.stack([weight[0], weight[3], weight[1] - weight[2]])
    torch.testing.assert_close(result.values, expected.view(3, 3, SIDE, SIDE))
    assert result.target == ["cat", "egret", "dog rather than crane"]
    assert result.prediction.scores.shape == (1, CLASSES)


def test_default_is_the_predicted_class_of_each_input() -> None:
    model, x = cnn(), picture(4)
    result = explain(model, x, "gradient")
    assert result.target == [str(k) for k in model(x).argmax(1).tolist()]


@pytest.mark.parametrize("labels", [LABELS, dict(enumerate(LABELS)), {3: "egret"}, tuple(LABELS)])
def test_labels_of_every_kind(labels: Any) -> None:
    assert explain(cnn(), picture(), "gradient", labels=labels, target=3).target == ["egret"]


@pytest.mark.parametrize("labels", [LABELS[:4], [*LABELS, "one more"], {7: "cat"}, {"cat": 0}, []])
def test_labels_that_do_not_fit(labels: Any) -> None:
    with pytest.raises(TargetError, match="labels"):
        explain(cnn(), picture(), "gradient", labels=labels)


def test_labels_of_the_models_configuration() -> None:
    model = cnn()
    model.config = type("Config", (), {"id2label": dict(enumerate(LABELS))})()
    assert explain(model, picture(), "gradient", target="crane").target == ["crane"]


def test_output_that_is_no_row_of_scores_needs_a_function() -> None:
    model = Function(lambda x: 2 * x)
    with pytest.raises(ModelError, match="target=callable"):
        explain(model, picture(2), "gradient")
    result = explain(model, picture(2), "gradient", target=lambda output: output[:, 0, 3, 4])
    assert float(result.values.sum()) == 4
    assert result.values[:, 0, 3, 4].tolist() == [2, 2]
