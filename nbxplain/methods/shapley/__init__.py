"""Shapley values: the score shared out among players, exactly or within a budget."""

from nbxplain.methods.shapley.exact import ExactShapley
from nbxplain.methods.shapley.kernel import KernelShap, LeverageShap
from nbxplain.methods.shapley.odd import OddShap, Shapley
from nbxplain.methods.shapley.permutation import PermutationShapley

__all__ = [
    "ExactShapley",
    "KernelShap",
    "LeverageShap",
    "OddShap",
    "PermutationShapley",
    "Shapley",
]
