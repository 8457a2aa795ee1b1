"""Counts the calls of metered modules as they begin and end."""

import sys
import time
from collections.abc import Callable, Hashable
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from flopledger.counting.dispatch.run_again import is_checkpointed, is_run_again
from flopledger.counting.structure.leaves import is_object, tensors_within
from flopledger.counting.structure.shared_objects import ATOMS
from flopledger.metering.broken_off import outside, runs
from flopledger.metering.call_graph import CallGraph
from flopledger.metering.call_key import key_of, loosely, members_of, physical_shapes
from flopledger.metering.signature import Family, Signature
from flopledger.metering.sums import Sums, Thread
from flopledger.metering.watched_call import WatchedCall
from flopledger.metering.weights import Weights

_mapping = torch._C._functorch.peek_interpreter_stack
_next_number = torch._C._autograd._get_sequence_nr
_current_node = torch._C._current_autograd_node
_current_pass = torch._C._current_graph_task_id
_grad_enabled, _clock, _failing = torch.is_grad_enabled, time.perf_counter, sys.exception

_UNKNOWN = None, None
_MANY = 64  # signatures that differ in whole numbers and words, after which one is for all others
_PLAIN = frozenset({tuple, list})
_LATER = frozenset({GeneratorType, CoroutineType, AsyncGeneratorType})  # work, once a call is over


