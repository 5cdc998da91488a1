"""Attention: captured as the model computes it, and put together as the papers say."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import MethodError, ModelError
from nbxplain.core.passes import Attended, Passes
from nbxplain.methods.attention import AttentionFlow, AttentionGradient, AttentionRollout
from tests.architectures import CLASSES, architecture, drawn, pictures
from tests.unit.test_rules import normal

NAMES = ("attention_raw", "attention_rollout", "attention_flow", "attention_gradient")
TARGET = 1


def captured(model: str | nn.Module, gradient: bool = False, rows: int = 2) -> Attended:
    x = pictures(rows)
    model = architecture(model) if isinstance(model, str) else model
    passes = Passes(ModelAdapter(model), chunk=rows)
    (result,) = passes.attentions(
        rows, lambda index: x[index], lambda output, _: output[:, TARGET], gradient=gradient
    )
    return result


def returned(gradient: bool = False, rows: int = 2) -> tuple[list[Tensor], list[Tensor]]:
    """What the eager model says itself, and the score's gradients at it."""
    model: Any = architecture("vit_eager")
    output = model.inner(pictures(rows), output_attentions=True)
    weights = list(output.attentions)
    slopes = torch.autograd.grad(output.logits[:, TARGET].sum(), weights) if gradient else ()
    return [w.detach() for w in weights], list(slopes)


