"""Tensor operations by what they do to relevance. Names as torch spells them, without `_`."""

from __future__ import annotations

OBSERVERS = frozenset(
    """__get__ __set__ __bool__ __len__ __repr__ __format__ __contains__ __iter__ __hash__
    __delitem__ size dim numel stride is_floating_point is_complex is_contiguous is_same_size
    shape device dtype item tolist data_ptr get_device element_size storage_offset
    requires_grad_ numpy zeros_like ones_like empty_like full_like rand_like randn_like
    new_zeros new_ones new_empty new_full new_tensor argmax argmin argsort detach eq ne lt le gt
    ge isnan isinf isfinite any all equal allclose bool int long _set_grad_enabled nonzero
    unique bincount is_tensor is_nonzero _assert __eq__ __ne__ __lt__ __le__ __gt__ __ge__
    logical_not logical_and logical_or retain_grad register_hook ndimension is_inference
    has_names type_promotion""".split()
)
"""They only look, or make what does not depend on the values they look at."""

STRUCTURAL = frozenset(
    """view reshape flatten unflatten ravel transpose t permute squeeze unsqueeze expand expand_as
    contiguous clone movedim moveaxis swapaxes swapdims chunk split split_with_sizes
    tensor_split unbind __getitem__ select narrow roll flip rot90 repeat tile repeat_interleave
    view_as reshape_as unfold pixel_shuffle pixel_unshuffle channel_shuffle as_strided diagonal
    to float double type type_as cpu cuda adjoint pad""".split()
)
"""They move values and leave each as it is; padding adds constants."""

WEIGHTED = frozenset(
    """linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
    batch_norm""".split()
)
"""An affine map whose weights come second (batch norm: running statistics)."""

LINEAR = (
    STRUCTURAL
    | WEIGHTED
    | frozenset(
        """add sub rsub neg positive cat concat concatenate stack hstack vstack dstack mean sum
        nansum
    cumsum avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
    adaptive_avg_pool3d interpolate upsample upsample_nearest upsample_bilinear fold tril triu
    dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout
    copy copy_ __setitem__ embedding trace broadcast_tensors broadcast_to atleast_1d atleast_2d
    atleast_3d __torch_function__ conj real imag view_as_real block_diag""".split()
    )
)
"""Affine in all their tensor inputs together, as long as weights are no function of the input."""

ELEMENTWISE = frozenset(
    """relu relu6 leaky_relu prelu rrelu elu selu celu gelu silu mish hardswish hardsigmoid
    hardtanh sigmoid logsigmoid log_sigmoid expit tanh softplus softsign tanhshrink hardshrink
    softshrink threshold exp exp2 expm1 log log1p log2 log10 sqrt rsqrt square pow reciprocal
    abs absolute erf erfc erfinv sin cos tan sinh cosh asinh acosh atan arctan asin acos sinc
    clamp clip clamp_min clamp_max sign sgn floor ceil round trunc frac nan_to_num logit lgamma
    digamma""".split()
)
"""Functions of one tensor, value by value."""

PRODUCTS = frozenset("mul multiply matmul mm bmm mv dot div divide true_divide einsum".split())
"""Linear in each of two tensors; a quotient is a product with a reciprocal."""

PICKS = frozenset(("__getitem__", "__setitem__", "embedding"))
"""Linear as long as the indices and masks by which they pick do not depend on the input."""

ALIASES = {"_threshold": "threshold"}
"""Other names that torch has for an operation; `special_` in front is one more."""

PAIRS = (PRODUCTS | WEIGHTED | {"add", "sub", "rsub", "pow", "prelu"}) - {"batch_norm", "einsum"}
SECOND, THIRD = ("other", "mat2", "vec", "tensor", "exponent", "weight"), ("bias",)
"""Operations whose second and third arguments may be given by these keywords."""

REVERSED = {
    "__radd__": "add",
    "__rsub__": "sub",
    "rsub": "sub",
    "__rmul__": "mul",
    "__rdiv__": "div",
    "__rtruediv__": "div",
    "__rpow__": "pow",
    "__rmatmul__": "matmul",
}
"""Operators with their operands swapped."""
