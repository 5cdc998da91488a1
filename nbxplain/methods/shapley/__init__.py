"""Shapley values: the score shared out among players, exactly or within a budget."""

from nbxplain.methods.shapley.exact import ExactShapley
from nbxplain.methods.shapley.gradient import GradientShap
from nbxplain.methods.shapley.kernel import KernelShap, LeverageShap
from nbxplain.methods.shapley.odd import OddShap, Shapley
from nbxplain.methods.shapley.partition import PartitionShap
from nbxplain.methods.shapley.permutation import PermutationShapley

__all__ = [
    "ExactShapley",
    "GradientShap",
    "KernelShap",
    "LeverageShap",
    "OddShap",
    "PartitionShap",
    "PermutationShapley",
    "Shapley",
]
