"""What nodes of an autograd graph are to a count, and which of them a backward pass will run."""

from collections.abc import Callable
from typing import Any

import torch

from flopledger.counting.dispatch.autograd_graph import hides, multiplies

# nodes take no products, take such as their shapes tell, are code of others or parts of another
# node, or are of compiled code, whose kernels no dispatcher sees
PLAIN, SHOWN, HIDDEN, COMPILED = "plain", "shown", "hidden", "compiled"
_goes_on_to = torch._C._will_engine_execute_node
_sorts: dict[type, str] = {}

# on the way from a result's node down, each a node that leads on to products or takes some: where
# on the way the one before it stands, by which of its edges it comes, what it is, its number from
# the call's first, whether it takes products
Way = tuple[tuple[int, int, type, int, bool], ...]


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
        met: numbers of nodes that are known, with all that they lead to; is told of these.

    Returns:
        Each with its edges and its sort.
    """
    found, waiting = [], [root]
    met.add(root._sequence_nr())
    while waiting:
        node = waiting.pop()
        edges, sort = node.next_functions, sort_of(type(node), node)
        if sort is not PLAIN:
            found.append((node, edges, sort))
        for following, _ in edges:
            if (
                following is not None
                and low <= (number := following._sequence_nr()) < high
                and number not in met
                and _goes_on_to(following)
            ):
                met.add(number)
                waiting.append(following)
    return found


def way_from(root: Any, low: int, high: int) -> Way | None:
    """How to come to every node that takes products; None where one of them does not show them."""
    nodes, steps = list[Any]([root]), [(-1, 0)]
    met = {root._sequence_nr()}
    leads = set[int]()  # places of what is on the way to one
    for place, node in enumerate(nodes):  # which grows
        sort = sort_of(type(node), node)
        if sort is SHOWN:
            back = place
            while back not in leads:
                leads.add(back)
                back = steps[back][0] if back else 0
        elif sort is not PLAIN:
            return None
        for edge, (following, _) in enumerate(node.next_functions):
            if following is None or not low <= (number := following._sequence_nr()) < high:
                continue
            if number not in met:
                met.add(number)
                nodes.append(following)
                steps.append((place, edge))
    kept = {place: index for index, place in enumerate(sorted(leads | {0}))}
    way = []
    for place in kept:
        before, edge = steps[place]
        node = nodes[place]
        kind, number = type(node), node._sequence_nr() - low
        shown = sort_of(kind, node) is SHOWN
        way.append((kept.get(before, -1), edge, kind, number, shown))
    return tuple(way)


def along(way: Way, root: Any, low: int, met: set[int]) -> list[tuple[Any, Any, str]] | None:
    """As `that_run`, along a way; None where the graph or the pass is another.

    Of nodes that only lead on it is not asked whether the pass runs them: it is those below that
    count, however the pass comes to them.
    """
    found, numbers, edges_of = [], [], list[Any]()
    node: Any = root
    for before, edge, kind, offset, shown in way:
        number = low + offset
        if before >= 0:
            if edge >= len(edges_of[before]):
                return None
            node = edges_of[before][edge][0]
            if (
                node is None
                or node._sequence_nr() != number
                or (shown and not _goes_on_to(node))
                or type(node) is not kind
            ):
                return None
        edges = node.next_functions
        edges_of.append(edges)
        numbers.append(number)
        if shown and number not in met:
            found.append((node, edges, SHOWN))
    met.update(numbers)
    return found
