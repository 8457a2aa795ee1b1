"""Counts the calls of metered modules as they begin and end."""

import sys
import time
from collections.abc import Callable, Hashable
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

import torch
from torch import Tensor, nn

from flopledger.counting.dispatch.run_again import is_checkpointed, is_run_again
from flopledger.counting.structure.leaves import tensors_within
from flopledger.metering.call_graph import CallGraph
from flopledger.metering.call_key import key_of, physical_shapes
from flopledger.metering.signature import Family, Signature
from flopledger.metering.sums import Sums, Thread
from flopledger.metering.watched_call import WatchedCall

_mapping = torch._C._functorch.peek_interpreter_stack
_next_number = torch._C._autograd._get_sequence_nr
_current_node = torch._C._current_autograd_node
_current_pass = torch._C._current_graph_task_id
_grad_enabled, _clock, _failing = torch.is_grad_enabled, time.perf_counter, sys.exc_info

_UNKNOWN = None, None
_LATER = frozenset({GeneratorType, CoroutineType, AsyncGeneratorType})  # work, once a call is over


class CallCounter:
    """Signatures and sums of what metered modules do.

    Args:
        recount: a call of every signature is watched again at each multiple of this.
        several: whether there are several modules, one of which may run inside another.
        off: is called when the last call ends after the meter's end.

    Attributes:
        led_out: names of modules whose hooks may lead a result out, at which a pass may begin.
    """

    def __init__(self, recount: int, several: bool, off: Callable[[], None]) -> None:
        self._recount, self._several, self._off = recount, several, off
        self.signatures: dict[Hashable, Signature] = {}
        self.sums = Sums()
        self.led_out: set[str] = set()
        self._local = self.sums.local
        self._families: dict[Hashable, Family] = {}

    def begin(
        self, name: str, module: nn.Module, args: Any, kwargs: Any, owner: Any = None
    ) -> None:
        """A call begins.

        Args:
            name: of what is called.
            module: the network.
            args: of the call.
            kwargs: of the call.
            owner: what the call's end will say it is of, if not of the network.
        """
        owner = module if owner is None else owner
        here: Thread = getattr(self._local, "thread", None) or self.sums.here()
        inside = bool(here.stack)
        watch = padding = None
        mapped = recomputing = False
        try:
            grad = _grad_enabled()
            recomputing = _current_pass() != -1 and is_run_again()
            if recomputing and self._several and not inside:
                inside = _told_by_another(here)
            if len(args) == 1 and type(x := args[0]) is Tensor:  # as key_of, the sooner
                given: tuple[Hashable, ...] = ((x.shape, x.dtype, x.requires_grad),)
            else:
                given = tuple([key_of(value) for value in args])
            key: Hashable = (name, inside, module.training, grad, recomputing, given)
            if kwargs:
                key = (key, *[(word, key_of(value)) for word, value in kwargs.items()])
                padding = None if recomputing or inside else _padding(kwargs)
            if _mapping() is not None:
                mapped, key = True, (key, physical_shapes((args, kwargs)))
            signature = self.signatures.get(key)
            if signature is None:
                family = (name, inside, module.training, grad, recomputing)
                signature = self._new(key, family, module, args, kwargs)
            started = signature.started = signature.started + 1
            if started >= signature.watch_at and signature.due(self._recount):
                watch = WatchedCall(signature.follows())
        except Exception:  # no fault of ours is the network's
            signature, watch = self._unread(name, module, inside, recomputing), None
        stopped = _failing()[1]
        low = _next_number() if signature.grad else 0
        here.stack.append((owner, signature, watch, padding, mapped, stopped, low, _clock()))

    def _new(
        self, key: Hashable, family: Any, module: nn.Module, args: Any, kwargs: Any
    ) -> Signature:
        name, inside, _, _, recomputing = family
        with self.sums.lock:
            family = self._families.setdefault(family, Family())
        signature = Signature(name, module, args, kwargs, inside, family, recomputing)
        signature.stands_at(family.laws.places(key))
        signature.every_node = signature.every_node or name in self.led_out
        return self.signatures.setdefault(key, signature)

    def _unread(self, name: str, module: nn.Module, inside: bool, recomputing: bool) -> Signature:
        """That of calls whose arguments cannot be read: what they cost is unknown."""
        key = (name, inside, module.training, torch.is_grad_enabled(), recomputing, "not read")
        signature = Signature(name, module, (), {}, inside, Family(), recomputing)
        return self.signatures.setdefault(key, signature)

    def end(self, owner: Any, args: Any, out: Any, failed: bool | None = None) -> None:
        """A call ends.

        Args:
            owner: as at its beginning.
            args: of the call.
            out: its result.
            failed: whether it raised; None if that shows in the exception under way.
        """
        here: Thread = getattr(self._local, "thread", None) or self.sums.here()
        stack = here.stack
        if not stack or stack[-1][0] is not owner:
            return  # it began before it was metered
        _, signature, watch, padding, mapped, stopped, low, began = stack.pop()
        seconds = _clock() - began
        if watch is not None:
            watch.end()
        if failed is None:
            failed = out is None and _failing()[1] is not stopped
        if not self.sums.open:
            if not stack:
                self._off()
            return
        cost = signature.cost
        if watch is not None and (signature.again or not failed):
            cost = signature.add_watched(watch)
        if failed and not signature.again:
            self._add_failed(signature, here)
            return
        self._add(signature, here, _UNKNOWN if type(out) in _LATER else cost, seconds, padding)
        if signature.grad and not failed and not signature.inside:
            try:
                graph = self._graph(signature, here)
                watched = signature.looks_back(watch is not None)
                graph.follow(_results(out), args, low, watched, mapped)
            except Exception:  # no fault of ours is the network's
                with self.sums.lock:
                    signature.unknown_backwards += 1
                    self.sums.of(here).unknown_backwards += 1

    def _add_failed(self, signature: Signature, here: Thread) -> None:
        with self.sums.lock:
            signature.failed += 1
            if not signature.inside:
                self.sums.of(here).failed += 1

    def _add(
        self,
        signature: Signature,
        here: Thread,
        cost: tuple[float | None, float | None],
        seconds: float,
        padding: Any,
    ) -> None:
        """Add a call's MACs and other FLOPs."""
        macs, other = cost
        with self.sums.lock:
            signature.calls += 1
            signature.seconds += seconds
            unknown = macs is None or other is None
            if unknown:
                signature.unwatched += 1
                macs, other = macs or 0, other or 0
            signature.macs += macs  # type: ignore[operator]
            signature.other_flops += other  # type: ignore[operator]
            if signature.inside:
                return
            tally = here.tally or self.sums.of(here)
            if signature.again:
                tally.recomputed_macs += macs  # type: ignore[operator]
                here.recomputed_macs += macs  # type: ignore[operator]
                tally.unknown_backwards += unknown
                return
            tally.passes += 1
            tally.samples += signature.samples
            tally.unwatched += unknown
            tally.macs += macs  # type: ignore[operator]
            tally.other_flops += other  # type: ignore[operator]
            if signature.tokens is None:
                tally.untold += 1
                return
            tally.tokens += signature.tokens
            if padding is not None:
                tally.padding = tally.padding + padding

    def _graph(self, signature: Signature, here: Thread) -> CallGraph:
        graph = CallGraph(signature, self.sums, here, recomputes=not is_checkpointed())
        if self._several:
            here.graphs.add(graph)
        return graph


def _results(out: Any) -> list[Tensor]:
    """What backward passes may begin at."""
    if isinstance(out, Tensor):
        return [out]
    return tensors_within(out) or _members(out)


def _members(out: Any) -> list[Tensor]:
    """The tensors that a result of a class of its own holds."""
    return tensors_within(list((getattr(out, "__dict__", None) or {}).values()))


def _told_by_another(here: Thread) -> bool:
    """Whether what is computed again lies within a metered call, whose graph tells of it."""
    node = _current_node()
    number = -1 if node is None else node._sequence_nr()
    return any(graph.recomputes and graph.low <= number < graph.high for graph in here.graphs)


def _padding(kwargs: dict[str, Any]) -> Any:
    """Positions that an attention mask leaves out of token ids; None where there is no such mask.

    A device works it out when it comes to it: it is not waited for.
    """
    mask = kwargs.get("attention_mask")
    tokens = kwargs.get("input_ids", kwargs.get("inputs_embeds"))
    if not (isinstance(mask, Tensor) and isinstance(tokens, Tensor)):
        return None
    if mask.dim() != 2 or tuple(mask.shape) != tuple(tokens.shape[:2]):
        return None
    there = mask.count_nonzero()
    return mask.numel() - (int(there) if there.is_cpu else there)
