"""Signature: calls of one module that should cost the same; Family: all of one module's."""

from typing import Any

import torch
from torch import Tensor, nn

from flopledger.counting.samples import samples_of
from flopledger.counting.structure.layers import Watch
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.wrapped import shape_of
from flopledger.metering.alike_passes import ALIKE_FROM, AlikePasses
from flopledger.metering.call_key import physical
from flopledger.metering.nodes import Way, way_from
from flopledger.metering.shape_law import Laws, Place
from flopledger.metering.watched_call import WatchedCall
from flopledger.metering.weights import Weights

_AGAIN = tuple([2 * 4**k for k in range(31)])  # calls that are watched again, ever fewer
_MOST_WAYS = 64  # that are kept of a family: a graph that is never alike has no use for them
_EARLY = frozenset({2, 8})
_FEW = 4
_ENOUGH = 16  # calls watched again that cost what they should, after which early ones are let off

Graph = tuple[int, tuple[int, ...]]  # its number of nodes, and by which of them a pass came


class Samples:
    """Of calls or of backward passes that were watched: their number, mean, least and most."""

    __slots__ = ("high", "low", "number", "total")

    def __init__(self) -> None:
        self.number, self.total = 0, 0
        self.low: int | None = None
        self.high: int | None = None

    def add(self, value: int) -> None:
        """One more."""
        self.low = value if self.low is None else min(self.low, value)
        self.high = value if self.high is None else max(self.high, value)
        self.number += 1
        self.total += value

    @property
    def mean(self) -> float | None:
        """A whole number where all are the same; None of none."""
        if self.low == self.high:
            return self.low
        return self.total / self.number

    @property
    def varies(self) -> bool:
        """Whether they differ."""
        return self.low != self.high


class Family:
    """All signatures of one module in one mode.

    Attributes:
        size: how many they are.
        held: calls watched again, one after the other, that cost what the first of theirs did.
        plain: backward passes watched, one after the other, that computed nothing again.
        laws: of what its calls cost by their shapes.
    """

    __slots__ = ("_lost", "_ways", "held", "laws", "plain", "size")

    def __init__(self) -> None:
        self.size = self.held = self.plain = 0
        self.laws = Laws()
        self._ways: dict[Graph, Way | None] = {}
        self._lost: dict[Graph, int] = {}

    def way(self, graph: Graph, *of: Any) -> Way | None:
        """The way through such a graph; None where there is none, or never the same for long.

        Args:
            graph: its number of nodes, and those of the results by which the pass came.
            of: as `way_from`.
        """
        if graph in self._ways:
            return self._ways[graph]
        if len(self._ways) >= _MOST_WAYS:
            return None
        way = self._ways[graph] = way_from(*of)
        return way

    def lost(self, graph: Graph, *of: Any) -> None:
        """The graph has changed: the way is looked for anew, but not for ever."""
        lost = self._lost[graph] = self._lost.get(graph, 0) + 1
        self._ways[graph] = way_from(*of) if lost < _ENOUGH else None