class CallCounter:
    """Signatures and sums of what metered modules do.

    Args:
        recount: a call of every signature is watched again at each multiple of this.
        several: whether there are several modules, one of which may run inside another.
        off: is called when the last call ends after the meter's end.

    Attributes:
        led_out: names of modules whose hooks may lead a result out, at which a pass may begin.
        modules: by the names that their calls go by.
    """

    def __init__(self, recount: int, several: bool, off: Callable[[], None]) -> None:
        self._recount, self._several, self._off = recount, several, off
        self.signatures: dict[Hashable, Signature] = {}
        self.sums = Sums()
        self.led_out: set[str] = set()
        self.modules: dict[str, nn.Module] = {}
        self._local = self.sums.local
        self._families: dict[Hashable, Family] = {}
        self._alike: dict[Hashable, list[Signature]] = {}
        self._weights: dict[str, Weights] = {}

    def begins(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        """What is to be called when a module that goes by that name begins.

        The next call with a tensor of the same shape is the rule: the look at it is brief.
        """
        local, begin = self._local, self.begin

        def begins(module: nn.Module, args: Any, kwargs: Any) -> None:
            if not kwargs:
                try:
                    here = local.thread
                    signature = here.run.signature
                    called, training, grad, shape, dtype, wants = signature.single
                    (x,) = args
                    if (
                        called is name
                        and not here.stack
                        and type(x) is Tensor
                        and x.shape == shape
                        and x.dtype is dtype
                        and x.requires_grad is wants
                        and module.training is training
                        and _grad_enabled() is grad
                        and (number := signature.started + 1) < signature.watch_at
                        and _current_pass() == -1
                        and _mapping() is None
                    ):
                        signature.started = number
                        low = _next_number() if grad else 0
                        begun = module, signature, None, None, False, _failing(), low, _clock()
                        here.stack.append(begun)
                        return
                except Exception:  # this thread has no run yet, or it is no such call
                    pass
            begin(name, module, args, kwargs)

        return begins

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
        if here.stack:
            self.drop_broken_off(outside(module, sys._getframe()))
        inside = bool(here.stack)
        watch = padding = None
        mapped = recomputing = False
        try:
            grad = _grad_enabled()
            recomputing = _current_pass() != -1 and is_run_again()
            if recomputing and self._several and not inside:
                inside = _told_by_another(here)
            x = args[0] if len(args) == 1 else None
            if type(x) is Tensor and not x.is_nested:  # as key_of, the sooner
                given: tuple[Any, ...] = ((x.shape, x.dtype, x.requires_grad),)
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
                if not (kwargs or mapped or inside or recomputing) and type(x) is Tensor:
                    signature.single = name, module.training, grad, *given[0]
            started = signature.started = signature.started + 1
            if started >= signature.watch_at and signature.due(self._recount):
                watch = WatchedCall(signature.follows())
        except Exception:  # no fault of ours is the network's
            signature, watch = self._unread(name, module, inside, recomputing), None
        stopped = _failing()
        low = _next_number() if signature.grad else 0
        here.stack.append((owner, signature, watch, padding, mapped, stopped, low, _clock()))

    def _new(
        self, key: Hashable, family_key: Any, module: nn.Module, args: Any, kwargs: Any
    ) -> Signature:
        name, inside, _, _, recomputing = family_key
        loose = family_key, loosely(key)
        alike = self._alike.setdefault(loose, []) if loose[1] != key else []
        if (folded := self.signatures.get(loose)) is not None:
            return folded
        with self.sums.lock:
            family = self._families.setdefault(family_key, Family())
        signature = Signature(name, module, args, kwargs, inside, family, recomputing)
        signature.every_node = name in self.led_out
        if len(alike) >= _MANY:
            signature.stands_for(alike)
            return self.signatures.setdefault(loose, signature)
        alike.append(signature)
        signature.stands_at(family.laws.places(key))
        return self.signatures.setdefault(key, signature)

    def _unread(self, name: str, module: nn.Module, inside: bool, recomputing: bool) -> Signature:
        """That of calls whose arguments cannot be read: what they cost is unknown."""
        key = (name, inside, module.training, torch.is_grad_enabled(), recomputing, "not read")
        signature = Signature(name, module, (), {}, inside, Family(), recomputing)
        return self.signatures.setdefault(key, signature)

    def ends(self) -> Callable[[nn.Module, Any, Any], None]:
        """What is to be called when a module ends, however it does."""
        local, sums, end, follow = self._local, self.sums, self.end, self._follow

        def ends(module: nn.Module, args: Any, out: Any) -> None:
            try:
                here = local.thread
                run = here.run
                owner, signature, watch, padding, mapped, _, low, began = here.stack[-1]
                brief = (
                    run.signature is signature
                    and owner is module
                    and watch is None
                    and padding is None
                    and out is not None
                    and type(out) not in _LATER
                    and sums.open
                )
            except Exception:  # this thread has no run yet, or the call began before it was metered
                brief = False
            if not brief:
                end(module, args, out)
                return
            here.stack.pop()
            run.calls += 1
            run.seconds += _clock() - began
            if signature.grad:
                follow(signature, here, out, args, low, False, mapped)

        return ends

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
        if not self._runs(owner, stack):
            return  # it began before it was metered
        _, signature, watch, padding, mapped, stopped, low, began = stack.pop()
        seconds = _clock() - began
        if watch is not None:
            watch.end()
        of_hooks = failed is None
        if failed is None:
            failed = out is None and _failing() is not stopped
        if not self.sums.open:
            if not stack:
                self._off()
            return
        if failed and not signature.again:
            self._add_failed(signature, here)
            return
        self._add(
            signature, here, watch, _UNKNOWN if type(out) in _LATER else None, seconds, padding
        )
        if signature.inside or failed:
            return
        if of_hooks and padding is None:
            self._latest(signature, here)
        if signature.grad:
            self._follow(signature, here, out, args, low, watch is not None, mapped)

    def _add(
        self,
        signature: Signature,
        here: Thread,
        watch: WatchedCall | None,
        cost: tuple[None, None] | None,
        seconds: float,
        padding: Any,
    ) -> None:
        """Add a call, of that cost if it is said."""
        with self.sums.lock:
            seen = signature.cost
            if watch is not None:
                self.sums.settle()  # at the cost that calls had before
                seen = signature.add_watched(watch)
                signature.weights = self._weights_of(signature.name)
            self.sums.add_calls(signature, here, cost or seen, 1, seconds, padding)

    def _weights_of(self, name: str) -> Weights:
        weights = self._weights.get(name)
        if weights is None:
            weights = self._weights[name] = Weights(self.modules[name])
        weights.look_again()
        return weights

    def _latest(self, signature: Signature, here: Thread) -> None:
        """The second of two calls that are alike begins a run."""
        known = here.run is not None and here.run.signature is signature
        if here.latest is signature and not (known or signature.again):
            self.sums.begin_run(here, signature)
        here.latest = signature

    def _runs(self, owner: Any, stack: list[Any]) -> bool:
        """Whether a call of that owner is the last that began."""
        if stack and stack[-1][0] is not owner:
            self.drop_broken_off(outside(owner, sys._getframe()))
        return bool(stack) and stack[-1][0] is owner

    def drop_broken_off(self, frame: FrameType | None) -> None:
        """Calls of this thread that were broken off failed: none of them runs in that frame."""
        here = self.sums.here()
        # what stands for a method is told whatever ends it
        while here.stack and isinstance(here.stack[-1][0], nn.Module):
            module, signature, watch, *_ = here.stack[-1]
            if runs(module, frame):
                return
            here.stack.pop()
            if watch is not None:
                watch.break_off()
            self._add_failed(signature, here)

    def _add_failed(self, signature: Signature, here: Thread) -> None:
        with self.sums.lock:
            signature.failed += 1
            if not signature.inside:
                self.sums.of(here).failed += 1

    def _follow(
        self,
        signature: Signature,
        here: Thread,
        out: Any,
        args: Any,
        low: int,
        watched: bool,
        mapped: bool,
    ) -> None:
        try:
            graph = CallGraph(signature, self.sums, here)
            if self._several:
                graph.recomputes = not is_checkpointed()
                here.graphs.add(graph)
            graph.follow(_results(out), args, low, watched, mapped)
        except Exception:  # no fault of ours is the network's
            with self.sums.lock:
                signature.unknown_backwards += 1
                self.sums.of(here).unknown_backwards += 1


def _results(out: Any) -> list[Tensor]:
    """What backward passes may begin at."""
    return _given(out) or tensors_within(list(members_of(out).values()))


def _given(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if type(value) in _PLAIN or isinstance(value, dict):  # most results, looked into the sooner
        found: list[Tensor] = []
        for item in dict.values(value) if isinstance(value, dict) else value:
            found += [item] if isinstance(item, Tensor) else _given(item)
        return found
    return _held(value) if is_object(value) else tensors_within(value)


def _held(value: Any) -> list[Tensor]:
    """Tensors that an object holds, or a distribution in it; those in lists (a cache) are state."""
    found: list[Tensor] = []
    if type(value) not in ATOMS:
        for member in members_of(value).values():
            if isinstance(member, Tensor):
                found.append(member)
            elif isinstance(member, Distribution):
                found += _held(member)
    return found


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
