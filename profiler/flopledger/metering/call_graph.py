"""The backward pass that really ran: nodes of a call's autograd graph, as the engine runs them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from flopledger.counting.structure.leaves import tensors_within
from flopledger.metering.asked_gradients import all_asked
from flopledger.metering.backward_pass import BackwardPass, shown
from flopledger.metering.nodes import COMPILED, HIDDEN, PLAIN, once, sort_of, when_met
from flopledger.metering.signature import Samples, Signature
from flopledger.metering.sums import Sums, Thread
from flopledger.metering.work_recorder import WorkRecorder

_A_LEAFS = 2**64 - 1  # number: above all others
_grad_enabled = torch.is_grad_enabled
_current_node = torch._C._current_autograd_node
_current_pass = torch._C._current_graph_task_id
_is_batched = torch._C._functorch.is_legacy_batchedtensor
_next_number = torch._C._autograd._get_sequence_nr  # a thread numbers its nodes as it makes them


class CallGraph:
    """The nodes that one call made, and what backward passes run of them.

    A pass that comes by is met at the results' nodes, and followed from there along what the engine
    says that it will run: so every pass over the graph counts, and of each node those gradients
    that the pass asks for. A node costs what its shapes say. What a node does not show is watched
    through the dispatcher while it runs, in some passes, and in the others taken as then.

    Of a call that is watched every node that takes products tells when it runs, and every other as
    well where the forward pass showed that something may be computed again. So does every node that
    takes products where a pass is seen to begin within the call (a loss of features that were led
    out), or where gradients of gradients may be asked for.

    It holds no node, and hangs on them: a graph goes as soon as its program lets it go.

    Attributes:
        low: the number of the call's first node.
        high: the number after its last.
        recomputes: whether its nodes' own watch tells all that they compute again (checkpointing);
            where the call lies in what is computed again it is called once more, and that call
            tells of itself.
    """

    __slots__ = (
        "__weakref__", "_compiled", "_done", "_each", "_looks", "_mapped", "_pass", "_roots",
        "_signature", "_sums", "_thread", "_told", "_trained", "_watched", "_weights", "_whole",
        "high", "low", "recomputes",
    )  # fmt: skip

    def __init__(self, signature: Signature, sums: Sums, thread: Thread) -> None:
        self._signature, self._sums, self._thread = signature, sums, thread
        self.low = self.high = 0
        self.recomputes = True
        self._roots: tuple[int, ...] = ()  # numbers of the results' nodes
        self._weights = 0  # how many nodes of others these lead to
        self._looks = self._mapped = self._compiled = False
        self._watched = False  # whether every node is watched, for what it computes again
        self._each = False  # whether every node that takes products tells when it runs
        self._pass = -1  # the backward pass under way
        self._told: BackwardPass | None = None  # what of it is told
        self._trained: tuple[bool, ...] | None = None  # whether each weight was to be
        self._done: float = 0  # MACs in it
        self._whole = False  # whether all of it was added at once

    def follow(
        self, results: Sequence[Tensor], args: Any, low: int, watched: bool, mapped: bool
    ) -> None:
        """Hang on the nodes made since `low`, from these results down.

        Where other threads took part, which number their nodes as they like, it is all nodes down
        to those of the arguments.

        Args:
            results: of the call.
            args: of the call.
            low: the number of its first node.
            watched: whether the call was.
            mapped: whether its tensors are a mapped function's, whose shapes are not the real ones.
        """
        signature = self._signature
        self.low, self.high = low, _next_number()
        looks = signature.looks_back(watched)  # at what passes compute again, and where they begin
        self._looks, self._mapped = looks, mapped
        self._watched = looks and signature.may_repeat
        signature.has_graph(self.high - low, watched)
        if signature.elsewhere:
            given = {tensor.grad_fn for tensor in tensors_within(args)}
            self._weights = self._hang(_nodes(results), 0, _A_LEAFS, given)
            return
        if looks or mapped or signature.every_node:
            roots = {node for node in _nodes(results) if low <= node._sequence_nr() < self.high}
            self._roots = tuple([node._sequence_nr() for node in roots])
            self._weights = self._hang(roots, low, self.high)
            return
        self._trained = signature.trained()
        several = any(result.output_nr for result in results)
        for result in results:
            node = result.grad_fn
            if node is None:
                continue
            number = node._sequence_nr()
            if low <= number < self.high and number not in self._roots:
                self._roots = (*self._roots, number)
                when_met(node, several, self._enters)

    def _hang(
        self,
        nodes: Iterable[Any],
        low: int,
        high: int,
        stop: Collection[Any] = (),
        running: bool = False,
    ) -> int:
        """Have every node from these down tell when it runs.

        Args:
            nodes: to begin at.
            low: the number of the first that is meant.
            high: the number after the last.
            stop: nodes that are not meant.
            running: whether a pass is here already, which the results' nodes tell of.

        Returns:
            How many nodes of others (weights, inputs) these lead to.
        """
        self._each = True
        waiting, met, others = list(nodes), dict[Any, str](), set()
        roots = set(waiting)
        while waiting:
            node = waiting.pop()
            if node in met:
                continue
            if not low <= node._sequence_nr() < high or node in stop:
                others.add(node)
                continue
            met[node] = sort_of(type(node), node)
            waiting += [following for following, _ in node.next_functions if following is not None]
        sorts = set(met.values())
        self._compiled = self._compiled or COMPILED in sorts
        self._watched = self._watched or (self._looks and HIDDEN in sorts)
        for node, sort in met.items():
            if not (running and node._sequence_nr() in self._roots) and (
                sort is not PLAIN or self._watched or node in roots
            ):
                node.register_prehook(self._hears(sort))
        return len(others)

    def _hears(self, sort: str) -> Callable[[Any], None]:
        """What is called when a node of that sort begins to run."""
        if sort is COMPILED:
            return self._compiled_runs
        return self._passes if sort is PLAIN else self._runs

    def _enters(self, gradients: Any) -> None:
        """A pass comes by a result's node, which begins to run if the pass goes on from there."""
        try:
            node = _current_node()
            told = self._told if _current_pass() == self._pass else None
            if told is not None and told.has(node):
                return  # it lies below another result
            if not any(all_asked(node.next_functions)):
                return  # the pass asks for what comes to it, and ends here
            if gradients is None and sort_of(type(node), node) is not HIDDEN:
                return  # nothing comes to it, of which no node of torch's own makes anything
            self._mapped = self._mapped or _are_batched(gradients)
            if not self._each and (self._mapped or _grad_enabled() or not self._tells(node)):
                self._weights = self._hang([node], self.low, self.high, running=True)
            if self._each:
                self._hears(sort_of(type(node), node))(None)
        except Exception:  # no fault of ours is the network's
            self._spend(None)

    def _tells(self, root: Any) -> bool:
        """Add what the pass under way will run from that node down, if all of it can be told.

        What hides its work tells when it runs. Returns False where compiled code is among it, with
        nothing added.
        """
        again = self._begins() if _current_pass() != self._pass else None
        if self._told is None:
            self._told = BackwardPass(self._signature, self.low, self.high, self._trained)
        known = self._told.told(root)
        macs, later = known or (0, ())
        self._done += macs
        self._add(macs, again)
        if known is None:
            self._signature.every_node = True
            return False
        for node in later:
            if node is root:
                self._runs(None)
            else:
                once(node, self._runs)
        return True

    def _passes(self, _: Any) -> None:
        """A node begins to run that takes no products itself."""
        try:
            self._reached()
            if self._watched and not _grad_enabled():
                self._watch(_current_node(), None, second=False)
        except Exception:  # no fault of ours is the network's
            self._spend(None)

    def _runs(self, gradients: Any) -> None:
        """A node begins to run that takes products."""
        try:
            self._mapped = self._mapped or _are_batched(gradients)
            if _current_pass() != self._pass:
                self._reached()
            node = _current_node()
            second = _grad_enabled()  # gradients of its gradients may be asked for
            macs: float | None = None
            if not (self._mapped or sort_of(type(node), node) is HIDDEN):
                edges = node.next_functions
                nothing = bool(gradients) and all(gradient is None for gradient in gradients)
                if nothing:  # a Function's backward gave none on
                    self._signature.every_node = True
                macs = 0 if nothing else shown(node, edges, all_asked(edges))
            samples = None
            if macs is None:
                samples = self._seen_before(node)
                if samples.number and not (samples.varies or self._signature.varies):
                    macs = samples.mean
            if macs is not None:
                self._spend(macs)
                samples = None
            if samples is not None or second or self._watched:
                self._watch(node, samples, second)
        except Exception:  # no fault of ours is the network's
            self._spend(None)

    def _compiled_runs(self, _: Any) -> None:
        """Compiled code begins: it costs what a whole pass cost that was not compiled."""
        try:
            self._reached()
            whole = self._signature.eager.get(self._weights)
            if whole is not None and not self._whole:
                self._spend(whole - self._done)
            elif whole is None:
                self._signature.want_eager, self._signature.watch_at = True, 0
                self._spend(None)
            self._whole = True
        except Exception:  # no fault of ours is the network's
            self._spend(None)

    def _reached(self) -> None:
        """The backward pass under way comes by."""
        if _current_pass() != self._pass:
            self._add(0, self._begins())

    def _begins(self) -> float:
        """A backward pass begins here; returns what it computes again of the call's others."""
        self._pass, self._done, self._whole, self._told = _current_pass(), 0, False, None
        signature = self._signature
        if self._roots and _current_node()._sequence_nr() not in self._roots:
            signature.every_node = True  # it began within the call
        if self._looks:
            signature.recomputed.number += 1
            signature.family.plain += 1
        elif signature.recomputed.number:
            return signature.recomputed.total / signature.recomputed.number
        return 0

    def _seen_before(self, node: Any) -> Samples:
        """What the same node of other calls did, as often as it was watched."""
        number = node._sequence_nr() - self.low
        if self._mapped or self._signature.elsewhere or not 0 <= number < self.high - self.low:
            return Samples()
        key = (
            node.name(),
            number,
            all_asked(node.next_functions),
        )
        return self._signature.opaque.setdefault(key, Samples())

    def _watch(self, node: Any, samples: Samples | None, second: bool) -> None:
        """See what a node does, until it ends.

        Args:
            node: is about to run.
            samples: are told of its MACs, which are added; None where these are known.
            second: whether its gradients have a graph in their turn, to be hung on as well.
        """
        recorder = None
        if samples is not None or not second:
            recorder = WorkRecorder(backward=True)
        low, handles = _next_number(), list[Any]()
        here = self._sums.here()
        backward, recomputed = here.backward_macs, here.recomputed_macs

        def end(gradients: Any, _: Any) -> None:
            handles.pop().remove()
            try:
                if recorder is not None:
                    recorder.__exit__(None, None, None)  # type: ignore[no-untyped-call]
                    told = here.backward_macs - backward, here.recomputed_macs - recomputed
                    self._watched_node(recorder, samples, second, told)
                if second and not self._mapped:
                    nodes = [n for g in gradients if g is not None and (n := g.grad_fn) is not None]
                    self._hang(nodes, low, _next_number())
            except Exception:  # no fault of ours is the network's
                self._spend(None)

        handles.append(node.register_hook(end))
        if recorder is not None:
            recorder.__enter__()  # type: ignore[no-untyped-call]

    def _watched_node(
        self,
        recorder: WorkRecorder,
        samples: Samples | None,
        second: bool,
        told: tuple[float, float],
    ) -> None:
        """A node was watched; metered calls within it, and their nodes, have told of theirs."""
        signature = self._signature
        again = 0 if second else recorder.recomputed_macs
        if samples is not None:
            macs = max(0, recorder.macs - again - int(told[0]))
            samples.add(macs)
            self._spend(macs)
            signature.uncounted |= recorder.uncounted
        again -= int(told[1])
        if again > 0:
            signature.recomputed.total += again if self._looks else 0
            signature.family.plain = 0
            here = self._sums.here()
            with self._sums.lock:
                if self._sums.open:
                    signature.recomputed_macs += again
                    here.recomputed_macs += again
                    self._sums.of_graph(self._thread).recomputed_macs += again

    def _spend(self, macs: float | None) -> None:
        """Add what a node costs; None is unknown."""
        if self._whole:
            return
        if macs is not None:
            self._done += macs
            if self._each and not self._compiled:
                eager = self._signature.eager
                eager[self._weights] = max(eager.get(self._weights, 0), self._done)
        self._add(macs, None)

    def _add(self, macs: float | None, again: float | None) -> None:
        """Add MACs, None for unknown ones, and a pass that begins with what it computes again."""
        signature, sums = self._signature, self._sums
        here = sums.here()
        with sums.lock:
            if not sums.open:
                return
            tally = sums.of(self._thread if here.tally is None else here)
            if again is not None:
                signature.backwards += 1
                signature.recomputed_macs += again
                tally.backward_passes += 1
                tally.recomputed_macs += again
            if macs is None:
                signature.unknown_backwards += 1
                tally.unknown_backwards += 1
            else:
                signature.backward_macs += macs
                tally.backward_macs += macs
                here.backward_macs += macs


def _nodes(results: Sequence[Tensor]) -> set[Any]:
    return {node for result in results if (node := result.grad_fn) is not None}


def _are_batched(gradients: Any) -> bool:
    """Whether these are several gradients each (is_grads_batched), which their shapes hide."""
    every = gradients if type(gradients) is tuple else (gradients,)
    return any(gradient is not None and _is_batched(gradient) for gradient in every)
