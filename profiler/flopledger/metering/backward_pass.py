"""A backward pass through a call's graph, told from a result's node down before it has run."""

from typing import Any

from flopledger.counting.dispatch.autograd_graph import Unknown, products_of
from flopledger.metering.alike_passes import AlikePasses
from flopledger.metering.asked_gradients import Asked, all_asked, runs_all
from flopledger.metering.nodes import (
    COMPILED,
    HIDDEN,
    Way,
    along,
    shape_into,
    sort_of,
    that_run,
)
from flopledger.metering.signature import Signature

_MOST = 64  # passes that a signature remembers: by what they ask for
_ANOTHER = -1  # in place of a node's number: it was not followed along a way


class BackwardPass:
    """One pass of the engine over the nodes that a call made.

    Where the graph is as it was when a way through it was found, and the pass asks for the same
    gradients of nodes of the same shapes, it costs what it cost then. Once many in a row did that
    ran the whole of their graphs, one of several is followed, and the others are taken for such as
    it if they run all of as many nodes with the same weights trained, and the graph goes on below
    the result as it did.
    """

    __slots__ = ("_by", "_high", "_low", "_met", "_signature", "_trained")

    def __init__(
        self, signature: Signature, low: int, high: int, trained: tuple[bool, ...] | None
    ) -> None:
        self._signature, self._low, self._high = signature, low, high
        self._trained = trained
        self._by: tuple[int, ...] = ()  # numbers of the nodes by which it came
        self._met: frozenset[int] = frozenset()

    def has(self, node: Any) -> bool:
        """Whether what it runs from that node down is told."""
        return node._sequence_nr() - self._low in self._met

    def told(self, root: Any) -> tuple[int, list[Any]] | None:
        """What it runs from that node down, and was not told before.

        Returns:
            Its MACs, and nodes which hide theirs; None where compiled code is among it.
        """
        self._by = (*self._by, root._sequence_nr() - self._low)
        alike = self._signature.alike.get((self._high - self._low, self._by, self._trained))
        if alike is not None and not runs_all():
            alike = None
        if alike is not None and alike.take(root, self._low):
            self._met = self._met | alike.way.numbers if self._met else alike.way.numbers
            return alike.macs, []
        known = self._by_way(root, alike)
        if known is None:
            self._by = (*self._by, _ANOTHER)
            known = self._by_graph(root)
        return known

    def _by_way(self, root: Any, alike: AlikePasses | None) -> tuple[int, list[Any]] | None:
        signature, low = self._signature, self._low
        if _ANOTHER in self._by:
            return None
        graph = self._high - low, self._by
        way = signature.family.way(graph, root, low, self._high, self._met)
        if way is None:
            return None
        found = along(way, root, low)
        if found is None:
            signature.is_unlike(alike)
            signature.family.lost(graph, root, low, self._high, self._met)
            return None
        self._met = self._met | way.numbers if self._met else way.numbers
        if not signature.keeps_nodes():
            return _work(*found)
        key = graph, tuple(found[2])
        known = signature.passes.get(key)
        if known is None:
            signature.is_unlike(alike)
            return self._first(key, *found)
        (shapes, macs, places), nodes = known, found[0]
        if nodes:
            # to read one shape takes as long as all else: of another node in each pass
            some = [signature.backwards % len(nodes)]
            read = range(len(nodes)) if alike is not None and alike.are_enough() else some
            if any(shape_into(nodes[place]) != shapes[place] for place in read):
                signature.is_unlike(alike)
                signature.suspects()
                return _work(*found)
        if not places and self._trained is not None and runs_all():
            self._is_like(alike, way, key, macs)
        return macs, [nodes[place] for place in places]

    def _first(
        self, key: Any, nodes: list[Any], edges: list[Any], asked: list[Any]
    ) -> tuple[int, list[Any]]:
        """That of the first pass that asks for this."""
        macs, later = _work(nodes, edges, asked)
        passes = self._signature.passes
        if len(passes) < _MOST:
            places = [nodes.index(node) for node in later]
            passes[key] = [shape_into(node) for node in nodes], macs, places
        return macs, later

    def _is_like(self, alike: AlikePasses | None, way: Way, asked: Any, macs: int) -> None:
        """It ran the whole graph, and hid nothing of it."""
        signature = self._signature
        if alike is None or alike.way is not way or alike.asked != asked:
            if alike is not None:
                signature.is_unlike(alike)
            if len(signature.alike) >= _MOST:
                return
            alike = AlikePasses(way, asked, macs, signature.alike_from)
            signature.alike[self._high - self._low, self._by, self._trained] = alike
        alike.add()

    def _by_graph(self, root: Any) -> tuple[int, list[Any]] | None:
        met = set(self._met)
        found = that_run(root, self._low, self._high, met)
        self._met = frozenset(met)
        if any(sort is COMPILED for _, _, sort in found):
            return None
        nodes, edges = [node for node, _, _ in found], [edges for _, edges, _ in found]
        return _work(nodes, edges, [all_asked(edges_of) for edges_of in edges])


def _work(nodes: list[Any], edges: list[Any], asked: list[Any]) -> tuple[int, list[Any]]:
    """MACs of the nodes that show them, and those that do not and run."""
    macs, later = 0, []
    for node, edges_of, asked_of in zip(nodes, edges, asked, strict=True):
        hidden = sort_of(type(node), node) is HIDDEN
        told = None if hidden else shown(node, edges_of, asked_of)
        if told is not None:
            macs += told
        elif any(asked_of):
            later.append(node)
    return macs, later


def shown(node: Any, edges: Any, asked: Any) -> int | None:
    """MACs of a node that is going to run, of gradients that are asked for; None if it hides them.

    Args:
        node: takes products.
        edges: of it.
        asked: of each edge, whether its gradient is.
    """
    try:
        return products_of(Asked(node, edges, asked) if False in asked else node)
    except Unknown:
        return None
