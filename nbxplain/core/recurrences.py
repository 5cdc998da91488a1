"""Recurrent networks written in the operations of their cells, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.errors import MethodError

State = tuple[Tensor, ...]
Cell = Callable[[Tensor, Tensor, State], State]
"""What the input gives, what the last state gives, the last state -> the next state."""


def _lstm(given: Tensor, recurrent: Tensor, state: State) -> State:
    i, f, g, o = (given + recurrent).chunk(4, -1)
    memory = torch.mul(torch.sigmoid(f), state[1])
    memory = memory + torch.mul(torch.sigmoid(i), torch.tanh(g))
    return torch.mul(torch.sigmoid(o), torch.tanh(memory)), memory


def _gru(given: Tensor, recurrent: Tensor, state: State) -> State:
    (r, z, n), (hr, hz, hn) = given.chunk(3, -1), recurrent.chunk(3, -1)
    new = torch.tanh(n + torch.mul(torch.sigmoid(r + hr), hn))
    return (new + torch.mul(torch.sigmoid(z + hz), state[0] - new),)


def _tanh(given: Tensor, recurrent: Tensor, state: State) -> State:
    return (torch.tanh(given + recurrent),)


def _relu(given: Tensor, recurrent: Tensor, state: State) -> State:
    return (F.relu(given + recurrent),)


def _network(cell: Cell) -> Callable[..., tuple[Tensor, ...]]:
    """The operation that unrolls a cell."""

    def network(
        input: Tensor,
        hx: Any,
        params: Any,
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> tuple[Tensor, ...]:
        plain = isinstance(has_biases, bool)  # and not where packed sequences have their weights
        size = 4 if has_biases else 2
        if not plain or len(params) != num_layers * (1 + bidirectional) * size:
            raise MethodError(
                "A recurrent network with projections or packed sequences has no rule.",
                "Choose a gradient or perturbation method.",
            )
        initial = (hx,) if isinstance(hx, Tensor) else hx
        output, states = _unrolled(
            cell, input, initial, params, has_biases, num_layers, bidirectional, batch_first
        )
        return output, *states

    return network


def _single(cell: Cell) -> Callable[..., Any]:
    """The operation that is one step of a cell."""

    def single(
        input: Tensor,
        hx: Any,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None = None,
        b_hh: Tensor | None = None,
    ) -> Any:
        state = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        after = cell(F.linear(input, w_ih, b_ih), F.linear(state[0], w_hh, b_hh), state)
        return after[0] if isinstance(hx, Tensor) else after

    return single


def _unrolled(
    cell: Cell,
    input: Tensor,
    initial: Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    layers: int,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, list[Tensor]]:
    """A recurrent network step by step; states are (layers x directions, batch, hidden)."""
    sequence = list(input.unbind(1 if batch_first else 0))
    directions, size = 1 + bidirectional, 4 if has_biases else 2
    finals: list[State] = []
    for layer in range(layers):
        outputs: list[list[Tensor]] = []
        for direction in range(directions):
            number = layer * directions + direction
            wi, wh, *biases = params[number * size : (number + 1) * size]
            bi, bh = biases or (None, None)
            state = tuple(part[number] for part in initial)
            steps = reversed(sequence) if direction else sequence
            made = []
            for x in steps:
                state = cell(F.linear(x, wi, bi), F.linear(state[0], wh, bh), state)
                made.append(state[0])
            finals.append(state)
            outputs.append(made[::-1] if direction else made)
        sequence = [torch.cat(parts, -1) for parts in zip(*outputs, strict=True)]
    output = torch.stack(sequence, 1 if batch_first else 0)
    return output, [torch.stack(parts) for parts in zip(*finals, strict=True)]


RECURRENT: dict[str, Callable[..., Any]] = {
    "lstm": _network(_lstm),
    "gru": _network(_gru),
    "rnn_tanh": _network(_tanh),
    "rnn_relu": _network(_relu),
    "lstm_cell": _single(_lstm),
    "gru_cell": _single(_gru),
    "rnn_tanh_cell": _single(_tanh),
    "rnn_relu_cell": _single(_relu),
}
