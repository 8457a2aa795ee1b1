"""Fourier transforms and matrix decompositions: their standard counts, as other FLOPs.

Leading terms, of real matrices; for complex ones the same figures are given. GVL is
Golub & Van Loan, Matrix Computations, 4th edition; LAWN 41 is LAPACK Working Note 41, appendix C.
"""

from collections.abc import Callable, Sequence
from math import log2, prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.formula_table import macs, other_flops


def transforms(shape: Shape, axes: Sequence[int]) -> int:
    """FLOPs of the complex Fourier transforms of a tensor of that shape over these axes."""
    points = prod(shape[axis] for axis in axes)
    return round(5 * prod(shape) * log2(points)) if points > 1 else 0


@other_flops("aten::_fft_c2c")
def fft(x: Shape, axes: Sequence[int], *_: Any, out: Shape, **__: Any) -> int:
    """5 N log2 N for each transform of N points: Cooley & Tukey's radix 2, as FFTW reports it.

    Frigo & Johnson 2005, The Design and Implementation of FFTW3, section III.
    """
    return transforms(out, axes)


@other_flops("aten::_fft_r2c")
def real_fft(x: Shape, axes: Sequence[int], *_: Any, out: Shape, **__: Any) -> int:
    """Half of `fft`, whose real form it is (Frigo & Johnson 2005, section III)."""
    return transforms(x, axes) // 2


@other_flops("aten::_fft_c2r")
def inverse_real_fft(x: Shape, axes: Sequence[int], *_: Any, out: Shape, **__: Any) -> int:
    """As `real_fft`, of the real result's points."""
    return transforms(out, axes) // 2


Cost = Callable[..., float]


def _decomposition(*ops: str) -> Callable[[Cost], Cost]:
    """Register a cost by the last two sides of the first argument, times the batch.

    The cost is called with rows, columns and the operator's further arguments.
    """

    def register(cost: Cost) -> Cost:
        def formula(a: Shape, *rest: Any, out: Any, **kwargs: Any) -> int:
            return round(prod(a[:-2]) * cost(a[-2], a[-1], *rest, **kwargs))

        other_flops(*(f"aten::{op}" for op in ops))(formula)
        return cost

    return register


@_decomposition("linalg_cholesky_ex", "cholesky", "linalg_ldl_factor_ex")
def cholesky(m: int, n: int, *_: Any, **__: Any) -> float:
    """n^3 / 3: GVL 4.2.5."""
    return n**3 / 3


@_decomposition("linalg_lu_factor_ex", "linalg_lu", "_linalg_det", "_linalg_slogdet")
def lu(m: int, n: int, *_: Any, **__: Any) -> float:
    """2 n^3 / 3 of a square matrix, as all of its kind: LAWN 41, GETRF."""
    k = min(m, n)
    return 2 * m * n * k - (m + n) * k**2 + 2 * k**3 / 3


@_decomposition("linalg_inv_ex")
def inverse(m: int, n: int, *_: Any, **__: Any) -> float:
    """2 n^3: LAWN 41, GETRF and GETRI."""
    return 2 * n**3


@_decomposition("cholesky_inverse")
def cholesky_inverse(m: int, n: int, *_: Any, **__: Any) -> float:
    """2 n^3 / 3: LAWN 41, POTRI."""
    return 2 * n**3 / 3


@_decomposition("geqrf")
def reflectors(m: int, n: int, *_: Any, **__: Any) -> float:
    """2 m n^2 - 2 n^3 / 3 of a tall matrix: GVL 5.2.2, LAWN 41, GEQRF."""
    k = min(m, n)
    return _reflected(m, n, k)


@_decomposition("linalg_qr")
def qr(m: int, n: int, mode: str = "reduced", *_: Any, **__: Any) -> float:
    """`reflectors`, and to make Q of them as much again where it is reduced: LAWN 41, ORGQR."""
    k = min(m, n)
    columns = {"r": 0, "reduced": k, "complete": m}[mode]
    return _reflected(m, n, k) + (_reflected(m, columns, k) if columns else 0)


@_decomposition("linalg_householder_product")
def householder_product(m: int, n: int, reflectors: Shape, *_: Any, **__: Any) -> float:
    """Q of k reflectors: LAWN 41, ORGQR."""
    return _reflected(m, n, reflectors[-1])


