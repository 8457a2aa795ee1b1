"""What each operator of a pass reads and writes: parts of storages, by where they lie."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from flopledger.calls import OpCall
from flopledger.counting.shapes.operators import Operator
from flopledger.counting.structure.met_params import key_of
from flopledger.counting.structure.sparse_tensors import is_sparse
from flopledger.counting.structure.wrapped import is_nested

# of their first argument they read as many elements as they give back
_GATHER = frozenset({"embedding", "index_select", "index", "gather", "take", "take_along_dim"})
# into their first argument they write as many elements as their last has, and leave the others
_SCATTER = frozenset(
    {"index_copy_", "index_put_", "_index_put_impl_", "index_add_", "scatter_", "scatter_add_"}
)
_OVERWRITE = frozenset({"copy_", "fill_", "zero_", "normal_", "uniform_", "bernoulli_"})
# a matrix for each group of rows: of those, not more than there are rows
_GROUPED = frozenset({"_grouped_mm", "grouped_mm", "_scaled_grouped_mm"})


class Extent(NamedTuple):
    """A part of a storage.

    Attributes:
        storage: its number, in the order in which storages were met.
        part: where it lies there: what is read twice at one place is one part.
        elements: how many it has.
        dtype: of its elements.
    """

    storage: int
    part: tuple[Any, ...]
    elements: int
    dtype: torch.dtype


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What one operator call reads and writes.

    Attributes:
        call: the call.
        reads: what it reads.
        writes: what it writes.
    """

    call: OpCall
    reads: tuple[Extent, ...]
    writes: tuple[Extent, ...]


@dataclass(kw_only=True)
class Accesses:
    """Those of a whole pass, in its order.

    Attributes:
        all: each operator's that moves anything.
        params: the numbers of the storages that hold the network's parameters.
        kept: the numbers of those that outlive the pass: outputs, gradients, what was there before.
        elements: of each storage, by its number.
        unknown: operators whose tensors lie in no plain storage (sparse, nested): their bytes are
            not among the others.
    """

    all: list[Access] = field(default_factory=list)
    params: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    elements: dict[int, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    _numbers: dict[int, int] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)  # so that no other takes its address

    def begin(self, params: Iterable[Tensor]) -> None:
        """Say which tensors are the network's parameters."""
        self.params |= {self._number(tensor) for tensor in params if _plain(tensor)}

    def keep(self, tensors: Iterable[Tensor]) -> None:
        """Say which tensors outlive the pass."""
        self.kept |= {self._number(tensor) for tensor in tensors if _plain(tensor)}

    def note(
        self, call: OpCall, operator: Operator, given: Sequence[Tensor], made: Sequence[Tensor]
    ) -> None:
        """Write down what a call moves, of what it was given and made."""
        if not all(map(_plain, (*given, *made))):
            self.unknown[call.op] = self.unknown.get(call.op, 0) + 1
            return
        name = operator.name.partition("::")[2]
        before = {key_of(tensor) for tensor in given}
        looks = operator.view or (
            operator.free and not name.endswith("_") and {key_of(t) for t in made} <= before
        )
        if looks and made:
            return
        for tensor in made:  # written in place, and not made by this pass: it was there before
            if key_of(tensor) in before and key_of(tensor) not in self._numbers:
                self.kept.add(self._number(tensor))
        reads, writes = self._moved(name, list(given), list(made))
        if reads or writes:
            self.all.append(Access(call=call, reads=tuple(reads), writes=tuple(writes)))

    def touched(self) -> dict[int, tuple[int, int]]:
        """Of each storage, by its key, how many elements are read and written, each part once."""
        reads, writes = Counter[int](), Counter[int]()
        for extent in {extent for access in self.all for extent in access.reads}:
            reads[extent.storage] += extent.elements
        for extent in {extent for access in self.all for extent in access.writes}:
            writes[extent.storage] += extent.elements
        return {key: (reads[number], writes[number]) for key, number in self._numbers.items()}

    def _moved(
        self, name: str, given: list[Tensor], made: list[Tensor]
    ) -> tuple[list[Extent], list[Extent]]:
        if name.startswith("new_") or name.endswith("_like"):
            given = []
        if name.startswith(("empty", "new_empty")):
            return [], [extent._replace(elements=0) for extent in self._extents(made)]
        if name in _OVERWRITE:
            return self._extents(given[1:]), self._extents(made)
        if name in _GATHER and made:
            table, rest = given[0], given[1:]
            return (
                [self._part(table, made[0].numel()), *self._extents(rest)],
                self._extents(made),
            )
        if name in _SCATTER:
            return self._extents(given[1:]), [self._part(made[0], given[-1].numel())]
        if name in _GROUPED and len(given) > 1 and given[1].dim() > given[0].dim():
            rows, matrices = given[0].shape[0], given[1]
            several = min(rows, matrices.shape[0]) * prod(matrices.shape[1:])
            rest = [given[0], *given[2:]]
            return [self._part(matrices, several), *self._extents(rest)], self._extents(made)
        return self._extents(given), self._extents(made)

    def _extents(self, tensors: Iterable[Tensor]) -> list[Extent]:
        extents = []
        for tensor in tensors:
            place = _place(tensor)
            elements = prod(size for _, size in place) if tensor.numel() else 0
            part = (tensor.storage_offset(), place)
            extents.append(Extent(self._number(tensor), part, elements, tensor.dtype))
        return extents

    def _part(self, tensor: Tensor, most: int) -> Extent:
        """Some of a tensor's elements, at no known place."""
        (whole,) = self._extents([tensor])
        return whole._replace(part=(len(self.all),), elements=min(whole.elements, most))

    def _number(self, tensor: Tensor) -> int:
        key = key_of(tensor)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            storage = tensor.untyped_storage()
            self._alive.append((storage, tensor if not tensor.is_meta else None))
            self.elements[self._numbers[key]] = storage.nbytes() // tensor.element_size()
        return self._numbers[key]


def _plain(tensor: Tensor) -> bool:
    return not (is_sparse(tensor) or is_nested(tensor))


def _place(tensor: Tensor) -> tuple[tuple[int, int], ...]:
    """Its (stride, size) pairs, however its axes are ordered, cut or repeated."""
    axes = sorted(
        (stride, size)
        for stride, size in zip(tensor.stride(), tensor.shape, strict=True)
        if stride and size != 1
    )
    joined: list[tuple[int, int]] = []
    for stride, size in axes:
        if joined and joined[-1][0] * joined[-1][1] == stride:
            joined[-1] = (joined[-1][0], joined[-1][1] * size)
        else:
            joined.append((stride, size))
    return tuple(joined)
