"""An einsum whose sums are over axes of length 1, as the matrix products that its letters say."""

from math import prod
from string import ascii_letters
from typing import Any

import torch
from torch import Tensor


def sum_over_one(*args: Any) -> Tensor | None:
    """What torch.einsum returns, made of matrix products; None if PyTorch makes them itself.

    PyTorch multiplies elements where two operands are summed over an axis of length 1 and no other,
    so that a count would drop to 0 at that one length.

    Args:
        args: torch.einsum's, in any of its forms: an equation and operands, or the operands in a
            list or tuple, or operands each with a list of numbers for letters.
    """
    equation, operands = _by_letters(args)
    tensors = all(isinstance(operand, Tensor) for operand in operands)
    if not tensors or not any(1 in operand.shape for operand in operands):
        return None
    if equation.count(",") + 1 != len(operands):
        return None  # PyTorch says what is wrong
    names, wanted = _written_out(equation, operands)
    if not _sums_over_one(names, wanted, operands):
        return None
    out: Tensor = operands[0]
    own = names[0]
    for i, (name, operand) in enumerate(zip(names[1:], operands[1:], strict=True), start=2):
        later = set(wanted).union(*names[i:]) & {*own, *name}
        left = "".join(sorted(later)) if i < len(names) else wanted
        out, own = _two(own, name, left, out, operand), left
    return out


def _sums_over_one(names: list[str], wanted: str, operands: tuple[Any, ...]) -> bool:
    """Whether some letter of two operands, and not in the result, has a side of 1 in all."""
    sides: dict[str, list[int]] = {}
    for name, operand in zip(names, operands, strict=True):
        if len(name) != operand.dim():
            return False
        for letter, side in set(zip(name, operand.shape, strict=True)):
            sides.setdefault(letter, []).append(side)
    return any(
        len(own) > 1 and set(own) == {1} for letter, own in sides.items() if letter not in wanted
    )


def _two(a: str, b: str, wanted: str, first: Tensor, second: Tensor) -> Tensor:
    """Two operands: by PyTorch, or as a batch of matrix products if they are summed over 1 alone.

    What one of them alone is summed over, its diagonals and its order are left to PyTorch.
    """
    sides = [dict(zip(name, t.shape, strict=True)) for name, t in ((a, first), (b, second))]
    both = [letter for letter in dict.fromkeys(a) if letter in b and letter not in wanted]
    met = [letter for letter in both if sides[0][letter] == sides[1][letter]]
    if not met or any(sides[0][letter] != 1 for letter in met):
        return torch.einsum(f"{a},{b}->{wanted}", first, second)
    shared, rows, columns = (
        "".join(letter for letter in wanted if (letter in a, letter in b) == place)
        for place in ((True, True), (True, False), (False, True))
    )
    left = torch.einsum(f"{a}->{shared}{rows}", first)
    right = torch.einsum(f"{b}->{shared}{columns}", second)
    dtype = torch.result_type(left, right)  # a product of elements takes two
    sizes = zip(left.shape[: len(shared)], right.shape[: len(shared)], strict=True)
    batch = tuple(n if m == 1 else m for m, n in sizes)
    long, wide = left.shape[len(shared) :], right.shape[len(shared) :]
    out = torch.bmm(
        left.to(dtype).expand((*batch, *long)).reshape(prod(batch), prod(long), 1),
        right.to(dtype).expand((*batch, *wide)).reshape(prod(batch), 1, prod(wide)),
    )
    return torch.einsum(f"{shared}{rows}{columns}->{wanted}", out.reshape((*batch, *long, *wide)))


def _by_letters(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation and the operands, in whichever form they are given."""
    if isinstance(args[0], str):
        operands = args[1:]
        if len(operands) == 1 and isinstance(operands[0], list | tuple):
            operands = tuple(operands[0])
        return args[0].replace(" ", ""), operands
    numbers, wanted = args[1::2], args[len(args) - len(args) % 2 :]
    given = ",".join(map(_word, numbers))
    return "->".join([given, *map(_word, wanted)]), args[: len(args) - len(args) % 2 : 2]


def _word(numbers: Any) -> str:
    # as torch.functional.einsum has them
    return "".join("..." if n is Ellipsis else ascii_letters.swapcase()[n] for n in numbers)


def _written_out(equation: str, operands: tuple[Any, ...]) -> tuple[list[str], str]:
    """Each operand's letters and the result's, an ellipsis in letters that stand nowhere else."""
    given, arrow, wanted = equation.partition("->")
    names = given.split(",")
    letters = [letter for letter in given if letter.isalpha()]
    free = [letter for letter in ascii_letters if letter not in letters]
    hidden = [
        operand.dim() - len(name) + 3 if "..." in name else 0
        for name, operand in zip(names, operands, strict=True)
    ]
    axes = "".join(free[: max(hidden)])
    if not arrow:
        wanted = "..." + "".join(sorted(c for c in letters if letters.count(c) == 1))
    return [
        # axes are broadcast from the right
        name.replace("...", axes[len(axes) - n :])
        for name, n in zip(names, hidden, strict=True)
    ], wanted.replace("...", axes)
