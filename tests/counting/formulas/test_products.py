"""Each product and convolution at sides that are distinct primes: none stands for another."""

import pytest
from flopledger.counting.formulas.every import multiplies, work
from flopledger.counting.formulas.products import SparseShape

STORED = SparseShape((3, 5), 11)  # a sparse [3, 5] with 11 elements
ONES = [1, 1]
REST = None, ONES, [0, 0], ONES, False, [0, 0], 1  # bias, stride, padding, dilation, ...
SPREAD = None, ONES, [0, 0], ONES, True, [0, 0], 1  # ... transposed, output padding, groups
# 2 pictures of 7 channels, 11 x 13; 19 filters of 3 x 5
PICTURE, FILTERS, MADE = (2, 7, 11, 13), (19, 7, 3, 5), (2, 19, 9, 9)
CONVOLVED = 2 * 9 * 9 * 19 * 7 * 3 * 5
# each element of the picture meets 19 x 3 x 5 weights
OUTWARD, WIDENED = (7, 19, 3, 5), (2, 19, 13, 17)
WIDENING = 2 * 7 * 11 * 13 * 19 * 3 * 5

PRODUCTS = [
    ("mm matmul _int_mm _scaled_mm", [(2, 3), (3, 5)], (2, 5), 2 * 3 * 5),
    ("quantized::matmul", [(2, 3), (3, 5), 1.0, 0], (2, 5), 2 * 3 * 5),
    # of a sparse operand each element meets a row, or a column, of the other
    ("mm matmul _sparse_mm _sparse_mm_reduce_impl", [STORED, (5, 7)], (3, 7), 11 * 7),
    ("mm matmul _sparse_mm", [(2, 3), STORED], (2, 5), 2 * 11),
    ("matmul", [STORED, (5,)], (3,), 11),
    ("matmul", [(3,), STORED], (5,), 11),
    ("_sparse_addmm sspaddmm addmm", [(3, 7), STORED, (5, 7)], (3, 7), 11 * 7),
    ("addmm", [(2, 5), (2, 3), STORED], (2, 5), 2 * 11),
    ("hspmm", [STORED, (5, 7)], (3, 7), 11 * 7),
    ("sparse_sampled_addmm", [STORED, (3, 7), (7, 5)], STORED, 11 * 7),
    ("sparse_sampled_addmm", [(3, 5), (3, 7), (7, 5)], (3, 5), 3 * 5 * 7),
    ("bmm", [(2, 3, 5), (2, 5, 7)], (2, 3, 7), 2 * 3 * 5 * 7),
    ("bmm", [SparseShape((2, 3, 5), 11), (2, 5, 7)], (2, 3, 7), 11 * 7),
    ("mv", [(3, 5), (5,)], (3,), 3 * 5),
    ("mv", [STORED, (5,)], (3,), 11),
    ("dot vdot", [(7,), (7,)], (), 7),
    ("inner", [(2, 3), (5, 3)], (2, 5), 2 * 3 * 5),
    ("inner", [(), (5, 3)], (5, 3), 0),
    ("inner", [(5, 3), ()], (5, 3), 0),
    ("addmm", [(5,), (2, 3), (3, 5)], (2, 5), 2 * 3 * 5),
    ("baddbmm", [(7, 2, 5), (7, 2, 3), (7, 3, 5)], (7, 2, 5), 7 * 2 * 3 * 5),
    ("addbmm", [(2, 5), (7, 2, 3), (7, 3, 5)], (2, 5), 7 * 2 * 3 * 5),
    ("addmv", [(2,), (2, 3), (3,)], (2,), 2 * 3),
    (
        """linear _weight_int8pack_mm _mixed_dtypes_linear mkldnn_linear mkldnn::_linear_pointwise
        _sparse_semi_structured_linear quantized::linear quantized::linear_relu
        quantized::linear_dynamic quantized::linear_relu_dynamic quantized::linear_dynamic_fp16
        quantized::linear_relu_dynamic_fp16 quantized::linear_leaky_relu quantized::linear_tanh
        _weight_int4pack_mm _weight_int4pack_mm_for_cpu _dyn_quant_matmul_4bit
        onednn::qlinear_pointwise""",
        [(2, 7, 3), (5, 3)], (2, 7, 5), 2 * 7 * 3 * 5,
    ),
    ("linear", [(3,), (3,)], (), 3),
    ("linear", [(4, 3), (3,)], (4,), 4 * 3),  # a weight of one row, without the axis
    # the rows of each group meet that group's matrix
    ("_grouped_mm _scaled_grouped_mm", [(7, 3), (2, 3, 5)], (7, 5), 7 * 3 * 5),
    ("_grouped_mm", [(3, 7), (7, 5)], (2, 3, 5), 3 * 7 * 5),
    ("_grouped_mm", [(2, 5, 3), (3, 7)], (5, 7), 5 * 3 * 7),
    ("_grouped_mm", [(2, 5, 3), (2, 3, 7)], (2, 5, 7), 2 * 5 * 3 * 7),
    ("bilinear", [(2, 3), (2, 5), (7, 3, 5)], (2, 7), 2 * 7 * (3 * 5 + 5)),
    # [2, 1, 3] x [2, 5, 3], nothing summed, x [1, 5, 3] with the last axis summed
    ("_trilinear", [(2, 3), (2, 5, 3), (5, 3), [1], [], [0], [2]], (2, 5), 2 * 5 * 3 + 2 * 5 * 3),
    ("_trilinear", [(0, 4), (2, 4, 4), (0, 4), [1, 3], [0], [1, 2], [2, 3]], (0, 2), 0),
    # [2, 3, 1] x [3, 5] spread over [2, 3, 5]; 3 is summed first, for the third has no such axis
    ("_trilinear", [(2, 3), (3, 5), (2, 5), [2], [0], [1], [1]], (2, 5), 2 * 3 * 5 + 2 * 5),
    ("convolution _convolution convolution_overrideable", [PICTURE, FILTERS, *REST], MADE,
     CONVOLVED),
    ("convolution _convolution", [PICTURE, OUTWARD, *SPREAD], WIDENED, WIDENING),
    (
        """_convolution_mode mkldnn_convolution cudnn_convolution cudnn_convolution_relu
        cudnn_convolution_add_relu slow_conv3d slow_conv3d_forward slow_conv_dilated2d
        slow_conv_dilated3d thnn_conv2d _slow_conv2d_forward conv_depthwise3d _conv_depthwise2d
        mkldnn::_convolution_pointwise onednn::qconv_pointwise onednn::qconv1d_pointwise
        onednn::qconv2d_pointwise onednn::qconv3d_pointwise
        quantized::conv1d quantized::conv1d_relu quantized::conv1d_dynamic
        quantized::conv2d quantized::conv2d_relu quantized::conv2d_dynamic
        quantized::conv3d quantized::conv3d_relu quantized::conv3d_dynamic
        quantized::conv2d_add quantized::conv2d_add_relu torchvision::deform_conv2d""",
        [PICTURE, FILTERS], MADE, CONVOLVED,
    ),
    # a scale stands before the weight: two sides are no weight
    ("onednn::qconv_pointwise", [PICTURE, (1,), (5, 5), FILTERS], MADE, CONVOLVED),
    ("mkldnn_convolution", [(2, 7, 11), (19, 7, 3)], (2, 19, 9), 2 * 19 * 9 * 7 * 3),
    # the weight has as many sides as the result
    ("quantized::conv2d_add", [PICTURE, (2, 19, 9), FILTERS, (19, 3)], MADE, CONVOLVED),
    (
        """cudnn_convolution_transpose slow_conv_transpose2d slow_conv_transpose3d
        mkldnn::_convolution_transpose_pointwise""",
        [PICTURE, OUTWARD], WIDENED, WIDENING,
    ),
    ("conv_tbc", [(7, 2, 3), (5, 3, 11), (11,), 0], (3, 2, 11), 3 * 2 * 11 * 5 * 3),
    ("conv_tbc_backward", [(3, 2, 11), (7, 2, 3), (5, 3, 11), (11,), 0], ((7, 2, 3),),
     2 * 3 * 2 * 11 * 5 * 3),
]  # fmt: skip


