"""Compound operations: what stands for them gives the same values, and DeepLIFT stays exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.decompositions import DECOMPOSITIONS
from nbxplain.core.errors import MethodError, ModelError
from nbxplain.core.rules import Rules, RuleSet
from tests.architectures import drawn
from tests.unit.test_rules import Step, assert_complete, lifted, normal

WIDTH = 8
X = normal(2, 5, WIDTH)
CAUSAL = torch.ones(5, 5, dtype=torch.bool).tril()
PADDING = torch.tensor([[False] * 4 + [True], [False] * 5])


def apart(step: Callable[[], Any]) -> Any:
    """The value when every compound operation is taken apart and nothing else is changed."""
    with Rules(RuleSet({}, DECOMPOSITIONS, strict=False)):
        return step()


def assert_same(step: Callable[[], Any]) -> None:
    torch.testing.assert_close(apart(step), step(), rtol=1e-10, atol=1e-10)


VALUES: dict[str, Step] = {
    "layer_norm": lambda x: F.layer_norm(x, (5, WIDTH), normal(5, WIDTH), normal(5, WIDTH), 1e-3),
    "layer_norm plain": lambda x: F.layer_norm(x, (WIDTH,)),
    "rms_norm": lambda x: F.rms_norm(x, (WIDTH,), normal(WIDTH), 1e-4),
    "rms_norm plain": lambda x: F.rms_norm(x, (5, WIDTH)),
    "group_norm": lambda x: F.group_norm(x.mT, 4, normal(WIDTH), normal(WIDTH)),
    "instance_norm": lambda x: F.instance_norm(x, weight=normal(5), bias=normal(5)),
    "instance_norm tracked": lambda x: F.instance_norm(
        x, normal(5), normal(5).abs(), use_input_stats=False
    ),
    "normalize": lambda x: F.normalize(x, p=3, dim=-1),
    "norm": lambda x: x.norm(),
    "norm dim": lambda x: x.norm(dim=(1, 2), keepdim=True),
    "norm one": lambda x: torch.norm(x, 1, -1),
    "linalg norm": lambda x: torch.linalg.norm(x, dim=1),
    "vector_norm": lambda x: torch.linalg.vector_norm(x, 3, dim=1),
    "norm max": lambda x: torch.linalg.vector_norm(x, torch.inf, dim=1),
    "var": lambda x: x.var(),
    "var dim": lambda x: torch.var(x, 1, False, True),
    "var correction": lambda x: torch.var(x, dim=(1, 2), correction=2),
    "var biased": lambda x: x.var(unbiased=False),
    "std": lambda x: x.std(-1, keepdim=True),
    "var_mean": lambda x: torch.stack(torch.var_mean(x, dim=1)),
    "std_mean": lambda x: torch.stack(torch.std_mean(x, (1, 2), keepdim=True)),
    "cosine": lambda x: F.cosine_similarity(x[:, :1], x[:, 1:], dim=-1),
    "glu": lambda x: F.glu(x),
    "softmin": lambda x: F.softmin(x, dim=1),
    "addmm": lambda x: torch.addmm(x[0, 0], x[0], x[1].mT @ x[1], beta=2, alpha=3),
    "addmv": lambda x: torch.addmv(x[0, :, 0], x[0], x[1, 0], beta=0.5),
    "baddbmm": lambda x: torch.baddbmm(x[:, :, :5], x, x.mT, beta=2, alpha=3),
    "addcmul": lambda x: torch.addcmul(x, x, x, value=2),
    "lerp": lambda x: torch.lerp(x, x.square(), 0.3),
    "minimum": lambda x: torch.minimum(x, x[:1, :1]),
    "maximum": lambda x: torch.maximum(x, x.flip(0)),
    "maximum of numbers": lambda x: torch.maximum(x.sum(), x.mean()),
    "max": lambda x: x.max() + torch.max(x, x.flip(1)),
    "max dim": lambda x: x.max(1, keepdim=True).values + torch.max(x, dim=1)[1].unsqueeze(1),
    "min": lambda x: x.min() + torch.min(x, other=x.flip(1)),
    "min dim": lambda x: x.min(dim=-1).values + x.min(-1).indices,
    "amin": lambda x: x.amin((1, 2), True),
    "local response": lambda x: F.local_response_norm(x.unsqueeze(-1), 3, 0.4, 0.6, 1.5),
    "local response of steps": lambda x: F.local_response_norm(x, 3, 0.4, 0.6, 1.5),
    "local response of volumes": lambda x: F.local_response_norm(x.view(2, 5, 2, 2, 2), 2, 0.4),
    "power pool": lambda x: F.lp_pool1d(x.relu(), 2, 2),
    "power pool of pictures": lambda x: F.lp_pool2d(x.unsqueeze(1), 4, (2, 3), ceil_mode=True),
    "power pool of volumes": lambda x: F.lp_pool3d(x.view(2, 5, 2, 2, 2), 2, 2, 1),
    "largest pool": lambda x: F.lp_pool1d(x, float("inf"), 2) + F.lp_pool1d(x, -float("inf"), 2),
    "attention": lambda x: F.scaled_dot_product_attention(x, x.flip(1), x.cos()),
    "attention causal": lambda x: F.scaled_dot_product_attention(
        x, x.flip(1), x.cos(), is_causal=True
    ),
    "attention masked": lambda x: F.scaled_dot_product_attention(x, x, x, CAUSAL, scale=0.7),
    "attention biased": lambda x: F.scaled_dot_product_attention(x, x, x, normal(5, 5)),
    "attention -inf": lambda x: F.scaled_dot_product_attention(
        x, x, x, torch.zeros(5, 5).double().masked_fill(~CAUSAL, -torch.inf)
    ),
    "attention grouped": lambda x: F.scaled_dot_product_attention(
        x.unflatten(-1, (4, 2)).transpose(1, 2),
        x[..., :4].unflatten(-1, (2, 2)).transpose(1, 2),
        x[..., :4].unflatten(-1, (2, 2)).transpose(1, 2),
        enable_gqa=True,
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_stands_for_the_operation(name: str) -> None:
    assert_same(lambda: VALUES[name](X))


class Attend(nn.Module):
    """nn.MultiheadAttention, called in one of its ways."""

    def __init__(self, call: Callable[[nn.Module, Tensor], Any], **options: Any) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(WIDTH, 2, dropout=0.2, **options)
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.call(self.inner, x)[0]
        return mixed


def _sequence_first(inner: nn.Module, x: Tensor) -> Any:
    mixed, weights = inner(x.transpose(0, 1), x.transpose(0, 1), x.transpose(0, 1))
    return mixed.transpose(0, 1), weights


def weighted(averaged: bool) -> Callable[[nn.Module, Tensor], Any]:
    """What attention mixed, times how much each token is looked at."""

    def call(inner: nn.Module, x: Tensor) -> Any:
        mixed, weights = inner(x, x, x, average_attn_weights=averaged)
        looked = weights.sum(1) if averaged else weights.square().sum((1, 2))
        return mixed * looked.unsqueeze(-1), weights

    return call


HEADS: dict[str, Callable[[], nn.Module]] = {
    "batch first": lambda: Attend(lambda a, x: a(x, x, x), batch_first=True),
    "sequence first": lambda: Attend(_sequence_first),
    "no weights": lambda: Attend(
        lambda a, x: a(x, x, x, need_weights=False), batch_first=True, bias=False
    ),
    "its weights": lambda: Attend(weighted(averaged=True), batch_first=True),
    "its weights by head": lambda: Attend(weighted(averaged=False), batch_first=True),
    "padding": lambda: Attend(
        lambda a, x: a(x, x, x, key_padding_mask=PADDING[: len(x)]), batch_first=True
    ),
    "causal": lambda: Attend(lambda a, x: a(x, x, x, attn_mask=~CAUSAL), batch_first=True),
    "causal hint": lambda: Attend(
        lambda a, x: a(x, x, x, attn_mask=~CAUSAL, is_causal=True, need_weights=False),
        batch_first=True,
    ),
    "both masks": lambda: Attend(
        lambda a, x: a(x, x, x, attn_mask=~CAUSAL, key_padding_mask=PADDING[: len(x)]),
        batch_first=True,
    ),
    "padding by degrees": lambda: Attend(
        lambda a, x: a(x, x, x, key_padding_mask=normal(len(x), 5)), batch_first=True
    ),
    "additive": lambda: Attend(lambda a, x: a(x, x, x, attn_mask=normal(5, 5)), batch_first=True),
    "mask a head": lambda: Attend(
        lambda a, x: a(x, x, x, attn_mask=normal(len(x) * 2, 5, 5)), batch_first=True
    ),
    "mask a head, padding": lambda: Attend(
        lambda a, x: a(
            x, x, x, attn_mask=normal(len(x) * 2, 5, 5), key_padding_mask=normal(len(x), 5, seed=1)
        ),
        batch_first=True,
    ),
    "cross": lambda: Attend(
        lambda a, x: a(x, x[..., :3].exp(), x[..., 3:]), batch_first=True, kdim=3, vdim=5
    ),
    "layer": lambda: nn.TransformerEncoderLayer(WIDTH, 2, 12, batch_first=True),
    "layer, norm first": lambda: nn.TransformerEncoderLayer(
        WIDTH, 2, 12, 0.1, F.gelu, batch_first=True, norm_first=True
    ),
    "encoder": lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(WIDTH, 2, 12, batch_first=True), 2
    ),
    "decoder": lambda: Decoder(),
    "lstm": lambda: First(nn.LSTM(WIDTH, 4, 2, batch_first=True, bidirectional=True)),
    "gru": lambda: First(nn.GRU(WIDTH, 4, 2, batch_first=True, bias=False)),
    "rnn": lambda: First(nn.RNN(WIDTH, 4, 2, batch_first=True)),
    "rnn relu": lambda: First(nn.RNN(WIDTH, 4, nonlinearity="relu", batch_first=True)),
    "lstm cell": lambda: Cell(nn.LSTMCell(WIDTH, WIDTH)),
    "gru cell": lambda: Cell(nn.GRUCell(WIDTH, WIDTH)),
    "projected": lambda: First(nn.LSTM(WIDTH, 4, proj_size=3, batch_first=True)),
    "bilinear": lambda: Pairwise(),
}


class Decoder(nn.Module):
    """Cross attention, with what came before as memory."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.TransformerDecoderLayer(WIDTH, 2, 12, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.inner(x[:, 2:], x[:, :2])
        return result


