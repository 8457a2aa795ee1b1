"""The register of formulas: what an operator costs, shapes in, integers out.

A formula is called with the operator's own arguments, every tensor replaced by its shape, and with
the result's shape (a tuple of shapes for several results) as `out`. It returns multiply-accumulates
(MACs) if it is registered with `macs`, FLOPs of the other kinds if with `other_flops`; None where
shapes do not tell. A bias is free: the accumulator starts from it.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Formula = Callable[..., int | None]
F = TypeVar("F", bound=Formula)

_macs: dict[str, Formula] = {}
_other: dict[str, Formula] = {}
_again: dict[str, Formula] = {}


def macs(*ops: str) -> Callable[[F], F]:
    """Register the decorated function as the MACs of these operators ("aten::mm").

    Raises:
        ValueError: another function, not this one read again, is registered already.
    """
    return _registrar(_macs, ops)


def other_flops(*ops: str) -> Callable[[F], F]:
    """Register the decorated function as the other FLOPs of these operators.

    Raises:
        ValueError: as `macs`.
    """
    return _registrar(_other, ops)


def again(*ops: str) -> Callable[[F], F]:
    """Register the decorated function as MACs of scores that these operators compute again.

    Raises:
        ValueError: as `macs`.
    """
    return _registrar(_again, ops)


def rescored(op: str, args: Sequence[Any], out: Any) -> int:
    """MACs of attention's scores that one call of a backward kernel computes again.

    They are not among those of `work`.

    Args:
        op: as in `work`, and so args and out.
        args: by place.
        out: the result's shapes.
    """
    return (_again[op](*args, out=out) or 0) if op in _again else 0


def work(op: str, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> tuple[int, int] | None:
    """MACs and other FLOPs of one call, or None where no formula knows the operator, or takes it.

    Args:
        op: "aten::mm"; an in-place operator ("aten::add_") costs what the other form costs.
        args: the call's positional arguments, tensors replaced by shapes.
        kwargs: the call's keyword arguments, likewise; what it writes to (its own `out`) is none.
        out: the result's shape, or a tuple of shapes.
    """
    name = op if op in _macs or op in _other else op.removesuffix("_")
    if name not in _macs and name not in _other:
        return None
    try:
        costs = [table[name](*args, out=out, **kwargs) if name in table else 0
                 for table in (_macs, _other)]  # fmt: skip
    except Exception:  # a form of the operator that its formula was not written for
        return None
    return None if None in costs else (costs[0], costs[1])  # type: ignore[return-value]


def multiplies(op: str) -> bool:
    """Whether the operator is of the matrix-multiply class."""
    return op in _macs or op.removesuffix("_") in _macs


def known_operators() -> set[str]:
    """The names of all operators with a formula."""
    return _macs.keys() | _other.keys()


def _registrar(table: dict[str, Formula], ops: tuple[str, ...]) -> Callable[[F], F]:
    def register(formula: F) -> F:
        for op in ops:
            if op in table and _home(table[op]) != _home(formula):
                raise ValueError(f"{op} has a formula already; an operator has one")
            table[op] = formula
        return formula

    return register


def _home(formula: Formula) -> tuple[str, str]:
    return formula.__code__.co_filename, formula.__qualname__
