"""Each reduction, norm, pool and loss under each of its names, at distinct primes."""

import pytest
from flopledger.counting.formulas.every import work

X, ROWS = (2, 3, 5, 7), (2, 3)
N = 2 * 3 * 5 * 7

# names, arguments, the result, FLOPs
REDUCTIONS = [
    (
        """sum mean prod nansum amax amin max min aminmax trace norm linalg_vector_norm cumsum
        cumprod segment_reduce adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
        _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
        adaptive_max_pool3d _adaptive_avg_pool2d_backward _adaptive_avg_pool3d_backward
        avg_pool2d_backward avg_pool3d_backward mean_backward _segment_reduce_backward
        embedding_dense_backward _embedding_bag_backward
        _embedding_bag_per_sample_weights_backward _embedding_bag_dense_backward""",
        [X, [1]], ROWS, N,
    ),
    # [5, 7] elements are added, to some of [2, 7]; of a number for each index, the indices' number
    ("scatter_add index_add scatter_reduce", [(2, 7), 0, (5,), (5, 7)], (2, 7), 5 * 7),
    ("scatter_reduce", [(2, 7), 0, (5, 7), 1.0], (2, 7), 5 * 7),
    ("index_add", [(2, 7), 0, (5, 7)], (2, 7), 5 * 7),
    ("_unsafe_masked_index_put_accumulate", [(2, 7), (2, 7), [(3,)], (5, 3)], (2, 7), 5 * 3),
    # 11 rows of 3 are looked up
    ("_embedding_bag _embedding_bag_forward_only embedding_bag", [(7, 3), (11,), (2,)], ((2, 3),),
     11 * 3),
    ("var std var_mean std_mean", [X, [1]], ROWS, 4 * N),
    ("logsumexp logcumsumexp", [X, [1]], ROWS, 4 * N),
    ("renorm dist", [X, X], (), 3 * N),
    # 2 x 3 points each meet 2 x 5, of 7 coordinates
    ("_cdist_forward cdist", [(2, 3, 7), (2, 5, 7)], (2, 3, 5), 3 * 2 * 15 * 7),
    ("_cdist_backward", [(2, 3, 5), (2, 3, 7), (2, 5, 7)], (2, 3, 7), 4 * 2 * 15 * 7),
    ("_pdist_forward", [(5, 7)], (10,), 3 * 10 * 7),
    ("_pdist_backward", [(10,), (5, 7)], (5, 7), 4 * 10 * 7),
    ("quantized::embedding_byte quantized::embedding_4bit", [None, (2, 5)], (2, 5, 7), 2 * 70),
    ("softmax _softmax _safe_softmax log_softmax _log_softmax _masked_softmax", [X, 1], X, 5 * N),
    ("_softmax_backward_data _log_softmax_backward_data _masked_softmax_backward", [X, X, 1], X,
     4 * N),
    (
        """layer_norm native_layer_norm group_norm native_group_norm instance_norm rms_norm
        _fused_rms_norm _batch_norm_with_update _batch_norm_with_update_functional""",
        [X, [7]], (X, ROWS), 7 * N,
    ),
    (
        """batch_norm native_batch_norm cudnn_batch_norm _native_batch_norm_legit
        _batch_norm_no_update _native_batch_norm_legit_no_training""",
        [X, (3,), (3,), (3,), (3,), False, 0.1, 1e-5, True], (X,), 2 * N,
    ),
    ("batch_norm native_batch_norm cudnn_batch_norm _native_batch_norm_legit",
     [X, (3,), (3,), (3,), (3,), True, 0.1, 1e-5, False], (X,), 7 * N),
    # no flag: the form for evaluation
    ("_batch_norm_no_update _native_batch_norm_legit_no_training", [X, (3,), (3,)], (X,), 2 * N),
    (
        """native_batch_norm_backward native_layer_norm_backward native_group_norm_backward
        batch_norm_backward cudnn_batch_norm_backward _fused_rms_norm_backward""",
        [X, X, [7]], (X, (7,), (7,)), 11 * N,
    ),
    ("_weight_norm _weight_norm_interface", [(5, 7), (5, 1)], ((5, 7), (5, 1)), 3 * 35),
    ("_weight_norm_interface_backward", [(5, 7), (5, 7), (5, 1)], ((5, 7), (5, 1)), 5 * 35),
    (
        """max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices
        max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d fractional_max_pool2d
        fractional_max_pool3d""",
        [(2, 3, 13, 17), [3, 5]], ((2, 3, 11, 13), (2, 3, 11, 13)), 2 * 3 * 11 * 13 * 3 * 5,
    ),
    ("avg_pool2d", [(2, 3, 13, 17), [3, 5]], (2, 3, 11, 13), 2 * 3 * 11 * 13 * 3 * 5),
    ("upsample_linear1d", [(2, 3, 5), [7]], (2, 3, 7), 2 * 2 * 42),
    ("upsample_bilinear2d _upsample_bilinear2d_aa", [(2, 3, 2, 2), [5, 7]], X, 2 * 4 * N),
    ("upsample_bicubic2d _upsample_bicubic2d_aa", [(2, 3, 2, 2), [5, 7]], X, 2 * 16 * N),
    ("upsample_trilinear3d", [(2, 3, 2, 2, 2), [5, 7, 11]], (*X, 11), 2 * 8 * N * 11),
    ("upsample_linear1d_backward", [(2, 3, 7), [7]], (2, 3, 5), 2 * 2 * 42),
    ("upsample_bilinear2d_backward _upsample_bilinear2d_aa_backward", [X, [5, 7]], (2, 3, 2, 2),
     2 * 4 * N),
    ("upsample_bicubic2d_backward _upsample_bicubic2d_aa_backward", [X, [5, 7]], (2, 3, 2, 2),
     2 * 16 * N),
    ("upsample_trilinear3d_backward", [(*X, 11), [5, 7, 11]], (2, 3, 2, 2, 2), 2 * 8 * N * 11),
    # 4 neighbours on a plane, 8 in space; the nearest one is copied; cubic 16
    ("grid_sampler_2d grid_sampler", [(2, 3, 2, 2), (2, 5, 7, 2), 0], X, 2 * 4 * N),
    ("grid_sampler_2d", [(2, 3, 2, 2), (2, 5, 7, 2)], X, 2 * 4 * N),
    ("grid_sampler_3d", [(2, 3, 2, 2, 2), (2, 5, 7, 11, 3), 0], (*X, 11), 2 * 8 * N * 11),
    ("grid_sampler_2d", [(2, 3, 2, 2), (2, 5, 7, 2), 1], X, 0),
    ("grid_sampler_2d", [(2, 3, 2, 2), (2, 5, 7, 2), 2], X, 2 * 16 * N),
    ("grid_sampler_2d_backward", [X, (2, 3, 2, 2), (2, 5, 7, 2), 0], ((2, 3, 2, 2), ()), 4 * 4 * N),
    ("grid_sampler_2d_backward", [X, (2, 3, 2, 2), (2, 5, 7, 2), 1], ((2, 3, 2, 2), ()), 0),
    ("grid_sampler_2d_backward", [X, (2, 3, 2, 2), (2, 5, 7, 2), 2], ((2, 3, 2, 2), ()),
     4 * 16 * N),
    ("grid_sampler_2d_backward", [X, (2, 3, 2, 2), (2, 5, 7, 2)], ((2, 3, 2, 2), ()), 4 * 4 * N),
    ("grid_sampler_3d_backward", [(*X, 11), (2, 3, 2, 2, 2), (2, 5, 7, 11, 3), 0], ((), ()),
     4 * 8 * N * 11),
    # 3 x 3 samples a bin, or 2 x 2 where it adapts
    ("torchvision::roi_align", [(1, 3, 9, 9), (2, 5), 1.0, 5, 7, 3, True], X, 9 * N * 9),
    ("torchvision::roi_align", [(1, 3, 9, 9), (2, 5), 1.0, 5, 7, 1, True], X, 9 * N),
    ("torchvision::roi_align", [(1, 3, 9, 9), (2, 5), 1.0, 5, 7, 0, True], X, 9 * N * 4),
    ("torchvision::roi_align", [(1, 3, 9, 9), (2, 5), 1.0, 5, 7, -1, True], X, 9 * N * 4),
    ("torchvision::nms", [(7, 4), (7,), 0.5], (3,), 13 * (7 * 6 // 2)),
    (
        """mse_loss mse_loss_backward soft_margin_loss soft_margin_loss_backward
        multilabel_margin_loss_forward multilabel_margin_loss_backward multi_margin_loss
        multi_margin_loss_backward""",
        [X, X], (), 3 * N,
    ),
    (
        """smooth_l1_loss smooth_l1_loss_backward huber_loss huber_loss_backward
        binary_cross_entropy binary_cross_entropy_backward binary_cross_entropy_with_logits""",
        [X, X], (), 6 * N,
    ),
    # 11 steps of 2 samples with 3 labels each: 7 states a step; unbatched once
    ("_ctc_loss", [(11, 2, 5), (2, 3)], ((2,), ()), 9 * 11 * 2 * 7),
    ("_ctc_loss", [(11, 5), (3,)], ((), ()), 9 * 11 * 7),
    ("_ctc_loss_backward", [(2,), (11, 2, 5), (2, 3)], (11, 2, 5), 9 * 11 * 2 * 7 + 4 * 11 * 2 * 5),
]  # fmt: skip


@pytest.mark.parametrize(("ops", "args", "out", "by_hand"), REDUCTIONS)
def test_a_reduction_by_hand(ops, args, out, by_hand):
    for op in ops.split():
        name = op if "::" in op else f"aten::{op}"
        assert work(name, args, {}, out) == (0, by_hand), name
