"""A backward pass through a call's graph, told from a result's node down before it has run."""

from typing import Any

from flopledger.counting.dispatch.autograd_graph import Unknown, products_of
from flopledger.metering.asked_gradients import Asked, all_asked
from flopledger.metering.nodes import COMPILED, HIDDEN, along, shape_into, sort_of, that_run
from flopledger.metering.signature import Signature

_MOST = 64  # passes that a signature remembers: by what they ask for
_ANOTHER = -1  # in place of a node's number: it was not followed along a way


class BackwardPass:
    """One pass of the engine over the nodes that a call made.

    Where the graph is as it was when a way through it was found, and the pass asks for the same
    gradients of nodes of the same shapes, it costs what it cost then.
    """

    __slots__ = ("_by", "_high", "_low", "_met", "_signature")

    def __init__(self, signature: Signature, low: int, high: int) -> None:
        self._signature, self._low, self._high = signature, low, high
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
        known = self._by_way(root)
        if known is None:
            self._by = (*self._by, _ANOTHER)
            known = self._by_graph(root)
        return known

    def _by_way(self, root: Any) -> tuple[int, list[Any]] | None:
        signature, low, by = self._signature, self._low, self._by
        if _ANOTHER in by:
            return None
        graph = self._high - low, by
        way = signature.family.way(graph, root, low, self._high, self._met)
        if way is None:
            return None
        found = along(way, root, low)
        if found is None:
            signature.family.lost(graph, root, low, self._high, self._met)
            return None
        self._met = self._met | way.numbers if self._met else way.numbers
        nodes, edges, asked = found
        if not signature.keeps_nodes():
            return _work(nodes, edges, asked)
        key = graph, tuple(asked)
        known = signature.passes.get(key)
        if known is not None and nodes:
            # the shape of one is read, which takes as long as all else: of another in each pass
            place = signature.backwards % len(nodes)
            if shape_into(nodes[place]) != known[0][place]:
                signature.suspects()
                return _work(nodes, edges, asked)
        if known is not None:
            return known[1], [nodes[place] for place in known[2]]
        macs, later = _work(nodes, edges, asked)
        if len(signature.passes) < _MOST:
            places = [nodes.index(node) for node in later]
            signature.passes[key] = [shape_into(node) for node in nodes], macs, places
        return macs, later

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
