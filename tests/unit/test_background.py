"""Backgrounds: batches and baselines become model input, and survive as data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from nbxplain import Background, Baseline, ExplanationError
from nbxplain.core.inputs import read
from tests.models import picture

CPU = torch.device("cpu")


def test_a_batch_stands_before_every_row() -> None:
    rows = picture(3, seed=1)
    found = Background.batch(rows).tensors_for(read(picture(2), None), CPU)
    assert found.shape == (3, 2, 3, 16, 16)
    for row in range(2):
        assert torch.equal(found[:, row], rows)


def test_baselines_are_made_for_each_input() -> None:
    inputs = read(picture(2), None)
    found = Background.of("black", Baseline.blur(3)).tensors_for(inputs, CPU)
    assert not bool(found[0].any())
    assert torch.equal(found[1], Baseline.blur(3).tensor_for(inputs, CPU))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_a_table_keep_their_precision(dtype: type) -> None:
    rows = np.array([[1 / 3, 5e4], [2 / 3, 7e4]], dtype)
    x = torch.zeros(1, 2, dtype=torch.float64)
    background = Background.model_validate_json(Background.batch(rows).model_dump_json())
    assert len(background) == 2
    assert background.tensors_for(read(x, None), CPU)[:, 0].numpy().tolist() == rows.tolist()


def test_json_and_repr_round_trip() -> None:
    names = {"Background": Background, "Baseline": Baseline}
    for background in (Background.batch(picture(2)), Background.of("black", "noise")):
        assert Background.model_validate_json(background.model_dump_json()) == background
        assert eval(repr(background), names) == background
        assert len(background) == 2


@pytest.mark.parametrize("rows", [torch.rand(3), torch.rand(0, 4), np.array([["a"]]), [[True]]])
def test_what_is_no_batch_is_refused(rows: object) -> None:
    with pytest.raises(ExplanationError, match=r"cannot be of shape"):
        Background.batch(rows)


def test_bad_values_and_shapes_are_named() -> None:
    with pytest.raises(ExplanationError, match="NaN"):
        Background.batch(torch.full((2, 3, 4, 4), torch.nan))
    missing = torch.tensor([[torch.nan, 1.0]])  # of table rows a value may be missing
    assert bool(
        Background.batch(missing).tensors_for(read(torch.rand(1, 2), None), CPU).isnan().any()
    )
    with pytest.raises(ExplanationError, match=r"shape \(5,\), the input \(4,\)"):
        Background.batch(torch.rand(2, 5)).tensors_for(read(torch.rand(1, 4), None), CPU)
    with pytest.raises(ValidationError, match="at least one row"):
        Background.of()
