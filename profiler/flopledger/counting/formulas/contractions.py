"""Products that PyTorch makes of several: einsum, tensordot, chains, powers; as a trace names them.

The dispatcher shows the matrix products that they come to; a trace shows their names alone.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.formula_table import macs, other_flops


@macs("aten::einsum")
def einsum(
    equation: str, shapes: Sequence[Shape], path: Sequence[int] | None = None, *, out: Shape,
    **_: Any,
) -> int:  # fmt: skip
    """Operands are contracted two by two: the sizes of all letters of two, if one is summed.

    What stands in one operand alone and not in the result is summed before, and so is what has a
    side of 1 in the other. A pair that then shares no summed letter is a product of elements, an
    outer one too.
    """
    return sum(size for size, summed in _pairs(equation, shapes, path) if summed)


@other_flops("aten::einsum")
def einsum_of_elements(
    equation: str, shapes: Sequence[Shape], path: Sequence[int] | None = None, *, out: Shape,
    **_: Any,
) -> int:  # fmt: skip
    """1 an element of the products in which nothing is summed; the sums before are left out."""
    return sum(size for size, summed in _pairs(equation, shapes, path) if not summed)


def _pairs(
    equation: str, shapes: Sequence[Shape], path: Sequence[int] | None
) -> Iterator[tuple[int, bool]]:
    """Of each two that meet, the sizes of their letters multiplied, and whether one is summed.

    They meet from the left, or as the path says: places of two that go, their result comes last.
    """
    names, wanted = _letters(equation.replace(" ", ""), shapes)
    terms = [_sides(name, shape) for name, shape in zip(names, shapes, strict=True)]
    order = iter(path or ())
    while len(terms) > 1:
        i, j = sorted((next(order, 0), next(order, 1)))
        b, a = terms.pop(j), terms.pop(i)
        gone = (a.keys() | b.keys()) - set(wanted).union(*terms)
        summed = {letter for letter in gone if a.get(letter) == b.get(letter)}
        sides = {
            letter: max(a.get(letter, 1), b.get(letter, 1))
            for letter in a.keys() | b.keys()
            if letter in summed or letter not in gone
        }
        yield prod(sides.values()), bool(summed)
        made = {letter: side for letter, side in sides.items() if letter not in gone}
        terms.insert(len(terms) if path else 0, made)


def _sides(name: str, shape: Shape) -> dict[str, int]:
    sides: dict[str, int] = {}
    for letter, side in zip(name, shape, strict=True):
        sides[letter] = max(side, sides.get(letter, 1))
    return sides


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
    return prod(out) * prod(a[axis] for axis in axes)


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
