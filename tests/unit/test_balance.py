"""What the rules do not see is said: by completeness of DeepLIFT, by conservation of LRP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.errors import MethodError
from tests.architectures import drawn
from tests.models import CLASSES, Function
from tests.unit.test_rules import normal


class Swish(torch.autograd.Function):
    """A swish that spares memory, as some libraries have one."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        context.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (x,) = context.saved_tensors
        share = x.sigmoid()
        return gradients[0] * (share + x * share * (1 - share))


class Doubled(torch.autograd.Function):
    """A linear function that nobody sees either, whose own derivative is right."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return 2 * gradients[0]


@torch.jit.script
def scripted(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def network(form: Callable[[Tensor], Tensor] | nn.Module) -> nn.Module:
    step = form if isinstance(form, nn.Module) else Function(form)
    head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 36, CLASSES))
    return drawn(nn.Sequential(nn.Conv2d(3, 4, 3), step, head))


X = normal(2, 3, 8, 8).float()


@pytest.mark.parametrize(
    ("form", "method", "says"),
    [
        (Swish.apply, "deep_lift", "otherwise"),
        (Swish.apply, "lrp", "autograd function 'Swish'"),
        (scripted, "deep_lift", "no rule sees"),
        (scripted, "lrp", "no rule sees"),
        (torch.jit.script(nn.SiLU()), "deep_lift", "scripted module '1'"),
        (torch.jit.script(nn.SiLU()), "lrp", "scripted module '1'"),
        (lambda h: h + (h.tanh() - h).detach(), "deep_lift", "no rule sees"),
    ],
)
def test_what_no_rule_sees_is_refused(
    form: Callable[[Tensor], Tensor] | nn.Module, method: str, says: str
) -> None:
    with pytest.raises(MethodError, match=says):
        explain(network(form), X, method, target=1, progress=False)


def test_a_scale_that_is_read_as_a_number() -> None:
    """LRP takes scales as constants; DeepLIFT has to follow them."""
    with pytest.raises(MethodError, match="no rule sees"):
        explain(
            network(lambda h: h / float(h.norm())), X[:1], "deep_lift", target=1, progress=False
        )


@pytest.mark.parametrize("method", ["deep_lift", "lrp"])
def test_what_is_linear_may_stay_unseen(method: str) -> None:
    unseen, seen = (
        explain(network(form), X, method, target=1, progress=False).values
        for form in (Doubled.apply, lambda h: 2 * h)
    )
    torch.testing.assert_close(unseen, seen)


EYE = torch.eye(6, dtype=torch.bool)
FIRST = torch.zeros(2, 1, 6, 6, dtype=torch.long)


def with_ones(h: Tensor) -> Tensor:
    h[:, 0] = 1.0
    return h


def filled(h: Tensor) -> Tensor:
    h[:, 0].fill_(1.0)
    return h


@pytest.mark.parametrize(
    "form",
    [
        with_ones,
        filled,
        lambda h: F.pad(h, (1, 1, 1, 1), value=1.0)[..., :6, :6],
        lambda h: nn.ConstantPad2d(1, 2.0)(h)[..., 1:, 1:][..., :6, :6],
        lambda h: torch.where(EYE, h, torch.tensor(1.0)),
        lambda h: torch.where(EYE, torch.tensor(1.0), h),
        lambda h: h.masked_fill(EYE, 1.0),
        lambda h: h.masked_fill_(EYE, 1.0),
        lambda h: h.scatter(1, FIRST, 1.0),
        lambda h: h.index_fill(1, torch.tensor([0]), 1.0),
        lambda h: torch.cat([h[:, :3], torch.ones(2, 1, 6, 6)], 1),
    ],
)
def test_constants_in_the_place_of_data_count_as_biases(form: Callable[[Tensor], Tensor]) -> None:
    model = network(form).double()
    result = explain(model, X.double(), "lrp", target=1, progress=False)
    evidence = result.evidence
    absorbed = torch.tensor(evidence["absorbed_by_biases"], dtype=torch.float64)
    absorbed += torch.tensor(evidence["absorbed_by_stabiliser"], dtype=torch.float64)
    with torch.no_grad():
        scores = model(X.double())[:, 1]
    torch.testing.assert_close(result.values.flatten(1).sum(1) + absorbed, scores)


class Sequence(nn.Module):
    """Tokens come first, as they do in nn.TransformerEncoder by default."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.embed = nn.Conv1d(3, 8, 64 // tokens, 64 // tokens)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.layer(self.embed(x.flatten(2)).permute(2, 0, 1))
        scores: Tensor = self.head(tokens.mean(0))
        return scores


@pytest.mark.parametrize("tokens", [2, 4, 8])
def test_rows_are_told_apart_where_tokens_come_first(tokens: int) -> None:
    model = drawn(Sequence(tokens)).double()
    x = normal(4, 3, 8, 8)
    together = explain(model, x, "lrp", target=1, progress=False)
    for row in range(4):
        alone = explain(model, x[row : row + 1], "lrp", target=1, progress=False)
        torch.testing.assert_close(together.values[row], alone.values[0])
        for name in ("absorbed_by_biases", "absorbed_by_stabiliser"):
            assert together.evidence[name][row] == pytest.approx(alone.evidence[name][0])