def _reflected(m: int, n: int, k: int) -> float:
    return 4 * m * n * k - 2 * (m + n) * k**2 + 4 * k**3 / 3


@_decomposition("ormqr")
def multiplied_by_q(m: int, k: int, tau: Shape, other: Shape, left: bool = True, *_: Any) -> float:
    """4 m n k - 2 n k^2, times [m, n] from the left: LAWN 41, ORMQR."""
    rows, columns = other[-2:] if left else other[:-3:-1]
    return 4 * rows * columns * tau[-1] - 2 * columns * tau[-1] ** 2


@_decomposition("_linalg_svd")
def svd(m: int, n: int, full_matrices: bool = False, compute_uv: bool = True, **_: Any) -> float:
    """Golub & Reinsch's algorithm: GVL figure 8.6.1, its rows for S alone, S U1 V and S U V."""
    m, n = max(m, n), min(m, n)
    if not compute_uv:
        return 4 * m * n**2 - 4 * n**3 / 3
    return 4 * m**2 * n + 8 * m * n**2 + 9 * n**3 if full_matrices else 14 * m * n**2 + 8 * n**3


@_decomposition("linalg_pinv")
def pseudo_inverse(m: int, n: int, *_: Any, **__: Any) -> float:
    """`svd`, its vectors scaled, and their product."""
    k = min(m, n)
    return svd(m, n) + max(m, n) * k + 2 * m * n * k


@_decomposition("_linalg_eigh")
def symmetric_eigen(m: int, n: int, UPLO: str = "L", compute_v: bool = True) -> float:
    """9 n^3, or 4 n^3 / 3 without vectors: GVL 8.3.3."""
    return 9 * n**3 if compute_v else 4 * n**3 / 3


@_decomposition("linalg_eig")
def eigen(m: int, n: int, **_: Any) -> float:
    """25 n^3: GVL 7.5.6."""
    return 25 * n**3


@_decomposition("linalg_eigvals", "_linalg_eigvals")
def eigenvalues(m: int, n: int, **_: Any) -> float:
    """10 n^3: GVL 7.5.6."""
    return 10 * n**3


@_decomposition("_linalg_solve_ex")
def solve(m: int, n: int, b: Shape, **_: Any) -> float:
    """`lu`, then 2 n^2 for each right-hand side: GVL 3.2, 3.1."""
    return lu(m, n) + 2 * n**2 * _columns(m, b)


@other_flops("aten::linalg_lu_solve", "aten::linalg_ldl_solve")
def solve_factored(lu: Shape, pivots: Shape, b: Shape, **_: Any) -> int:
    """2 n^2 for each right-hand side: GVL 3.1."""
    return 2 * lu[-1] * prod(b)


@other_flops("aten::linalg_solve_triangular")
def solve_triangular(a: Shape, b: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """n^2 for each right-hand side: GVL 3.1."""
    return a[-1] * prod(out)


@other_flops("aten::triangular_solve")
def triangular_solve(b: Shape, a: Shape, *_: Any, out: Sequence[Shape], **__: Any) -> int:
    """As `solve_triangular`."""
    return a[-1] * prod(out[0])


@other_flops("aten::cholesky_solve")
def cholesky_solve(b: Shape, factor: Shape, *_: Any, out: Shape, **__: Any) -> int:
    """2 n^2 for each right-hand side: two triangles."""
    return 2 * factor[-1] * prod(out)


@_decomposition("linalg_lstsq")
def least_squares(m: int, n: int, b: Shape, *_: Any, **__: Any) -> float:
    """By `reflectors`, which then meet each right-hand side, then a triangle: GVL 5.3.2."""
    k, columns = min(m, n), _columns(m, b)
    return _reflected(m, n, k) + columns * (4 * m * k - 2 * k**2 + k**2)


def _columns(rows: int, b: Shape) -> int:
    return 1 if len(b) == 1 or b[-2] != rows else b[-1]


@macs("aten::linalg_matrix_exp")
def matrix_exp(a: Shape, *, out: Shape) -> int:
    """5 matrix products, the Taylor polynomial of degree 18: Bader, Blanes & Casas 2019, table 2.

    How often the result is squared depends on the norm, and how low the degree may be: not counted.
    """
    return 5 * prod(a) * a[-1]
