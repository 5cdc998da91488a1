"""Shapley values against the mathematics: axioms, known games, slow twins, honest errors."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from nbxplain import Attribution, Background, Baseline, Contrast, ExplanationError, Regions, explain
from nbxplain.methods.shapley import posterior
from nbxplain.methods.shapley.additive import Additive
from nbxplain.methods.shapley.base import Design
from nbxplain.methods.shapley.exact import shapley_values
from nbxplain.methods.shapley.pairs import kernel, leverage, pairs
from nbxplain.methods.shapley.partition import Hierarchy, Tree
from nbxplain.methods.shapley.permutation import Orders
from nbxplain.methods.shapley.posterior import Odd
from tests.models import Function, cnn, picture

Floats = NDArray[np.float64]
Game = Callable[[frozenset[int]], float]

SAMPLED = ["kernel_shap", "leverage_shap", "odd_shap", "permutation_shapley"]
EVERY = ["shapley", "exact_shapley", *SAMPLED]


def coalitions(players: int) -> NDArray[np.bool_]:
    """All of them, by the bits of their index."""
    return (np.arange(2**players)[:, None] >> np.arange(players)) & 1 == 1


def table(game: Game, players: int) -> Floats:
    return np.array([game(frozenset(np.flatnonzero(row).tolist())) for row in coalitions(players)])


def played(values: Floats) -> nn.Module:
    """A model of rows of zeros and ones whose first score is the value of the coalition."""
    known = torch.tensor(values)
    powers = 2 ** torch.arange(int(np.log2(len(values))))

    def scores(x: Tensor) -> Tensor:
        value = known[(x.long() * powers).sum(1)]
        return torch.stack([value, torch.zeros_like(value)], 1).to(x)

    return Function(scores)


def shares(values: Floats, name: str, **parameters: Any) -> Attribution:
    players = int(np.log2(len(values)))
    model, x = played(values), torch.ones(1, players)
    return explain(model, x, name, target=0, progress=False, **parameters)


def brute(game: Game, players: int, orders: Any = None) -> Floats:
    """The mean of what each player adds over orders, one by one."""
    result, count = np.zeros(players), 0
    for order in orders or itertools.permutations(range(players)):
        count += 1
        before: frozenset[int] = frozenset()
        for player in order:
            after = before | {player}
            result[player] += game(after) - game(before)
            before = after
    return result / count


def wild(players: int, seed: int = 0) -> Floats:
    """A smooth game with interactions of every order."""
    generator = np.random.default_rng(seed)
    there = coalitions(players).astype(float)
    hidden = np.tanh(there @ generator.normal(size=(players, 6)) * 0.6)
    values: Floats = hidden @ generator.normal(size=6)
    return values


def lookup(values: Floats) -> Game:
    return lambda coalition: float(values[sum(1 << player for player in coalition)])


# Known games.


def linear_relu() -> nn.Module:
    """The model ML of the literature."""
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.copy_(torch.tensor([-10.0, 1, 1, 1]))
        model[2].weight.fill_(1.0)
        model[2].bias.copy_(torch.tensor([-1.0, 1]))
    return model


@pytest.mark.parametrize("name", EVERY)
def test_the_reference_case(name: str) -> None:
    x = torch.tensor([[20.0, 50, 30]])
    result = explain(linear_relu(), x, name, target=0, progress=False)
    expected = torch.tensor([[230 / 3, 590 / 3, 350 / 3]])
    torch.testing.assert_close(result.values, expected, rtol=1e-6, atol=0)
    grouped = explain(
        linear_relu(), x, name, target=0, regions=Regions.map([0, 0, 1]), progress=False
    )
    torch.testing.assert_close(grouped.values, torch.tensor([[275.0, 115.0]]))


GLOVE = table(lambda s: float(0 in s and (1 in s or 2 in s)), 3)
AIRPORT = table(lambda s: float(max((i + 1 for i in s), default=0)), 4)
MAJORITY = table(lambda s: float(len(s) >= 4), 7)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (GLOVE, [4 / 6, 1 / 6, 1 / 6]),
        (AIRPORT, [1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3 + 1 / 2, 1 / 4 + 1 / 3 + 1 / 2 + 1]),
        (MAJORITY, [1 / 7] * 7),
    ],
    ids=["glove", "airport", "majority"],
)
def test_known_games(name: str, values: Floats, expected: list[float]) -> None:
    result = shares(values, name)
    torch.testing.assert_close(result.values, torch.tensor([expected]), rtol=1e-5, atol=1e-6)
    assert result.evidence["exact"] == [1.0]
    assert result.players is not None
    assert result.players.errors is None


@pytest.mark.parametrize("name", EVERY)
def test_equals_the_mean_over_all_orders(name: str) -> None:
    values = wild(7)
    expected = torch.tensor(brute(lookup(values), 7)[None])
    torch.testing.assert_close(shares(values, name).values.double(), expected, rtol=0, atol=1e-6)


# Axioms.


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 9999), st.floats(-3, 3), st.floats(-3, 3))
def test_axioms_of_the_exact_values(players: int, seed: int, a: float, b: float) -> None:
    every = coalitions(players)
    first, second = np.random.default_rng(seed).normal(size=(2, 2**players))
    first, second = first - first[0], second - second[0]
    one, other = shapley_values(every, first), shapley_values(every, second)
    assert one.sum() == pytest.approx(first[-1], abs=1e-9)
    np.testing.assert_allclose(
        shapley_values(every, a * first + b * second), a * one + b * other, atol=1e-9
    )
    # A player whom the game does not see gets nothing, and two who look alike the same.
    blind = first[np.arange(2**players) & ~1]
    assert shapley_values(every, blind)[0] == pytest.approx(0, abs=1e-9)
    if players > 1:
        index = np.arange(2**players)
        swapped = (index & ~3) | ((index & 1) << 1) | ((index & 2) >> 1)
        alike = shapley_values(every, first + first[swapped])
        assert alike[0] == pytest.approx(alike[1], abs=1e-9)


@pytest.mark.parametrize("name", [*SAMPLED, "shapley", "partition_shap"])
@pytest.mark.parametrize("budget", [24, 25, 70, 1000])
def test_any_budget_sums_to_the_change_of_the_score(name: str, budget: int) -> None:
    values = wild(12, seed=3) + 5
    more = {"exact": 0} if name == "shapley" else {}
    result = shares(values, name, budget=budget, **more)
    assert result.base_value is not None
    assert float(result.values.sum() + result.base_value) == pytest.approx(values[-1], abs=1e-5)
    assert result.evidence["evaluations"][0] <= budget + 1


@pytest.mark.parametrize("name", SAMPLED)
def test_a_sum_of_players_is_found_from_few_coalitions(name: str) -> None:
    weights = np.random.default_rng(0).normal(size=10)
    result = shares(coalitions(10) @ weights, name, budget=100)
    size = float(np.linalg.norm(weights))
    error = float((result.values[0].double() - torch.tensor(weights)).norm())
    # The regression with interactions has a prior, and sees a sum up to a thousandth.
    assert error < (2e-2 if name == "odd_shap" else 1e-5) * size


# Estimates.


def designs(players: int, size: int, seed: int) -> dict[str, Design]:
    generator = np.random.default_rng(seed)
    return {
        "kernel_shap": Additive(players, size, kernel, seed),
        "leverage_shap": Additive(players, size, leverage, seed),
        "odd_shap": Odd(players, size, seed),
        "permutation_shapley": Orders(players, size, lambda: generator.permutation(players)),
    }


def estimated(design: Design, values: Floats) -> Any:
    index = design.coalitions @ (1 << np.arange(design.coalitions.shape[1]))
    return design.estimate(values[index] - values[0])


@pytest.mark.parametrize("name", SAMPLED)
@pytest.mark.parametrize("game", ["wild", "majority"])
def test_standard_errors_are_honest(name: str, game: str) -> None:
    players, size = 9, 130
    weights = np.random.default_rng(1).integers(1, 9, players)
    lead = (coalitions(players) @ weights > weights.sum() / 2).astype(float)
    values = wild(players, seed=5) if game == "wild" else lead
    truth = brute_fast(values)
    within = []
    for seed in range(200):
        found = estimated(designs(players, size, seed)[name], values)
        within.append(np.abs(found.values - truth) <= 2 * found.errors)
    assert np.mean(within) >= 0.9


def brute_fast(values: Floats) -> Floats:
    return shapley_values(coalitions(int(np.log2(len(values)))), values - values[0])


@pytest.mark.parametrize("name", SAMPLED)
def test_more_evaluations_are_closer(name: str) -> None:
    values = wild(12, seed=2)
    truth = brute_fast(values)
    errors = [
        np.median(
            [
                np.square(estimated(designs(12, size, seed)[name], values).values - truth).sum()
                for seed in range(9)
            ]
        )
        for size in (48, 200, 800)
    ]
    assert errors[2] < 0.5 * errors[1] < 0.25 * errors[0]


def test_the_regression_on_the_odd_part_needs_fewer() -> None:
    values = wild(12, seed=2)
    truth = brute_fast(values)

    def error(name: str) -> float:
        found = [estimated(designs(12, 400, seed)[name], values).values for seed in range(9)]
        return float(np.median(np.square(np.array(found) - truth).sum(1)))

    assert error("odd_shap") < 0.5 * min(error("kernel_shap"), error("leverage_shap"))


def test_pairs_beyond_one_regression_still_help(monkeypatch: pytest.MonkeyPatch) -> None:
    values = wild(11, seed=4)
    truth = brute_fast(values)
    monkeypatch.setattr(posterior, "MOST", 64)

    def error(size: int) -> float:
        found = [estimated(Odd(11, size, seed), values) for seed in range(15)]
        within = [np.abs(f.values - truth) <= 2 * f.errors for f in found]
        assert np.mean(within) >= 0.9
        return float(np.median([np.square(f.values - truth).sum() for f in found]))

    assert error(1500) < 0.5 * error(130)


@pytest.mark.parametrize("rate", [kernel, leverage])
@pytest.mark.parametrize(("players", "count"), [(1, 5), (2, 5), (5, 9), (6, 100), (40, 300)])
def test_pairs_are_complements_and_none_comes_twice(rate: Any, players: int, count: int) -> None:
    found = pairs(players, count, rate, 0)
    assert len(found) == 2 + 2 * min(count, 2 ** (players - 1) - 1)
    assert len(np.unique(found, axis=0)) == len(found)
    assert (found[0::2] == ~found[1::2]).all()
    assert not found[0].any()


# Owen values.


def orders_of(tree: Tree) -> list[tuple[int, ...]]:
    """All orders in which no group is interrupted."""
    if tree.parts is None:
        return [tree.members]
    first, second = (orders_of(part) for part in tree.parts)
    return [o for a, b in itertools.product(first, second) for o in ((*a, *b), (*b, *a))]


def leaf(player: int) -> Tree:
    return Tree((player,))


def test_owen_values_equal_the_mean_over_orders_that_keep_groups() -> None:
    left = Tree((0, 3), (leaf(0), leaf(3)))
    right = Tree((1, 2, 4), (Tree((1, 4), (leaf(1), leaf(4))), leaf(2)))
    tree = Tree((0, 3, 1, 4, 2), (left, right))
    values = wild(5, seed=9)
    design = Hierarchy(tree, 10**6)
    assert design.complete
    found = estimated(design, values)
    np.testing.assert_allclose(found.values, brute(lookup(values), 5, orders_of(tree)), atol=1e-12)
    assert found.exact


def test_owen_values_come_from_coarse_to_fine() -> None:
    tree = Tree((0, 1, 2), (Tree((0, 1), (leaf(0), leaf(1))), leaf(2)))
    values = wild(3)
    design = Hierarchy(tree, 10**6)
    index = design.coalitions @ (1 << np.arange(3))
    known = values[index] - values[0]
    for count in range(2, len(known) + 1):
        assert design.estimate(known[:count]).values.sum() == pytest.approx(known[1])
    half = design.estimate(known[:4])
    assert half.values[0] == half.values[1]
    assert not half.exact


def test_orders_that_keep_groups_approach_owen_values() -> None:
    values = wild(16, seed=1)
    exact = shares(values, "partition_shap", budget=20_000)
    assert exact.evidence["exact"] == [1.0]
    needed = exact.evidence["evaluations"][0]
    budget = int(needed) - 5
    sampled = shares(values, "partition_shap", budget=budget)
    assert "exact" not in sampled.evidence
    assert exact.players is not None
    assert sampled.players is not None
    assert sampled.players.errors is not None
    off = (sampled.values - exact.values).abs()
    assert float((off <= 3 * sampled.players.errors).float().mean()) > 0.9


# Absence, units and players.


@pytest.mark.parametrize("name", [*EVERY, "partition_shap"])
def test_a_background_is_averaged_over(name: str) -> None:
    model, x = linear_relu(), torch.tensor([[20.0, 50, 30], [1.0, 2, 3]])
    rows = torch.tensor([[1.0, 2, 3], [-5.0, 8, 9], [4.0, 4, -9]])
    together = explain(model, x, name, target=0, background=rows, progress=False)
    each = [
        explain(model, x, name, target=0, baseline=Baseline.tensor(row), progress=False)
        for row in rows
    ]
    expected = torch.stack([one.values for one in each]).mean(0)
    torch.testing.assert_close(together.values, expected, rtol=1e-5, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(together.base_value, model(rows)[:, 0].mean().expand(2))
    assert together.evidence["evaluations"][0] == 3 * each[0].evidence["evaluations"][0]


def test_the_budget_holds_for_each_sample_of_a_background() -> None:
    values = wild(8)
    model, x = played(values), torch.ones(1, 8)
    result = explain(
        model, x, "kernel_shap", target=0, budget=100, background=torch.zeros(5, 8), progress=False
    )
    assert 450 < result.evidence["evaluations"][0] <= 500
    with pytest.raises(ExplanationError, match="8 players need 16 coalitions"):
        explain(model, x, "kernel_shap", target=0, budget=15, background=torch.zeros(10, 8))


@pytest.mark.parametrize("name", ["shapley", "kernel_shap"])
def test_probabilities_are_shared_out(name: str) -> None:
    model, x = cnn(), 3 * picture()
    result = explain(
        model, x, name, target=2, unit="probability", regions=Regions.grid(2, 3), progress=False
    )
    with torch.no_grad():
        black, full = (model(t).softmax(1)[0, 2] for t in (torch.zeros_like(x), x))
    assert result.base_value is not None
    torch.testing.assert_close(result.base_value[0], black)
    torch.testing.assert_close(result.values.sum(), full - black)


def test_what_has_no_probability_is_refused() -> None:
    for target in (Contrast(0, 1), lambda out: out[:, 0] - out[:, 1]):
        with pytest.raises(ExplanationError, match="no probability"):
            explain(cnn(), picture(), "shapley", target=target, unit="probability")


def test_players_are_regions_with_names_and_places() -> None:
    result = explain(
        cnn(), picture(2), "odd_shap", target=1, regions=Regions.grid(2, 3), budget=40,
        progress=False,
    )  # fmt: skip
    players = result.players
    assert players is not None
    assert players.names[
        1
    ] == "upper left, top, upper right, lower left, bottom, lower right".split(", ")
    assert players.errors is not None
    assert players.errors.shape == result.values.shape == (2, 6)
    heat = result.heatmap(1)
    assert heat.shape == (16, 16)
    for player in range(6):
        assert heat[players.labels[1] == player].unique().tolist() == [result.values[1, player]]
    assert result.row(1).heatmap().equal(heat)
    with np.load(io.BytesIO(result.encode("npz"))) as file:
        assert file["labels"].shape == (2, 16, 16)
        assert file["standard_errors"].shape == (2, 6)
    assert result.figure() is not None


def test_rows_may_have_different_numbers_of_players() -> None:
    x = picture(2)
    together = explain(cnn(), x, "odd_shap", target=1, segments=14, budget=128, progress=False)
    assert together.players is not None
    assert together.players.counts.tolist() == [11, 14]
    for row in range(2):
        alone = explain(cnn(), x[row], "odd_shap", target=1, segments=14, budget=128)
        own = together.row(row)
        torch.testing.assert_close(own.values, alone.values, rtol=1e-5, atol=1e-7)
        assert own.players is not None
        assert alone.players is not None
        assert own.players.names == alone.players.names


def test_one_player_gets_all() -> None:
    result = shares(np.array([1.0, 4.0]), "kernel_shap")
    assert result.values.tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("kernel_shap", {"budget": 20}, "11 players need 22 coalitions"),
        ("odd_shap", {"budget": 3}, "greater than or equal to 4"),
        ("exact_shapley", {"regions": Regions.grid(3, 7)}, "21 players have 2,097,152"),
        ("exact_shapley", {"most": 21}, "less than or equal to 20"),
        ("shapley", {"unit": "odds"}, "'score' or 'probability'"),
        ("shapley", {"background": torch.rand(2, 3, 4, 4)}, r"rows of shape \(3, 4, 4\)"),
        ("shapley", {"baseline": torch.rand(5)}, r"shape \(5,\)"),
    ],
)
def test_bad_parameters_are_named(name: str, parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(ExplanationError) as caught:
        explain(cnn(), picture(), name, target=1, progress=False, **parameters)
    assert re.search(says, str(caught.value))


# Expected gradients.


def test_gradient_shap_of_a_linear_model_is_exact() -> None:
    weight = torch.tensor([[1.0, -2, 3], [0.0, 1, 0]])
    model = nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.copy_(weight)
    x, rows = torch.tensor([[1.0, 2, 3]]), torch.tensor([[0.0, 1, 0], [2.0, 2, 2]])
    result = explain(model, x, "gradient_shap", target=0, background=rows, samples=8)
    torch.testing.assert_close(result.values, weight[:1] * (x - rows.mean(0)))
    assert abs(result.evidence["completeness_gap"][0]) < 1e-5


def test_the_background_enters_gradient_shap_sample_by_sample() -> None:
    # f = x^2: the mean over the background of x^2 - x'^2, not what its mean would give.
    model = Function(lambda x: x.square())
    x, rows = torch.tensor([[1.0, 3.0]]), torch.tensor([[-2.0, 0.0], [2.0, 1.0]])
    result = explain(
        model, x, "gradient_shap", target=0, background=Background.batch(rows), samples=20_000
    )
    assert result.values[0, 0] == pytest.approx(1 - 4, abs=0.1)
    assert result.evidence["standard_error"][0] < 0.02
