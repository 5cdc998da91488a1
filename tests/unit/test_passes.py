"""The one door: memory, chunks, layouts, precision and counting."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nbxplain import explain
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import Cancelled, MemoryExhausted, MethodError
from nbxplain.core.passes import Passes
from tests.models import OutOfMemory, Quadratic, cnn, picture

METHODS = ["gradient", "grad_cam", "integrated_gradients", "smoothgrad"]


def first(output: Tensor, rows: Tensor) -> Tensor:
    return output[:, 0]


class Counting(nn.Module):
    """Remembers the batch sizes it was called with, in a list that its copies share."""

    def __init__(self, inner: nn.Module, sizes: list[int]) -> None:
        super().__init__()
        self.inner = inner
        self.note = sizes.append

    def forward(self, x: Tensor) -> Tensor:
        self.note(len(x))
        scores: Tensor = self.inner(x)
        return scores

    def __deepcopy__(self, memo: dict[int, Any]) -> Counting:
        copied = Counting(self.inner, [])
        copied.note = self.note
        return copied


def counted(count: int, **options: Any) -> tuple[list[int], Passes]:
    sizes: list[int] = []
    adapter = ModelAdapter(Counting(Quadratic(), sizes))
    passes = Passes(adapter, **options)
    x = picture(count, side=4)
    for result in passes.gradients(count, lambda rows: x[rows], first):
        torch.testing.assert_close(result.gradient, x[result.rows])
    return sizes, passes


def test_chunks_and_evaluations() -> None:
    sizes, passes = counted(20, chunk=7, layout="contiguous")
    assert sizes == [7, 7, 6]
    assert passes.evaluations == 20


def test_measuring_is_done_once_per_model() -> None:
    adapter = ModelAdapter(cnn())
    x = picture(40)
    sizes = []
    for _ in range(2):
        passes = Passes(adapter)
        list(passes.gradients(40, lambda rows: x[rows], first))
        sizes.append((passes.chunk, passes.layout))
    assert sizes[0] == sizes[1]
    assert sizes[0][1] in ("contiguous", "channels_last")


def test_a_short_pass_leaves_the_layout_to_a_longer_one() -> None:
    """Integrated gradients asks for one score before it asks for many gradients."""
    passes, x = Passes(ModelAdapter(cnn())), picture(40)
    list(passes.scores(1, lambda rows: x[rows], first))
    assert passes.layout is None
    list(passes.gradients(40, lambda rows: x[rows], first))
    assert passes.layout is not None


def test_given_chunk_and_layout_are_kept_and_recorded() -> None:
    result = explain(cnn(), picture(), "smoothgrad", chunk=5, layout="channels_last")
    assert result.provenance["chunk"] == 5
    assert result.provenance["layout"] == "channels_last"


def test_interactive_chunks_are_powers_of_two() -> None:
    passes, x = Passes(ModelAdapter(cnn()), interactive=True), picture(3)
    list(passes.gradients(3, lambda rows: x[rows], first))
    assert passes.chunk is not None
    assert passes.chunk.bit_count() == 1


@pytest.mark.parametrize(
    "options",
    [{"chunk": 0}, {"chunk": -3}, {"chunk": 2.5}, {"layout": "rows"}, {"precision": "float16"}],
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(MethodError, match=str(next(iter(options.values())))):
        explain(cnn(), picture(), "gradient", **options)


def test_cancelled_before_the_first_chunk() -> None:
    with pytest.raises(Cancelled):
        counted(3, cancelled=lambda: True)


# Memory.


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_out_of_memory_halves_the_chunk_and_nothing_else(method: str, most: int) -> None:
    x = picture(9)
    expected = explain(cnn(), x, method, target=1, layer=layer(method), progress=False)
    result = explain(
        OutOfMemory(cnn(), most), x, method, target=1, layer=layer(method, "inner."), progress=False
    )
    torch.testing.assert_close(result.values, expected.values, rtol=1e-5, atol=1e-7)
    # Chunks are even, so one may be smaller than what it is allowed to be.
    assert result.provenance["chunk"] < 2 * most
    assert result.evidence["evaluations"] == expected.evidence["evaluations"]


def layer(method: str, prefix: str = "") -> str | None:
    return f"{prefix}second" if method == "grad_cam" else None


@pytest.mark.parametrize("method", METHODS)
def test_one_input_that_does_not_fit(method: str) -> None:
    with pytest.raises(MemoryExhausted, match="does not fit") as caught:
        explain(OutOfMemory(cnn(), 0), picture(2), method)
    assert "smaller picture" in caught.value.hint


class Backward(torch.autograd.Function):
    """Runs out of memory in the backward pass of more than two inputs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        if len(gradient) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ...")
        return gradient


class BackwardOutOfMemory(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = Backward.apply(x).flatten(1).square()
        return result


def test_out_of_memory_in_the_backward_pass() -> None:
    x = picture(9)
    result = explain(BackwardOutOfMemory(), x, "gradient", target=lambda out: out.sum(1))
    torch.testing.assert_close(result.values, 2 * x)
    assert result.provenance["chunk"] <= 2


def test_other_runtime_errors_are_not_taken_for_memory() -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("sizes must match")

    from nbxplain.core.errors import ModelError

    with pytest.raises(ModelError, match="sizes must match"):
        explain(Broken(), picture(), "gradient")


# Precision.


def test_bfloat16_reports_its_fidelity() -> None:
    exact = explain(cnn(), picture(4), "gradient", target=1)
    lower = explain(cnn(), picture(4), "gradient", target=1, precision="bfloat16")
    assert lower.values.dtype == torch.float32
    assert not torch.equal(lower.values, exact.values)
    (cosine,) = lower.evidence["bfloat16_cosine"]
    true = torch.nn.functional.cosine_similarity(
        exact.values[:2].flatten(1), lower.values[:2].flatten(1)
    )
    assert cosine == pytest.approx(float(true.mean()), abs=1e-3)
    assert lower.provenance["precision"] == "bfloat16"
    assert any("bfloat16" in finding.label for finding in lower.findings())
    assert "bfloat16_cosine" not in exact.evidence
