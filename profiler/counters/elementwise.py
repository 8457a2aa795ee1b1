"""What everything outside the matrix-multiply class costs: other FLOPs, by published convention.

One arithmetic operation on one element is one FLOP, so is a transcendental function (XLA's cost
analysis keeps those apart) and so is taking the larger of two. Comparisons that give booleans,
copies and integer work are none. A composite operator costs its textbook definition, written out
in the docstring.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from profiler.calls import Shape
from profiler.counters.formulas import other_flops


def _names(words: str) -> list[str]:
    return [f"aten::{word}" for word in words.split()]


POINTWISE = frozenset(
    _names(
        """add sub rsub mul div true_divide neg abs pow square sqrt rsqrt reciprocal exp exp2 expm1
        log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh sigmoid log_sigmoid
        log_sigmoid_forward relu relu6 hardtanh hardswish hardsigmoid leaky_relu elu celu selu gelu
        silu mish softplus prelu _prelu_kernel rrelu threshold clamp clamp_min clamp_max maximum
        minimum erf erfinv lerp fmod remainder floor_divide sign floor ceil round trunc frac sgn
        softsign hardshrink softshrink logit xlogy logaddexp hypot nan_to_num dropout_backward
        tanh_backward sigmoid_backward threshold_backward gelu_backward silu_backward
        hardtanh_backward hardswish_backward hardsigmoid_backward leaky_relu_backward elu_backward
        softplus_backward mish_backward _prelu_kernel_backward log_sigmoid_backward
        native_dropout_backward"""
    )
)

# Operators that move, select, compare or make data: no floating-point arithmetic.
FREE = frozenset(
    _names(
        """alias all any arange argmax argmin argsort as_strided as_strided_copy bernoulli
        bitwise_and bitwise_not bitwise_or bitwise_xor bool broadcast_tensors broadcast_to
        bucketize cat chunk clone col2im complex concat constant_pad_nd contiguous copy
        _conj conj count_nonzero cpu cuda detach diag diag_embed diagonal diagonal_copy
        double dropout dropout1d dropout2d alpha_dropout feature_dropout embedding
        embedding_dense_backward empty empty_like empty_strided empty_permuted eq equal
        expand expand_as exponential eye fill fill_diagonal flatten flip float full
        full_like gather ge gt half hstack im2col imag index index_add index_copy
        index_fill index_put index_select int Int is_same_size isfinite isinf isnan
        isneginf isposinf item kthvalue le lift lift_fresh lift_fresh_copy linspace
        _local_scalar_dense logical_and logical_not logical_or logical_xor logspace long
        lt masked_fill masked_scatter masked_select max_unpool2d meshgrid moveaxis movedim
        multinomial narrow ne new_empty new_empty_strided new_full new_ones new_zeros
        nonzero normal normal_functional _nested_tensor_from_mask numel one_hot ones
        ones_like pad permute pixel_shuffle pixel_unshuffle rand rand_like randint
        randint_like randn randn_like random randperm ravel real reflection_pad1d
        reflection_pad2d replication_pad1d replication_pad2d repeat repeat_interleave
        reshape _reshape_alias _reshape_copy reshape_as resize resize_as resolve_conj
        resolve_neg roll rot90 scalar_tensor ScalarImplicit scatter scatter_reduce
        searchsorted select select_backward select_scatter set size slice slice_backward
        slice_scatter sort split split_with_sizes squeeze stack swapaxes swapdims sym_size
        t take take_along_dim tensor_split tile to _to_copy topk transpose tril
        tril_indices triu triu_indices type_as unbind unflatten unfold unfold_backward
        uniform unique unsafe_chunk unsafe_split _unsafe_view unsafe_split_with_sizes
        _unsafe_index unsqueeze view view_as view_as_complex view_as_real vstack where
        zero zeros zeros_like upsample_nearest1d upsample_nearest2d upsample_nearest3d
        _pack_padded_sequence _pad_packed_sequence feature_alpha_dropout _shape_as_tensor
        __and__ __or__ __xor__ nll_loss_forward nll_loss_nd nll_loss nll_loss_backward
        max_pool2d_with_indices_backward adaptive_max_pool2d_backward _assert_async
        _fused_sdp_choice"""
    )
)


def is_free(op: str) -> bool:
    """Whether the operator does no floating-point arithmetic (in-place forms included)."""
    return op in FREE or op.removesuffix("_") in FREE or op.startswith("prim::")


def is_pointwise(op: str) -> bool:
    """Whether the operator maps elements to elements (in-place forms included)."""
    return op in POINTWISE or op.removesuffix("_") in POINTWISE


@other_flops(*sorted(POINTWISE))
def pointwise(*_: Any, out: Any, **__: Any) -> int:
    """1 an element of the result, whatever the function."""
    return _elements(out)


@other_flops("aten::addcmul", "aten::addcdiv")
def addcmul(*_: Any, out: Shape, **__: Any) -> int:
    """3 an element: a product (or quotient), its scaling, a sum."""
    return 3 * prod(out)


@other_flops("aten::glu")
def glu(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """2 an element of the result: a sigmoid and a product."""
    return 2 * prod(out)


@other_flops("aten::native_dropout")
def native_dropout(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """2 an element: the mask's product and the rescaling."""
    return 2 * prod(x)


