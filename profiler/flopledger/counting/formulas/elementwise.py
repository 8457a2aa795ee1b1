"""What everything outside the matrix-multiply class costs: other FLOPs, by published convention.

One arithmetic operation on one element is one FLOP, so is a transcendental function (XLA's cost
analysis keeps those apart) and so is taking the larger of two. Comparisons that give booleans,
copies and integer work are none. A composite operator costs its textbook definition, written out
in the docstring.
"""

from math import prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.formula_table import other_flops


def names(words: str) -> list[str]:
    """The words as names of ATen's operators."""
    return [f"aten::{word}" for word in words.split()]


POINTWISE = frozenset(
    names(
        """add sub rsub mul div true_divide neg abs pow square sqrt rsqrt reciprocal exp exp2 expm1
        log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh sigmoid log_sigmoid
        log_sigmoid_forward relu relu6 hardtanh hardswish hardsigmoid leaky_relu elu celu selu gelu
        silu mish softplus prelu _prelu_kernel rrelu threshold clamp clamp_min clamp_max maximum
        minimum erf erfinv lerp fmod remainder floor_divide sign floor ceil round trunc frac sgn
        softsign hardshrink softshrink logit xlogy logaddexp hypot nan_to_num dropout_backward
        tanh_backward sigmoid_backward threshold_backward gelu_backward silu_backward
        hardtanh_backward hardswish_backward hardsigmoid_backward leaky_relu_backward elu_backward
        softplus_backward mish_backward _prelu_kernel_backward log_sigmoid_backward
        native_dropout_backward acosh asinh atanh angle copysign deg2rad rad2deg digamma erfc fmax
        fmin heaviside i0 igamma igammac ldexp lgamma logaddexp2 mvlgamma nextafter polygamma sinc
        special_airy_ai special_bessel_j0 special_bessel_j1 special_bessel_y0 special_bessel_y1
        special_chebyshev_polynomial_t special_chebyshev_polynomial_u special_chebyshev_polynomial_v
        special_chebyshev_polynomial_w special_entr special_erfcx special_hermite_polynomial_h
        special_hermite_polynomial_he special_i0e special_i1 special_i1e
        special_laguerre_polynomial_l special_legendre_polynomial_p special_log_ndtr
        special_modified_bessel_i0 special_modified_bessel_i1 special_modified_bessel_k0
        special_modified_bessel_k1 special_ndtri special_scaled_modified_bessel_k0
        special_scaled_modified_bessel_k1 special_shifted_chebyshev_polynomial_t
        special_shifted_chebyshev_polynomial_u special_shifted_chebyshev_polynomial_v
        special_shifted_chebyshev_polynomial_w special_spherical_bessel_j0 special_xlog1py
        special_zeta hardshrink_backward softshrink_backward logit_backward glu_backward
        rrelu_with_noise_backward _standard_gamma_grad _dirichlet_grad"""
    )
)

