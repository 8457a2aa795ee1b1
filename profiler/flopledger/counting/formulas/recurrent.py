"""Recurrent layers and cells: whole, fused, packed."""

from collections.abc import Sequence
from math import prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.formula_table import macs, other_flops


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


@macs("aten::lstm_cell", "aten::gru_cell", "aten::rnn_tanh_cell", "aten::rnn_relu_cell")
def cell(x: Shape, hidden: Any, w_input: Shape, w_hidden: Shape, *_: Any, out: Any) -> int:
    """One step: both weight matrices meet every row."""
    return prod(x[:-1]) * (prod(w_input) + prod(w_hidden))


@other_flops("aten::lstm_cell", "aten::_thnn_fused_lstm_cell")
def lstm_cell_gates(*_: Any, out: Sequence[Shape], **__: Any) -> int:
    """As `lstm_gates`."""
    return 13 * prod(out[0])


@other_flops("aten::gru_cell")
def gru_cell_gates(*_: Any, out: Shape) -> int:
    """As `gru_gates`."""
    return 10 * prod(out)


@other_flops("aten::_thnn_fused_gru_cell")
def fused_gru_cell(*_: Any, out: Sequence[Shape], **__: Any) -> int:
    """As `gru_gates`."""
    return 10 * prod(out[0])


@other_flops("aten::rnn_tanh_cell", "aten::rnn_relu_cell")
def rnn_cell_gates(*_: Any, out: Shape) -> int:
    """As `rnn_gates`."""
    return 2 * prod(out)


@macs("aten::mkldnn_rnn_layer")
def layer_on_cpu(x: Shape, w_input: Shape, w_hidden: Shape, *_: Any, out: Any) -> int:
    """One layer in one direction, [steps, batch, in]: both matrices meet every step."""
    return prod(x[:-1]) * (prod(w_input) + prod(w_hidden))


@other_flops("aten::mkldnn_rnn_layer")
def layer_on_cpu_gates(x: Shape, w_input: Shape, *_: Any, out: Any) -> int:
    """As `lstm_gates`, the only layer that oneDNN is asked for."""
    return 13 * prod(x[:-1]) * w_input[0] // 4


@macs("aten::mkldnn_rnn_layer_backward")
def layer_on_cpu_backward(x: Shape, w_input: Shape, w_hidden: Shape, *_: Any, out: Any) -> int:
    """The forward's products twice: for the inputs' gradients and for the weights'."""
    return 2 * prod(x[:-1]) * (prod(w_input) + prod(w_hidden))


@macs("aten::_cudnn_rnn")
def layers_on_gpu(x: Shape, weights: Sequence[Shape], *_: Any, out: Any) -> int:
    """As `recurrent`: all layers and directions."""
    return prod(x[:-1]) * sum(prod(w) for w in weights if len(w) == 2)


@other_flops("aten::_cudnn_rnn")
def layers_on_gpu_gates(
    x: Shape, weights: Sequence[Shape], stride: int, buffer: Any, hidden: Any, state: Any,
    mode: int, *_: Any, out: Any,
) -> int:  # fmt: skip
    """As the gates of that mode: 0 and 1 are plain, 2 is an LSTM, 3 a GRU (cudnnRNNMode_t)."""
    each, gates = {2: (13, 4), 3: (10, 3)}.get(mode, (2, 1))
    return each * _units(x, (weights,), gates)


@macs("aten::_cudnn_rnn_backward")
def layers_on_gpu_backward(x: Shape, weights: Sequence[Shape], *_: Any, out: Any) -> int:
    """The forward's products twice."""
    return 2 * layers_on_gpu(x, weights, out=out)


@macs("aten::quantized_lstm", "aten::quantized_gru")
def quantised(
    x: Shape, hidden: Any, packed: Any, has_biases: bool, layers: int, dropout: float,
    train: bool, both_ways: bool, *_: Any, out: Any, **__: Any,
) -> int:  # fmt: skip
    """As `recurrent`; its packed weights' sizes follow from the states' width."""
    lstm = isinstance(hidden, list)
    states: Shape = hidden[0] if lstm else hidden
    width, directions = states[-1], 1 + both_ways
    inputs = [x[-1], *[directions * width] * (layers - 1)]
    matrices = sum((4 if lstm else 3) * width * (n + width) for n in inputs)
    return prod(x[:-1]) * directions * matrices


@other_flops("aten::quantized_lstm", "aten::quantized_gru")
def quantised_gates(
    x: Shape, hidden: Any, packed: Any, has_biases: bool, layers: int, dropout: float,
    train: bool, both_ways: bool, *_: Any, out: Any, **__: Any,
) -> int:  # fmt: skip
    """As `lstm_gates` and `gru_gates`."""
    lstm = isinstance(hidden, list)
    states: Shape = hidden[0] if lstm else hidden
    units = layers * (1 + both_ways) * states[-1]
    return (13 if lstm else 10) * prod(x[:-1]) * units
