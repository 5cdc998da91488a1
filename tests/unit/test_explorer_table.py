"""The Explorer on a row of a table: estimators, functions and networks."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

from nbxplain import Explorer, explain
from nbxplain.core.errors import InputError
from nbxplain.widget.protocol import Feature
from tests.models import seeded
from tests.unit.page import FakePage
from tests.unit.test_tables import COLOURS, NAMES, ROW, people, scores

pytest_plugins = ["tests.unit.page"]

Open = Callable[..., Explorer]


@pytest.fixture
def explore() -> Iterator[Open]:
    """Opens Explorers of rows and closes them."""
    opened: list[Explorer] = []

    def explore(model: Any = scores, row: Any = ROW, **options: Any) -> Explorer:
        opened.append(Explorer(model, row, **{"background": people(), **options}))
        return opened[-1]

    yield explore
    for explorer in opened:
        explorer.close()


@pytest.fixture(scope="module")
def pipeline() -> Any:
    frame = people()
    prepare = make_column_transformer(
        (OneHotEncoder(), ["colour"]), (StandardScaler(), ["age", "size"])
    )
    return make_pipeline(prepare, LogisticRegression()).fit(frame, scores(frame) > 6.5)


def network() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)))


def feature(explorer: Explorer, name: str) -> Feature:
    assert explorer._table is not None
    return next(f for f in explorer._table["features"] if f["name"] == name)


def unavailable(explorer: Explorer) -> dict[str, str | None]:
    return {m["name"]: m["unavailable"] for m in explorer._catalog["methods"]}


def test_it_opens_on_a_row(explore: Open, pipeline: Any) -> None:
    explorer = explore(pipeline, labels=["no", "yes"])
    result = explorer.wait()
    assert result is not None
    assert explorer.status == "done"
    assert explorer.image is None
    assert explorer._image is None
    assert explorer.row == ROW
    assert result.inputs.is_table
    assert result.target == [result.prediction.top(1)[0].label]
    assert explorer._catalog["model"]["name"] == "Pipeline"
    assert explorer._catalog["model"]["input"] == "3 features"
    assert explorer._catalog["layers"] == []


def test_the_foot_says_what_is_computed_in(explore: Open, pipeline: Any) -> None:
    told = [
        explore(model, **options)._catalog["model"]["precision"]
        for model, options in (
            (pipeline, {}),
            (network(), {}),
            (network().double(), {}),
            (network(), {"precision": "bfloat16"}),
        )
    ]
    assert told == ["", "float32", "float64", "bfloat16"]


def test_the_page_sees_the_features(explore: Open) -> None:
    explorer = explore()
    frame = people()
    assert feature(explorer, "age") == {
        "name": "age",
        "value": 40,
        "shown": "40",
        "minimum": frame["age"].min(),
        "maximum": frame["age"].max(),
        "integer": True,
        "choices": None,
    }
    assert feature(explorer, "colour") == {
        "name": "colour",
        "value": "red",
        "shown": "red",
        "minimum": None,
        "maximum": None,
        "integer": False,
        "choices": list(COLOURS),
    }
    assert feature(explorer, "size")["integer"] is False
    json.dumps(explorer._table)


def test_a_feature_may_be_missing(explore: Open) -> None:
    def forgiving(frame: pd.DataFrame) -> Any:
        return frame["size"].fillna(0).to_numpy()

    explorer = explore(forgiving, {**ROW, "size": None})
    explorer.wait()
    assert feature(explorer, "size")["value"] is None
    assert feature(explorer, "size")["shown"] == "missing"


def test_the_first_method_is_the_most_exact_that_can_run(explore: Open) -> None:
    explorer = explore()
    explorer.wait()
    able = {name for name, why in unavailable(explorer).items() if why is None}
    assert explorer.method in able
    assert explorer.method != "tree_shap"
    assert explorer.method == ("shapley" if "shapley" in able else "feature_ablation")


def test_a_method_that_was_chosen_stays(explore: Open) -> None:
    explorer = explore(method="lime")
    assert explorer.wait().method.name == "lime"
    assert explorer.wait().method.baseline.kind == "mean"


def test_what_cannot_run_says_why(explore: Open) -> None:
    lacks = unavailable(explore())
    assert "gradients or layers" in str(lacks["integrated_gradients"])
    assert "gradients or layers" in str(lacks["grad_cam"])
    assert "picture" in str(lacks["occlusion"])
    assert lacks["lime"] is None
    inside = unavailable(explore(network()))
    assert inside["integrated_gradients"] is inside["deep_shap"] is None
    assert "picture" in str(inside["grad_cam"])
    bare = unavailable(explore(network(), [1.0, 2.0, 3.0], background=None))
    assert "background" in str(bare["deep_shap"])


def test_absence_is_the_mean_where_it_is_known(explore: Open) -> None:
    explorer = explore(method="feature_ablation")
    explorer.wait()
    assert explorer.baseline == {"kind": "mean"}
    assert [tile["kind"] for tile in explorer._baselines] == ["mean", "black"]
    expected = explain(scores, ROW, "feature_ablation", background=people()).values
    assert torch.equal(explorer.result.values, expected)
    bare = explore(network(), [1.0, 2.0, 3.0], background=None, method="feature_ablation")
    bare.wait()
    assert bare.baseline == {"kind": "black"}
    assert [tile["kind"] for tile in bare._baselines] == ["black"]
    assert any("0 stands for a feature" in notice for notice in bare._notices)


def test_a_background_reaches_the_methods_that_average_over_it(explore: Open) -> None:
    explorer = explore(network(), method="deep_shap")
    result = explorer.wait()
    expected = explain(network(), ROW, "deep_shap", target=explorer.target, background=people())
    assert torch.equal(result.values, expected.values)
    # The rows stay here: a spec travels with every result.
    assert len(json.dumps(explorer._result["spec"])) < 1000


def test_another_row(explore: Open) -> None:
    explorer = explore()
    before = explorer.wait()
    explorer.row = {**ROW, "age": 60, "colour": "blue"}
    assert explorer.wait() is not before
    assert explorer.row == {**ROW, "age": 60, "colour": "blue"}
    assert feature(explorer, "age")["value"] == 60
    with pytest.raises(InputError, match="'colour' cannot be 'purple'"):
        explorer.row = {**ROW, "colour": "purple"}
    assert explorer.row == {**ROW, "age": 60, "colour": "blue"}


def test_what_does_not_fit_is_a_card(explore: Open) -> None:
    explorer = explore(row={**ROW, "colour": "purple"})
    assert explorer._error is not None
    assert "'colour' cannot be 'purple'" in explorer._error["title"]
    batch = explore(row=people().iloc[:2])
    assert batch._error is not None
    assert "one picture or row" in batch._error["title"]


@pytest.mark.parametrize("name", ["feature_ablation", "lime"])
def test_the_result_crosses_as_a_line(explore: Open, name: str) -> None:
    explorer = explore(method=name)
    result = explorer.wait()
    grid = explorer._result["map"]
    assert grid["shape"] == [1, 3]
    line = np.frombuffer(grid["data"], "<i2") * grid["scale"]
    assert line == pytest.approx(result.values[0].numpy(), abs=grid["scale"])
    assert "age = 40" in explorer._result["description"]
    assert explorer._result["curve"] is None


def test_a_path_has_no_curve_without_a_picture(explore: Open) -> None:
    explorer = explore(network(), method="integrated_gradients")
    assert explorer.wait().path is not None
    assert explorer._result["curve"] is None


def test_methods_beside_each_other(explore: Open) -> None:
    explorer = explore(method="feature_ablation")
    explorer.wait()
    explorer.compare(["feature_ablation", "lime", "gradient"])
    explorer.wait()
    assert len(explorer._comparison["results"]) == 2
    assert "Gradient" in explorer._comparison["failures"][0]["title"]
    explorer.comparison.figure().canvas.draw()


def test_what_is_left_behind(explore: Open, tmp_path: Path) -> None:
    explorer = explore()
    before = explorer._repr_mimebundle_()
    explorer.wait()
    bundle = explorer._repr_mimebundle_()
    assert before is not None
    assert bundle is not None
    data, said = (b[0] if isinstance(b, tuple) else b for b in (bundle, before))
    assert "age = 40" in data["text/html"]
    with Image.open(io.BytesIO(data["image/png"])) as still:
        assert still.width > 200
    assert "model says prediction" in said["text/html"] or "age = 40" in said["text/html"]
    for suffix in ("png", "svg", "npz", "json", "html"):
        path = explorer.save(tmp_path / f"row.{suffix}")
        assert path.stat().st_size > 500
    page = (tmp_path / "row.html").read_text()
    state = re.search(r'id="state">(.*?)</script>', page)
    assert state is not None
    assert json.loads(state[1])["_table"]["features"][0]["name"] == "age"


@pytest.mark.parametrize("name", ["feature_ablation", "lime", "deep_shap"])
def test_the_code_computes_the_same(explore: Open, name: str) -> None:
    model = network()
    explorer = explore(model, method=name)
    result = explorer.wait()
    code = explorer.code()
    assert "background=background" in code
    assert len(code) < 1000
    names: dict[str, Any] = {"model": model, "row": ROW, "background": people()}
    exec(code, names)
    assert torch.equal(names["attribution"].values, result.values)


def test_a_page_can_ask(wire: None, explore: Open) -> None:
    explorer = explore(method="feature_ablation")
    explorer.wait()
    page = FakePage(explorer)
    assert page.ask("hello")["ok"]
    page.set(method="lime", params={"samples": 50})
    assert explorer.wait().method.samples == 50
    page.set(baseline={"kind": "black"})
    assert explorer.wait().method.baseline.kind == "black"
    assert page.ask("code")["ok"]
    answer = page.ask(
        "export",
        format="png",
        width="single",
        dpi=100,
        comparison=False,
        caption=True,
        transparent=False,
    )
    assert answer["buffers"][0][:4] == b"\x89PNG"
    draft = explorer._result["spec"] | {"target": 0}
    assert page.ask("draft", spec=draft)["ok"]


def test_the_names_of_the_features_are_those_given(explore: Open) -> None:
    explorer = explore(
        network(), np.array([1.0, 2.0, 3.0]), background=None, feature_names=list(NAMES)
    )
    assert explorer.row == {"age": 1, "colour": 2, "size": 3}
    assert "feature_names=feature_names" in (explorer.wait() and explorer.code())