# Operators that move, select, compare or make data: no floating-point arithmetic.
FREE = frozenset(
    names(
        """alias all any arange argmax argmin argsort as_strided as_strided_copy bernoulli
        bitwise_and bitwise_not bitwise_or bitwise_xor bool broadcast_tensors broadcast_to
        bucketize cat chunk clone col2im complex concat constant_pad_nd contiguous copy
        _conj conj count_nonzero cpu cuda detach diag diag_embed diagonal diagonal_copy
        double dropout dropout1d dropout2d alpha_dropout feature_dropout embedding
        empty empty_like empty_strided empty_permuted eq equal
        expand expand_as exponential eye fill fill_diagonal flatten flip float full
        full_like gather ge gt half hstack im2col imag index index_copy
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
        resolve_neg roll rot90 scalar_tensor ScalarImplicit scatter
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
        _fused_sdp_choice _chunk_cat _conj_physical _histogramdd_bin_edges
        _histogramdd_from_bin_cts _histogramdd_from_bin_tensors _linalg_check_errors _to_sparse
        _unique _unique2 _unsafe_masked_index _upsample_nearest_exact1d _upsample_nearest_exact2d
        _upsample_nearest_exact3d allclose as_strided_scatter bincount bitwise_left_shift
        bitwise_right_shift block_diag cauchy channel_shuffle diagonal_backward diagonal_scatter
        embedding_renorm fractional_max_pool2d_backward fractional_max_pool3d_backward frexp gcd
        geometric hash_tensor histc histogram index_reduce isin lcm log_normal lu_unpack
        masked_scatter_backward max_pool3d_with_indices_backward adaptive_max_pool3d_backward
        max_unpool3d median nanmedian mode nll_loss2d_forward nll_loss2d_backward nonzero_static
        put reflection_pad3d replication_pad3d reflection_pad1d_backward
        reflection_pad2d_backward reflection_pad3d_backward replication_pad1d_backward
        replication_pad2d_backward replication_pad3d_backward signbit split_with_sizes_copy
        unique_consecutive upsample_nearest1d_backward upsample_nearest2d_backward
        upsample_nearest3d_backward _upsample_nearest_exact1d_backward
        _upsample_nearest_exact2d_backward _upsample_nearest_exact3d_backward cummax cummin
        _efficientzerotensor _is_all_true _is_any_true sparse_dim dense_dim _coalesced
        _coalesce coalesce _indices _values indices values crow_indices col_indices _nnz
        sparse_resize _sparse_coo_tensor_with_dims_and_tensors is_coalesced to_dense _to_dense
        _sparse_compressed_tensor_with_dims to_sparse to_sparse_csr sparse_coo_tensor sparse_mask
        _nested_view_from_jagged _nested_tensor_from_tensor_list is_nonzero is_floating_point
        mT mH adjoint numpy_T matrix_H is_complex __getitem__ isreal expand_dims hsplit vsplit
        dsplit atleast_1d atleast_2d atleast_3d column_stack dstack row_stack ravel swapaxes_
        unsafe_split _foreach_copy _foreach_zero refine_names rename fliplr flipud tensor
        _cast_Float from_numpy detach_copy _lazy_clone is_inference random_from set_data
        quantize_per_tensor quantize_per_tensor_dynamic quantize_per_channel dequantize
        int_repr q_scale q_zero_point fused_moving_avg_obs_fake_quant lift_fresh fft_fftshift
        __ior__ __iand__ __ixor__ fft_ifftshift _to_sparse_csr _to_sparse_csc _to_sparse_bsr
        _to_sparse_bsc to_sparse_csc
        to_sparse_bsr to_sparse_bsc sparse_compressed_tensor sparse_csr_tensor sparse_csc_tensor
        _jagged_to_padded_dense_forward _padded_dense_to_jagged_forward sparse_bsr_tensor
        sparse_bsc_tensor _sparse_compressed_tensor_unsafe
        _sparse_coo_tensor_unsafe _sparse_csr_tensor_unsafe ccol_indices row_indices
        _make_dual _unpack_dual _has_same_storage_numel _nested_from_padded _standard_gamma
        _sample_dirichlet poisson binomial"""
    )
)

# of a trace, and between processes
_NO_ARITHMETIC = ("prim::", "profiler::", "c10d::", "_c10d_functional::", "_dtensor::", "fsdp::")


def is_free(op: str) -> bool:
    """Whether the operator does no floating-point arithmetic.

    In-place forms are as free as the others, and so are those that copy what others view.
    """
    name = op if op in FREE else op.removesuffix("_").removesuffix("_copy")
    return name in FREE or op.startswith(_NO_ARITHMETIC)


def is_pointwise(op: str) -> bool:
    """Whether the operator maps elements to elements (in-place forms included)."""
    return op in POINTWISE or op.removesuffix("_") in POINTWISE


# what PyTorch's rules for tangents are written in
_PRIMS = "add sub mul div neg exp log sqrt rsqrt sin cos tanh pow reciprocal maximum minimum"


@other_flops(*sorted(POINTWISE), *(f"prims::{word}" for word in _PRIMS.split()))
def pointwise(*_: Any, out: Any, **__: Any) -> int:
    """1 an element of the result, whatever the function."""
    return elements(out)


@other_flops("aten::addcmul", "aten::addcdiv")
def addcmul(*_: Any, out: Shape, **__: Any) -> int:
    """3 an element: a product (or quotient), its scaling, a sum."""
    return 3 * prod(out)


@other_flops("aten::glu")
def glu(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """2 an element of the result: a sigmoid and a product."""
    return 2 * prod(out)


@other_flops("aten::rrelu_with_noise")
def randomised_relu(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """1 an element."""
    return prod(x)


@other_flops("aten::polar")
def polar(length: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """4 an element: cosine, sine, two products."""
    return 4 * prod(out)


@other_flops("aten::kron", "aten::outer", "aten::ger")
def outer(*_: Any, out: Shape) -> int:
    """1 an element: a product; nothing is summed."""
    return prod(out)


@other_flops("aten::addr")
def addr(*_: Any, out: Shape, **__: Any) -> int:
    """2 an element: as `outer`, and the sum with what it is added to."""
    return 2 * prod(out)


@other_flops("aten::linalg_cross", "aten::cross")
def cross(*_: Any, out: Shape, **__: Any) -> int:
    """3 an element: two products, a difference."""
    return 3 * prod(out)


@other_flops("aten::native_dropout")
def native_dropout(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """2 an element: the mask's product and the rescaling."""
    return 2 * prod(x)


def elements(out: Any) -> int:
    """Of a result; of several, of the first."""
    return prod(out[0] if out and isinstance(out[0], tuple) else out)
