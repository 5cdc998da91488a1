"""Rules for the integral over [0, 1]: points and weights, in an order that is good to stop at."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rule = Literal["nested", "gauss_legendre", "midpoint", "trapezoid"]

Floats = NDArray[np.float64]


def rule(name: Rule, steps: int) -> tuple[Floats, Floats]:
    """Points and weights of a rule with `steps` steps; the weights sum to one.

    gauss_legendre and midpoint have `steps` points, trapezoid and nested `steps` + 1, both ends
    among them. nested visits 0, 1, 1/2, 1/4, 3/4, ... (van der Corput's order), with half weight
    on the ends: whenever the number of intervals is a power of two it is the trapezoid rule, and
    every earlier point is used again. The points come in an order in which any first part
    covers the path evenly, so that the weighted mean of the part is an estimate already.
    """
    if name == "nested":
        points = np.array([0.0, 1.0, *(van_der_corput(i) for i in range(1, steps))])
        weights = np.ones(steps + 1)
        weights[:2] = 0.5
    elif name == "trapezoid":
        points = np.linspace(0, 1, steps + 1)
        weights = np.ones(steps + 1)
        weights[[0, -1]] = 0.5
    elif name == "midpoint":
        points = (np.arange(steps) + 0.5) / steps
        weights = np.ones(steps)
    else:
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        points = (nodes + 1) / 2
    if name != "nested":
        order = _spread(len(points))
        points, weights = points[order], weights[order]
    return points, weights / weights.sum()


def van_der_corput(index: int) -> float:
    """The binary digits of `index` mirrored at the point: 1/2, 1/4, 3/4, 1/8, ..."""
    value, scale = 0.0, 0.5
    while index:
        value += scale * (index & 1)
        index >>= 1
        scale /= 2
    return value


def _spread(count: int) -> NDArray[np.intp]:
    return np.argsort([van_der_corput(i) for i in range(count)], kind="stable").argsort(
        kind="stable"
    )
