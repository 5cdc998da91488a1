"""Shapley values of trees, from their leaves: one table a path, looked up for every row."""

from nbxplain.methods.trees.method import TreeShap

__all__ = ["TreeShap"]
