"""How far two maps agree."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import spearmanr

from nbxplain.evaluation.similarity import common, rank_correlation, top_overlap
from tests.unit.test_rules import normal


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlation_is_spearmans(seed: int) -> None:
    a = normal(6, 7, seed=seed)
    b = a + normal(6, 7, seed=seed + 10)
    expected = spearmanr(a.flatten(), b.flatten()).statistic
    assert rank_correlation(a, b) == pytest.approx(expected, abs=1e-12)


def test_rank_correlation_with_ties_is_spearmans() -> None:
    a, b = (normal(6, 7, seed=s).round() for s in (1, 2))
    expected = spearmanr(a.flatten(), b.flatten()).statistic
    assert rank_correlation(a, b) == pytest.approx(expected, abs=1e-12)


def test_rank_correlation_looks_at_order_only() -> None:
    a = normal(5, 5)
    assert rank_correlation(a, a.exp() * 1e6) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)


def test_a_constant_map_agrees_with_nothing() -> None:
    assert math.isnan(rank_correlation(torch.ones(4, 4), normal(4, 4)))


def test_top_overlap_by_hand() -> None:
    a = torch.arange(20.0).view(4, 5)
    b = a.clone()
    assert top_overlap(a, b) == 1  # 18 and 19
    b[0, 0] = 100
    assert top_overlap(a, b) == 0.5  # 0 and 19
    b[0, 1] = 99
    assert top_overlap(a, b) == 0
    assert top_overlap(a, b, share=0.2) == 0.5  # 16 to 19; 0, 1, 18, 19
    assert top_overlap(a, b, share=1.0) == 1
    assert top_overlap(a, b, share=0.001) == 0  # one cell at least


def test_the_finer_map_is_averaged_into_the_coarser() -> None:
    fine, coarse = normal(4, 6), normal(2, 3, seed=1)
    first, second = common(fine, coarse)
    expected = fine.view(2, 2, 3, 2).mean((1, 3))
    torch.testing.assert_close(first, expected)
    torch.testing.assert_close(second, coarse)
    assert rank_correlation(fine, coarse) == rank_correlation(coarse, fine)
    assert rank_correlation(fine, expected) == pytest.approx(1)


def test_neither_map_may_be_coarser_in_both_directions() -> None:
    first, second = common(normal(4, 3), normal(2, 9))
    assert first.shape == second.shape == (2, 3)
