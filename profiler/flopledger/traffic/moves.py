"""How many bytes a stretch of a pass moves: operator by operator, or as one kernel."""

from collections.abc import Iterable, Sequence

import torch

from flopledger.counting.dispatch.accesses import Access, Accesses, Extent


class Moves:
    """Bytes of stretches of one pass.

    Args:
        accesses: of the whole pass.
        own: a dtype of its tensors.
        taken: the dtype that these are taken in instead.
    """

    def __init__(self, accesses: Accesses, own: torch.dtype, taken: torch.dtype) -> None:
        self._accesses, self._own, self._taken = accesses, own, taken
        self._last_read = {
            extent.storage: index
            for index, access in enumerate(accesses.all)
            for extent in access.reads
        }

    def by_operator(self, access: Access) -> int:
        """What one operator reads and writes."""
        return self._once(access.reads) + self._once(access.writes)

    def by_kernel(self, first: int, stretch: Sequence[Access]) -> tuple[int, int]:
        """What is moved where a stretch of the pass is one kernel; and of it, parameters.

        It reads what it did not make itself, each part once, and writes what is read after it or
        outlives the pass.

        Args:
            first: where in the pass the stretch begins.
            stretch: its accesses.
        """
        end = first + len(stretch)
        made, reads, writes = set[int](), list[Extent](), list[Extent]()
        for access in stretch:
            reads += [extent for extent in access.reads if extent.storage not in made]
            writes += access.writes
            made |= {extent.storage for extent in access.writes}
        handed_on = [
            extent
            for extent in writes
            if extent.storage in self._accesses.kept
            or self._last_read.get(extent.storage, -1) >= end
        ]
        params = [extent for extent in reads if extent.storage in self._accesses.params]
        return self._once(reads) + self._once(handed_on), self._once(params)

    def _once(self, extents: Iterable[Extent]) -> int:
        """Their bytes, each part once, and no more of a storage than it has."""
        elements, sizes = dict[int, int](), dict[int, int]()
        for extent in dict.fromkeys(extents):
            elements[extent.storage] = elements.get(extent.storage, 0) + extent.elements
            size = self._taken if extent.dtype is self._own else extent.dtype
            sizes[extent.storage] = size.itemsize
        whole = self._accesses.elements
        return sum(min(count, whole[at]) * sizes[at] for at, count in elements.items())
