"""What sums over elements: reductions, normalisation, pooling, resizing, losses, as other FLOPs.

The conventions are those of elementwise.py. A backward pass that is named here sends each gradient
back by the way its element came.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.elementwise import elements, names
from flopledger.counting.formulas.formula_table import macs, other_flops


@other_flops(
    *names(
        """sum mean prod nansum amax amin max min aminmax trace norm linalg_vector_norm cumsum
        cumprod segment_reduce adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
        _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
        adaptive_max_pool3d _adaptive_avg_pool2d_backward _adaptive_avg_pool3d_backward
        avg_pool2d_backward avg_pool3d_backward mean_backward _segment_reduce_backward
        embedding_dense_backward _embedding_bag_backward
        _embedding_bag_per_sample_weights_backward _embedding_bag_dense_backward"""
    )
)
def reduction(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """1 an element of the input: each is added (or compared) once."""
    return prod(x)


@other_flops("aten::scatter_add", "aten::index_add", "aten::scatter_reduce")
def scattered(x: Shape, axis: int, index: Shape, *rest: Any, out: Any, **__: Any) -> int:
    """1 an element that is added."""
    return prod(rest[0] if rest and isinstance(rest[0], tuple) else index)


@other_flops("aten::_unsafe_masked_index_put_accumulate")
def scattered_by_mask(x: Shape, mask: Shape, indices: Any, values: Shape, *, out: Any) -> int:
    """1 an element that is added."""
    return prod(values)


@other_flops("aten::_embedding_bag", "aten::_embedding_bag_forward_only", "aten::embedding_bag")
def embedding_bag(weight: Shape, indices: Shape, *_: Any, out: Any, **__: Any) -> int:
    """1 an element of every row that is looked up: it is added to its bag. Looking up is free."""
    return prod(indices) * prod(weight[1:])


@other_flops("quantized::embedding_byte", "quantized::embedding_4bit")
def quantised_embedding(*_: Any, out: Shape, **__: Any) -> int:
    """2 an element: its row's scale and offset."""
    return 2 * prod(out)


