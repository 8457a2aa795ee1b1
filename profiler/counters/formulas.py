"""What an operator costs: shapes in, integers out, one formula an operator.

A formula is called with the operator's own arguments, every tensor replaced by its shape, and with
the result's shape (a tuple of shapes for several results) as `out`. It returns multiply-accumulates
(MACs) if it is registered with `macs`, FLOPs of the other kinds if with `other_flops`. A bias is
free: the accumulator starts from it.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from profiler.calls import Shape

Formula = Callable[..., int]

_macs: dict[str, Formula] = {}
_other: dict[str, Formula] = {}


def macs(*ops: str) -> Callable[[Formula], Formula]:
    """Register the decorated function as the MACs of these operators ("aten::mm")."""
    return _registrar(_macs, ops)


def other_flops(*ops: str) -> Callable[[Formula], Formula]:
    """Register the decorated function as the other FLOPs of these operators."""
    return _registrar(_other, ops)


def work(op: str, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> tuple[int, int] | None:
    """MACs and other FLOPs of one call, or None where no formula knows the operator.

    Args:
        op: "aten::mm"; an in-place operator ("aten::add_") costs what the other form costs.
        args: the call's positional arguments, tensors replaced by shapes.
        kwargs: the call's keyword arguments, likewise.
        out: the result's shape, or a tuple of shapes.
    """
    name = op if op in _macs or op in _other else op.removesuffix("_")
    if name not in _macs and name not in _other:
        return None
    return tuple(  # type: ignore[return-value]
        table[name](*args, out=out, **kwargs) if name in table else 0 for table in (_macs, _other)
    )


def multiplies(op: str) -> bool:
    """Whether the operator is of the matrix-multiply class."""
    return op in _macs or op.removesuffix("_") in _macs


def known_operators() -> set[str]:
    """The names of all operators with a formula."""
    return _macs.keys() | _other.keys()


def _registrar(table: dict[str, Formula], ops: tuple[str, ...]) -> Callable[[Formula], Formula]:
    def register(formula: Formula) -> Formula:
        for op in ops:
            if op in table:
                raise ValueError(f"{op} has a formula already; an operator has one")
            table[op] = formula
        return formula

    return register


@macs("aten::mm", "aten::matmul")
def matmul(a: Shape, b: Shape, *, out: Shape, **_: Any) -> int:
    """Every element of the result is a dot product along a's last axis: prod(out) * a[-1].

    Holds for vectors, matrices and broadcast batches alike.
    """
    return prod(out) * a[-1]


@macs("aten::bmm")
def bmm(a: Shape, b: Shape, *, out: Shape, **_: Any) -> int:
    """[n, i, k] x [n, k, j]: n * i * j dot products of length k."""
    return prod(out) * a[-1]


@macs("aten::mv")
def mv(a: Shape, b: Shape, *, out: Shape) -> int:
    """[i, k] x [k]: i dot products of length k."""
    return prod(a)


@macs("aten::dot", "aten::vdot")
def dot(a: Shape, b: Shape, *, out: Shape) -> int:
    """[k] x [k]: one dot product."""
    return prod(a)


@macs("aten::addmm", "aten::baddbmm", "aten::addbmm", "aten::addmv")
def addmm(bias: Shape, a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """A bias plus [.., i, k] x [.., k, j]: every row of a meets every column of b.

    The rows are counted in a, not in the result: addbmm sums the batch away.
    """
    columns = b[-1] if len(b) > 1 else 1
    return prod(a) * columns


@macs("aten::linear")
def linear(x: Shape, weight: Shape, *_: Any, out: Shape) -> int:
    """[.., in] x [out, in]: every input row meets every row of the weight."""
    return prod(x) * prod(weight[:-1])


@macs("aten::convolution", "aten::_convolution")
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


@macs("aten::_convolution_mode")
def convolution_padded(x: Shape, weight: Shape, *_: Any, out: Shape) -> int:
    """As `convolution`; the form that padding="same" and padding="valid" take in a trace."""
    return prod(out) * prod(weight[1:])


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


@macs("aten::scaled_dot_product_attention")
def attention(query: Shape, key: Shape, value: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """Query [.., L, E], key [.., S, E], value [.., S, V]: L * S scores of length E, then width V.

    The full square is counted, causal or not, as a dense kernel computes it. The batch and the
    heads are the result's: grouped-query attention repeats keys, not work.
    """
    (length, width), source, size = out[-2:], key[-2], query[-1]
    return prod(out[:-2]) * length * source * (size + width)


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
    ffn_1, ffn_2 = rest[8], rest[10]
    tokens = prod(x[:-1])
    mha = multi_head_attention(x, x, x, embed, heads, qkv_weight, qkv_bias, proj_weight, out=out)
    return mha + tokens * (prod(ffn_1) + prod(ffn_2))


@macs("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")
def recurrent(x: Shape, *rest: Any, out: Any) -> int:
    """Every weight matrix (input, hidden, projection) meets every step of every sequence once.

    The operator takes (x, states, weights, ...) or, packed, (data, batch_sizes, states, weights,
    ...); x is [batch, steps, in], [steps, batch, in], [steps, in] or packed [rows, in].
    """
    return prod(x[:-1]) * sum(prod(w) for w in _recurrent_weights(rest) if len(w) == 2)


@other_flops("aten::lstm")
def lstm_gates(x: Shape, *rest: Any, out: Any) -> int:
    """13 a unit and step: 4 sums of two products, 3 sigmoids, 2 tanh, 3 products, 1 sum."""
    return 13 * _units(x, rest, gates=4)


@other_flops("aten::gru")
def gru_gates(x: Shape, *rest: Any, out: Any) -> int:
    """10 a unit and step: 3 sums, 2 sigmoids, 1 tanh, r * h, then n + z * (h - n)."""
    return 10 * _units(x, rest, gates=3)


@other_flops("aten::rnn_tanh", "aten::rnn_relu")
def rnn_gates(x: Shape, *rest: Any, out: Any) -> int:
    """2 a unit and step: the sum of two products, and its nonlinearity."""
    return 2 * _units(x, rest, gates=1)


def _recurrent_weights(rest: tuple[Any, ...]) -> Sequence[Shape]:
    # the first list of shapes that holds a matrix of weights; states are 3-d (2-d unbatched), and
    # stand before the weights, as one shape (gru, rnn) or as a list of two (lstm)
    lists = [
        a for a in rest if isinstance(a, list | tuple) and a and isinstance(a[0], list | tuple)
    ]
    return lists[-1]


def _units(x: Shape, rest: tuple[Any, ...], gates: int) -> int:
    hidden = [w for w in _recurrent_weights(rest) if len(w) == 2 and w[0] % gates == 0]
    # each layer and direction has w_ih and w_hh, both [gates * units, ..]; a projection has neither
    inputs = [w for w in hidden if w[0] == hidden[0][0]][::2]
    return prod(x[:-1]) * sum(w[0] // gates for w in inputs)


@other_flops("aten::scaled_dot_product_attention")
def attention_softmax(query: Shape, key: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """6 a score: the scale, and the softmax's 5."""
    return 6 * prod(out[:-1]) * key[-2]
