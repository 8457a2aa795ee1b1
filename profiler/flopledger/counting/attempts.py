"""Passes through one network, by either counter: watched, and what stopped them put in words."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import torch
from torch import nn

from flopledger.calls import Layer, OpCall
from flopledger.counting import dispatch_counter, fvcore_counter
from flopledger.counting.layers import Watch, layers_of, watch
from flopledger.counting.restore import ChangesItself, untouched
from flopledger.counting.want_of_memory import is_want_of_memory
from flopledger.counting.weightless import run as run_for_real
from flopledger.errors import FlopledgerError

Result = TypeVar("Result")


class Skipped(FlopledgerError):
    """A counter was not asked; the message says why."""


class Passes:
    """One network and its inputs, counted by either counter, with the layers of the first pass."""

    def __init__(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], backward: bool
    ) -> None:
        self._counters: dict[str, Callable[[], list[OpCall]]] = {
            "fvcore": lambda: fvcore_counter.count(module, args, kwargs),
            "dispatch": lambda: dispatch_counter.count(module, args, kwargs, backward),
            "computed": lambda: dispatch_counter.count(
                module, args, kwargs, backward, computed=True
            ),
        }
        self._plain = lambda: run_for_real(module, args, kwargs)
        self.module, self.args, self.kwargs = module, args, kwargs
        self._stopped: dict[int, str] = {}
        self.layers: list[Layer] = []
        self.notes: list[str] = []

    def dispatched(self) -> list[OpCall] | Exception:
        """The dispatch counter's calls: without values, or on zeros where the network asks."""
        calls = self.count("dispatch")
        if not isinstance(calls, Exception) or isinstance(calls, ChangesItself):
            return calls
        if not fits(self.module):
            self._stopped[id(calls)] = f"{_asked_at(calls)}; too large to compute: make it smaller"
            return calls
        computed = self.count("computed")
        if not isinstance(computed, Exception):
            self.notes.append(
                f"everything was computed, on zeros, for {_asked_at(calls)}: {said(calls)}; "
                "other values may take another path"
            )
        return computed

    def count(self, counter: str) -> list[OpCall] | Exception:
        """The calls, or what was raised instead."""
        calls, seen = self._watched(self._counters[counter])
        if not isinstance(calls, Exception):
            self.layers = self.layers or layers_of(self.module, seen)
        return calls

    def refusal(self) -> Exception | None:
        """What the network raises in a real pass, if it does."""
        return self._watched(self._plain)[0]

    def _watched(self, job: Callable[[], Result]) -> tuple[Result | Exception, Watch]:
        seen = Watch()
        try:
            with (
                untouched(self.module),
                watch(self.module) as seen,
                torch.random.fork_rng(devices=[]),
            ):
                return job(), seen
        except Exception as error:  # the network is anybody's code: it may raise anything
            self._stopped[id(error)] = seen.where_it_stopped()
            return error, seen

    def complaint(self, error: Exception) -> str:
        """One line: where the pass stopped, on what, and what was raised."""
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        line = line[:300]  # tracing may quote a whole tensor
        where = self._stopped.get(id(error), "")
        if is_want_of_memory(error):
            return f"memory is too small; give a smaller --batch or --input ({where or line})"
        return f"{line} ({where}; change the input or that layer)" if where else line


def fits(module: nn.Module) -> bool:
    """Whether the weights, were they stored, would fit into memory."""
    weights = sum(t.numel() * t.element_size() for t in (*module.parameters(), *module.buffers()))
    available: int = psutil.virtual_memory().available
    return weights < available


def _asked_at(error: Exception) -> str:
    """The network's own line, outside torch and this package, in which the error arose."""
    ours = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
    frames = traceback.extract_tb(error.__traceback__)
    asking = [frame for frame in frames if not frame.filename.startswith(ours)]
    if not asking:
        return "torch's own code"
    return f"{asking[-1].filename}:{asking[-1].lineno} ({asking[-1].line})"


def said(error: BaseException) -> str:
    """The error's class and its message's first line."""
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[0][:300]
