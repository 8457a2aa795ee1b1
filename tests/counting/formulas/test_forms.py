"""Every form of the matrix-multiply class, through profile(), against products written by hand."""

import pytest
import torch
import torch.nn.functional as F
from flopledger.counting.profiling import profile
from torch import nn, randn


class Call(nn.Module):
    """A function as a network."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def sparse(rows, columns, stored):
    where = torch.stack([torch.arange(stored) % rows, (torch.arange(stored) * 7) % columns])
    return torch.sparse_coo_tensor(where, torch.ones(stored), (rows, columns)).coalesce()


def complex_(*shape):
    return randn(*shape, dtype=torch.complex64)


def bytes_(*shape):
    return torch.ones(*shape, dtype=torch.int8)


def sums(equation):
    return lambda *operands: torch.einsum(equation, *operands)


MM = 4 * 3 * 5
TWO_SEQUENCES = 2 * 5  # of 5 tokens, width 8
MHA = 4 * TWO_SEQUENCES * 8 * 8 + 2 * (2 * 5 * 5 * 8)
ENCODER = MHA + 2 * TWO_SEQUENCES * 8 * 16
LONG = torch.int64

# function or network, arguments, MACs by hand
FORMS = {
    "linear": (F.linear, (randn(4, 3), randn(5, 3)), MM),
    "mm": (torch.mm, (randn(4, 3), randn(3, 5)), MM),
    "bmm": (torch.bmm, (randn(2, 4, 3), randn(2, 3, 5)), 2 * MM),
    "addmm": (torch.addmm, (randn(5), randn(4, 3), randn(3, 5)), MM),
    "baddbmm": (torch.baddbmm, (randn(2, 4, 5), randn(2, 4, 3), randn(2, 3, 5)), 2 * MM),
    "addbmm": (torch.addbmm, (randn(4, 5), randn(2, 4, 3), randn(2, 3, 5)), 2 * MM),
    "addmv": (torch.addmv, (randn(4), randn(4, 3), randn(3)), 4 * 3),
    "mv": (torch.mv, (randn(4, 3), randn(3)), 4 * 3),
    "dot": (torch.dot, (randn(7), randn(7)), 7),
    "vdot": (torch.vdot, (randn(7), randn(7)), 7),
    "vecdot": (torch.linalg.vecdot, (randn(7), randn(7)), 7),
    "vecdot of many": (torch.linalg.vecdot, (randn(4, 7), randn(4, 7)), 0),  # elements, summed
    "inner": (torch.inner, (randn(4, 3), randn(5, 3)), MM),
    # nothing is summed
    "outer": (torch.outer, (randn(4), randn(5)), 0),
    "outer of two dtypes": (torch.outer, (randn(4), randn(5).double()), 0),
    "ger": (torch.ger, (randn(4), randn(5)), 0),
    "addr": (torch.addr, (randn(4, 5), randn(4), randn(5)), 0),
    "column times row": (lambda a, b: a[:, None] * b, (randn(4), randn(5)), 0),
    # a matrix product all the same
    "column @ row": (lambda a, b: a[:, None] @ b[None], (randn(4), randn(5)), 4 * 1 * 5),
    "tensordot over no axis": (
        lambda a, b: torch.tensordot(a, b, 0), (randn(4), randn(5)), 4 * 1 * 5,
    ),
    "linear of one row": (F.linear, (randn(4, 3), randn(3)), 4 * 3),
    "matmul, broadcast": (torch.matmul, (randn(4, 3), randn(7, 6, 3, 5)), 7 * 6 * MM),
    "einsum of matrices": (sums("ij,jk->ik"), (randn(4, 3), randn(3, 5)), MM),
    "einsum, outer": (sums("i,j->ij"), (randn(4), randn(5)), 0),
    "einsum, outer in a batch": (sums("bi,bj->bij"), (randn(2, 4), randn(2, 5)), 0),
    "einsum, outer, ellipsis": (sums("...i,j->...ij"), (randn(2, 4), randn(5)), 0),
    "einsum, outer of two dtypes": (sums("i,j->ij"), (randn(4), torch.arange(5)), 0),
    "einsum that sums, then multiplies": (sums("ik,j->ij"), (randn(4, 3), randn(5)), 0),
    "einsum over a side of one": (sums("ij,jk->ik"), (randn(4, 1), randn(1, 5)), 4 * 1 * 5),
    "einsum of a list": (
        lambda a, b: torch.einsum("ij,jk->ik", [a, b]), (randn(4, 3), randn(3, 5)), MM,
    ),
    "einsum of a tuple": (
        lambda a, b: torch.einsum("ij,jk->ik", (a, b)), (randn(4, 1), randn(1, 5)), 4 * 1 * 5,
    ),
    "einsum by numbers": (
        lambda a, b: torch.einsum(a, [0, 1], b, [1, 2]), (randn(4, 1), randn(1, 5)), 4 * 1 * 5,
    ),
    "einsum of elements": (sums("ij,ij->ij"), (randn(4, 3), randn(4, 3)), 0),
    "einsum, diagonal": (sums("ii->i"), (randn(4, 4),), 0),
    "einsum of heads": (
        sums("bqhd,bkhd->bhqk"), (randn(2, 4, 3, 5), randn(2, 6, 3, 5)), 2 * 3 * 4 * 6 * 5,
    ),
    "einsum, ellipsis": (sums("...ij,jk->...ik"), (randn(2, 7, 4, 3), randn(3, 5)), 2 * 7 * MM),
    "einsum of three": (
        sums("ij,jk,kl->il"), (randn(2, 3), randn(3, 4), randn(4, 5)), 2 * 3 * 4 + 2 * 4 * 5,
    ),
    # for each sample and feature 3 x 5 products, then 5 more
    "bilinear": (nn.Bilinear(3, 5, 6), (randn(4, 3), randn(4, 5)), 4 * 6 * (3 * 5 + 5)),
    "tensordot": (
        lambda a, b: torch.tensordot(a, b, 2), (randn(2, 3, 4), randn(3, 4, 5)), 2 * (3 * 4) * 5,
    ),
    # (2 x 3 x 4) + (2 x 4 x 5) is cheaper than the other way: 3 x 4 x 5 + 2 x 3 x 5
    "multi_dot": (
        lambda *m: torch.linalg.multi_dot(m), (randn(2, 3), randn(3, 4), randn(4, 5)), 24 + 40,
    ),
    "matrix_power": (lambda a: torch.linalg.matrix_power(a, 5), (randn(4, 4),), 3 * 4**3),
    # more than 25 points: PyTorch multiplies [26, 3] by [3, 7] and adds the norms
    "cdist of many": (torch.cdist, (randn(2, 26, 3), randn(2, 7, 3)), 2 * 26 * 7 * 3),
    "cdist of few": (torch.cdist, (randn(2, 25, 3), randn(2, 7, 3)), 0),
    "cdist, by products": (
        lambda a, b: torch.cdist(a, b, compute_mode="use_mm_for_euclid_dist"),
        (randn(4, 3), randn(7, 3)), 4 * 7 * 3,
    ),
    "cdist, without": (
        lambda a, b: torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist"),
        (randn(30, 3), randn(7, 3)), 0,
    ),
    "cdist, another norm": (lambda a, b: torch.cdist(a, b, p=1), (randn(30, 3), randn(7, 3)), 0),
    "conv 1d": (nn.Conv1d(3, 6, 3), (randn(2, 3, 10),), 2 * 8 * 6 * (3 * 3)),
    "conv 2d, groups": (nn.Conv2d(4, 8, 3, groups=2), (randn(1, 4, 8, 8),), 36 * 8 * (2 * 9)),
    "conv 2d, dilated": (nn.Conv2d(2, 3, 3, dilation=2), (randn(1, 2, 8, 8),), 16 * 3 * (2 * 9)),
    "conv 2d, same": (nn.Conv2d(3, 6, 3, padding="same"), (randn(1, 3, 5, 5),), 25 * 6 * 27),
    "conv 2d, depthwise": (nn.Conv2d(4, 4, 3, groups=4), (randn(1, 4, 8, 8),), 36 * 4 * 9),
    "conv 3d": (nn.Conv3d(2, 3, 2), (randn(1, 2, 4, 4, 4),), 27 * 3 * (2 * 8)),
    "transposed 1d": (nn.ConvTranspose1d(4, 6, 3, groups=2), (randn(1, 4, 5),), 5 * 4 * (3 * 3)),
    "transposed 2d": (nn.ConvTranspose2d(3, 6, 2, 2), (randn(1, 3, 4, 4),), 16 * 3 * (6 * 4)),
    "transposed 3d": (nn.ConvTranspose3d(2, 3, 2), (randn(1, 2, 3, 3, 3),), 27 * 2 * (3 * 8)),
    "conv_tbc": (torch.conv_tbc, (randn(7, 2, 3), randn(3, 3, 6), randn(6)), 5 * 2 * 6 * 9),
    "complex mm": (torch.mm, (complex_(4, 3), complex_(3, 5)), 4 * MM),
    "complex einsum": (sums("ij,jk->ik"), (complex_(4, 3), complex_(3, 5)), 4 * MM),
    # 3 x 3 x 5 first, then 4 x 3 x 5
    "complex multi_dot": (
        lambda *m: torch.linalg.multi_dot(m), (complex_(4, 3), complex_(3, 3), complex_(3, 5)),
        4 * (4 * 3 * 3 + 4 * 3 * 5),
    ),
    # PyTorch makes three real convolutions of a complex one
    "complex conv": (F.conv1d, (complex_(1, 2, 8), complex_(3, 2, 3)), 3 * 6 * 3 * (2 * 3)),
    "integers": (torch.mm, (torch.ones(4, 3, dtype=LONG), torch.ones(3, 5, dtype=LONG)), MM),
    "int8": (torch._int_mm, (bytes_(32, 16), bytes_(16, 8)), 32 * 16 * 8),
    "grouped mm": (
        lambda a, b: torch._grouped_mm(a, b, offs=torch.tensor([3, 8], dtype=torch.int32)),
        (randn(8, 16).bfloat16(), randn(2, 16, 32).bfloat16()),
        8 * 16 * 32,
    ),
    "attention": (
        F.scaled_dot_product_attention,
        (randn(1, 2, 5, 4), randn(1, 2, 6, 4), randn(1, 2, 6, 3)),
        2 * 5 * 6 * (4 + 3),
    ),
    "attention, grouped": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
        (randn(1, 4, 5, 4), randn(1, 2, 5, 4), randn(1, 2, 5, 4)),
        4 * 5 * 5 * (4 + 4),
    ),
    "multi-head attention": (
        nn.MultiheadAttention(8, 2, batch_first=True), (randn(2, 5, 8),) * 3, MHA,
    ),
    "encoder": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
        (randn(2, 5, 8),),
        2 * ENCODER,
    ),
    "LSTM cell": (nn.LSTMCell(3, 4), (randn(2, 3),), 2 * 16 * (3 + 4)),
    "GRU cell": (nn.GRUCell(3, 4), (randn(2, 3),), 2 * 12 * (3 + 4)),
    "RNN cell": (nn.RNNCell(3, 4), (randn(2, 3),), 2 * 4 * (3 + 4)),
    "embedding": (nn.Embedding(10, 4), (torch.zeros(2, 3, dtype=LONG),), 0),
    "embedding bag": (nn.EmbeddingBag(10, 4), (torch.zeros(2, 3, dtype=LONG),), 0),
    "vmap": (lambda a, b: torch.vmap(torch.mv)(a, b), (randn(2, 4, 3), randn(2, 3)), 2 * 4 * 3),
    "unfolded conv": (
        lambda x, w: F.unfold(x, 2).mT @ w, (randn(1, 2, 4, 4), randn(8, 3)), 9 * 8 * 3,
    ),
    "weight norm": (
        torch.nn.utils.parametrizations.weight_norm(nn.Linear(3, 5)), (randn(4, 3),), MM,
    ),
    "matrix_exp": (torch.linalg.matrix_exp, (randn(4, 4),), 5 * 4**3),  # Bader et al. 2019
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_both_counters_count_what_the_hand_counts(form):
    function, args, by_hand = FORMS[form]
    module = function if isinstance(function, nn.Module) else Call(function)
    counted = profile(module.eval(), args)
    assert counted.total("macs") == by_hand
    assert counted.complete
    assert counted.check.agrees, counted.check


# MACs: each of 5 stored elements meets one row or column of the other matrix
SPARSE = {
    "mm": (torch.sparse.mm, lambda m: (m, randn(7, 3)), 5 * 3),
    "addmm": (torch.sparse.addmm, lambda m: (randn(6, 3), m, randn(7, 3)), 5 * 3),
    "csr": (torch.matmul, lambda m: (m.to_sparse_csr(), randn(7, 3)), 5 * 3),
    "csr, vector": (torch.mv, lambda m: (m.to_sparse_csr(), randn(7)), 5),
    "bmm": (torch.bmm, lambda m: (torch.stack([m, m]), randn(2, 7, 3)), 2 * 5 * 3),
}


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("form", SPARSE)
def test_of_a_sparse_matrix_the_stored_elements_are_multiplied(form):
    function, args, by_hand = SPARSE[form]
    counted = profile(Call(function), args(sparse(6, 7, 5)))
    assert (counted.total("macs"), counted.complete, counted.counter) == (by_hand, True, "dispatch")


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("bias", [True, False])
def test_a_quantised_layer_multiplies_as_many_times(bias):
    layer = torch.ao.nn.quantized.dynamic.Linear(8, 4, bias_=bias)
    counted = profile(layer, randn(2, 8), counter="dispatch")
    assert (counted.total("macs"), counted.complete) == (2 * 8 * 4, True)


def test_a_scripted_and_a_functional_call_count_as_the_module_does():
    layer = nn.Linear(3, 5)
    params = dict(layer.named_parameters())
    scripted = torch.jit.script(layer)
    called = Call(lambda x: torch.func.functional_call(layer, params, (x,)))
    assert [profile(m, randn(4, 3)).total("macs") for m in (layer, scripted, called)] == [MM] * 3


# MACs of the backward pass, where all operands want a gradient: the transposed products
BACKWARD = {
    "matrix by vector": (torch.mv, (randn(4, 3), randn(3)), 2 * 4 * 3),
    "addmv": (torch.addmv, (randn(4), randn(4, 3), randn(3)), 2 * 4 * 3),
    "addmv, scaled": (
        lambda b, a, x: torch.addmv(b, a, x, alpha=2.5, beta=3), (randn(4), randn(4, 3), randn(3)),
        2 * 4 * 3,
    ),
    "batch by vector": (torch.matmul, (randn(2, 4, 3), randn(3)), 2 * 2 * 4 * 3),
    "linear of one row": (F.linear, (randn(4, 3), randn(3)), 2 * 4 * 3),
    "linear of one vector": (F.linear, (randn(3), randn(4, 3)), 2 * 4 * 3),
    "dot": (torch.dot, (randn(7), randn(7)), 2 * 7),
    "vdot": (torch.vdot, (complex_(7), complex_(7)), 2 * 4 * 7),
    "column @ row": (lambda a, b: a[:, None] @ b[None], (randn(4), randn(5)), 2 * 4 * 1 * 5),
    "einsum over a side of one": (sums("ij,jk->ik"), (randn(4, 1), randn(1, 5)), 2 * 4 * 1 * 5),
    "outer": (torch.outer, (randn(4), randn(5)), 0),
    "einsum, outer": (sums("i,j->ij"), (randn(4), randn(5)), 0),
    "column times row": (lambda a, b: a[:, None] * b, (randn(4), randn(5)), 0),
    "cdist of many": (torch.cdist, (randn(30, 3), randn(7, 3)), 2 * 30 * 7 * 3),
    "cdist of few": (torch.cdist, (randn(20, 3), randn(7, 3)), 0),
}  # fmt: skip


@pytest.mark.parametrize("form", BACKWARD)
def test_a_backward_pass_is_the_transposed_products(form):
    function, args, by_hand = BACKWARD[form]
    counted = profile(Call(function), tuple(a.requires_grad_() for a in args), backward=True)
    assert counted.backward.macs == by_hand
    assert counted.complete


def test_gradients_by_sample_are_counted_in_the_forward_pass_that_takes_them():
    weight = randn(4, 3)

    def loss(w, row):
        return (w @ row).pow(2).sum()

    by_sample = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))
    counted = profile(Call(lambda x: by_sample(weight, x)), randn(5, 3))
    # for each of 5 rows 4 x 3 products, and as many for the weight's gradient
    assert counted.total("macs") == 5 * 2 * (4 * 3)
    assert (counted.counter, counted.check.agrees) == ("dispatch", None)  # a trace cannot tell


def test_a_jacobian_in_forward_is_a_product_for_each_of_its_rows():
    layer = nn.Linear(3, 4)
    jacobian = torch.func.jacrev(lambda x: layer(x).tanh())
    counted = profile(Call(jacobian), randn(3))
    assert counted.total("macs") == 3 * 4 + 4 * (4 * 3)  # the function, then its 4 results' rows
    assert counted.check.agrees