class Signature:
    """Calls of one module with inputs of the same shapes and dtypes, in the same mode.

    Attributes:
        again: whether they were made during a backward pass, to recompute (checkpointing).
        calls: how many there were, failed ones left out.
        samples: of one call.
        tokens: positions in one call's token ids; None without any.
        products: MACs of the watched calls by the dtype of what was multiplied.
        macs: of all calls, each as watched or else the mean of those watched before it.
        other_flops: as macs.
        unwatched: calls whose macs are not known.
        backwards: runs of the backward pass that reached one of them.
        backward_macs: of what these ran.
        unknown_backwards: parts of these whose MACs are not known.
        recomputed: MACs that backward passes spent on computing again what lies within the calls;
            its samples are those of backward passes that were watched.
        cost: MACs and other FLOPs of a call that is not watched: the mean of those that were; of
            none what the law of other shapes tells.
        places: where it stands in its family's laws.
        varies: whether calls of it were seen to cost differently: then each one is watched.
        watch_at: no call before this, from 1, needs to be watched.
        single: of a call with one tensor and nothing else, in no other metered call: the module's
            name and mode, whether gradients were enabled, and the tensor's shape, dtype and
            requires_grad.
        sizes: of its calls' graphs, in nodes; with how many times as many calls as usual are to be
            watched when one comes again, 0 if it need not be.
        suspect: the last call to be watched because one had a graph of another size.
        passes: of backward passes that asked for the same: shapes of the nodes that show their
            work, the MACs of these, and which do not; none are kept of a family of many shapes.
        alike: passes that ran whole graphs, by the number of their nodes, those of the results by
            which they came, and which weights were trained.
        alike_from: so many in a row as are followed first, before others are taken for such.
        weights: of the module; None until a call was watched.
        opaque: MACs of nodes of the graph that do not show their work, by node.
        elsewhere: whether part of its calls was seen to be done in other threads.
        may_repeat: whether nodes whose code is PyTorch's own may compute again: what the last call
            watched kept for them went through hooks, as in checkpointing, or none was watched.
        every_node: whether every node that takes products tells of itself: a backward pass was seen
            to begin within a call, to run compiled code, or to come with no gradient to a node.
        eager: MACs of a backward pass that was not compiled, by the number of weights it reached.
    """

    __slots__ = (
        "again", "alike", "alike_from", "backward_macs", "backwards", "calls", "cost", "eager",
        "elsewhere", "every_node", "failed", "family", "grad", "inside", "macs", "may_repeat",
        "name", "opaque", "other_flops", "other_watched", "passes", "places", "products",
        "recomputed", "recomputed_macs", "samples", "seconds", "shapes", "single", "sizes",
        "started", "suspect", "tokens", "training", "uncounted", "unknown_backwards", "unwatched",
        "varies", "want_eager", "watch_at", "watched", "weights",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        module: nn.Module,
        args: Any,
        kwargs: Any,
        inside: bool,
        family: Family,
        again: bool = False,
    ) -> None:
        given = args if not kwargs and len(args) == 1 else (args, kwargs)
        tensors = list(given) if type(given[0]) is Tensor else tensors_within(given)
        self.name, self.inside, self.family, self.again = name, inside, family, again
        self.training, self.grad = module.training, torch.is_grad_enabled()
        self.shapes = tuple((shape_of(t), str(t.dtype).removeprefix("torch.")) for t in tensors)
        self.samples = _samples(module, args, kwargs, tensors)
        self.tokens = _tokens(args, kwargs)
        self.calls = self.started = self.failed = self.unwatched = 0
        self.backwards = self.unknown_backwards = 0
        self.macs: float = 0
        self.other_flops: float = 0
        self.backward_macs: float = 0
        self.recomputed_macs: float = 0
        self.seconds = 0.0
        self.watched, self.other_watched, self.recomputed = Samples(), Samples(), Samples()
        self.cost: tuple[float | None, float | None] = None, None
        self.varies = False
        self.single: tuple[Any, ...] | None = None
        self.watch_at = self.suspect = 0
        self.sizes: dict[int, int] = {}
        family.size += 1
        self.passes: dict[Any, tuple[list[Any], int, list[int]]] = {}
        self.alike: dict[Any, AlikePasses] = {}
        self.alike_from = ALIKE_FROM
        self.weights: Weights | None = None
        self.opaque: dict[Any, Samples] = {}
        self.eager: dict[int, float] = {}
        self.want_eager = self.elsewhere = self.every_node = False
        self.may_repeat = True
        self.uncounted: set[str] = set()
        self.places: list[Place] = []
        self.products: dict[str, int] = {}

    def has_graph(self, size: int, watched: bool) -> None:
        """A call made that many nodes: if none that was watched did, the next few calls are.

        The more often one comes that is not among these, the more are.
        """
        times = self.sizes.get(size, 1)
        if not times or (size not in self.sizes and len(self.sizes) >= _ENOUGH):
            return
        known = watched or not self.sizes or times > _ENOUGH
        self.sizes[size] = 0 if known else 2 * times
        if not known:
            self.suspects(times)

    def suspects(self, times: int = 1) -> None:
        """Calls may not cost what they did: the next few are watched, or so many times as many."""
        self.suspect, self.watch_at = self.started + _FEW * times, 0
        self.alike.clear()

    def is_unlike(self, alike: AlikePasses | None) -> None:
        """A pass was followed that is none of those.

        If others were taken for such the more are followed before any is again, so that of what
        comes and goes for ever each is followed in the end.
        """
        if alike is not None and alike.are_enough():
            self.alike_from *= _FEW
        self.alike.clear()

    def stands_at(self, places: list[Place]) -> None:
        """Take what calls cost from the family's laws, if one tells."""
        self.places = places
        told = self.family.laws.told(places)
        if told is None:
            return
        self.cost, like = told
        self._is_like(like)

    def stands_for(self, alike: list["Signature"]) -> None:
        """Take what calls cost from those with other numbers or words, where that made none."""
        if len({signature.cost for signature in alike}) > 1:
            self.varies = True
        else:
            self.cost = alike[0].cost
            self._is_like(alike[0])

    def _is_like(self, like: "Signature") -> None:
        self.products, self.uncounted = dict(like.products), set(like.uncounted)
        self.every_node = self.every_node or like.every_node
        self.may_repeat = like.may_repeat

    def looks_back(self, watched: bool) -> bool:
        """Whether the backward pass of the call that ends is to be watched, for what it does again.

        Args:
            watched: whether the call was.
        """
        if self.started <= max(_EARLY) and self.family.plain >= _ENOUGH:
            return False
        return watched or not self.recomputed.number

    def keeps_nodes(self) -> bool:
        """Whether the graphs of its calls are alike, and of few enough shapes to be kept."""
        alike = not (self.varies or self.elsewhere)
        return alike and self.family.size <= _ENOUGH

    def trained(self) -> tuple[bool, ...] | None:
        """Of each weight, whether it wants a gradient; None where no weights are known."""
        return None if self.weights is None else self.weights.trained()

    def due(self, recount: int) -> bool:
        """Whether a call that has started, not before `watch_at`, is to be watched."""
        n = self.started
        if self.varies or self.want_eager or self.cost[0] is None or n <= self.suspect:
            self.watch_at = 0
            return True
        self.watch_at = min((n // recount + 1) * recount, next(m for m in _AGAIN if m > n))
        if n == 1:  # a law has told what it costs
            return recount == 1
        return n not in _EARLY or self.family.held < _ENOUGH or n % recount == 0

    def follows(self) -> bool:
        """Whether work that a call which is watched hands to other threads is looked for.

        Of many calls that hand on none it is in one of several: it takes as long as a small layer.
        """
        return self.elsewhere or self.watched.number < _FEW or not self.watched.number % _ENOUGH

    def add_watched(self, watched: WatchedCall) -> tuple[int, int]:
        """What a watched call did; returns its MACs and other FLOPs."""
        self.want_eager, self.may_repeat = False, watched.keeps_by_hooks
        before, macs, other = self.cost, watched.macs, watched.other_flops
        self.watched.add(macs)
        self.other_watched.add(other)
        self.elsewhere = self.elsewhere or watched.elsewhere
        self.uncounted |= watched.uncounted
        for dtype, part in watched.products.items():
            self.products[dtype] = self.products.get(dtype, 0) + part
        self.cost = self.watched.mean, self.other_watched.mean
        self.varies = self.watched.varies or self.other_watched.varies
        if self.varies:
            self.watch_at, self.family.laws.off = 0, True
        elif not self.elsewhere:
            self.family.laws.add(self.places, (macs, other), self)
        if before[0] is not None:
            self.family.held = self.family.held + 1 if before == self.cost else 0
        return macs, other


def _samples(module: nn.Module, args: Any, kwargs: Any, tensors: list[Tensor]) -> int:
    seen = Watch()
    first = next((tensor for tensor in tensors if tensor.dim()), None)
    if first is not None:
        seen.given[""] = shape_of(first)  # by the network itself, where it is a layer
    samples, _ = samples_of(module, (args, kwargs), seen)
    if first is not None and torch._C._functorch.is_functorch_wrapped_tensor(first):
        samples *= physical(first).numel() // max(first.numel(), 1)
    return samples


def _tokens(args: Any, kwargs: Any) -> int | None:
    """Positions of `input_ids`, or of the first argument if that is [batch, length] of integers."""
    ids = kwargs.get("input_ids", args[0] if args else None)
    if isinstance(ids, Tensor) and ids.dim() == 2 and not ids.is_floating_point():
        return ids.numel()
    embedded = kwargs.get("inputs_embeds")
    if isinstance(embedded, Tensor) and embedded.dim() == 3:
        return embedded.shape[0] * embedded.shape[1]
    return None
