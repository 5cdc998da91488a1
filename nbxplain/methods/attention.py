"""Attention as an explanation: where tokens look, across layers, and what the score makes of it.

The weights are captured on the operation itself, through fused kernels too, so no flag of the model
is needed. They are taken from the class token where there is one, else averaged over all tokens.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow
from torch import Tensor

from nbxplain.core.errors import MethodError, ModelError
from nbxplain.core.layers import arrange
from nbxplain.core.passes import Attended
from nbxplain.methods.base import Attention, Group, Method, Partial, Question, parameter


class AttentionMethod(Method):
    """Base of the methods that read attention: one pass per input, then arithmetic on weights."""

    group: ClassVar[Group] = "attention"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True
    needs_attention: ClassVar[bool] = True
    needs_gradient: ClassVar[bool] = False

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the maps of the inputs done so far."""
        x, passes = question.tensor, question.passes
        values: Tensor | None = None
        before = 0
        for result in passes.attentions(
            len(x), lambda rows: x[rows], question.target.score, gradient=self.needs_gradient
        ):
            prefix, grid = _tokens(question, result)
            steps = self.steps(grid[0] * grid[1])
            kept = _kept(result, prefix, grid) if len(x) == 1 else None
            if values is None:
                values = x.new_zeros(len(x), 1, *grid)
            for done, relevance in self.relevances(result, prefix):
                values[result.rows] = relevance[:, prefix:].reshape(-1, 1, *grid).to(values)
                yield Partial(values.clone(), before + done, steps * len(x), attention=kept)
            before += steps * len(result.rows)

    def steps(self, patches: int) -> int:
        """Into how many steps the arithmetic on one input falls."""
        return 1

    @abstractmethod
    def relevances(self, result: Attended, prefix: int) -> Iterator[tuple[int, Tensor]]:
        """Steps done and ever better relevances (n, tokens) of the tokens; the last one counts."""


def _tokens(question: Question, result: Attended) -> tuple[int, tuple[int, int]]:
    """Prefix tokens and grid. Raises ModelError where attention does not lie on the picture."""
    if not result.weights:
        raise ModelError(
            "This model has no attention that could be read.",
            "Choose a CAM or gradient method; attention methods need a transformer.",
        )
    x = question.tensor
    tokens = result.weights[0].shape[-1]
    picture = (int(x.shape[-2]), int(x.shape[-1])) if x.ndim == 4 else (1, 1)
    _, prefix, grid = arrange((tokens, 2), picture)
    alike = all(w.shape[-2:] == (tokens, tokens) for w in result.weights)
    if grid is None or not alike or any(len(w) != len(result.rows) for w in result.weights):
        raise ModelError(
            "The attention of this model is local (windows) or changes its tokens between layers.",
            "Choose a CAM, LRP or DeepLIFT, which follow it through windows.",
        )
    return prefix, grid


def _kept(result: Attended, prefix: int, grid: tuple[int, int]) -> Attention | None:
    """The weights to look at; None where layers differ in their number of heads."""
    weights = [w[0] for w in result.weights]
    alike = len({w.shape for w in weights}) == 1
    return Attention(torch.stack(weights), prefix, grid) if alike else None


def _seen_from(matrix: Tensor, prefix: int) -> Tensor:
    """The row of the class token, or the mean row, of (n, tokens, tokens)."""
    return matrix[:, 0] if prefix else matrix.mean(1)


class AttentionRaw(AttentionMethod):
    """The attention weights of one layer, of one head or averaged over heads.

    It shows where information was fetched from in that layer, not what was made of it.
    """

    name: ClassVar[str] = "attention_raw"
    label: ClassVar[str] = "Attention"

    block: int = parameter(-1, "Which attention layer, from 0; -1 is the last.", ge=-1, le=99)
    head: int = parameter(-1, "Which head, from 0; -1 averages over heads.", ge=-1, le=99)

    def relevances(self, result: Attended, prefix: int) -> Iterator[tuple[int, Tensor]]:
        """The row of the class token."""
        layers, heads = len(result.weights), result.weights[-1].shape[1]
        if self.block >= layers or self.head >= heads:
            raise MethodError(
                f"There is no block {self.block} with head {self.head}.",
                f"The model has blocks 0 to {layers - 1} with heads 0 to {heads - 1}.",
            )
        weights = result.weights[self.block]
        chosen = weights.mean(1) if self.head < 0 else weights[:, self.head]
        yield len(result.rows), _seen_from(chosen, prefix)


