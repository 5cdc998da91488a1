"""The Edit panel: painted on the page or set from Python, undone, explained, written as code."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nbxplain import Baseline, Contrast, Explorer
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.counterfactuals.editing import Clone, Edit, Inpaint, edited
from nbxplain.widget import runs
from tests.models import SIDE, cnn, many, picture
from tests.unit.page import FakePage, until

pytest_plugins = ["tests.unit.page"]


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(cnn(), picture(), method="gradient")
    explorer.wait()
    yield explorer
    explorer.close()


def square(side: int = SIDE) -> np.ndarray:
    labels = np.zeros((side, side), int)
    labels[: side // 2, : side // 2] = 1
    return labels


def paint(page: FakePage, labels: np.ndarray, *fills: Any, **more: Any) -> dict[str, Any]:
    content = {
        "fills": list(fills),
        "adjustments": {},
        "shape": list(labels.shape),
        "settled": True,
        **more,
    }
    return page.ask("paint", [runs.encode(labels)["data"]], **content)


def test_painting_tells_what_the_model_says_of_the_edited_picture(
    explorer: Explorer, page: FakePage
) -> None:
    answer = paint(page, square(), {"kind": "mean"})
    assert answer["ok"], answer["error"]
    direct = edited(cnn(), picture(), Edit.painted(square(), ["mean"]))
    told = answer["painted"]
    assert (told["before"], told["after"]) == pytest.approx(direct.scores, abs=1e-6)
    said = {c["index"]: (c["before"], c["after"]) for c in told["choices"]}
    for index, _, before, after in direct.moved():
        assert said[index] == pytest.approx((before, after), abs=1e-6)
    seen = Image.open(io.BytesIO(answer["buffers"][0]))
    assert (np.asarray(seen) == np.asarray(direct.picture)).all()


def test_the_explained_classes_are_told_of_the_edited_picture(wire: None) -> None:
    model, image = many(), picture()
    order = model(image)[0].argsort(descending=True).tolist()
    explorer = Explorer(model, image, method="gradient", target=Contrast(order[-1], order[9]))
    explorer.wait()
    choices = paint(FakePage(explorer), square(), {"kind": "mean"})["painted"]["choices"]
    explorer.close()
    assert [c["index"] for c in choices][:7] == [*order[:5], order[-1], order[9]]
    after = model(explorer.edits._now().inputs.tensor).detach().softmax(1)[0]
    assert choices[5]["after"] == pytest.approx(float(after[order[-1]]), abs=1e-6)


def test_a_coarser_mask_is_laid_over_the_picture(explorer: Explorer, page: FakePage) -> None:
    answer = paint(page, square(SIDE // 2), {"kind": "black"})
    fine = edited(cnn(), picture(), Edit.painted(square(), ["black"]))
    assert answer["painted"]["after"] == pytest.approx(fine.scores[1], abs=1e-6)


def test_a_stroke_that_is_not_over_leaves_no_step(explorer: Explorer, page: FakePage) -> None:
    paint(page, square(), {"kind": "mean"}, settled=False)
    assert not explorer.edits.undo()
    assert explorer.edits.edit.empty
    paint(page, square(), {"kind": "mean"})
    assert explorer.edits.edit == Edit.painted(square(), ["mean"])
    assert explorer._edits["sketch"]["made"] == "page"
    assert explorer.edits.undo()
    assert explorer.edits.edit.empty
    assert explorer._edits["sketch"]["made"] == "python"


def test_a_hundred_edits_are_undone_and_done_again(explorer: Explorer) -> None:
    edits = []
    for number in range(1, 101):
        labels = np.zeros((SIDE, SIDE), int)
        labels.flat[:number] = 1
        edits.append(Edit.painted(labels, ["black"]))
        explorer.edits.apply(edits[-1])
    for edit in reversed(edits):
        assert explorer.edits.edit == edit
        assert explorer.edits.undo()
    assert explorer.edits.edit.empty
    assert not explorer.edits.undo()
    for edit in edits:
        assert explorer.edits.redo()
        assert explorer.edits.edit == edit
    assert not explorer.edits.redo()


def test_a_new_edit_forgets_what_was_undone(explorer: Explorer) -> None:
    first, second = (Edit.painted(square(), [fill]) for fill in ("black", "mean"))
    explorer.edits.apply(first)
    explorer.edits.undo()
    explorer.edits.apply(second)
    assert not explorer.edits.redo()
    assert explorer.edits.edit == second


def test_python_edits_and_reads_picture_and_prediction(explorer: Explorer) -> None:
    edit = Edit.painted(square(), [Inpaint()], contrast=1.5)
    result = explorer.edits.apply(edit)
    direct = edited(cnn(), picture(), edit)
    assert result.scores == pytest.approx(direct.scores, abs=1e-6)
    assert explorer.edits.picture == direct.picture
    assert torch.allclose(explorer.edits.prediction.scores, direct.after.scores, atol=1e-6)
    explorer.edits.undo()
    assert torch.allclose(explorer.edits.prediction.scores, direct.before.scores, atol=1e-6)


def test_the_page_gets_pythons_edit_in_its_own_form(explorer: Explorer, page: FakePage) -> None:
    other = Image.fromarray(np.full((SIDE, SIDE, 3), 200, np.uint8))
    labels = square()
    labels[SIDE // 2 :] = 2
    labels[SIDE // 2 :, SIDE // 2 :] = 3
    edit = Edit.painted(labels, [Baseline.image(other), Clone(dx=2), "#102030"], brightness=0.25)
    explorer.edits.apply(edit)
    sketch = explorer._edits["sketch"]
    assert (runs.decode(sketch["labels"]["data"], (SIDE, SIDE)) == labels).all()
    assert sketch["adjustments"]["brightness"] == 0.25
    again = paint(page, labels, *sketch["fills"], adjustments=sketch["adjustments"])
    assert again["ok"], again["error"]
    assert explorer.edits.edit == edit


def test_what_the_page_sends_back_is_no_edit_of_its_own(explorer: Explorer, page: FakePage) -> None:
    masks = {"mean": square() == 1, "black": np.roll(square(), SIDE // 4, 0) == 1}
    layers = [{"mask": mask, "fill": fill} for fill, mask in masks.items()]
    explorer.edits.apply(Edit.painted(square(), ["white"]))
    explorer.edits.apply(Edit.model_validate({"layers": layers}))
    assert explorer.edits.undo()
    explorer.edits.redo()
    explorer.edits.undo()
    sketch = explorer._edits["sketch"]
    labels = runs.decode(sketch["labels"]["data"], (SIDE, SIDE))
    paint(page, labels, *sketch["fills"], adjustments=sketch["adjustments"])
    assert explorer.edits.redo(), "the page's echo took the place of what was undone"
    sketch = explorer._edits["sketch"]
    labels = runs.decode(sketch["labels"]["data"], (SIDE, SIDE))
    paint(page, labels, *sketch["fills"], adjustments=sketch["adjustments"])
    assert explorer.edits.undo()


def test_a_picture_file_is_cloned_from(explorer: Explorer, page: FakePage) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((20, 20, 3), 128, np.uint8)).save(buffer, "PNG")
    answer = page.ask("clone_picture", [buffer.getvalue()], name="grey.png")
    assert answer["fill"]["kind"] == "image"
    assert paint(page, square(), answer["fill"])["ok"]
    direct = edited(cnn(), picture(), Edit.painted(square(), ["#808080"]))
    assert explorer.edits.prediction.scores == pytest.approx(direct.after.scores, abs=1e-5)


def test_the_edited_picture_becomes_the_explained_one(explorer: Explorer, page: FakePage) -> None:
    answer = paint(page, square(), {"kind": "black"}, explain=True)
    assert answer["ok"], answer["error"]
    cut = picture()
    cut[:, :, : SIDE // 2, : SIDE // 2] = 0
    assert torch.equal(explorer._study.setting.inputs.tensor, cut)
    assert explorer.wait() is not None
    assert explorer._edits is None
    assert any("edited" in notice for notice in explorer.wait().notices)
    scope: dict[str, Any] = {"model": cnn(), "image": picture()}
    exec(explorer.code(), scope)
    assert torch.equal(scope["image"].tensor, cut)
    assert torch.equal(scope["attribution"].values, explorer.result.values)


def test_the_code_makes_the_edited_picture(explorer: Explorer) -> None:
    assert explorer.edits.code() == ""
    explorer.edits.apply(Edit.painted(square(), [Baseline.noise(3)], rotation=10.0))
    scope: dict[str, Any] = {"model": cnn(), "image": picture()}
    exec(explorer.edits.code(), scope)
    assert torch.equal(scope["image"].tensor, explorer.edits._now().inputs.tensor)


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ({"shape": [SIDE, SIDE + 1]}, "do not fill"),
        ({"shape": [0, 4]}, "cannot be of shape"),
        ({"fills": []}, "1 labels, and there are 0 fills"),
        ({"fills": [{"kind": "glitter"}]}, "cannot be painted"),
        ({"fills": [{"kind": "image", "digest": "gone"}]}, "cannot be painted"),
        ({"adjustments": {"quality": 0}}, "cannot be painted"),
        ({"adjustments": {"sharpness": 1}}, "cannot be painted"),
    ],
)
def test_what_cannot_be_painted_is_a_card(
    explorer: Explorer, page: FakePage, more: dict[str, Any], title: str
) -> None:
    content = {"fills": [{"kind": "mean"}], **more}
    fills = content.pop("fills")
    answer = paint(page, square(), *fills, **content)
    assert title in answer["error"]["title"]
    assert explorer.edits.edit.empty


def test_a_file_that_is_no_picture_is_a_card(explorer: Explorer, page: FakePage) -> None:
    answer = page.ask("clone_picture", [b"not a picture"], name="notes.txt")
    assert "'notes.txt' is no picture" in answer["error"]["title"]


def test_masks_of_another_size_and_nothing_are_refused(explorer: Explorer) -> None:
    with pytest.raises(InputError, match="4 × 4"):
        explorer.edits.apply(Edit.painted(square(4), ["mean"]))
    with pytest.raises(ExplanationError, match="Nothing was edited"):
        explorer.edits.explain()


def test_a_row_of_a_table_is_not_painted(wire: None) -> None:
    explorer = Explorer(torch.nn.Linear(4, 2), torch.zeros(4), method="gradient")
    explorer.wait()
    assert explorer._catalog["edits"] is None
    with pytest.raises(InputError, match="no picture"):
        explorer.edits.apply(Edit())
    explorer.close()


def test_another_picture_begins_anew(explorer: Explorer, page: FakePage) -> None:
    paint(page, square(), {"kind": "mean"})
    explorer.image = picture(seed=2)
    until(lambda: explorer._edits is None, "the edit stays")
    assert explorer.edits.edit.empty
    assert not explorer.edits.undo()
