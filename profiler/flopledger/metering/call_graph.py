"""The backward pass that really ran: nodes of a call's autograd graph, as the engine runs them."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from flopledger.counting.autograd_graph import Unknown, hides, multiplies, products_of
from flopledger.counting.dispatch_counter import Recorder
from flopledger.counting.leaves import tensors_within
from flopledger.metering.asked_gradients import Asked, all_asked
from flopledger.metering.signature import Samples, Signature
from flopledger.metering.sums import Sums, Thread

_COMPILED = "CompiledFunctionBackward"  # whose kernels no dispatcher sees
_A_LEAFS = 2**64 - 1  # number: above all others
_grad_enabled = torch.is_grad_enabled
_current_node = torch._C._current_autograd_node
_current_pass = torch._C._current_graph_task_id
_next_number = torch._C._autograd._get_sequence_nr  # a thread numbers its nodes as it makes them


class CallGraph:
    """The nodes that one call made.

    The engine tells of each that takes products, every time that it runs it: once for every
    backward pass over the graph, not at all where a pass does not come by. A node costs what its
    shapes say of those of its gradients that this pass asks for. What a node does not show is
    watched through the dispatcher while it runs, in some passes, and in the others taken as then.

    It holds no node, and hangs on them: a graph goes as soon as its program lets it go.

    Attributes:
        low: the number of the call's first node.
        high: the number after its last.
        recomputes: whether its nodes' own watch tells what they compute again (checkpointing); not
            where the call lies in what is computed again, as it is then called once more.
    """

    __slots__ = (
        "__weakref__", "_compiled", "_done", "_keeps", "_mapped", "_pass", "_signature", "_sums",
        "_thread", "_watched", "_weights", "_whole", "high", "low", "recomputes",
    )  # fmt: skip

    def __init__(self, signature: Signature, sums: Sums, thread: Thread, recomputes: bool) -> None:
        self._signature, self._sums, self._thread = signature, sums, thread
        self.recomputes = recomputes
        self.low = self.high = self._weights = 0
        self._watched = self._mapped = self._compiled = self._keeps = False
        self._pass = -1  # the backward pass under way
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
            watched: whether every node is to be watched, for what it computes again.
            mapped: whether its tensors are a mapped function's, whose shapes are not the real ones.
        """
        self.low, self.high = low, _next_number()
        self._watched, self._mapped = watched, mapped
        self._keeps = self._signature.keeps_nodes()
        if not self._signature.elsewhere:
            self._weights = self._hang(results, low, self.high)
            return
        given = {tensor.grad_fn for tensor in tensors_within(args)}
        self._weights = self._hang(results, 0, _A_LEAFS, given)

    def _hang(
        self, results: Sequence[Tensor], low: int, high: int, stop: Collection[Any] = ()
    ) -> int:
        """Returns how many nodes of others (weights, inputs) these lead to."""
        waiting = [node for result in results if (node := result.grad_fn) is not None]
        roots, met, others = set(waiting), set(), set()
        while waiting:
            node = waiting.pop()
            if node in met:
                continue
            if not low <= node._sequence_nr() < high or node in stop:
                others.add(node)
                continue
            met.add(node)
            kind = type(node)
            if kind.__name__ == _COMPILED:
                self._compiled = True
                node.register_prehook(self._compiled_runs)
            elif _multiplies(kind, node):
                node.register_prehook(self._runs)
            elif self._watched or node in roots:
                node.register_prehook(self._passes)
            waiting += [following for following, _ in node.next_functions if following is not None]
        return len(others)

    def _passes(self, _: Any) -> None:
        """A node begins to run that takes no products itself."""
        try:
            self._reached()
            if self._watched and not _grad_enabled():
                self._watch(_current_node(), None, second=False)
        except Exception:  # no fault of ours is the network's
            self._spend(None)

    def _runs(self, _: Any) -> None:
        """A node begins to run that takes products."""
        try:
            if _current_pass() != self._pass:
                self._reached()
            node = _current_node()
            second = _grad_enabled()  # gradients of its gradients may be asked for
            macs: float | None = self._shown(node)
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
                self._signature.want_eager = True
                self._spend(None)
            self._whole = True
        except Exception:  # no fault of ours is the network's
            self._spend(None)

    def _reached(self) -> None:
        """The backward pass under way comes by; whatever the call's others do again is added."""
        if (running := _current_pass()) == self._pass:
            return
        self._pass, self._done, self._whole = running, 0, False
        signature, more = self._signature, 0.0
        if self._watched:
            signature.recomputed.number += 1
            signature.family.plain += 1
        elif self.recomputes and signature.recomputed.number:
            more = signature.recomputed.total / signature.recomputed.number
        with self._sums.lock:
            if self._sums.open:
                signature.backwards += 1
                signature.recomputed_macs += more
                tally = self._sums.of_graph(self._thread)
                tally.backward_passes += 1
                tally.recomputed_macs += more

    def _shown(self, node: Any) -> int | None:
        """MACs of a node that is about to run, of those gradients that are asked for."""
        kind = type(node)
        if self._mapped or _hides(kind, node):
            return None
        edges = node.next_functions
        asked = all_asked(edges)
        number, key = node._sequence_nr() - self.low, None
        if self._keeps and 0 <= number < self.high - self.low:
            key = number, kind, asked, tuple(node._input_metadata[0].shape)
            known = self._signature.nodes.get(key)
            if known is not None:
                return known
        try:
            macs = products_of(Asked(node, edges, asked))
        except Unknown:
            return None
        if key is not None:
            self._signature.nodes[key] = macs
        return macs

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
            recorder = Recorder(lambda: "", {}, computed=True, backward=True)
        low, handles = _next_number(), list[Any]()

        def end(gradients: Any, _: Any) -> None:
            handles.pop().remove()
            try:
                if recorder is not None:
                    recorder.__exit__(None, None, None)  # type: ignore[no-untyped-call]
                    self._watched_node(recorder, samples, second)
                if second and not self._mapped:
                    self._hang([g for g in gradients if g is not None], low, _next_number())
            except Exception:  # no fault of ours is the network's
                self._spend(None)

        handles.append(node.register_hook(end))
        if recorder is not None:
            recorder.__enter__()  # type: ignore[no-untyped-call]

    def _watched_node(self, recorder: Recorder, samples: Samples | None, second: bool) -> None:
        signature, calls = self._signature, recorder.calls
        again = 0 if second else sum(call.macs for call in calls if call.recomputed)
        if samples is not None:
            macs = sum(call.macs for call in calls) - again
            samples.add(macs)
            self._spend(macs)
            signature.uncounted.update(call.op for call in calls if not call.counted)
        if again and self.recomputes:
            signature.recomputed.total += again if self._watched else 0
            signature.family.plain = 0
            with self._sums.lock:
                if self._sums.open:
                    signature.recomputed_macs += again
                    self._sums.of_graph(self._thread).recomputed_macs += again

    def _spend(self, macs: float | None) -> None:
        """Add what a node costs; None is unknown."""
        signature = self._signature
        if self._whole:
            return
        if macs is not None:
            self._done += macs
            if not self._compiled:
                before = signature.eager.get(self._weights, 0)
                signature.eager[self._weights] = max(before, self._done)
        with self._sums.lock:
            if not self._sums.open:
                return
            tally = self._sums.of_graph(self._thread)
            if macs is None:
                signature.unknown_backwards += 1
                tally.unknown_backwards += 1
            else:
                signature.backward_macs += macs
                tally.backward_macs += macs


def _by_kind(tells: Callable[[Any], bool]) -> Callable[[type, Any], bool]:
    """The same answer for every node of a kind, asked once."""
    answers: dict[type, bool] = {}

    def answer(kind: type, node: Any) -> bool:
        known = answers.get(kind)
        if known is None:
            known = answers[kind] = tells(node)
        return known

    return answer


_multiplies, _hides = _by_kind(multiplies), _by_kind(hides)
