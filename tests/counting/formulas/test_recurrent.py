"""Recurrent layers and cells under each of their names, at sides that are distinct primes."""

import pytest
from flopledger.counting.formulas.every import work

# gate matrices, and elementwise FLOPs a unit and step
KINDS = {"lstm": (4, 13), "gru": (3, 10), "rnn_tanh": (1, 2), "rnn_relu": (1, 2)}


def weights(gates, *inputs, units=5, directions=1, projection=0):
    """Of one layer for each of the inputs: w_ih, w_hh, two biases, and the projection's."""
    shapes = []
    for width in inputs:
        for _ in range(directions):
            rows = gates * units
            shapes += [(rows, width), (rows, projection or units), (rows,), (rows,)]
            shapes += [(projection, units)] if projection else []
    return shapes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("x", [(2, 7, 3), (14, 3)])
def test_a_layer_meets_every_step(kind, x):
    # 14 steps, 3 inputs, 5 units, then 5 units more
    gates, each = KINDS[kind]
    state = [(2, 2, 5), (2, 2, 5)] if kind == "lstm" else (2, 2, 5)
    counts = work(f"aten::{kind}", [x, state, weights(gates, 3, 5), True, 2], {}, (x, ()))
    assert counts == (14 * gates * 5 * ((3 + 5) + (5 + 5)), each * 14 * (5 + 5))


@pytest.mark.parametrize("kind", KINDS)
def test_a_packed_one_has_its_batch_sizes_before_the_states(kind):
    gates, each = KINDS[kind]
    state = [(1, 2, 5), (1, 2, 5)] if kind == "lstm" else (1, 2, 5)
    args = [(13, 3), (7,), state, weights(gates, 3), True]
    counts = work(f"aten::{kind}", args, {}, ((13, 5), ()))
    assert counts == (13 * gates * 5 * (3 + 5), each * 13 * 5)


def test_two_directions_and_a_projection():
    # both directions' 2 outputs are the next layer's 4 inputs
    shapes = weights(4, 3, 4, directions=2, projection=2)
    counts = work("aten::lstm", [(7, 2, 3), [(4, 2, 2), (4, 2, 5)], shapes, True, 2], {}, ())
    first, second = 20 * (3 + 2) + 2 * 5, 20 * (4 + 2) + 2 * 5
    assert counts == (7 * 2 * 2 * (first + second), 13 * 7 * 2 * 4 * 5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_takes_one_step(kind):
    gates, each = KINDS[kind]
    out = ((2, 5), (2, 5)) if kind == "lstm" else (2, 5)
    args = [(2, 3), out, (gates * 5, 3), (gates * 5, 5), (gates * 5,)]
    counts = work(f"aten::{kind}_cell", args, {}, out)
    assert counts == (2 * gates * 5 * (3 + 5), each * 2 * 5)
    out = ((5,), (5,)) if kind == "lstm" else (5,)  # of one sequence
    counts = work(f"aten::{kind}_cell", [(3,), out, *args[2:]], {}, out)
    assert counts == (gates * 5 * (3 + 5), each * 5)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_fused_cell_has_its_products_made_already(kind):
    counts = work(f"aten::_thnn_fused_{kind}_cell", [(2, 20), (2, 20)], {}, ((2, 5), (2, 5), ()))
    assert counts == (0, KINDS[kind][1] * 2 * 5)


def test_onednns_layer_and_its_gradients():
    args = [(7, 2, 3), (20, 3), (20, 5), (20,), (20,)]
    forward = 7 * 2 * 20 * (3 + 5)
    assert work("aten::mkldnn_rnn_layer", args, {}, ((7, 2, 5),)) == (forward, 13 * 7 * 2 * 5)
    assert work("aten::mkldnn_rnn_layer_backward", args, {}, ())[0] == 2 * forward


@pytest.mark.parametrize(("mode", "gates", "each"), [(0, 1, 2), (1, 1, 2), (2, 4, 13), (3, 3, 10)])
def test_cudnns_layers_and_their_gradients(mode, gates, each):
    shapes = weights(gates, 3, 5)
    args = [(7, 2, 3), shapes, 4, None, (2, 2, 5), None, mode, 5, 0, 2]
    forward = 7 * 2 * gates * 5 * ((3 + 5) + (5 + 5))
    assert work("aten::_cudnn_rnn", args, {}, ((7, 2, 5),)) == (forward, each * 7 * 2 * (5 + 5))
    assert work("aten::_cudnn_rnn_backward", args, {}, ())[0] == 2 * forward


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("both_ways", [False, True])
def test_a_quantised_layers_weights_follow_from_its_states(kind, both_ways):
    # 3 layers; the later ones take what each direction of the one before gives
    gates, each = KINDS[kind]
    ways = 1 + both_ways
    state = [(3 * ways, 2, 5), (3 * ways, 2, 5)] if kind == "lstm" else (3 * ways, 2, 5)
    args = [(7, 2, 3), state, [None], True, 3, 0.0, False, both_ways, False]
    counts = work(f"aten::quantized_{kind}", args, {}, ((7, 2, 5 * ways),))
    by_hand = 7 * 2 * ways * gates * 5 * ((3 + 5) + 2 * (ways * 5 + 5))
    assert counts == (by_hand, each * 7 * 2 * 3 * ways * 5)
