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


def test_triangles_take_a_product_and_a_sum_for_half_the_matrix():
    assert other("linalg_solve_triangular", (N, N), (N, 5), out=(N, 5)) == N * N * 5
    assert other("cholesky_solve", (N, 5), (N, N), out=(N, 5)) == 2 * N * N * 5
