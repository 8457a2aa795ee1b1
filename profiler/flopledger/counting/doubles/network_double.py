"""A network's double: what a pass runs on, so that nothing it does reaches the network itself."""

import random
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import _disable_current_modes

from flopledger.counting.doubles.copying import Copier
from flopledger.counting.doubles.outside_state import outside_kept
from flopledger.counting.shapes.weightless import Place, real
from flopledger.counting.structure.network_parts import modules_of, tensors_of
from flopledger.counting.structure.wrapped import states_of_shards
from flopledger.errors import FlopledgerError
from flopledger.zoo.inputs import Inputs

# passes touch what a process has once: its random state, torch.jit's tracer
_one_at_a_time = threading.RLock()

# what reads a switch of torch, and what sets it
_SWITCHES: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (torch._C._get_cudnn_benchmark, torch._C._set_cudnn_benchmark),
    *(
        (partial(torch.is_autocast_enabled, kind), partial(torch.set_autocast_enabled, kind))
        for kind in ("cpu", "cuda")
    ),
)


class ChangesItself(FlopledgerError, RuntimeError):
    """A network's layers or parameters are others after a pass; the message names the first."""


@dataclass(frozen=True, kw_only=True)
class Double:
    """A network and its arguments once more, with other tensors.

    Attributes:
        module: the network's double.
        modules: each module in it once, by its first name.
        args: its arguments by place; what is stateful among them (a cache) is a double, too.
        kwargs: its arguments by name.
        tensors: every tensor that stands in for one of the network's or of the arguments'.
    """

    module: nn.Module
    modules: list[tuple[str, nn.Module]]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: list[Tensor]

    @property
    def named(self) -> list[tuple[str, Tensor]]:
        """Each parameter's name with its stand-in, once."""
        stand_ins = {
            id(param): (f"{path}.{key}" if path else key, param)
            for path, child in reversed(self.modules)
            for key, param in child._parameters.items()
            if param is not None
        }
        return list(stand_ins.values())


@contextmanager
def doubled(
    module: nn.Module, inputs: Inputs, place: Place, given: Place | None = None
) -> Iterator[Double]:
    """Run the body with a double of the network; the network and the program stay as they are.

    Shared tensors stay shared, and what required a gradient still does. Passes of several threads
    wait for one another.

    Args:
        module: the network.
        inputs: its forward's arguments.
        place: what stands in for its tensors.
        given: what stands in for those of the arguments; as `place` if left out.

    Raises:
        ChangesItself: layers or parameters were added to the double, or removed.
    """
    with (
        _one_at_a_time,
        _unwatched(),
        _program_kept(),
        ExitStack() as modes,
    ):
        copier = Copier(place)
        modes.callback(copier.end)
        twin = copier(module)
        _states_copied(module, twin, copier)
        if given is not None:
            copier.place = given
        args, kwargs = copier(inputs)
        modes.enter_context(_scripted_kept(copier.scripted))
        modes.enter_context(outside_kept(copier))
        modules = modules_of(twin)
        tables = [table for _, child in modules for table in (child._modules, child._parameters)]
        before = [[key for key, value in table.items() if value is not None] for table in tables]
        tensors = copier.tensors
        yield Double(module=twin, modules=modules, args=args, kwargs=kwargs, tensors=tensors)
        after = [[key for key, value in table.items() if value is not None] for table in tables]
        if before != after:
            names = _names(module)
            if changed := names ^ _names(twin):
                first = min(changed)
                how = "removes" if first in names else "adds"
                raise ChangesItself(f"it {how} {first} while it runs; build it whole in __init__")


def materialised(module: nn.Module, inputs: Inputs) -> nn.Module:
    """The network; of one with lazy layers, a copy whose layers a first pass has made."""
    if not any(map(is_lazy, tensors_of(module))):
        return module
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    copier = Copier(lambda tensor: tensor.detach().clone())
    with _one_at_a_time, _program_kept(), ExitStack() as kept:
        kept.callback(copier.give_back)
        whole = copier(module)
        copier.place = lambda tensor: real(tensor).to(device)
        args, kwargs = copier(inputs)
        kept.enter_context(outside_kept(copier))
        with torch.no_grad():
            whole(*args, **kwargs)
    return whole  # type: ignore[no-any-return]


@contextmanager
def _unwatched() -> Iterator[None]:
    """In the body, no mode of the caller's sees what runs: another counter's, inference's."""
    # to leave a mode of inference that is not on would switch gradients on
    left = torch.inference_mode(False) if torch.is_inference_mode_enabled() else nullcontext()
    with left, _disable_current_modes():
        yield


def _states_copied(module: nn.Module, twin: nn.Module, copier: Copier) -> None:
    """FSDP2 finds each layer's state in a table of its own: there stand the doubles', too."""
    states = states_of_shards()  # from which a double goes as it ends
    if not states:
        return
    for (_, child), (_, double) in zip(modules_of(module), modules_of(twin), strict=True):
        if child in states:
            states[double] = weakref.ref(copier(states[child]()))


@contextmanager
def _program_kept() -> Iterator[None]:
    """Random numbers go on where they were; torch's dtype, threads and other switches stay."""
    python = random.getstate()
    numpy = sys.modules.get("numpy.random")  # not imported for this: it takes 3 MiB
    arrays = numpy and numpy.get_state()
    before = [read() for read, _ in _SWITCHES]
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            for (read, write), value in zip(_SWITCHES, before, strict=True):
                if read() != value:
                    write(value)
            random.setstate(python)
            if numpy:
                numpy.set_state(arrays)


@contextmanager
def _scripted_kept(scripted: list[nn.Module]) -> Iterator[None]:
    """A ScriptModule is its own double: what it writes into its buffers is undone."""
    buffers = [(buffer, buffer.detach().clone()) for m in scripted for buffer in m.buffers()]
    try:
        yield
    finally:
        for buffer, kept in buffers:
            with torch.no_grad():
                buffer.copy_(kept)


def _names(module: nn.Module) -> set[str]:
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    return parameters | {name for name, _ in module.named_modules(remove_duplicate=False)}
