"""What a network is made of: its modules' kinds, parameters and, while it runs, results."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from flopledger.calls import Layer, Shape
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.module_calls import on_calls
from flopledger.counting.structure.network_parts import modules_of
from flopledger.counting.structure.packed_weights import packed_params
from flopledger.counting.structure.tracer_state import tracer
from flopledger.counting.structure.wrapped import shape_of

_KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("conv", (nn.modules.conv._ConvNd,)),
    ("linear", (nn.Linear, nn.Bilinear)),
    ("attention", (nn.MultiheadAttention,)),
    ("recurrent", (nn.RNNBase, nn.RNNCellBase)),
    ("embedding", (nn.Embedding, nn.EmbeddingBag)),
    ("norm", (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm,
              nn.LocalResponseNorm, nn.CrossMapLRN2d)),
    ("dropout", (nn.modules.dropout._DropoutNd,)),
)  # fmt: skip
_KINDS_BY_FILE = {
    "torch.nn.modules.activation": "activation",
    "torch.nn.modules.pooling": "pool",
}


class _Running(threading.local):
    """The modules that have begun in this thread, and what each was given."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, Any]] = []


class Watch:
    """What one pass showed: every module's calls and results, and where it is running now.

    Args:
        results: whether calls and results are to be known, or where it is running alone.

    Attributes:
        elsewhere: whether part of its work was done in other threads.
        wrapped: whether tensors that hold others were met.
        given: the shape of the tensor that came first in each layer's first call.
    """

    def __init__(self, results: bool = True) -> None:
        self._results = results
        self.elsewhere = False
        self.wrapped = False
        self.outputs: dict[str, list[Shape]] = {}
        self.elements: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        self.given: dict[str, Shape] = {}
        self._running = _Running()

    def enter(self, path: str, _: nn.Module, args: Any, kwargs: Any) -> None:
        """A module begins."""
        if self._results and args and path not in self.given and isinstance(args[0], Tensor):
            self.given[path] = _shapes(args[0])[0]
        self._running.stack.append((path, (args, kwargs)))

    def leave(self, path: str, _: nn.Module, __: Any, result: Any) -> None:
        """It returns."""
        self._running.stack.pop()
        if not self._results:
            return
        shapes = _shapes(result)
        self.outputs[path] = shapes
        self.calls[path] = self.calls.get(path, 0) + 1
        self.elements[path] = self.elements.get(path, 0) + sum(map(prod, shapes))

    def where_it_stopped(self) -> str:
        """The innermost module that did not return, and what it was given; "" if all did."""
        if not self._running.stack:
            return ""
        path, given = self._running.stack[-1]
        given = ", ".join("x".join(map(str, shape)) for shape in _shapes(given)) or "no tensor"
        return f"stopped at layer {path or '(top)'}, which got {given}"


@contextmanager
def watch(modules: Sequence[tuple[str, nn.Module]], seen: Watch | None) -> Iterator[None]:
    """Tell `seen`, if there is one, of the passes of the body through these modules."""
    if seen is None:
        yield
        return

    enter, leave = partial(partial, seen.enter), partial(partial, seen.leave)
    # one that raises does not leave: it is where the pass stopped
    with on_calls(modules, enter, leave, leave_always=False):
        yield


def layers_of(module: nn.Module, seen: Watch) -> list[Layer]:
    """Every module of the network, in its order, with what the watched pass showed of it."""
    owners: dict[int, str] = {}
    kinds: dict[type, str] = {}
    packed = packed_params(module)
    layers = []
    for path, child in modules_of(module):
        kind = type(child)
        if kind not in kinds:
            kinds[kind] = kind_of(child)
        params = trainable = 0
        shared = []
        for key, param in child._parameters.items():
            if param is None:
                continue
            name = f"{path}.{key}" if path else key
            if id(param) in owners:
                shared.append(f"{name} = {owners[id(param)]}")
            else:
                owners[id(param)] = name
                params += param.numel()
                trainable += param.numel() if param.requires_grad else 0
        layers.append(
            Layer(
                path=path,
                kind=kinds[kind],
                params=params + packed.get(path, 0),
                trainable=trainable,
                shared=tuple(shared),
                calls=seen.calls.get(path, 0),
                output_shape=(seen.outputs.get(path) or [()])[0],
                output_elements=seen.elements.get(path, 0),
                leaf=not child._modules,
            )
        )
    return layers


def kind_of(module: nn.Module) -> str:
    """The module's kind: "conv", "linear", ...; of any other module, its class's name."""
    for kind, classes in _KINDS:
        if isinstance(module, classes):
            return kind
    return _KINDS_BY_FILE.get(type(module).__module__, type(module).__name__)


def _shapes(tree: Any) -> list[Shape]:
    tensors = [tree] if type(tree) is Tensor else tensors_within(tree)
    with torch._C.DisableTorchFunction():  # nothing of this is the network's
        if torch._C._get_tracing_state() is None:
            return [shape_of(tensor) for tensor in tensors]
        with tracer(None, excluded=True):  # else each size would be a tensor, and in the trace
            return [tuple(tensor.shape) for tensor in tensors]
