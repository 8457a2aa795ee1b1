"""What a pass multiplies: FlopCounterMode, its holes filled as docs/conventions.md says.

The pass is computed on the CPU. Nothing here is flopledger's: the two share a convention, no code.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten


def true_macs(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
    """MACs of one forward pass of a network whose weights are stored on the CPU.

    Raises:
        Exception: what the network raises.
    """
    counter = FlopCounterMode(display=False, custom_mapping=HOLES)
    counter.mod_tracker = _Nowhere()
    einsums = _EinsumsOverOne()
    with _slow_path(), torch.no_grad(), einsums, counter:
        module(*args, **kwargs)
    return int(counter.get_total_flops()) // 2 + einsums.macs


class _EinsumsOverOne(TorchFunctionMode):
    """The MACs of einsums of two operands in which only letters of length 1 are summed over both.

    By docs/conventions.md they are products as the others are; PyTorch multiplies elements there.
    """

    macs = 0

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.einsum and isinstance(args[0], str):
            operands = args[1] if isinstance(args[1], list | tuple) else args[1:]
            if len(operands) == 2 and _sums_over_one(args[0], *operands):
                self.macs += result.numel()
        return result


def _sums_over_one(equation: str, a: Tensor, b: Tensor) -> bool:
    given, _, wanted = equation.replace(" ", "").partition("->")
    sides = []
    for term, operand in zip(given.split(","), (a, b), strict=True):
        before, _, after = term.partition("...")
        sides.append(
            dict(zip(before, operand.shape, strict=False))
            | dict(zip(reversed(after), reversed(operand.shape), strict=False))
        )
    both = [(sides[0][c], sides[1][c]) for c in sides[0].keys() & sides[1].keys() - {*wanted}]
    return (1, 1) in both and all(1 in lengths for lengths in both)


class _Nowhere:
    """In place of a ModuleTracker, which fails where a forward is given parameters."""

    parents = ("Global",)

    def __enter__(self) -> None: ...

    def __exit__(self, *_: Any) -> None: ...


@contextmanager
def _slow_path() -> Any:
    # nn.TransformerEncoder's fast path is one operator of the whole layer, which nobody counts
    kept = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(kept)


def _product(a: Tensor, b: Tensor) -> int:
    """FLOPs of [.., m, k] x [.., k, n], of a matrix by a vector, or of two vectors.

    A sparse operand's stored elements multiply; a complex product is four real ones, which
    FlopCounterMode takes as one (its formulas see shapes alone).
    """
    columns = b.shape[-1] if b.dim() > 1 else 1
    rows = a.shape[-2] if a.dim() > 1 else 1
    if a.layout != torch.strided and b.layout != torch.strided:
        macs = int((_stored(a) @ _stored(b)).sum())  # a stored one meets those of b's row
    elif a.layout != torch.strided:
        macs = a._nnz() * columns
    elif b.layout != torch.strided:
        macs = b._nnz() * rows
    else:
        macs = a.numel() * columns
    return 2 * macs * (4 if a.is_complex() and b.is_complex() else 1)


def _stored(a: Tensor) -> Tensor:
    """1 where an element is stored, in a dense matrix."""
    ones = torch.sparse_coo_tensor(
        a.to_sparse_coo().coalesce().indices(),
        torch.ones(a._nnz()),
        a.shape,
        check_invariants=False,
    )
    return ones.to_dense()


def _two(a: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    return _product(a, b)


def _biased(bias: Tensor, a: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    return _product(a, b)


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Scores of width E, then of width V: the full square."""
    scores = query.numel() // query.shape[-1] * key.shape[-2]
    return 2 * scores * (query.shape[-1] + value.shape[-1])


def _recurrent_layer(x: Tensor, of_input: Tensor, of_state: Tensor, *_: Any, **__: Any) -> int:
    """One layer and direction of an LSTM, [steps, batch, width]: all gates at once, each step."""
    return 2 * x.shape[0] * x.shape[1] * (of_input.numel() + of_state.numel())


def _grouped(a: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    """[rows, k] x [groups, k, n]: a row meets one group's matrix."""
    if (a.dim(), b.dim()) != (2, 3):
        raise NotImplementedError(f"a grouped product of {a.dim()} and {b.dim()} axes")
    return 2 * a.shape[0] * a.shape[1] * b.shape[2]


def _bilinear(a: Tensor, weight: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    """ATen's Linear.cpp contracts [n, in1] with [out, in1, in2], and what that gives with in2."""
    outputs, width, other = weight.shape
    return 2 * (a.numel() // width) * outputs * (width * other + other)


def _distances(x: Tensor, y: Tensor, *_: Any, **__: Any) -> int:
    return 2 * x.numel() * y.shape[-2]


def _conv_over_time(x: Tensor, weight: Tensor, *_: Any, out_val: Tensor, **__: Any) -> int:
    """Weight [kernel, in, out]."""
    return 2 * out_val.numel() * weight.shape[0] * weight.shape[1]


# what FlopCounterMode of torch 2.13 leaves at 0, or takes otherwise than docs/conventions.md;
# docs/coverage.md has the list with the reasons
_FORMULAS: dict[Callable[..., int], tuple[Any, ...]] = {
    _two: (aten.mm, aten.bmm, aten.mv, aten.dot, aten.vdot, aten._int_mm, aten._sparse_mm,
           aten._sparse_sparse_matmul),
    _biased: (
        aten.addmm, aten.baddbmm, aten.addbmm, aten.addmv, aten._addmm_activation,
        aten._sparse_addmm,
    ),
    _attention: (aten._scaled_dot_product_flash_attention_for_cpu,),
    _recurrent_layer: (aten.mkldnn_rnn_layer,),
    _grouped: (aten._grouped_mm,),
    _bilinear: (aten._trilinear,),
    _distances: (aten._euclidean_dist,),
    _conv_over_time: (aten.conv_tbc,),
}  # fmt: skip
HOLES: dict[Any, Callable[..., int]] = {
    operator: formula for formula, operators in _FORMULAS.items() for operator in operators
}
for _formula in _FORMULAS:
    _formula._get_raw = True  # type: ignore[attr-defined]  # it takes tensors, not shapes
