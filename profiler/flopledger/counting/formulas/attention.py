"""Attention, fused or in one piece, forward and backward."""

from math import prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.formula_table import again, macs, other_flops


@macs("aten::scaled_dot_product_attention")
def attention(query: Shape, key: Shape, value: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """Query [.., L, E], key [.., S, E], value [.., S, V]: L * S scores of length E, then width V.

    The full square is counted, causal or not, as a dense kernel computes it. The batch and the
    heads are the result's: grouped-query attention repeats keys, not work.
    """
    (length, width), source, size = out[-2:], key[-2], query[-1]
    return prod(out[:-2]) * length * source * (size + width)


@other_flops("aten::scaled_dot_product_attention")
def attention_softmax(query: Shape, key: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """6 a score: the scale, and the softmax's 5."""
    return 6 * prod(out[:-1]) * key[-2]


_FUSED = tuple(
    f"aten::_scaled_dot_product_{kernel}"
    for kernel in (
        "flash_attention", "flash_attention_for_cpu", "efficient_attention", "cudnn_attention",
        "fused_attention_overrideable", "attention_math", "attention_math_for_mps",
    )
)  # fmt: skip


@macs(*_FUSED)
def fused_attention(query: Shape, key: Shape, value: Shape, *_: Any, out: Any, **__: Any) -> int:
    """As `attention`: one kernel's form of it, which also returns what its backward pass needs."""
    return attention(query, key, value, out=out[0])


@other_flops(*_FUSED)
def fused_softmax(query: Shape, key: Shape, *_: Any, out: Any, **__: Any) -> int:
    """As `attention_softmax`."""
    return attention_softmax(query, key, out=out[0])


_BACKWARD = tuple(f"{op}_backward" for op in _FUSED if "math" not in op)


@macs(*_BACKWARD)
def attention_backward(
    grad: Shape, query: Shape, key: Shape, value: Shape, *_: Any, out: Any, **__: Any
) -> int:
    """The gradients of value, weights, query and key: L * S (2 E + 2 V), as of any two products."""
    return prod(query[:-1]) * key[-2] * 2 * (query[-1] + value[-1])


@again(*_BACKWARD)
def scores_again(
    grad: Shape, query: Shape, key: Shape, value: Shape, *_: Any, out: Any, **__: Any
) -> int:
    """The scores, L * S * E, which the kernels do not keep.

    Dao et al. 2022, FlashAttention, algorithm 4 (appendix B.2).
    """
    return prod(query[:-1]) * key[-2] * query[-1]


@other_flops(*_BACKWARD)
def attention_softmax_backward(
    grad: Shape, query: Shape, key: Shape, *_: Any, out: Any, **__: Any
) -> int:
    """10 a score: `attention_softmax` again, and the softmax's backward (4)."""
    return 10 * prod(query[:-1]) * key[-2]


@macs("aten::_flash_attention_forward", "aten::_efficient_attention_forward",
      "aten::_cudnn_attention_forward")  # fmt: skip
def heads_inside(
    query: Shape, key: Shape, value: Shape, *rest: Any, out: Any, **_: Any
) -> int | None:
    """As `attention`, over [batch, length, heads, width]; None where sequences are packed.

    How long each of them is stands in the values of a tensor, not in a shape.
    """
    if any(isinstance(a, tuple) and len(a) == 1 for a in rest) or len(query) != 4:
        return None
    batch, length, heads, width = query
    return batch * heads * length * key[1] * (width + value[-1])


@other_flops("aten::_flash_attention_forward", "aten::_efficient_attention_forward",
             "aten::_cudnn_attention_forward")  # fmt: skip
def softmax_inside(query: Shape, key: Shape, *_: Any, out: Any, **__: Any) -> int:
    """As `attention_softmax`, over [batch, length, heads, width]."""
    return 6 * prod(query[:-1]) * key[1]


@macs("aten::_flash_attention_backward", "aten::_efficient_attention_backward")
def heads_inside_backward(
    grad: Shape, query: Shape, key: Shape, value: Shape, *rest: Any, out: Any, **_: Any
) -> int | None:
    """As `attention_backward`, over [batch, length, heads, width]; None where packed."""
    if any(isinstance(a, tuple) and len(a) == 1 and a[0] > 1 for a in rest) or len(query) != 4:
        return None
    return prod(query[:-1]) * key[1] * 2 * (query[-1] + value[-1])


@again("aten::_flash_attention_backward", "aten::_efficient_attention_backward")
def scores_inside_again(
    grad: Shape, query: Shape, key: Shape, value: Shape, *_: Any, out: Any, **__: Any
) -> int:
    """As `scores_again`, over [batch, length, heads, width]; asked only where none is packed."""
    return prod(query[:-1]) * key[1] * query[-1]


@macs("aten::_native_multi_head_attention")
def multi_head_attention(
    query: Shape, key: Shape, value: Shape, embed: int, heads: int, qkv_weight: Shape,
    qkv_bias: Any, proj_weight: Shape, *_: Any, out: Any, **__: Any,
) -> int:  # fmt: skip
    """The fused path of nn.MultiheadAttention: three projections, attention, one projection."""
    batch, length, _width = query
    source = key[1]
    project = batch * (length + 2 * source) * embed * embed + batch * length * prod(proj_weight)
    return project + 2 * batch * length * source * embed


@macs("aten::_transformer_encoder_layer_fwd")
def encoder_layer(
    x: Shape, embed: int, heads: int, qkv_weight: Shape, qkv_bias: Any, proj_weight: Shape,
    *rest: Any, out: Any, **_: Any,
) -> int:  # fmt: skip
    """The fused path of nn.TransformerEncoderLayer: its attention, then its two linear layers.

    After `proj_weight` the operator takes: proj_bias, use_gelu, norm_first, eps, norm_weight_1,
    norm_bias_1, norm_weight_2, norm_bias_2, ffn_weight_1, ffn_bias_1, ffn_weight_2, ffn_bias_2.
    """
    ffn_1: Shape = rest[8]
    ffn_2: Shape = rest[10]
    tokens = prod(x[:-1])
    mha: int = multi_head_attention(
        x, x, x, embed, heads, qkv_weight, qkv_bias, proj_weight, out=out
    )
    return mha + tokens * (prod(ffn_1) + prod(ffn_2))