class AttentionRollout(AttentionMethod):
    """Attention multiplied through the layers, half of each kept by the residual connection.

    Abnar and Zuidema 2020, section 3. The same for every class.
    """

    name: ClassVar[str] = "attention_rollout"
    label: ClassVar[str] = "Attention Rollout"

    fusion: Literal["mean", "max", "min"] = parameter("mean", "How heads are put together.")

    def relevances(self, result: Attended, prefix: int) -> Iterator[tuple[int, Tensor]]:
        """The row of the class token in the product."""
        rolled = None
        for matrix in _with_residual(result.weights, self.fusion):
            rolled = matrix if rolled is None else matrix @ rolled
        assert rolled is not None
        yield len(result.rows), _seen_from(rolled, prefix)


def _with_residual(weights: list[Tensor], fusion: str = "mean") -> list[Tensor]:
    """One matrix (n, tokens, tokens) a layer whose rows sum to one."""
    fused = [getattr(torch, "amax" if fusion == "max" else "amin")(w, 1) if fusion != "mean"
             else w.mean(1) for w in weights]  # fmt: skip
    eye = torch.eye(fused[0].shape[-1], device=fused[0].device, dtype=fused[0].dtype)
    mixed = [(matrix + eye) / 2 for matrix in fused]
    return [matrix / matrix.sum(-1, keepdim=True) for matrix in mixed]


class AttentionFlow(AttentionMethod):
    """How much can flow from each patch to the class token if attention weights are pipe widths.

    The largest flow through the layers, residuals included. Abnar and Zuidema 2020, section 3.
    """

    name: ClassVar[str] = "attention_flow"
    label: ClassVar[str] = "Attention Flow"
    cost: ClassVar[int] = 3

    def steps(self, patches: int) -> int:
        """A flow from each patch."""
        return patches

    def relevances(self, result: Attended, prefix: int) -> Iterator[tuple[int, Tensor]]:
        """Yields after each patch, so that a stop is obeyed soon."""
        layers = torch.stack(_with_residual(result.weights), 1).double().cpu().numpy()
        count, tokens = layers.shape[0], layers.shape[-1]
        flows = torch.zeros(count, tokens)
        for row in range(count):
            graph = _pipes(layers[row], prefix)
            for token in range(prefix, tokens):
                flows[row, token] = maximum_flow(graph, token, graph.shape[0] - 1).flow_value / PIPE
                yield row * (tokens - prefix) + token - prefix + 1, flows


PIPE = 1_000_000
"""Capacity of a weight of one: the flow algorithm counts in integers."""


def _pipes(layers: np.ndarray, prefix: int) -> csr_array:
    """The graph of tokens (layer by layer, inputs first), and one more node that is the sink."""
    depth, tokens, _ = layers.shape
    ends = np.arange(tokens)
    sources, targets, widths = [], [], []
    for level, matrix in enumerate(layers):
        to, back = np.meshgrid(ends, ends, indexing="ij")
        sources.append(back.ravel() + level * tokens)
        targets.append(to.ravel() + (level + 1) * tokens)
        widths.append((matrix * PIPE).astype(np.int32).ravel())
    outlets = np.array([0]) if prefix else ends
    sources.append(outlets + depth * tokens)
    targets.append(np.full(len(outlets), (depth + 1) * tokens))
    widths.append(np.full(len(outlets), np.iinfo(np.int32).max // 2, dtype=np.int32))
    size = (depth + 1) * tokens + 1
    where = (np.concatenate(sources), np.concatenate(targets))
    return csr_array((np.concatenate(widths), where), shape=(size, size))


class AttentionGradient(AttentionMethod):
    """Attention weighted by the gradient of the score, accumulated through the layers.

    R <- R + mean over heads of relu(G * A) R, starting from the identity. Follows the class, which
    attention alone does not. Chefer, Gur, Wolf 2021b, equations 5 and 6.
    """

    name: ClassVar[str] = "attention_gradient"
    label: ClassVar[str] = "Attention × Gradient"
    needs_gradient: ClassVar[bool] = True

    def relevances(self, result: Attended, prefix: int) -> Iterator[tuple[int, Tensor]]:
        """The row of the class token, less what the identity put there."""
        first = result.weights[0]
        eye = torch.eye(first.shape[-1], device=first.device, dtype=first.dtype)
        relevance = eye.expand(first.shape[0], -1, -1)
        for weights, gradient in zip(result.weights, result.gradients, strict=True):
            step = (weights * gradient).clamp(min=0).mean(1)
            relevance = relevance + step @ relevance
        yield len(result.rows), _seen_from(relevance - eye, prefix)
