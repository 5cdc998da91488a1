"""A scikit-learn estimator, a pipeline or any function of an array, as a module of table rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nbxplain.core.errors import InputError, ModelError
from nbxplain.core.meaning import Meaning
from nbxplain.core.tables import Categories, Table, default_names, matched

BOOSTED = ("GradientBoostingClassifier", "HistGradientBoostingClassifier")


class Estimator(nn.Module):
    """Scores (N, K), in float64, of encoded table rows (N, F): a fitted estimator, or a callable.

    A classifier gives its `predict_proba`, a regressor its `predict`, a callable what it returns
    for an array (N, F): (N,) or (N, K). Gradient boosting gives the margins of its
    `decision_function`, for they are the sums over trees that tree_shap explains; a classifier
    without probabilities gives its margins too. A margin m between two classes becomes the scores
    (-m, m), one for each class. `meaning` says which probabilities follow: see meaning.py; for
    (-m, m) the sigmoid of each, not their softmax.

    `table` decodes the rows; without one they are passed as they are. There are no weights and no
    gradient. Raises ModelError for what is not fitted, and where the output is no scores.
    """

    def __init__(self, estimator: Any, table: Table | None = None) -> None:
        super().__init__()
        self.estimator, self.table = estimator, table
        self.meaning, self._function = _function(estimator)
        # There is nothing in it that training would change.
        self.eval()

    def __deepcopy__(self, memo: dict[int, Any]) -> Estimator:
        # Predicting changes no estimator: the forest itself is run, not a copy of it.
        return Estimator(self.estimator, self.table)

    def forward(self, rows: Tensor) -> Tensor:
        """Scores (N, K) of encoded rows (N, F)."""
        decoded = self.decoded(rows)
        try:
            output = self._function(decoded)
        except Exception as error:
            raise ModelError(
                f"{self.title} raised {type(error).__name__} for {len(rows)} rows: {error}",
                "Call it on such rows yourself. Name the columns with feature_names= and their "
                "values with categories=, or give a DataFrame as background.",
            ) from error
        return self._scores(output, len(rows)).to(rows.device)

    def decoded(self, rows: Tensor) -> Any:
        """Encoded rows (N, F) as the estimator takes them."""
        given = rows.detach().cpu().double()
        return given.numpy() if self.table is None else self.table.decode(given)

    def _scores(self, output: Any, rows: int) -> Tensor:
        array = output.detach().cpu().numpy() if isinstance(output, Tensor) else np.asarray(output)
        if array.dtype.kind not in "fiub" or array.ndim not in (1, 2) or len(array) != rows:
            raise ModelError(
                f"{self.title} gave {_described(output)} for {rows} rows.",
                "One number a row, shape (N,), or one a class, shape (N, K), can be explained.",
            )
        scores = torch.from_numpy(array.astype(np.float64))
        scores = scores.unsqueeze(1) if scores.ndim == 1 else scores
        one_sided = self.meaning in ("log odds", "margins") and scores.shape[1] == 1
        return torch.cat([-scores, scores], 1) if one_sided else scores

    @property
    def title(self) -> str:
        """The name of its class, or of the function."""
        return str(getattr(self.estimator, "__name__", type(self.estimator).__name__))

    @property
    def settings(self) -> str:
        """What it was made of, as text: all that can be said of it without reading its state."""
        if not hasattr(self.estimator, "get_params"):
            return self.title
        return re.sub(r"\s+", " ", repr(self.estimator))

    @property
    def labels(self) -> list[str] | None:
        """The classes of a classifier; None where there are none."""
        classes = getattr(self.estimator, "classes_", None)
        return None if classes is None else [str(label) for label in classes]

    @property
    def version(self) -> tuple[int, ...]:
        """Changes when it is fitted again: fitted attributes end in an underscore."""
        return tuple(
            id(value)
            for part in _parts(self.estimator)
            for name, value in getattr(part, "__dict__", {}).items()
            if name.endswith("_")
        )


def as_module(model: Any) -> nn.Module:
    """The model itself, or the Estimator around what predicts. Raises ModelError."""
    if isinstance(model, nn.Module):
        return model
    if not isinstance(model, type) and (callable(model) or _predicts(model)):
        return Estimator(model)
    raise ModelError(
        f"The model is {type(model).__name__}, neither a torch.nn.Module nor an estimator.",
        "Give a module, a fitted scikit-learn estimator or pipeline, or a function that takes an "
        "array (N, F) and returns scores (N,) or (N, K).",
    )


def table_for(
    model: nn.Module, names: Sequence[str] | None, categories: Categories | None, background: Any
) -> Table | None:
    """What is known of a model's columns before the first row; None where that is nothing.

    Raises InputError where names, background and what the estimator was fitted to do not agree.
    """
    estimator = getattr(model, "estimator", None)
    fitted = getattr(estimator, "feature_names_in_", None)
    width = getattr(estimator, "n_features_in_", None)
    if fitted is not None:
        matched(fitted if names is None else names, fitted, "feature_names")
        names = list(fitted)
    if names is None and background is None and width is not None:
        names = default_names(width)
    if width is not None and names is not None and len(names) != width:
        raise InputError(
            f"{len(names)} feature names were given, the model takes {width} features.",
            "Name each column, in the order of the training data.",
        )
    # Fitted to a DataFrame of another library, it takes arrays as well.
    framed = fitted is not None and find_spec("pandas") is not None
    if background is None:
        return None if names is None else Table.of(None, names, categories, framed)
    table = Table.of(background, names, categories, framed)
    if width is not None and table.width != width:
        raise InputError(
            f"The background has {table.width} features, the model takes {width}.",
            "Give rows as the model was fitted to, without the target's column.",
        )
    return table.with_background(background)


def _predicts(model: Any) -> bool:
    return any(hasattr(model, name) for name in ("predict_proba", "decision_function", "predict"))


def _function(model: Any) -> tuple[Meaning, Callable[[Any], Any]]:
    """What the scores mean, and what gives them. Raises ModelError for what is not fitted."""
    if not hasattr(model, "fit"):
        return ("scores", model) if callable(model) else ("values", model.predict)
    _check_fitted(model)
    last = _parts(model)[-1]
    classes: Sequence[Any] = getattr(model, "classes_", ())
    if type(last).__name__ in BOOSTED:
        # With the exponential loss half the log odds come out, and the sum of trees is no logit.
        odds: Meaning = "margins" if getattr(last, "loss", "") == "exponential" else "log odds"
        return odds if len(classes) == 2 else "scores", model.decision_function
    if hasattr(model, "predict_proba"):
        return "scores", model.predict_proba
    if hasattr(model, "decision_function") and len(classes):
        return "margins", model.decision_function
    return "values", model.predict


def _parts(model: Any) -> list[Any]:
    """The estimator and, of pipelines and searches, what is inside; the one that predicts last."""
    inside = getattr(model, "best_estimator_", None)
    if inside is None and hasattr(model, "steps"):
        steps = [step for _, step in model.steps]
        return [model, *steps[:-1], *_parts(steps[-1])]
    return [model] if inside is None else [model, *_parts(inside)]


def _check_fitted(model: Any) -> None:
    # Who has an estimator has scikit-learn; a bare module does not wait for its import.
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise ModelError(
            f"{type(model).__name__} is not fitted.", "Call its fit() on the training data first."
        ) from error
    except TypeError:
        # Not scikit-learn's, only like it: it says itself when it cannot predict.
        return


def _described(output: Any) -> str:
    if isinstance(output, list | tuple):
        return f"a {type(output).__name__} of {len(output)}"
    array = np.asarray(output)
    return f"an array of {array.dtype} of shape {array.shape}"


__all__ = ["Estimator", "as_module", "table_for"]
