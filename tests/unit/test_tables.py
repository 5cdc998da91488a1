"""Rows of tables: read, encoded, decoded, and explained by every method that suits them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

from nbxplain import Baseline, ExplanationError, compare, explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError
from nbxplain.core.tables import Table
from nbxplain.methods.base import REGISTRY
from tests.models import linear, seeded

NAMES = ("age", "colour", "size")
COLOURS = ("blue", "green", "red")


def people(rows: int = 60) -> pd.DataFrame:
    """A table with a whole number, a text, and a number."""
    draws = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": draws.integers(18, 80, rows),
            "colour": draws.choice(COLOURS, rows, p=(0.2, 0.2, 0.6)),
            "size": draws.normal(170, 10, rows).round(1),
        }
    )


def scores(frame: pd.DataFrame) -> Any:
    """A function of a DataFrame in which every feature has a part of its own."""
    assert list(frame.columns) == list(NAMES)
    return frame["age"] / 10 + 5.0 * (frame["colour"] == "red") - frame["size"] / 100


ROW = {"age": 40, "colour": "red", "size": 181.5}
ENCODED = [40.0, 2.0, 181.5]

FORMS = {
    "dict": ROW,
    "dict in another order": dict(reversed(ROW.items())),
    "series": pd.Series(ROW),
    "frame": pd.DataFrame([ROW]),
    "frame in another order": pd.DataFrame([ROW])[["size", "age", "colour"]],
    "array": np.array(list(ROW.values()), object),
    "list": list(ROW.values()),
    "list of dicts": [ROW],
    "list of series": [pd.Series(ROW)],
    "list of lists": [list(ROW.values())],
    "encoded": torch.tensor(ENCODED),
}


@pytest.fixture
def table() -> Table:
    return Table.of(people()).with_background(people())


# Encoding.


@pytest.mark.parametrize("form", FORMS)
def test_a_row_in_any_form(table: Table, form: str) -> None:
    assert table.encode(FORMS[form]).tolist() == [ENCODED]


@pytest.mark.parametrize("form", FORMS)
def test_it_is_explained_in_any_form(form: str) -> None:
    result = explain(scores, FORMS[form], "feature_ablation", background=people())
    frame = people()
    typical = frame["age"].mean() / 10, 5.0, -frame["size"].mean() / 100
    expected = [4.0 - typical[0], 0.0, -1.815 - typical[2]]
    torch.testing.assert_close(result.values[0], torch.tensor(expected, dtype=torch.float64))


def test_decoding_undoes_encoding(table: Table) -> None:
    decoded = table.decode(table.encode(people()))
    pd.testing.assert_frame_equal(decoded, people(), check_dtype=False)
    assert table.row(torch.tensor(ENCODED)) == ROW
    assert table.shown(torch.tensor(ENCODED)) == ["40", "red", "181.5"]


def test_categorical_types_survive() -> None:
    sizes = pd.CategoricalDtype(["S", "M", "L"], ordered=True)
    frame = pd.DataFrame({"size": pd.Series(["L", "S"], dtype=sizes), "n": [1, 2]})
    table = Table.of(frame)
    assert table.categories == {"size": ("S", "M", "L")}
    assert table.encode(frame).tolist() == [[2, 1], [0, 2]]
    assert table.decode(table.encode(frame))["size"].dtype == sizes


def test_an_array_of_objects_stays_an_array() -> None:
    rows = people().to_numpy()

    def second(array: Any) -> Any:
        assert array.dtype == object
        return (array[:, 1] == "red").astype(float)

    result = explain(second, rows[0], "feature_ablation", background=rows, feature_names=NAMES)
    assert result.inputs.table is not None
    assert result.inputs.table.categories == {"colour": COLOURS}


def test_given_categories_keep_their_order() -> None:
    table = Table.of(people(), categories={"colour": ["red", "green", "blue", "grey"]})
    assert table.encode(ROW).tolist() == [[40, 0, 181.5]]
    assert table.encode({**ROW, "colour": "grey"}).tolist() == [[40, 3, 181.5]]


def test_what_is_missing_is_nan(table: Table) -> None:
    row = {"age": None, "colour": math.nan, "size": pd.NA}
    encoded = table.encode(row)
    assert bool(encoded.isnan().all())
    assert table.row(encoded[0]) == dict.fromkeys(NAMES)
    assert table.shown(encoded[0]) == ["missing"] * 3
    decoded = table.decode(encoded)
    assert bool(decoded.isna().all(axis=None))


def test_float32_is_shown_as_it_was_meant() -> None:
    inputs = ModelAdapter(nn.Linear(3, 2)).read([0.1, 1e-7, 3.0])
    assert inputs.tensor.dtype == torch.float32
    assert inputs.table is not None
    assert list(inputs.table.row(inputs.tensor[0]).values()) == [0.1, 1e-7, 3.0]
    assert inputs.table.shown(inputs.tensor[0]) == ["0.1", "1e-07", "3"]


def test_statistics_of_the_background(table: Table) -> None:
    frame = people()
    assert table.typical.tolist() == pytest.approx([frame["age"].mean(), 2, frame["size"].mean()])
    assert table.spans == {
        "age": (frame["age"].min(), frame["age"].max(), True),
        "size": (frame["size"].min(), frame["size"].max(), False),
    }
    bare = Table.of(people())
    assert bare.spans == {}
    assert bare.typical.tolist() == [0, 0, 0]


def test_statistics_leave_out_what_is_missing() -> None:
    rows = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    table = Table.of(rows, ["a", "b"]).with_background(rows)
    assert table.typical[0] == 2
    assert table.typical[1].isnan()
    assert table.spans == {"a": (1, 3, True)}


# What does not fit is named.


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"age": 1, "colour": "red"}, "lacks 'size'"),
        ({**ROW, "weight": 3}, "has 'weight', unknown to the model"),
        (
            {"agee": 1, "colour": "red", "size": 1},
            "lacks 'age' and has 'agee'.*Did you mean 'age'",
        ),
        (pd.DataFrame([ROW])[["age", "size"]], "lacks 'colour'"),
        ({**ROW, "colour": "purple"}, "'colour' cannot be 'purple'.*'blue', 'green', 'red'"),
        ({**ROW, "colour": "gren"}, "Did you mean 'green'"),
        ({**ROW, "colour": ["red"]}, r"'colour' cannot be \['red'\]"),
        ({**ROW, "age": "old"}, "'age' is 'old', which is not a number"),
        ({**ROW, "age": math.inf}, "'age' is inf, which is not a number"),
        ([1, "red"], "row has 2 features, the model takes 3.*'age', 'colour', 'size'"),
        (torch.zeros(2), "row has 2 features, the model takes 3"),
        (torch.zeros(1, 1, 3), r"shape \(1, 1, 3\) holds no table rows"),
        (torch.tensor([1.0, 3, 1]), "'colour' cannot be 3.*codes of its categories are 0 to 2"),
        (torch.tensor([1.0, 0.5, 1]), "'colour' cannot be 0.5"),
        (torch.tensor([torch.inf, 0, 1]), "infinite"),
        ("forty, red", "str is no table row"),
        ([], "empty"),
        (np.zeros((1, 2, 3)), r"shape \(1, 2, 3\) holds no table rows"),
    ],
)
def test_rows_that_do_not_fit(row: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        explain(scores, row, "feature_ablation", background=people())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"background": np.zeros((4, 2))}, "background has 2 features, the model takes 3"),
        ({"background": people().rename(columns={"age": "years"})}, "lacks 'age' and has 'years'"),
        ({"feature_names": ["a", "b"]}, "feature_names lacks 'age'"),
        ({"categories": {"color": COLOURS}}, "'color', which is no feature.*'colour'"),
        ({"feature_names": ["age", "colour", "age"]}, "'size'|Two features are called 'age'"),
    ],
)
def test_options_that_do_not_fit_the_estimator(options: dict[str, Any], says: str) -> None:
    frame = people()
    encode = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
    model = make_pipeline(encode, LogisticRegression(max_iter=2000)).fit(frame, frame["age"] > 40)
    with pytest.raises(InputError, match=says):
        explain(model, ROW, "feature_ablation", **options)


def test_names_must_be_as_many_as_features() -> None:
    model = LinearRegression().fit(np.eye(3), np.ones(3))
    with pytest.raises(InputError, match="2 feature names were given, the model takes 3"):
        explain(model, [1.0, 2, 3], "lime", feature_names=["a", "b"])
    with pytest.raises(InputError, match="background has 4 features, the model takes 3"):
        explain(model, [1.0, 2, 3], "lime", background=np.ones((5, 4)))


def test_text_without_categories_is_no_number() -> None:
    with pytest.raises(InputError, match=r"'colour' is 'red'.*categories=\{'colour'"):
        explain(scores, ROW, "feature_ablation")


# Missing values are for the model to judge.


def test_missing_values_where_there_is_a_place_for_them() -> None:
    draws = np.random.default_rng(1)
    x = draws.normal(size=(80, 3))
    y = x[:, 0] > 0
    for model in (
        HistGradientBoostingClassifier(max_iter=3),
        make_pipeline(SimpleImputer(), LogisticRegression()),
    ):
        row = np.array([np.nan, 1.0, 2.0])
        result = explain(model.fit(x, y), row, "feature_ablation", background=x)
        assert bool(result.values.isfinite().all())
        assert result.inputs.tensor[0, 0].isnan()


@pytest.mark.parametrize(
    "model",
    [LogisticRegression().fit(np.eye(2), [0, 1]), nn.Linear(2, 2), lambda rows: rows.sum(1)],
)
def test_missing_values_where_there_is_none(model: Any) -> None:
    with pytest.raises(InputError, match=r"no value \(NaN\) for 'a', and the model has no place"):
        explain(model, {"a": None, "b": 1.0}, "lime", feature_names=["a", "b"])
    rows = np.array([[1.0, np.nan], [1, 2]])
    with pytest.raises(InputError, match=r"background has no value \(NaN\) for 'b'"):
        explain(model, [1.0, 2], "lime", background=rows, feature_names=["a", "b"])


# What stands for a feature that is not there.

WEIGHTS = torch.tensor([[2.0, -1.0, 0.5], [-2.0, 1.0, 4.0]])
X = torch.tensor([[1.0, 2.0, 3.0], [4.0, -1.0, 0.0]])
ROWS = torch.tensor([[0.0, 1.0, 5.0], [2.0, 3.0, 1.0], [1.0, -1.0, 0.0]])


def model() -> nn.Module:
    module = nn.Linear(3, 2).eval()
    with torch.no_grad():
        module.weight.copy_(WEIGHTS)
    return module


LINEAR = ["integrated_gradients", "deep_lift", "deep_shap", "feature_ablation"]


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_model_is_explained_against_the_mean(name: str) -> None:
    result = explain(model(), X, name, target=1, background=ROWS)
    torch.testing.assert_close(result.values, WEIGHTS[1] * (X - ROWS.mean(0)))


def test_lime_of_a_linear_model() -> None:
    result = explain(model(), X, "lime", target=1, background=ROWS, penalty=1e-6, samples=400)
    expected = WEIGHTS[1] * (X - ROWS.mean(0))
    torch.testing.assert_close(result.values, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["gradient", "input_x_gradient", "smoothgrad", "lrp"])
def test_methods_without_a_baseline(name: str) -> None:
    result = explain(model(), X, name, target=0, background=ROWS)
    assert result.values.shape == X.shape
    assert result.notices == []


def said(**options: Any) -> str:
    return " ".join(explain(model(), X, "integrated_gradients", **options).notices)


def test_what_was_assumed_is_said() -> None:
    assert "mean of the background" in said(background=ROWS)
    assert "0 stands for a feature that is not there" in said(feature_names=["a", "b", "c"])
    assert said(background=ROWS, baseline=Baseline.black()) == ""
    assert said(baseline="black") == ""


def test_a_baseline_that_was_given_stays() -> None:
    result = explain(model(), X, "deep_lift", target=1, background=ROWS, baseline="black")
    torch.testing.assert_close(result.values, WEIGHTS[1] * X)
    row = torch.tensor([1.0, 1.0, 1.0])
    result = explain(model(), X, "deep_lift", target=1, background=ROWS, baseline=row)
    torch.testing.assert_close(result.values, WEIGHTS[1] * (X - 1))


def test_a_background_that_is_needed() -> None:
    with pytest.raises(InputError, match="DeepSHAP averages over a background"):
        explain(model(), X, "deep_shap")


def test_one_by_one_equals_a_batch() -> None:
    whole = explain(model(), X, "integrated_gradients", target=0, background=ROWS).values
    for row, expected in zip(X, whole, strict=True):
        one = explain(model(), row, "integrated_gradients", target=0, background=ROWS).values
        torch.testing.assert_close(one[0], expected)


def test_categories_of_a_network_are_its_codes() -> None:
    frame = people()
    network = seeded(lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)))
    result = explain(network, ROW, "integrated_gradients", background=frame, target=0)
    assert result.inputs.tensor.tolist() == [ENCODED]
    change = result.evidence["score_change"][0]
    assert float(result.values.sum()) == pytest.approx(change, rel=1e-3)


# Every method runs, or the method picker and the error say why not.


def small() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)))


def forest() -> Any:
    return RandomForestClassifier(4, max_depth=2, random_state=0).fit(ROWS, [0, 1, 1])


MODELS = {"network": small, "forest": forest, "function": lambda: lambda rows: rows @ [1, 2, 3]}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("background", [None, ROWS], ids=["bare", "background"])
@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_method_runs_or_lacks_something(
    name: str, background: torch.Tensor | None, kind: str
) -> None:
    model = MODELS[kind]()
    adapter = ModelAdapter(model, background=background)
    lacks = REGISTRY[name].lacks(adapter, adapter.read(X))
    if lacks is not None:
        with pytest.raises(ExplanationError):
            explain(model, X, name, background=background)
        return
    result = explain(model, X, name, background=background)
    assert bool(result.values.isfinite().all())
    assert result.drawn(1).shape == (1, 3)
    assert len(result.summary().split("\n")) > 2
    one = explain(model, X[1], name, background=background, target=result.target[1])
    torch.testing.assert_close(one.drawn(), result.drawn(1), rtol=1e-4, atol=1e-5)


# A pipeline on texts and numbers.


def test_a_pipeline_with_encoded_texts() -> None:
    frame = people()
    prepare = make_column_transformer(
        (OneHotEncoder(), ["colour"]), (StandardScaler(), ["age", "size"])
    )
    pipeline = make_pipeline(prepare, LogisticRegression()).fit(frame, scores(frame) > 6.5)
    result = explain(pipeline, frame.iloc[:3], "feature_ablation", background=frame, target=1)
    typical = {"age": frame["age"].mean(), "colour": "red", "size": frame["size"].mean()}
    before = pipeline.predict_proba(frame.iloc[:3])[:, 1]
    for place, name in enumerate(NAMES):
        changed = frame.iloc[:3].astype({"age": float}).assign(**{name: typical[name]})
        after = pipeline.predict_proba(changed)[:, 1]
        assert result.values[:, place].tolist() == pytest.approx(before - after)


# A table is told from a picture.


@pytest.mark.parametrize(
    "row",
    [[1.0, 2.0, 3.0], np.array([1.0, 2, 3]), {"a": 1.0, "b": 2.0, "c": 3.0}, torch.arange(3.0)],
)
def test_what_can_be_no_picture_is_a_row(row: Any) -> None:
    assert ModelAdapter(model()).read(row).is_table


def test_an_array_of_numbers_is_a_picture_until_something_says_otherwise() -> None:
    array = np.random.default_rng(0).random((16, 16))
    adapter = ModelAdapter(linear())
    assert not adapter.read(array).is_table
    assert (
        ModelAdapter(nn.Linear(16, 2), feature_names=list("abcdefghijklmnop")).read(array).is_table
    )
    assert ModelAdapter(nn.Linear(16, 2), background=array).read(array).is_table
    assert ModelAdapter(lambda rows: rows.sum(1)).read(array).is_table


def test_a_background_of_pictures_is_a_parameter_of_the_method() -> None:
    picture = torch.rand(1, 3, 16, 16)
    result = explain(linear(), picture, "deep_shap", background=torch.rand(2, 3, 16, 16))
    assert result.inputs.table is None
    with pytest.raises(ExplanationError, match="gradient has no parameter 'background'"):
        explain(linear(), picture, "gradient", background=torch.rand(2, 3, 16, 16))


# What is shown.


def test_the_summary_names_features_and_values() -> None:
    lines = explain(scores, ROW, "feature_ablation", background=people()).summary().split("\n")
    assert lines[1] == "prediction: prediction 7.19"
    assert [line.split(":")[0] for line in lines[2:4]] == ["age = 40", "size = 181.5"]


def test_provenance_has_the_columns_and_the_background() -> None:
    first = explain(scores, ROW, "feature_ablation", background=people()).provenance
    again = explain(scores, ROW, "feature_ablation", background=people()).provenance
    other = explain(scores, ROW, "feature_ablation", background=people(61)).provenance
    assert first["features"] == list(NAMES)
    assert first["background"].startswith("60 rows, sha256 ")
    assert first["background"] == again["background"] != other["background"]


def test_methods_beside_each_other() -> None:
    names = ["feature_ablation", "lime", "integrated_gradients", "occlusion"]
    compared = compare(scores, ROW, names, background=people())
    assert [a.method.name for a in compared.attributions] == ["feature_ablation", "lime"]
    assert set(compared.failures) == {"Integrated Gradients", "Occlusion"}
    assert compared.rank[0][1] > 0.4
    figure = compared.figure()
    figure.canvas.draw()
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert sorted(labels) == ["age = 40", "colour = red", "size = 181.5"]