@pytest.mark.parametrize(("ops", "args", "out", "by_hand"), PRODUCTS)
def test_a_product_by_hand(ops, args, out, by_hand):
    for op in ops.split():
        name = op if "::" in op else f"aten::{op}"
        assert work(name, args, {}, out)[0] == by_hand, name
        assert multiplies(name)
        assert multiplies(f"{name}_")  # in place


@pytest.mark.parametrize("op", ["mm", "_sparse_mm", "addmm", "_sparse_addmm"])
def test_two_sparse_matrices_meet_where_their_values_say(op):
    bias = [(3, 7)] if "add" in op else []
    other = SparseShape((5, 7), 13)
    assert work(f"aten::{op}", [*bias, STORED, other], {}, (3, 7)) is None
    if "sparse" in op:  # as in a trace, which does not tell what is stored
        assert work(f"aten::{op}", [*bias, (3, 5), (5, 7)], {}, (3, 7)) is None


def test_what_a_product_does_beside():
    # an activation, 1 an element; deformed points, 8 a sampled value of 2 x 9 x 9 x 7 x 15
    counts = work("aten::_addmm_activation", [(5,), (2, 3), (3, 5)], {}, (2, 5))
    assert counts == (2 * 3 * 5, 2 * 5)
    counts = work("torchvision::deform_conv2d", [PICTURE, FILTERS], {}, MADE)
    assert counts == (CONVOLVED, 8 * 2 * 9 * 9 * 7 * 3 * 5)


@pytest.mark.parametrize("wanted", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("bias", [False, True])
def test_a_gradient_costs_its_forward(wanted, bias):
    mask = [*map(bool, wanted), bias]
    args = (2, 7, 3), (2, 7, 5), (5, 3), mask
    counts = work("aten::linear_backward", args, {}, ((2, 7, 3), (5, 3), (5,)))
    assert counts == (sum(wanted) * 2 * 7 * 3 * 5, 0)
    for transposed, weight, made, once in (
        (False, FILTERS, MADE, CONVOLVED),
        (True, OUTWARD, WIDENED, WIDENING),
    ):
        rest = [19], ONES, [0, 0], ONES, transposed, [0, 0], 1, mask
        args = made, PICTURE, weight, *rest
        counts = work("aten::convolution_backward", args, {}, (PICTURE, weight, (19,)))
        assert counts == (sum(wanted) * once, 0)
