"""Compound operations written in simpler ones, so that the rules of those apply.

Each function takes the arguments of the operation that it stands for and gives the same result. The
batch stays the first dimension on the way, by which the rules know the rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nbxplain.core.errors import MethodError
from nbxplain.core.recurrences import RECURRENT


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    dims = tuple(range(-len(normalized_shape), 0))
    return _affine(_standardised(input, dims, eps), weight, bias)


def _standardised(input: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    centred = input - input.mean(dims, keepdim=True)
    variance = torch.square(centred).mean(dims, keepdim=True)
    return torch.mul(centred, torch.rsqrt(variance + eps))


def _affine(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if weight is not None:
        x = torch.mul(x, weight)
    return x if bias is None else x + bias


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    dims = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(input.dtype).eps if eps is None else eps
    scale = torch.rsqrt(torch.square(input).mean(dims, keepdim=True) + eps)
    return _affine(torch.mul(input, scale), weight, None)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    grouped = input.reshape(input.shape[0], num_groups, -1)
    result = _standardised(grouped, (-1,), eps).reshape(input.shape)
    return _affine(result, _by_channel(weight, input), _by_channel(bias, input))


def _by_channel(values: Tensor | None, input: Tensor) -> Tensor | None:
    return None if values is None else values.reshape(1, -1, *[1] * (input.ndim - 2))


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not use_input_stats:
        return F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    return group_norm(input, input.shape[1], weight, bias, eps)


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: None = None
) -> Tensor:
    return torch.div(input, norm(input, p, dim, True).clamp_min(eps))


def norm(
    input: Tensor, p: Any = 2, dim: Any = None, keepdim: bool = False, *, ord: Any = None, **_: Any
) -> Tensor:
    p = p if ord is None else ord
    dims = tuple(range(input.ndim)) if dim is None else dim
    if p in (2, "fro", None):
        return torch.sqrt(torch.square(input).sum(dims, keepdim=keepdim))
    if p == math.inf:
        return torch.amax(torch.abs(input), dims, keepdim)
    if p == 1:
        return torch.abs(input).sum(dims, keepdim=keepdim)
    return torch.pow(torch.pow(torch.abs(input), p).sum(dims, keepdim=keepdim), 1 / p)


def vector_norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any
) -> Tensor:
    return norm(x, ord, dim, keepdim)


def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else dim
    count = math.prod(input.shape[d] for d in dims)
    centred = input - input.mean(dims, keepdim=True)
    total = torch.square(centred).sum(dims, keepdim=keepdim)
    return total / (count - (int(unbiased) if correction is None else correction))


def std(input: Tensor, *arguments: Any, **options: Any) -> Tensor:
    return torch.sqrt(var(input, *arguments, **options))


def var_mean(input: Tensor, *arguments: Any, **options: Any) -> tuple[Tensor, Tensor]:
    return var(input, *arguments, **options), _mean_like(input, *arguments, **options)


def std_mean(input: Tensor, *arguments: Any, **options: Any) -> tuple[Tensor, Tensor]:
    return std(input, *arguments, **options), _mean_like(input, *arguments, **options)


def _mean_like(
    input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **_: Any
) -> Tensor:
    dims = tuple(range(input.ndim)) if dim is None or isinstance(dim, bool) else dim
    return input.mean(dims, keepdim=keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    first, second = (normalize(x, 2, dim, eps) for x in (x1, x2))
    return torch.mul(first, second).sum(dim)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    value, gate = input.chunk(2, dim)
    return torch.mul(value, torch.sigmoid(gate))


def softmin(input: Tensor, dim: int | None = None, *_: Any, **options: Any) -> Tensor:
    return F.softmax(-input, -1 if dim is None else dim)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    rows = torch.matmul(input1.unsqueeze(-2).unsqueeze(-2), weight).squeeze(-2)
    result = torch.mul(rows, input2.unsqueeze(-2)).sum(-1)
    return result if bias is None else result + bias


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    return input * beta + torch.matmul(mat1, mat2) * alpha


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    return input + torch.mul(tensor1, tensor2) * value


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    return input + torch.mul(end - input, weight)


def max(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Any:
    """max(x), max(x, dim) and max(x, y)."""
    other = dim if isinstance(dim, Tensor) else other
    if other is not None:
        return maximum(input, other)
    if dim is None:
        return torch.amax(input)
    parts = torch.amax(input, dim, keepdim), torch.argmax(input, dim, keepdim)
    return torch.return_types.max(parts)


def min(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Any:
    other = dim if isinstance(dim, Tensor) else other
    if other is not None:
        return minimum(input, other)
    if dim is None:
        return torch.amin(input)
    return torch.return_types.min((amin(input, dim, keepdim), torch.argmin(input, dim, keepdim)))


def minimum(input: Tensor, other: Tensor) -> Tensor:
    return -torch.maximum(-input, -other)


def maximum(input: Tensor, other: Tensor) -> Tensor:
    return torch.stack(torch.broadcast_tensors(input, other), -1).amax(-1)


def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    return -torch.amax(-input, dim, keepdim)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    squares = torch.square(input).flatten(2).unsqueeze(1)
    padded = F.pad(squares, (0, 0, size // 2, (size - 1) // 2))
    mean = F.avg_pool2d(padded, (size, 1), stride=1).view_as(input)
    return torch.div(input, torch.pow(mean * alpha + k, beta))


def lp_pool(
    dims: int,
    input: Tensor,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """F.lp_pool1d to 3d: the root of a sum of powers, which is zero where the sum is."""
    if abs(norm_type) == math.inf:
        largest = getattr(F, f"max_pool{dims}d")
        sign = 1 if norm_type > 0 else -1
        result: Tensor = sign * largest(
            sign * torch.abs(input), kernel_size, stride, 0, 1, ceil_mode
        )
        return result
    average = getattr(F, f"avg_pool{dims}d")
    size = kernel_size**dims if isinstance(kernel_size, int) else math.prod(kernel_size)
    powers = average(torch.pow(input, norm_type), kernel_size, stride, 0, ceil_mode) * size
    # The root's slope at zero is infinite.
    nothing = powers == 0
    roots = torch.pow(torch.where(nothing, 1, powers), 1 / norm_type)
    return torch.where(nothing, 0, roots)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        key, value = (t.repeat_interleave(groups, -3) for t in (key, value))
    if is_causal:
        attn_mask = query.new_ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = ~attn_mask
    added = None if attn_mask is None else _additive(attn_mask, query.dtype)
    return torch.matmul(_attention(query, key, added, scale), value)


def _attention(
    query: Tensor, key: Tensor, added: Tensor | None, scale: float | None = None
) -> Tensor:
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = torch.matmul(query, key.transpose(-2, -1)) * scale
    return F.softmax(scores if added is None else scores + added, -1)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    **_: Any,
) -> tuple[Tensor, Tensor | None]:
    """(length, batch, width) in and out."""
    if bias_k is not None or add_zero_attn or query.ndim != 3:
        raise MethodError(
            "No rule says how relevance flows through attention with bias_k, add_zero_attn or "
            "unbatched input.",
            "Choose a gradient or perturbation method.",
        )
    if use_separate_proj_weight:
        weights: Sequence[Any] = (q_proj_weight, k_proj_weight, v_proj_weight)
    else:
        assert in_proj_weight is not None
        weights = in_proj_weight.chunk(3)
    biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    q, k, v = (
        F.linear(t.transpose(0, 1), w, b).unflatten(-1, (num_heads, -1)).transpose(1, 2)
        for t, w, b in zip((query, key, value), weights, biases, strict=True)
    )
    added = None
    if attn_mask is not None:
        added = _additive(attn_mask, query.dtype)
        added = added.unflatten(0, (-1, num_heads)) if added.ndim == 3 else added
    if key_padding_mask is not None:
        padding = _additive(key_padding_mask, query.dtype)[:, None, None]
        added = padding if added is None else _additive(added + padding, query.dtype)
    shares = _attention(q, k, added)
    mixed = torch.matmul(shares, v).transpose(1, 2).flatten(-2)
    result = F.linear(mixed, out_proj_weight, out_proj_bias).transpose(0, 1)
    if not need_weights:
        return result, None
    return result, shares.mean(1) if average_attn_weights else shares


def _additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask to be added, without infinities: of numbers, or of truth values that forbid."""
    if mask.dtype != torch.bool:
        return mask.clamp_min(torch.finfo(dtype).min)
    return torch.zeros_like(mask, dtype=dtype).masked_fill(mask, torch.finfo(dtype).min)


DECOMPOSITIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        layer_norm,
        rms_norm,
        group_norm,
        instance_norm,
        normalize,
        norm,
        vector_norm,
        var,
        std,
        var_mean,
        std_mean,
        cosine_similarity,
        glu,
        softmin,
        addmm,
        addcmul,
        lerp,
        max,
        min,
        minimum,
        maximum,
        amin,
        local_response_norm,
        scaled_dot_product_attention,
        multi_head_attention_forward,
        bilinear,
    )
} | {
    "linalg_norm": norm,
    "linalg_vector_norm": vector_norm,
    "baddbmm": addmm,
    "addmv": addmm,
    **{f"lp_pool{dims}d": partial(lp_pool, dims) for dims in (1, 2, 3)},
    **RECURRENT,
}
