"""What nodes of an autograd graph are to a count, and which of them a backward pass will run."""

import threading
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import torch
from torch import Tensor

from flopledger.counting.dispatch.autograd_graph import hides, multiplies
from flopledger.metering.asked_gradients import asks_for

# nodes take no products, take such as their shapes tell, are code of others or parts of another
# node, or are of compiled code, whose kernels no dispatcher sees
PLAIN, SHOWN, HIDDEN, COMPILED = "plain", "shown", "hidden", "compiled"
_goes_on_to = torch._C._will_engine_execute_node
_LEAF: Any = torch._C._functions.AccumulateGrad  # type: ignore[attr-defined]
_DEEP = 12  # steps
_PART = 16  # of many nodes, one in so many is a step
_sorts: dict[type, str] = {}


Ends = tuple[bool, ...]  # whether each of a node's edges leads to a node, no leaf; () of one edge


class Way(NamedTuple):
    """From a result's node down to every node that takes products.

    Attributes:
        steps: each a node that takes products, leads on to some, or might: where among them the
            one before it stands, by which of its edges it comes, what it is, its number from the
            call's first, its sort, and where its edges lead.
        numbers: of them all, from the call's first.
        down: by which edges one comes some steps down, each towards the most nodes; with where the
            edges of the one before lead.
        end: what it is, its number, and the same of its edges.
    """

    steps: tuple[tuple[int, int, Any, int, str, Ends], ...]
    numbers: frozenset[int]
    down: tuple[tuple[int, Ends], ...]
    end: tuple[Any, int, Ends]


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


class _Lender(threading.local):
    """A tensor for each thread, whose hooks are lent to nodes."""

    def __init__(self) -> None:
        with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
            self.tensor: Any = Tensor()


_lender = _Lender()


def when_met(node: Any, several: bool, hears: Callable[[Any], None]) -> None:
    """Have a node tell when a pass comes to it, with what gradients it is given.

    Args:
        node: a result's.
        several: whether it may have made several results, all of whose gradients are to be told.
        hears: is called before the node runs; where it made one result, also by a pass that asks
            for what comes to the node and does not run it.
    """
    if several:
        node.register_prehook(hears)
        return
    lent = _lender.tensor  # as a tensor's hooks are hung on, which takes a third of the time
    lent._backward_hooks = {0: hears}
    node._register_hook_dict(lent)
    lent._backward_hooks = None


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
        cut = any(end is None for end, _ in node.next_functions)
        back = place if cut or sort is not PLAIN else 0
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
        kind, ends = type(node), _ends(node.next_functions)
        number, sort = node._sequence_nr() - low, sort_of(kind, node)
        way.append((kept.get(before, -1), edge, kind, number, sort, ends))
    numbers = frozenset([number for _, _, _, number, _, _ in way])
    return Way(tuple(way), numbers, *_down(nodes, steps, low))


def _down(
    nodes: list[Any], steps: list[tuple[int, int]], low: int
) -> tuple[tuple[tuple[int, Ends], ...], tuple[Any, int, Ends]]:
    """The way down on which most lies: where a body is cut off, and no weight of a head's."""
    below, heaviest = [1] * len(nodes), dict[int, int]()
    for place in range(len(nodes) - 1, 0, -1):
        before, _ = steps[place]
        below[before] += below[place]
        if below[place] >= below[heaviest.get(before, place)]:
            heaviest[before] = place
    place, down = 0, list[tuple[int, Ends]]()
    while place in heaviest and len(down) < max(_DEEP, len(nodes) // _PART):
        ends, place = _ends(nodes[place].next_functions), heaviest[place]
        down.append((steps[place][1], ends))
    last = nodes[place]
    return tuple(down), (type(last), last._sequence_nr() - low, _all_ends(last.next_functions))


def _ends(edges: Any) -> Ends:
    return () if len(edges) == 1 else _all_ends(edges)


def _all_ends(edges: Any) -> Ends:
    return tuple([end is not None and type(end) is not _LEAF for end, _ in edges])


def leads_down(way: Way, root: Any, low: int) -> bool:
    """Whether the graph goes on, some steps below, as it did when the way was found."""
    node: Any = root
    for edge, ends in way.down:
        edges = node.next_functions
        if edge >= len(edges) or _ends(edges) != ends:
            return False
        node = edges[edge][0]
        if node is None:
            return False
    return (type(node), node._sequence_nr() - low, _all_ends(node.next_functions)) == way.end


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
    for before, edge, kind, number, sort, ends in way.steps:
        if before >= 0:
            edges = every[before]
            if edge >= len(edges):
                return None
            node = edges[edge][0]
        if type(node) is not kind or node._sequence_nr() != low + number:
            return None
        edges = node.next_functions
        every.append(edges)
        if len(edges) > 1 and _ends(edges) != ends:
            return None
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
