"""What nodes of an autograd graph are to a count, and which of them a backward pass will run."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import torch

from flopledger.counting.dispatch.autograd_graph import hides, multiplies
from flopledger.metering.asked_gradients import asks_for

# nodes take no products, take such as their shapes tell, are code of others or parts of another
# node, or are of compiled code, whose kernels no dispatcher sees
PLAIN, SHOWN, HIDDEN, COMPILED = "plain", "shown", "hidden", "compiled"
_goes_on_to = torch._C._will_engine_execute_node
_sorts: dict[type, str] = {}


class Way(NamedTuple):
    """From a result's node down to every node that takes products.

    Attributes:
        steps: each a node that leads on to products or takes some: where among them the one before
            it stands, by which of its edges it comes, what it is, its number from the call's first,
            and its sort.
        numbers: of them all, from the call's first.
    """

    steps: tuple[tuple[int, int, Any, int, str], ...]
    numbers: frozenset[int]


def sort_of(kind: type, node: Any) -> str:
    """What a node of that class is to a count, asked once."""
    known = _sorts.get(kind)
    if known is None:
        if kind.__name__ == "CompiledFunctionBackward":
            known = COMPILED
        elif hides(node):
            known = HIDDEN
        else:
            known = SHOWN if multiplies(node) else PLAIN
        _sorts[kind] = known
    return known


def once(node: Any, hears: Callable[[Any], None]) -> None:
    """Have a node of the pass under way tell when it runs, this time."""
    handles = list[Any]()

    def run(gradients: Any) -> None:
        handles.pop().remove()
        hears(gradients)

    handles.append(node.register_prehook(run))


def that_run(root: Any, low: int, high: int, met: set[int]) -> list[tuple[Any, Any, str]]:
    """Nodes but plain ones that the pass under way will run, from a running one down.

    Args:
        root: runs.
        low: the number of the first node that is meant.
        high: the number after the last.
        met: numbers, from `low`, of nodes that are known, with all that they lead to; is told of
            these.

    Returns:
        Each with its edges and its sort.
    """
    found, waiting = [], [root]
    met.add(root._sequence_nr() - low)
    while waiting:
        node = waiting.pop()
        edges, sort = node.next_functions, sort_of(type(node), node)
        if sort is not PLAIN:
            found.append((node, edges, sort))
        for following, _ in edges:
            if (
                following is not None
                and low <= (number := following._sequence_nr()) < high
                and number - low not in met
                and _goes_on_to(following)
            ):
                met.add(number - low)
                waiting.append(following)
    return found


def way_from(root: Any, low: int, high: int, met: Collection[int]) -> Way | None:
    """How to come to every node that takes products; None where compiled code does.

    Args:
        root: a result's node.
        low: the number of the first node that is meant.
        high: the number after the last.
        met: numbers, from `low`, of nodes that another way comes to.
    """
    nodes, steps = list[Any]([root]), [(-1, 0)]
    known = {root._sequence_nr() - low, *met}
    leads = {0}  # places of what is on the way to one
    for place, node in enumerate(nodes):  # which grows
        sort = sort_of(type(node), node)
        if sort is COMPILED:
            return None
        back = place if sort is not PLAIN else 0
        while back not in leads:
            leads.add(back)
            back = steps[back][0]
        for edge, (following, _) in enumerate(node.next_functions):
            if following is None or not low <= (number := following._sequence_nr()) < high:
                continue
            if number - low not in known:
                known.add(number - low)
                nodes.append(following)
                steps.append((place, edge))
    kept = {place: index for index, place in enumerate(sorted(leads))}
    way = []
    for place in kept:
        (before, edge), node = steps[place], nodes[place]
        kind = type(node)
        way.append(
            (kept.get(before, -1), edge, kind, node._sequence_nr() - low, sort_of(kind, node))
        )
    return Way(tuple(way), frozenset([number for _, _, _, number, _ in way]))


def along(way: Way, root: Any, low: int) -> tuple[list[Any], ...] | None:
    """Nodes on a way that take products, if the graph is as it was when the way was found.

    Of nodes that only lead on it is not asked whether the pass under way runs them: it is those
    below that count, however the pass comes to them.

    Returns:
        The nodes; their edges; and of each edge whether the pass asks for its gradient, None where
        it leads nowhere. None where the graph is another.
    """
    every, nodes, edges_of, asked = [list[Any]() for _ in range(4)]
    node: Any = root
    for before, edge, kind, number, sort in way.steps:
        if before >= 0:
            edges = every[before]
            if edge >= len(edges):
                return None
            node = edges[edge][0]
        if type(node) is not kind or node._sequence_nr() != low + number:
            return None
        edges = node.next_functions
        every.append(edges)
        if sort is PLAIN:
            continue
        nodes.append(node)
        edges_of.append(edges)
        try:
            asked.append(tuple([end and _goes_on_to(end) for end, _ in edges]))
        except RuntimeError:  # a leaf, as asks_for has it
            asked.append(tuple([end and asks_for(end) for end, _ in edges]))
    return nodes, edges_of, asked


def shape_into(node: Any) -> Any:
    """The shape of what flows into a node; None where it does not show its work, or has none."""
    if sort_of(type(node), node) is not SHOWN:
        return None
    try:
        return node._input_metadata[0].shape
    except RuntimeError:  # of a nested tensor
        return None
