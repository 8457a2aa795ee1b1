"""Transforms and decompositions against the counts of the books that the formulas cite."""

import pytest
from flopledger.counting.formulas.every import work

N = 12  # of the square matrices
CUBE = N**3
SQUARE = (2, N, N)  # two of them


def other(op, *args, out=(), **kwargs):
    macs, other_flops = work(f"aten::{op}", args, kwargs, out)
    assert macs == 0
    return other_flops


def test_a_fourier_transform_takes_5_n_log_n():
    # 4 rows of 16 points: 16 log2 16 = 64
    assert other("_fft_c2c", (4, 16), [1], 0, True, out=(4, 16)) == 4 * 5 * 64
    # a real one half of it, whichever side is real
    assert other("_fft_r2c", (4, 16), [1], 0, True, out=(4, 9)) == 4 * 5 * 64 // 2
    assert other("_fft_c2r", (4, 9), [1], 0, 16, out=(4, 16)) == 4 * 5 * 64 // 2
    # of two axes: 16 x 16 points have log2 = 8
    assert other("_fft_c2c", (16, 16), [0, 1], 0, True, out=(16, 16)) == 5 * 256 * 8


@pytest.mark.parametrize(
    ("op", "args", "each"),
    [
        ("linalg_cholesky_ex", [], CUBE / 3),
        ("linalg_lu_factor_ex", [], 2 * CUBE / 3),
        ("_linalg_det", [], 2 * CUBE / 3),
        ("linalg_inv_ex", [], 2 * CUBE),
        ("geqrf", [], 4 * CUBE / 3),  # 2 m n^2 - 2 n^3 / 3
        ("linalg_qr", [], 8 * CUBE / 3),
        ("linalg_qr", ["r"], 4 * CUBE / 3),
        ("_linalg_svd", [False, False], 8 * CUBE / 3),  # 4 m n^2 - 4 n^3 / 3
        ("_linalg_svd", [False, True], 22 * CUBE),
        ("_linalg_svd", [True, True], 21 * CUBE),
        ("_linalg_eigh", ["L", True], 9 * CUBE),
        ("_linalg_eigh", ["L", False], 4 * CUBE / 3),
        ("linalg_eig", [], 25 * CUBE),
        ("_linalg_solve_ex", [(2, N, 5)], 2 * CUBE / 3 + 2 * N * N * 5),
    ],
)
def test_decompositions_of_square_matrices(op, args, each):
    assert other(op, SQUARE, *args) == 2 * each


def test_a_tall_matrix_costs_by_its_short_side():
    assert other("geqrf", (20, 3)) == 2 * 20 * 9 - 2 * 27 / 3
    assert other("linalg_lu_factor_ex", (20, 3)) == 20 * 9 - 27 / 3  # m n^2 - n^3 / 3


@pytest.mark.parametrize(
    ("ops", "args", "each"),
    [
        ("linalg_cholesky_ex cholesky linalg_ldl_factor_ex", [], CUBE / 3),
        ("linalg_lu_factor_ex linalg_lu _linalg_det _linalg_slogdet", [], 2 * CUBE / 3),
        ("cholesky_inverse", [], 2 * CUBE / 3),
        ("linalg_eigvals _linalg_eigvals", [], 10 * CUBE),
        ("linalg_qr", ["complete"], 8 * CUBE / 3),
        # of k reflectors: 4 m n k - 2 (m + n) k^2 + 4 k^3 / 3
        ("linalg_householder_product", [(2, 5)], 4 * N * N * 5 - 4 * N * 25 + 4 * 125 / 3),
        # Q of 5 reflectors times [12, 7], or [7, 12] times it: 4 m n k - 2 n k^2
        ("ormqr", [(2, 5), (2, N, 7)], 4 * N * 7 * 5 - 2 * 7 * 25),
        ("ormqr", [(2, 5), (2, 7, N), False], 4 * N * 7 * 5 - 2 * 7 * 25),
        # S U V, the vectors scaled, and one product
        ("linalg_pinv", [], 22 * CUBE + N * N + 2 * CUBE),
        ("_linalg_solve_ex", [(2, N)], 2 * CUBE / 3 + 2 * N * N),  # a vector for each matrix
        ("_linalg_solve_ex", [(N,)], 2 * CUBE / 3 + 2 * N * N),
        # reflectors, which meet 5 sides (4 m k - 2 k^2), then a triangle (k^2)
        ("linalg_lstsq", [(2, N, 5)], 4 * CUBE / 3 + 5 * (2 * N * N + N * N)),
    ],
)
def test_more_of_square_matrices(ops, args, each):
    for op in ops.split():
        assert other(op, SQUARE, *args) == round(2 * each), op


