"""One forward pass as the graph that torch.jit's tracer writes, each node in its module's scope."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_unflatten

from flopledger.counting.hooks import Hook, on_modules
from flopledger.counting.traced_shapes import set_tracer


class Traced(nn.Module):
    """The module as tracing wants it: tensors in, a tuple of tensors out."""

    def __init__(self, module: nn.Module, leaves: list[Any], spec: Any) -> None:
        super().__init__()
        self.module = module
        self._leaves, self._spec = leaves, spec
        self.training = module.training

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The module's own pass.

        Raises:
            ValueError: no tensor comes out.
            RuntimeError: the tracer lost its state on the way.
        """
        state = torch._C._get_tracing_state()
        rest = iter(tensors)
        filled = [next(rest) if isinstance(leaf, Tensor) else leaf for leaf in self._leaves]
        args, kwargs = tree_unflatten(filled, self._spec)
        out = tuple(t for t in tree_leaves(self.module(*args, **kwargs)) if isinstance(t, Tensor))
        if torch._C._get_tracing_state() is None:
            # going on from here, PyTorch dies of a segmentation fault
            set_tracer(state, excluded=False)
            raise RuntimeError("an operator raised, and the model caught it: there the trace ends")
        if not out:
            raise ValueError("the model returns no tensor; a trace ends in tensors")
        return out


def trace(traced: Traced, inputs: Sequence[Tensor], scopes: dict[nn.Module, str]) -> Any:
    """The graph of one forward pass.

    Args:
        traced: the module; its parameters and buffers as they are to be met.
        inputs: its tensors.
        scopes: each module's name in the graph.

    Raises:
        Exception: whatever the module, or tracing it, raises.
    """
    state = [*traced.parameters(), *traced.buffers()]
    with _scoped(scopes), _quiet():
        graph, _ = torch._C._create_graph_by_tracing(
            lambda *tensors: traced(*tensors[: len(inputs)]),
            (*inputs, *state),
            _no_name,
            True,
            False,
        )
    return graph


def _no_name(_: Tensor) -> str:
    return ""


@contextmanager
def _scoped(scopes: dict[nn.Module, str]) -> Iterator[None]:
    """In the body, what a module does is in its scope.

    A scope is left with the module, also by an exception that its parent catches: the tracer
    aborts the process over one that is left open.
    """
    open_scopes: list[str] = []

    def enter(name: str) -> Hook:
        def push(*_: Any) -> None:
            if state := torch._C._get_tracing_state():
                state.push_scope(name)
                open_scopes.append(name)

        return push

    def leave(name: str) -> Hook:
        def pop(*_: Any) -> None:
            state = torch._C._get_tracing_state()
            if state and open_scopes and open_scopes[-1] == name:  # else it never began
                state.pop_scope()
                open_scopes.pop()

        return pop

    with on_modules(((name, module) for module, name in scopes.items()), enter, leave):
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit._trace.TracerWarning)
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        yield