class First(nn.Module):
    """The sequence that a recurrent network gives, without its last state."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.inner(x)[0]
        return result


class Cell(nn.Module):
    """A recurrent cell called for every step."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for step in x.unbind(1):
            state = self.inner(step, state)
        result: Tensor = state if isinstance(state, Tensor) else state[0]  # type: ignore[index]
        return result


class Pairwise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Bilinear(3, 5, 4)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.inner(x[..., :3].contiguous(), x[..., 3:].contiguous())
        return result


UNCOVERED = {"projected"}


@pytest.mark.parametrize("name", sorted(set(HEADS) - UNCOVERED))
def test_modules_keep_their_values_and_are_complete(name: str) -> None:
    model = drawn(HEADS[name]()).double()
    with torch.no_grad():
        assert_same(lambda: model(X))
    assert_complete(model, 5, WIDTH)


@pytest.mark.parametrize("name", sorted(UNCOVERED))
def test_modules_that_are_refused(name: str) -> None:
    with pytest.raises(MethodError, match="projections"):
        assert_complete(drawn(HEADS[name]()).double(), 5, WIDTH)


# Control flow.

HERE, THERE = normal(2, 6).abs(), -normal(2, 6, seed=1).abs()


def _branch(x: Tensor) -> Tensor:
    return torch.tanh(x) if bool((x > 0).all()) else torch.sigmoid(x)


