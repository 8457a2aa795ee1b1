"""Matrix products and convolutions: dense, grouped, contracted, by pieces or by non-zeros."""

from collections.abc import Sequence
from math import prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.formula_table import macs, other_flops


class SparseShape(tuple[int, ...]):
    """The shape of a sparse tensor, and how many elements it stores."""

    stored: int

    def __new__(cls, sides: Sequence[int], stored: int) -> "SparseShape":
        """As a tuple of `sides`."""
        shape = super().__new__(cls, sides)
        shape.stored = stored
        return shape


def _stored(shape: Shape) -> int:
    return shape.stored if isinstance(shape, SparseShape) else prod(shape)


@macs("aten::mm", "aten::matmul", "aten::_int_mm", "aten::_scaled_mm", "quantized::matmul")
def matmul(a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int | None:
    """Every element of the result is a dot product along a's last axis: prod(out) * a[-1].

    Holds for vectors, matrices and broadcast batches alike. Of a sparse operand only the stored
    elements meet the other's rows or columns. None for two, which meet where their values say.
    """
    if isinstance(a, SparseShape) and isinstance(b, SparseShape):
        return None
    if isinstance(a, SparseShape):
        return a.stored * (b[-1] if len(b) > 1 else 1)
    if isinstance(b, SparseShape):
        return b.stored * (a[-2] if len(a) > 1 else 1)
    return prod(out) * a[-1]


@macs("aten::_sparse_mm", "aten::_sparse_mm_reduce_impl")
def sparse_matmul(a: Shape, b: Shape, *_: Any, out: Any, **__: Any) -> int | None:
    """As `matmul`, one of the two sparse.

    None for two, which meet where their values say, and where a trace does not tell what is stored.
    """
    if isinstance(a, SparseShape) == isinstance(b, SparseShape):
        return None
    return matmul(a, b, out=out)


@macs("aten::_sparse_addmm", "aten::sspaddmm")
def sparse_addmm(bias: Shape, a: Shape, b: Shape, *_: Any, out: Any, **__: Any) -> int | None:
    """As `sparse_matmul`, after the bias."""
    return sparse_matmul(a, b, out=out)


@macs("aten::hspmm")
def hybrid_matmul(a: Shape, b: Shape, *, out: Any) -> int | None:
    """As `sparse_matmul`."""
    return sparse_matmul(a, b, out=out)


@macs("aten::sparse_sampled_addmm")
def sampled_addmm(mask: Shape, a: Shape, b: Shape, *_: Any, out: Any, **__: Any) -> int:
    """[i, k] x [k, j] only where the mask stores an element: that many dot products."""
    return _stored(mask) * a[-1]


@macs("aten::bmm")
def bmm(a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int | None:
    """[n, i, k] x [n, k, j]: n * i * j dot products of length k; as `matmul` where sparse."""
    return matmul(a, b, out=out)


@macs("aten::mv")
def mv(a: Shape, b: Shape, *, out: Shape) -> int:
    """[i, k] x [k]: i dot products of length k."""
    return _stored(a)


@macs("aten::dot", "aten::vdot")
def dot(a: Shape, b: Shape, *, out: Shape) -> int:
    """[k] x [k]: one dot product."""
    return prod(a)


@macs("aten::linalg_vecdot")
def vecdot(a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """As `dot` of two vectors; of more PyTorch multiplies elements, and sums them: none."""
    return prod(a) if len(a) == len(b) == 1 else 0


@other_flops("aten::linalg_vecdot")
def vecdot_of_elements(a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """2 an element of more than two vectors: a product and its sum."""
    return 0 if len(a) == len(b) == 1 else 2 * max(prod(a), prod(b))


# the nodes of autograd whose gradients are the transposed products of a counted one, made by
# PyTorch as products of elements: [i] x [j] of a matrix times a vector, 1 x [k] of a dot product
TRANSPOSED_BY_ELEMENTS = frozenset(
    ("MvBackward0", "AddmvBackward0", "DotBackward0", "VdotBackward0")
)


@macs("aten::inner")
def inner(a: Shape, b: Shape, *, out: Shape) -> int:
    """[.., k] x [.., k]: a dot product an element of the result; a number scales, and has none."""
    return prod(out) * a[-1] if a and b else 0


@macs("aten::addmm", "aten::baddbmm", "aten::addbmm", "aten::addmv", "aten::_addmm_activation")
def addmm(bias: Shape, a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int | None:
    """A bias plus [.., i, k] x [.., k, j]: every row of a meets every column of b.

    The rows are counted in a, not in the result: addbmm sums the batch away.
    """
    if isinstance(b, SparseShape):
        return matmul(a, b, out=out)
    return _stored(a) * (b[-1] if len(b) > 1 else 1)


@other_flops("aten::_addmm_activation")
def addmm_activation(*_: Any, out: Shape, **__: Any) -> int:
    """1 an element of the result: the activation."""
    return prod(out)


@macs("aten::linear", "aten::_weight_int8pack_mm", "aten::_mixed_dtypes_linear",
      "aten::mkldnn_linear", "mkldnn::_linear_pointwise", "aten::_sparse_semi_structured_linear",
      "quantized::linear", "quantized::linear_relu", "quantized::linear_dynamic",
      "quantized::linear_relu_dynamic", "quantized::linear_dynamic_fp16",
      "quantized::linear_relu_dynamic_fp16", "quantized::linear_leaky_relu",
      "quantized::linear_tanh")  # fmt: skip
def linear(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """[.., in] x [out, in] or [in]: every element of the result is a dot product of length in.

    The weight is read off the result, since some kernels store it packed. Of a semi-structured one
    (two of four elements are zeros) all are counted.
    """
    return prod(out) * x[-1]


@macs("aten::_weight_int4pack_mm", "aten::_weight_int4pack_mm_for_cpu",
      "aten::_dyn_quant_matmul_4bit", "onednn::qlinear_pointwise")  # fmt: skip
def packed_linear(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """As `linear`; the weight is packed in a form of the kernel's own."""
    return linear(x, out=out)


@macs("aten::linear_backward")
def linear_backward(x: Shape, grad: Shape, weight: Shape, mask: Sequence[bool], *, out: Any) -> int:
    """The forward's products once for the input's gradient and once for the weight's, if wanted."""
    return prod(x) * grad[-1] * (mask[0] + mask[1])


@macs("aten::_grouped_mm", "aten::_scaled_grouped_mm")
def grouped_mm(a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """Rows in groups, each group with its own matrix: each row meets one matrix only.

    [rows, k] x [g, k, n] is rows * k * n; [k, rows] x [rows, n], which gives one matrix a group,
    sums every row into one of them; [g, m, k] x [k, rows] and [g, m, k] x [g, k, n] likewise.
    """
    if len(a) == 2 and len(b) == 2:
        return a[0] * a[1] * b[1]
    if len(a) == 2:
        return prod(a) * b[-1]
    return a[1] * prod(b)


@macs("aten::bilinear")
def bilinear(a: Shape, b: Shape, weight: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """[.., in1] x [out, in1, in2] x [.., in2]: in1 * in2 + in2 products a result, in that order."""
    return prod(out) * (weight[1] * weight[2] + weight[2])


@macs("aten::_trilinear")
def trilinear(
    a: Shape, b: Shape, c: Shape, expand_a: Sequence[int], expand_b: Sequence[int],
    expand_c: Sequence[int], summed: Sequence[int], *_: Any, out: Shape, **__: Any,
) -> int:  # fmt: skip
    """Three tensors, each with axes of size 1 put in where it is expanded, multiplied and summed.

    The first two are multiplied and summed over those axes that the third has not, then the third
    meets what is left: two matrix products.
    """
    first, second, third = (
        _expanded(shape, axes) for shape, axes in ((a, expand_a), (b, expand_b), (c, expand_c))
    )
    pair = _broadcast(first, second)
    left = [1 if i in summed and i in expand_c else n for i, n in enumerate(pair)]
    return prod(pair) + prod(_broadcast(left, third))


def _broadcast(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """An axis of nothing stays one beside an axis of size 1."""
    return [min(sides) and max(sides) for sides in zip(first, second, strict=True)]


def _expanded(shape: Shape, axes: Sequence[int]) -> list[int]:
    sides = list(shape)
    for axis in sorted(axes):
        sides.insert(axis, 1)
    return sides


@macs("aten::_convolution", "aten::convolution", "aten::convolution_overrideable")
def convolution(
    x: Shape, weight: Shape, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    *_: Any, out: Shape,
) -> int:  # fmt: skip
    """Each result sums over kernel and input channels of its group: prod(out) * prod(weight[1:]).

    The weight is [out, in / groups, *kernel]; a transposed convolution's is [in, out / groups,
    *kernel], and there each input element is spread over prod(weight[1:]) results. Products with
    the padding are counted, as every counter does.
    """
    return prod(x if transposed else out) * prod(weight[1:])


_KERNELS = (
    "aten::_convolution_mode", "aten::mkldnn_convolution", "aten::cudnn_convolution",
    "aten::cudnn_convolution_relu", "aten::cudnn_convolution_add_relu", "aten::slow_conv3d",
    "aten::slow_conv3d_forward", "aten::slow_conv_dilated2d", "aten::slow_conv_dilated3d",
    "aten::thnn_conv2d", "aten::_slow_conv2d_forward", "aten::conv_depthwise3d",
    "aten::_conv_depthwise2d", "mkldnn::_convolution_pointwise", "onednn::qconv_pointwise",
    "onednn::qconv1d_pointwise", "onednn::qconv2d_pointwise", "onednn::qconv3d_pointwise",
)  # fmt: skip


@macs(*_KERNELS)
def convolution_kernel(x: Shape, *rest: Any, out: Shape, **_: Any) -> int:
    """As `convolution`: one kernel's own form of it, or the form that padding="same" traces to."""
    weight = next(a for a in rest if isinstance(a, tuple) and len(a) > 2)
    return prod(out) * prod(weight[1:])


@macs("aten::cudnn_convolution_transpose", "aten::slow_conv_transpose2d",
      "aten::slow_conv_transpose3d", "mkldnn::_convolution_transpose_pointwise")  # fmt: skip
def transposed_kernel(x: Shape, weight: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """As `convolution`, transposed."""
    return prod(x) * prod(weight[1:])


@macs(*(f"quantized::conv{d}d{form}" for d in (1, 2, 3) for form in ("", "_relu", "_dynamic")),
      "quantized::conv2d_add", "quantized::conv2d_add_relu")  # fmt: skip
def quantised_convolution(x: Shape, *rest: Any, out: Shape, **_: Any) -> int:
    """As `convolution`; `rest` begins with the packed weight's shape."""
    weight = next(a for a in reversed(rest) if isinstance(a, tuple) and len(a) == len(out))
    return prod(out) * prod(weight[1:])


@macs("aten::conv_tbc")
def conv_tbc(x: Shape, weight: Shape, *_: Any, out: Shape) -> int:
    """Over [time, batch, in] with a weight [kernel, in, out]: each result sums kernel * in."""
    return prod(out) * prod(weight[:2])


@macs("aten::convolution_backward")
def convolution_backward(
    grad: Shape, x: Shape, weight: Shape, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: Any, mask: Sequence[bool], *, out: Any,
) -> int:  # fmt: skip
    """The forward's products once for each gradient asked for, the input's and the weight's.

    Every product x * w of the forward gives grad * w to the input's gradient and grad * x to the
    weight's, in the same group. `mask` says which are wanted (input, weight, bias).
    """
    forward = prod(x if transposed else grad) * prod(weight[1:])
    return forward * (mask[0] + mask[1])


@macs("aten::conv_tbc_backward")
def conv_tbc_backward(grad: Shape, x: Shape, weight: Shape, *_: Any, out: Any) -> int:
    """Both gradients: twice the forward."""
    return 2 * prod(grad) * prod(weight[:2])


@macs("torchvision::deform_conv2d")
def deform_conv2d(x: Shape, weight: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """As `convolution`, over sampled points; the sampling stands under other FLOPs."""
    return prod(out) * prod(weight[1:])


@other_flops("torchvision::deform_conv2d")
def deform_sampling(x: Shape, weight: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """8 a sampled value: a product and a sum for each of 4 neighbours."""
    points = out[0] * prod(out[2:])
    return 8 * points * x[1] * prod(weight[2:])