@pytest.mark.parametrize("shape", [(7, 3), (3, 7)])
def test_a_matrix_that_is_not_square(shape):
    tall = shape[0] == 7
    assert other("_linalg_svd", shape, False, False) == 4 * 7 * 9 - 4 * 27 / 3
    assert other("_linalg_svd", shape, False, True) == 14 * 7 * 9 + 8 * 27
    assert other("_linalg_svd", shape) == 14 * 7 * 9 + 8 * 27
    assert other("_linalg_svd", shape, True, True) == 4 * 49 * 3 + 8 * 7 * 9 + 9 * 27
    assert other("linalg_pinv", shape) == 14 * 7 * 9 + 8 * 27 + 7 * 3 + 2 * 7 * 3 * 3
    # GVL 5.2.2: 2 n^2 (m - n / 3) of a tall one; of a broad one 2 m^2 (n - m / 3)
    reflected = 2 * 9 * (7 - 1)
    assert other("geqrf", shape) == reflected
    # Q of [7, 3] takes as much again; of a broad one it is [3, 3]: 4 / 3 n^3
    assert other("linalg_qr", shape) == reflected + (reflected if tall else 36)
    assert other("linalg_qr", shape, "r") == reflected
    # all of Q: 4 m^2 k - 4 m k^2 + 4 k^3 / 3
    rows = shape[0]
    assert other("linalg_qr", shape, "complete") == (
        reflected + 4 * rows**2 * 3 - 4 * rows * 9 + 4 * 27 // 3
    )
    assert other("linalg_lu", shape) == 7 * 9 - 27 / 3
    # reflectors meet 5 sides: 4 m k - 2 k^2 each, and the triangle k^2
    sides = (shape[0], 5)
    assert other("linalg_lstsq", shape, sides) == (reflected + 5 * (4 * shape[0] * 3 - 2 * 9 + 9))


def test_what_was_factored_is_solved():
    assert other("linalg_lu_solve", (7, 7), (7,), (7, 5), out=(7, 5)) == 2 * 7 * 7 * 5
    assert other("linalg_ldl_solve", (7, 7), (7,), (7, 5), out=(7, 5)) == 2 * 7 * 7 * 5
    assert other("triangular_solve", (7, 5), (7, 7), out=((7, 5), (7, 7))) == 7 * 7 * 5


def test_a_transform_of_axes_among_others():
    # 3 transforms of 4 x 8 points, log2 = 5; of a real result's side as well
    assert other("_fft_c2c", (3, 4, 8), [1, 2], 0, True, out=(3, 4, 8)) == 5 * 96 * 5
    assert other("_fft_r2c", (3, 4, 8), [1, 2], 0, True, out=(3, 4, 5)) == 5 * 96 * 5 // 2
    assert other("_fft_c2r", (3, 4, 5), [1, 2], 0, 8, out=(3, 4, 8)) == 5 * 96 * 5 // 2
    assert other("_fft_c2c", (3, 2), [1], 0, True, out=(3, 2)) == 5 * 6
    assert other("_fft_c2c", (3, 1), [1], 0, True, out=(3, 1)) == 0


def test_an_exponential_takes_five_products():
    assert work("aten::linalg_matrix_exp", [(2, 7, 7)], {}, (2, 7, 7)) == (5 * 2 * 7**3, 0)


def test_triangles_take_a_product_and_a_sum_for_half_the_matrix():
    assert other("linalg_solve_triangular", (N, N), (N, 5), out=(N, 5)) == N * N * 5
    assert other("cholesky_solve", (N, 5), (N, N), out=(N, 5)) == 2 * N * N * 5