def _sometimes(x: Tensor) -> Tensor:
    return torch.tanh(x) if bool((x > 0).all()) else x


def _written(x: Tensor) -> Tensor:
    y = x * 1
    y[x > 0] = 0.0
    return y


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (_branch, "control flow"),
        (_sometimes, "control flow"),
        (lambda x: x * torch.heaviside(x, x.new_zeros(())), "heaviside"),
        (lambda x: x / (1 + (x > 0).double()), "otherwise"),
        (lambda x: x * x.detach().exp(), "otherwise"),
        (lambda x: x[torch.arange(len(x)), x.argmax(1)].unsqueeze(1), "otherwise"),
        (lambda x: normal(8, 3)[x.argmax(1)] * x[:, :3], "otherwise"),
    ],
)
def test_what_differs_between_the_passes_is_said(step: Step, says: str) -> None:
    with pytest.raises((ModelError, MethodError)) as caught:
        lifted(step, HERE, THERE)
    assert says in f"{caught.value}"


@pytest.mark.parametrize(
    "step",
    [_branch, lambda x: torch.where(x > 0, x, 0.0), lambda x: x * (x > 0), _written],
)
def test_what_is_alike_in_both_passes_is_exact(step: Step) -> None:
    reference = THERE.abs()
    values, change, _ = lifted(lambda x: step(x) + x, HERE, reference)
    torch.testing.assert_close(values.sum(1), change)


def test_attention_with_learned_keys_is_refused_by_name() -> None:
    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 2, add_bias_kv=True, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.view(len(x), -1, 4)
            return self.attention(tokens, tokens, tokens, need_weights=False)[0].mean(1)

    with pytest.raises(MethodError, match="bias_k"):
        explain(Attends(), torch.rand(1, 12), "deep_lift", target=1)
