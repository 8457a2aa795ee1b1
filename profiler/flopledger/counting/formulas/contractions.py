"""Products that PyTorch makes of several: einsum, tensordot, chains, powers; as a trace names them.

The dispatcher shows the matrix products that they come to; a trace shows their names alone.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.formula_table import macs, other_flops


@macs("aten::einsum")
def einsum(
    equation: str, shapes: Sequence[Shape], path: Any = None, *, out: Shape, **_: Any
) -> int | None:
    """Operands are contracted two by two: the sizes of all their letters, if one is summed.

    What stands in one operand alone and not in the result is summed before; a product without any
    sum is one of elements, unless each operand has a letter of its own: then it is an outer one.
    None where a path says another order than from the left.
    """
    if path and len(shapes) > 2:
        return None
    names, wanted = _letters(equation.replace(" ", ""), shapes)
    sizes: dict[str, int] = {}
    for letters, shape in zip(names, shapes, strict=True):
        for letter, side in zip(letters, shape, strict=True):
            sizes[letter] = max(side, sizes.get(letter, 1))
    total, left = 0, set(names[0])
    for i, name in enumerate(names[1:], start=2):
        later = set(wanted).union(*names[i:])
        a, b = left & (set(name) | later), set(name) & (left | later)
        summed = (a | b) - later
        if summed or (a - b and b - a):
            total += prod(sizes[letter] for letter in a | b)
        left = (a | b) - summed
    return total


def _letters(equation: str, shapes: Sequence[Shape]) -> tuple[list[str], str]:
    """The operands' letters and the result's, an ellipsis written out in capital Greek."""
    given, arrow, wanted = equation.partition("->")
    names, widest = [], ""
    for name, shape in zip(given.split(","), shapes, strict=True):
        hidden = "".join(chr(0x391 + i) for i in range(len(shape) - len(name.replace("...", ""))))
        hidden = hidden[::-1] if "..." in name else ""  # broadcast from the right
        widest = max(widest, hidden, key=len)
        names.append(name.replace("...", hidden))
    if not arrow:
        letters = given.replace(",", "").replace("...", "")
        wanted = "..." + "".join(sorted(c for c in letters if letters.count(c) == 1))
    return names, wanted.replace("...", widest)


@macs("aten::tensordot")
def tensordot(a: Shape, b: Shape, axes: Sequence[int], *_: Any, out: Shape, **__: Any) -> int:
    """Every element of the result sums over the axes of `a` that are named."""
    return prod(out) * prod(a[axis] for axis in axes) if axes else prod(out)


@macs("aten::linalg_multi_dot", "aten::chain_matmul")
def multi_dot(shapes: Sequence[Shape], *, out: Shape) -> int:
    """The cheapest order, as PyTorch takes it: Cormen et al., Introduction to Algorithms, 15.2."""
    sides = [shapes[0][0] if len(shapes[0]) > 1 else 1, *(shape[0] for shape in shapes[1:])]
    if len(shapes[0]) == 1:
        sides = [1, shapes[0][0], *sides[2:]]
    sides.append(shapes[-1][1] if len(shapes[-1]) > 1 else 1)
    n = len(shapes)
    best = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            best[i][j] = min(
                best[i][k] + best[k + 1][j] + sides[i] * sides[k + 1] * sides[j + 1]
                for k in range(i, j)
            )
    return best[0][n - 1]


@macs("aten::linalg_matrix_power", "aten::matrix_power")
def matrix_power(a: Shape, n: int, *, out: Shape) -> int:
    """By squaring: a product for each bit after the first and one for each 1 among them.

    A negative power also inverts, which a trace names apart from it only in its dispatcher's view.
    """
    bits = bin(abs(n))[2:]
    products = max(len(bits) - 1 + bits.count("1") - 1, 0)
    return products * prod(out) * a[-1]


_LOSS = "torch_nn::_linear_cross_entropy_batch_chunked"


@macs(_LOSS)
def linear_cross_entropy(x: Shape, weight: Shape, *rest: Any, out: Any, **_: Any) -> int:
    """A linear layer, and in the same chunks of rows its gradients: the input's, the weight's.

    The last three arguments say which gradients are wanted (input, weight, bias).
    """
    of_input, of_weight, _of_bias = map(bool, rest[-3:])
    return prod(x) * weight[0] * (1 + of_input + of_weight)


@macs(f"{_LOSS}_no_reduction")
def linear_cross_entropy_alone(x: Shape, weight: Shape, *_: Any, out: Any, **__: Any) -> int:
    """A linear layer."""
    return prod(x) * weight[0]


@other_flops(_LOSS, f"{_LOSS}_no_reduction")
def cross_entropy(x: Shape, weight: Shape, *_: Any, out: Any, **__: Any) -> int:
    """5 a score, as softmax."""
    return 5 * prod(x[:-1]) * weight[0]