@pytest.mark.parametrize("name", ["vit_eager", "vit"])
def test_weights_and_gradients_are_the_models(name: str) -> None:
    result = captured(name, gradient=True)
    weights, slopes = returned(gradient=True)
    assert len(result.weights) == len(weights) == 2
    for ours, theirs in zip(result.weights, weights, strict=True):
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(ours.sum(-1), torch.ones_like(ours[..., 0]))
    for ours, theirs in zip(result.gradients, slopes, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("method", NAMES)
def test_fused_attention_is_eager_attention(method: str) -> None:
    fused, eager = (
        explain(architecture(name), pictures(2), method, target=TARGET, progress=False).values
        for name in ("vit", "vit_eager")
    )
    assert fused.shape == (2, 1, 4, 4)
    torch.testing.assert_close(fused, eager, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(("block", "head"), [(-1, -1), (0, 0), (1, 1), (0, -1)])
def test_raw_is_a_row_of_the_weights(block: int, head: int) -> None:
    result = explain(
        architecture("vit"), pictures(2), "attention_raw", block=block, head=head, progress=False
    )
    weights = returned()[0][block].numpy()
    chosen = weights.mean(1) if head < 0 else weights[:, head]
    np.testing.assert_allclose(result.values.flatten(1), chosen[:, 0, 1:], rtol=1e-4)


@pytest.mark.parametrize("fusion", ["mean", "max", "min"])
def test_rollout_against_a_loop(fusion: str) -> None:
    result = explain(
        architecture("vit"), pictures(), "attention_rollout", fusion=fusion, progress=False
    )
    rolled = np.eye(17)
    for layer in returned(rows=1)[0]:
        fused = getattr(np, fusion)(layer[0].double().numpy(), axis=0)
        mixed = 0.5 * fused + 0.5 * np.eye(17)
        rolled = (mixed / mixed.sum(1, keepdims=True)) @ rolled
    np.testing.assert_allclose(result.values.flatten(), rolled[0, 1:], rtol=1e-4)


def test_gradient_method_against_a_loop() -> None:
    """Chefer 2021b: A_bar = mean over heads of (grad A * A)+, R <- R + A_bar R."""
    result = explain(
        architecture("vit"), pictures(), "attention_gradient", target=TARGET, progress=False
    )
    tokens = 17
    relevance = np.eye(tokens)
    for layer, slope in zip(*returned(gradient=True, rows=1), strict=True):
        a, g = layer[0].double().numpy(), slope[0].double().numpy()
        heads = len(a)
        bar = np.zeros((tokens, tokens))
        for h, i, j in itertools.product(range(heads), range(tokens), range(tokens)):
            bar[i, j] += max(g[h, i, j] * a[h, i, j], 0.0) / heads
        relevance = relevance + bar @ relevance
    np.testing.assert_allclose(result.values.flatten(), relevance[0, 1:], rtol=2e-3, atol=1e-9)


def attended(weights: list[Tensor]) -> Attended:
    return Attended(torch.arange(len(weights[0])), weights, [])


def cut(layers: list[np.ndarray], source: int, sinks: list[int]) -> float:
    """The smallest cut between a token and the top: by enumeration, equal to the largest flow."""
    depth, tokens = len(layers), len(layers[0])
    best = np.inf
    free = [(level, t) for level in range(depth + 1) for t in range(tokens)]
    free = [node for node in free if node != (0, source) and node[0] not in (0,)]
    inner = [node for node in free if not (node[0] == depth and node[1] in sinks)]
    for size in range(len(inner) + 1):
        for chosen in itertools.combinations(inner, size):
            side = {(0, source), *chosen}
            width = sum(
                layers[level][to, t]
                for level, t in side
                if level < depth
                for to in range(tokens)
                if (level + 1, to) not in side
            )
            best = min(best, width)
    return float(best)


@pytest.mark.parametrize("prefix", [0, 1])
def test_flow_is_the_smallest_cut(prefix: int) -> None:
    weights = [normal(1, 2, 3, 3, seed=seed).float().softmax(-1) for seed in (1, 2)]
    (*_, (_, flows)) = AttentionFlow().relevances(attended(weights), prefix)
    layers = [(w[0].double().mean(0).numpy() + np.eye(3)) / 2 for w in weights]
    expected = [cut(layers, token, [0] if prefix else [0, 1, 2]) for token in range(prefix, 3)]
    np.testing.assert_allclose(flows[0, prefix:], expected, atol=1e-5)


def test_uniform_attention_says_nothing() -> None:
    weights = [torch.full((1, 2, 5, 5), 0.2) for _ in range(3)]
    for method in (AttentionRollout(), AttentionFlow()):
        (*_, (_, relevance)) = method.relevances(attended(weights), 1)
        patches = relevance[0, 1:]
        torch.testing.assert_close(patches, patches[:1].expand(4), rtol=1e-4, atol=1e-5)
    slopes = [torch.zeros(1, 2, 5, 5)] * 3
    ((_, relevance),) = AttentionGradient().relevances(
        Attended(torch.arange(1), weights, slopes), 1
    )
    assert not bool(relevance.any())


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("name", ["vgg", "resnet", "lstm"])
def test_a_model_without_attention_is_refused(method: str, name: str) -> None:
    with pytest.raises(ModelError, match="no attention"):
        explain(architecture(name), pictures(), method, target=TARGET, progress=False)


@pytest.mark.parametrize("method", NAMES)
def test_windows_are_refused(method: str) -> None:
    with pytest.raises(ModelError, match="windows"):
        explain(architecture("swin"), pictures(), method, target=TARGET, progress=False)


def test_a_block_or_head_that_is_not_there_is_an_error() -> None:
    for parameters in ({"block": 2}, {"head": 2}, {"block": -5}, {"head": -3}):
        with pytest.raises(MethodError):
            explain(architecture("vit"), pictures(), "attention_raw", progress=False, **parameters)


@pytest.mark.parametrize("name", ["deit", "beit", "encoder"])
@pytest.mark.parametrize("method", NAMES)
def test_other_transformers(name: str, method: str) -> None:
    result = explain(architecture(name), pictures(2), method, target=TARGET, progress=False)
    assert result.values.shape == (2, 1, 4, 4)
    assert bool((result.values >= 0).all())
    assert bool(result.values.any())


# Attention written by hand, or read by the model itself.

Mix = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries, keys and values (n, tokens, width) -> the mixed values."""


class Mixer(nn.Module):
    """Two layers of attention, written in one way, over 4 x 4 patches."""

    def __init__(self, mix: Mix) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 8, 8)
        self.inner = nn.ModuleList(nn.Linear(12, 36) for _ in range(2))
        self.head = nn.Linear(12, CLASSES)
        self.mix = mix

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).mT
        for layer in self.inner:
            tokens = tokens + self.mix(*layer(tokens).chunk(3, -1))
        scores: Tensor = self.head(tokens.tanh().mean(1))
        return scores


def _shares(q: Tensor, k: Tensor) -> Tensor:
    return (q @ k.mT).softmax(-1)


def _one_head(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    shares = F.softmax(q.unsqueeze(1) @ k.unsqueeze(1).mT, -1)
    return (shares @ v.unsqueeze(1)).squeeze(1)


WITHOUT_HEADS: dict[str, Mix] = {
    "matmul": lambda q, k, v: F.dropout(_shares(q, k), 0.1, training=False) @ v,
    "bmm": lambda q, k, v: torch.bmm(torch.softmax(torch.bmm(q, k.mT), dim=2), v),
    "einsum": lambda q, k, v: torch.einsum(
        "nij,njd->nid", nn.Softmax(-1)(torch.einsum("nid,njd->nij", q, k)), v
    ),
    "values first": lambda q, k, v: torch.bmm(v.mT, _shares(q, k).permute(0, 2, 1)).mT,
    "fused": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=1.0),
}


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", WITHOUT_HEADS)
def test_attention_without_heads_is_one_head(name: str, rows: int) -> None:
    """The twin has a dimension of heads."""
    twin, ours = (
        captured(drawn(Mixer(mix)), gradient=True, rows=rows)
        for mix in (_one_head, WITHOUT_HEADS[name])
    )
    assert [w.shape for w in ours.weights] == [(rows, 1, 16, 16)] * 2
    for one, other in zip(
        ours.weights + ours.gradients, twin.weights + twin.gradients, strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)
    assert bool(ours.gradients[0].any())


@pytest.mark.parametrize("method", NAMES)
def test_methods_read_attention_without_heads(method: str) -> None:
    values, expected = (
        explain(drawn(Mixer(mix)), pictures(2), method, target=TARGET, progress=False).values
        for mix in (WITHOUT_HEADS["matmul"], _one_head)
    )
    assert bool(values.any())
    torch.testing.assert_close(values, expected, rtol=1e-3, atol=1e-6)


def _steps_first(x: Tensor) -> Tensor:
    return x.transpose(0, 1)


CODES = normal(1, 16, 12).float()[0]

OTHERWISE: dict[str, Mix] = {
    "of codes": lambda q, k, v: _shares(q, CODES) @ CODES,
    "not to mix": lambda q, k, v: v * _shares(q, k).amax(-1, keepdim=True),
    "over queries": lambda q, k, v: (q @ k.mT).softmax(1) @ v,
    "over rows": lambda q, k, v: _steps_first(
        _shares(_steps_first(q), _steps_first(k)) @ _steps_first(v)
    ),
    "in windows": lambda q, k, v: (
        _shares(*(t.unflatten(1, (4, 4)).flatten(0, 1) for t in (q, k)))
        @ v.unflatten(1, (4, 4)).flatten(0, 1)
    ).unflatten(0, (-1, 4)).flatten(1, 2),
    "heads among rows": lambda q, k, v: (
        _shares(*(t.unflatten(2, (2, 6)).transpose(1, 2).flatten(0, 1) for t in (q, k)))
        @ v.unflatten(2, (2, 6)).transpose(1, 2).flatten(0, 1)
    ).unflatten(0, (-1, 2)).transpose(1, 2).flatten(2),
}  # fmt: skip


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", OTHERWISE)
def test_another_softmax_is_no_attention(name: str, rows: int) -> None:
    assert captured(drawn(Mixer(OTHERWISE[name])), rows=rows).weights == []


@pytest.mark.parametrize("later", [False, True])
def test_beside_attention_with_heads_none_without_counts(later: bool) -> None:
    def both(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        heads = [t.unflatten(2, (2, 6)).transpose(1, 2) for t in (q, k, v)]
        steps = (lambda v: _shares(q, k) @ v, lambda v: v + _shares(*heads[:2]).mean(1) @ v)
        first, second = reversed(steps) if later else steps
        return second(first(v))

    weights = captured(drawn(Mixer(both))).weights
    assert [w.shape for w in weights] == [(2, 2, 16, 16)] * 2


class Looks(nn.Module):
    """Pools tokens by how much they are looked at, as nn.MultiheadAttention says itself."""

    def __init__(self, averaged: bool) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 8, 8)
        self.inner = nn.MultiheadAttention(12, 2, batch_first=True)
        self.head = nn.Linear(12, CLASSES)
        self.averaged = averaged

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.pooled(x))
        return scores

    def attended(self, x: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.patches(x).flatten(2).mT
        mixed, weights = self.inner(tokens, tokens, tokens, average_attn_weights=self.averaged)
        return mixed, weights

    def pooled(self, x: Tensor) -> Tensor:
        mixed, weights = self.attended(x)
        weights = weights if self.averaged else weights.amax(1)
        return (mixed * weights.sum(1).unsqueeze(-1)).mean(1)


@pytest.mark.parametrize("averaged", [True, False])
def test_weights_that_the_model_uses_are_given_back(averaged: bool) -> None:
    model = drawn(Looks(averaged))
    (weights,) = captured(model, gradient=True).weights
    with torch.no_grad():
        theirs = model.attended(pictures(2))[1]
    torch.testing.assert_close(weights.mean(1) if averaged else weights, theirs)
    for method in NAMES:
        values = explain(model, pictures(2), method, target=TARGET, progress=False).values
        assert bool(values.any())


class Uneven(nn.Module):
    """Two layers of attention with different numbers of heads."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 4, 4)
        self.layers = nn.ModuleList(
            nn.MultiheadAttention(8, heads, batch_first=True) for heads in (2, 4)
        )
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x).flatten(2).mT
        for layer in self.layers:
            h = h + layer(h, h, h, need_weights=False)[0]
        scores: Tensor = self.head(h.mean(1))
        return scores


@pytest.mark.parametrize("method", NAMES)
def test_layers_may_differ_in_their_heads(method: str) -> None:
    """There is no grid of layers and heads to look at then, but there is a map."""
    result = explain(drawn(Uneven()), pictures(1), method, target=TARGET, progress=False)
    assert bool(result.values.any())
    assert result.attention is None