@other_flops(
    *_names(
        """sum mean prod nansum amax amin max min norm linalg_vector_norm cumsum cumprod
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d
        _adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
        _adaptive_avg_pool2d_backward avg_pool2d_backward avg_pool3d_backward mean_backward"""
    )
)
def reduction(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """1 an element of the input: each is added (or compared) once."""
    return prod(x)


@other_flops("aten::var", "aten::std", "aten::var_mean", "aten::std_mean")
def variance(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """4 an element: the mean's sum, the difference, its square, the squares' sum."""
    return 4 * prod(x)


@other_flops("aten::logsumexp")
def logsumexp(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """4 an element: the maximum, the difference, the exponential, the sum."""
    return 4 * prod(x)


@other_flops(*_names("softmax _softmax _safe_softmax log_softmax _log_softmax"))
def softmax(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """5 an element: maximum, difference, exponential, sum, quotient (a difference in logs)."""
    return 5 * prod(x)


@other_flops("aten::_softmax_backward_data", "aten::_log_softmax_backward_data")
def softmax_backward(grad: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """4 an element: y * g, its sum, the difference, the product."""
    return 4 * prod(grad)


@other_flops(
    *_names("layer_norm native_layer_norm group_norm native_group_norm instance_norm rms_norm")
)
def normalise(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """7 an element: sum, difference, square, squares' sum, quotient, and the affine's two."""
    return 7 * prod(x)


@other_flops("aten::batch_norm", "aten::native_batch_norm", "aten::cudnn_batch_norm")
def batch_norm(
    x: Shape, weight: Any, bias: Any, mean: Any, var: Any, training: bool, *_: Any, out: Any
) -> int:
    """In training as `normalise`; in evaluation 2 an element: one factor and one summand are left.

    With fixed statistics (x - mean) / std * weight + bias folds to x * scale + shift.
    """
    return (7 if training else 2) * prod(x)


@other_flops(
    *_names("native_batch_norm_backward native_layer_norm_backward native_group_norm_backward")
)
def normalise_backward(grad: Shape, *_: Any, out: Any, **__: Any) -> int:
    """11 an element: x_hat (2), both parameter gradients (3), two sums (3), the combination (3)."""
    return 11 * prod(grad)


@other_flops(
    *_names(
        """max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices
        max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d"""
    )
)
def pool(x: Shape, kernel: Sequence[int], *_: Any, out: Any, **__: Any) -> int:
    """The kernel's size an element of the result: each window's elements are met once."""
    return _elements(out) * prod(kernel)


@other_flops("aten::upsample_linear1d", "aten::upsample_bilinear2d")
def bilinear(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """4 neighbours an element, each with a product and a sum: 8."""
    return 8 * prod(out)


@other_flops("aten::upsample_bicubic2d")
def bicubic(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """16 neighbours an element, each with a product and a sum: 32."""
    return 32 * prod(out)


def _elements(out: Any) -> int:
    return prod(out[0] if out and isinstance(out[0], tuple) else out)  # of several, the first