@other_flops("aten::var", "aten::std", "aten::var_mean", "aten::std_mean")
def variance(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """4 an element: the mean's sum, the difference, its square, the squares' sum."""
    return 4 * prod(x)


@other_flops("aten::logsumexp", "aten::logcumsumexp")
def logsumexp(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """4 an element: the maximum, the difference, the exponential, the sum."""
    return 4 * prod(x)


@other_flops("aten::renorm", "aten::dist")
def renorm(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """3 an element: a power and its sum, and the scaling or, of a distance, the difference."""
    return 3 * prod(x)


@other_flops("aten::_cdist_forward")
def distances(a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """3 for each pair and coordinate: a difference, its power, a sum."""
    return 3 * prod(out) * a[-1]


@macs("aten::_euclidean_dist")
def products_of_points(a: Shape, b: Shape, *, out: Shape) -> int:
    """|a - b|^2 = |a|^2 + |b|^2 - 2 a b: a dot product for each pair, to which norms are added."""
    return prod(out) * a[-1]


@other_flops("aten::_euclidean_dist")
def norms_and_roots(a: Shape, b: Shape, *, out: Shape) -> int:
    """2 a coordinate of each point, for its square and the sum; 1 a pair, for its root."""
    return 2 * (prod(a) + prod(b)) + prod(out)


@macs("aten::cdist")
def cdist_products(
    a: Shape, b: Shape, p: float = 2, mode: int | None = None, *, out: Shape
) -> int:  # fmt: skip
    """As `products_of_points` where PyTorch goes that way, elsewhere none.

    It does for Euclidean distances (p = 2) of more than 25 points, or of any number in mode 1, and
    not in mode 2.
    """
    many = max(a[-2], b[-2]) > 25
    by_product = p == 2 and (mode == 1 or (not mode and many))
    return products_of_points(a, b, out=out) if by_product else 0


@other_flops("aten::cdist")
def cdist(a: Shape, b: Shape, p: float = 2, mode: int | None = None, *, out: Shape) -> int:
    """As whichever of the two ways PyTorch goes."""
    if cdist_products(a, b, p, mode, out=out):
        return norms_and_roots(a, b, out=out)
    return distances(a, b, out=out)


@other_flops("aten::_cdist_backward")
def cdist_backward(grad: Shape, a: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """4 for each pair and coordinate: difference, power, product, sum."""
    return 4 * prod(grad) * a[-1]


@other_flops("aten::_pdist_forward")
def pdist(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """As `distances`, of the pairs in one set."""
    return 3 * prod(out) * x[-1]


@other_flops("aten::_pdist_backward")
def pdist_backward(grad: Shape, x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """As `cdist_backward`."""
    return 4 * prod(grad) * x[-1]


@other_flops(*names("softmax _softmax _safe_softmax log_softmax _log_softmax _masked_softmax"))
def softmax(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """5 an element: maximum, difference, exponential, sum, quotient (a difference in logs)."""
    return 5 * prod(x)


@other_flops(*names("_softmax_backward_data _log_softmax_backward_data _masked_softmax_backward"))
def softmax_backward(grad: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """4 an element: y * g, its sum, the difference, the product."""
    return 4 * prod(grad)


@other_flops(
    *names(
        """layer_norm native_layer_norm group_norm native_group_norm instance_norm rms_norm
        _fused_rms_norm _batch_norm_with_update _batch_norm_with_update_functional"""
    )
)
def normalise(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """7 an element: sum, difference, square, squares' sum, quotient, and the affine's two."""
    return 7 * prod(x)


@other_flops(
    *names("batch_norm native_batch_norm cudnn_batch_norm _native_batch_norm_legit"),
    *names("_batch_norm_no_update _native_batch_norm_legit_no_training"),
)
def batch_norm(x: Shape, *rest: Any, out: Any, **_: Any) -> int:
    """In training as `normalise`; in evaluation 2 an element: one factor and one summand are left.

    With fixed statistics (x - mean) / std * weight + bias folds to x * scale + shift.
    """
    training = next((a for a in rest if isinstance(a, bool)), False)
    return (7 if training else 2) * prod(x)


@other_flops(
    *names(
        """native_batch_norm_backward native_layer_norm_backward native_group_norm_backward
        batch_norm_backward cudnn_batch_norm_backward _fused_rms_norm_backward"""
    )
)
def normalise_backward(grad: Shape, *_: Any, out: Any, **__: Any) -> int:
    """11 an element: x_hat (2), both parameter gradients (3), two sums (3), the combination (3)."""
    return 11 * prod(grad)


@other_flops("aten::_weight_norm", "aten::_weight_norm_interface")
def weight_norm(v: Shape, *_: Any, out: Any, **__: Any) -> int:
    """3 an element of the weight: its square, the sum, the scaling."""
    return 3 * prod(v)


@other_flops("aten::_weight_norm_interface_backward")
def weight_norm_backward(grad: Shape, *_: Any, out: Any, **__: Any) -> int:
    """5 an element: g * v, its sum, two scalings, the difference."""
    return 5 * prod(grad)


@other_flops(
    *names(
        """max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices
        max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d fractional_max_pool2d
        fractional_max_pool3d"""
    )
)
def pool(x: Shape, kernel: Sequence[int], *_: Any, out: Any, **__: Any) -> int:
    """The kernel's size an element of the result: each window's elements are met once."""
    return elements(out) * prod(kernel)


_RESIZED = {"linear1d": 2, "bilinear2d": 4, "bicubic2d": 16, "trilinear3d": 8}


def _resize(form: str, neighbours: int) -> None:
    aa = [f"_upsample_{form}_aa"] if "bi" in form else []

    @other_flops(*(f"aten::{op}" for op in (f"upsample_{form}", *aa)))
    def resize(x: Shape, *_: Any, out: Shape, **__: Any) -> int:
        """A product and a sum for each neighbour of an element: 2, 4, 8 or, cubic, 16 of them.

        An antialiased one meets as many of the finer grid's as its scale says; that is left out.
        """
        return 2 * neighbours * prod(out)

    @other_flops(*(f"aten::{op}_backward" for op in (f"upsample_{form}", *aa)))
    def resize_backward(grad: Shape, *_: Any, out: Shape, **__: Any) -> int:
        """As `resize`, of the gradient."""
        return 2 * neighbours * prod(grad)


for _form, _neighbours in _RESIZED.items():
    _resize(_form, _neighbours)


@macs("aten::affine_grid_generator")
def affine_grid(theta: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """[points, 3] x [3, 2] a picture, in space [points, 4] x [4, 3]: PyTorch's kernel is a bmm."""
    return prod(out) * theta[-1]


@other_flops("aten::grid_sampler_2d", "aten::grid_sampler_3d", "aten::grid_sampler")
def grid_sampler(x: Shape, grid: Shape, mode: int = 0, *_: Any, out: Shape, **__: Any) -> int:
    """A product and a sum for each neighbour: 2 to the number of axes; nearest none; cubic 16."""
    axes = len(x) - 2
    neighbours = {0: int(2**axes), 1: 0, 2: 16}
    return 2 * prod(out) * neighbours[mode]


@other_flops("aten::grid_sampler_2d_backward", "aten::grid_sampler_3d_backward")
def grid_sampler_backward(
    grad: Shape, x: Shape, grid: Shape, mode: int = 0, *_: Any, out: Any
) -> int:
    """As `grid_sampler` twice: for the picture's gradient and for the grid's."""
    return 2 * grid_sampler(x, grid, mode, out=grad)


@other_flops("torchvision::roi_align")
def roi_align(
    x: Shape, boxes: Shape, scale: float, height: int, width: int, ratio: int, *_: Any, out: Shape
) -> int:
    """8 a sample (4 neighbours) and 1 to add it; a bin has ratio^2, or 4 where it adapts."""
    return 9 * prod(out) * (ratio * ratio if ratio > 0 else 4)


@other_flops("torchvision::nms")
def nms(boxes: Shape, *_: Any, out: Shape) -> int:
    """At most: 13 a pair of boxes, for their overlap over their union, each pair once."""
    return 13 * boxes[0] * (boxes[0] - 1) // 2


@other_flops(
    *names(
        """mse_loss mse_loss_backward soft_margin_loss soft_margin_loss_backward
        multilabel_margin_loss_forward multilabel_margin_loss_backward multi_margin_loss
        multi_margin_loss_backward"""
    )
)
def loss(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """3 an element: the difference, its function, the sum (or, backward, the scaling)."""
    return 3 * prod(x)


@other_flops(
    *names(
        """smooth_l1_loss smooth_l1_loss_backward huber_loss huber_loss_backward
        binary_cross_entropy binary_cross_entropy_backward binary_cross_entropy_with_logits"""
    )
)
def two_sided_loss(x: Shape, *_: Any, out: Any, **__: Any) -> int:
    """6 an element: two functions of it, their products with the target, the sums."""
    return 6 * prod(x)


@other_flops("aten::_ctc_loss")
def ctc_loss(scores: Shape, targets: Shape, *_: Any, out: Any, **__: Any) -> int:
    """9 a point of each sample's lattice: the log of a sum of three exponentials, and the score.

    The lattice has a step's 2 S + 1 states: Graves et al. 2006, section 4.1.
    """
    steps, batch = scores[0], scores[1] if len(scores) == 3 else 1
    return 9 * steps * batch * (2 * targets[-1] + 1)


@other_flops("aten::_ctc_loss_backward")
def ctc_loss_backward(grad: Shape, scores: Shape, targets: Shape, *_: Any, out: Any) -> int:
    """The lattice again from its end, and 4 a score."""
    return ctc_loss(scores, targets, out=out) + 4 * prod(scores)
