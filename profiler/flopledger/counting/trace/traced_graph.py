"""One forward pass as the graph that torch.jit's tracer writes, and where each node ran."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from flopledger.counting.doubles.network_double import Double
from flopledger.counting.shapes.meta_devices import tensors_in
from flopledger.counting.structure.hooks import Hook
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.module_calls import on_calls
from flopledger.counting.structure.tracer_state import set_tracer, tracer

_MARK = "prim::Print"  # kept though nothing comes out of it: it has a side effect
_OPAQUE = ("prim::PythonOp", "prim::CallFunction")  # work that a trace does not look into


class Traced(nn.Module):
    """A network's double as tracing wants it: a tuple of tensors out.

    Args:
        double: with the arguments of its pass.
        kept: a list that the pass fills with results that are needed though no output needs them.
    """

    def __init__(self, double: Double, kept: Sequence[Tensor]) -> None:
        super().__init__()
        self._kept = kept
        self.module = double.module
        self._args, self._kwargs = double.args, double.kwargs
        self.training = double.module.training

    def forward(self, *_: Tensor) -> tuple[Tensor, ...]:
        """The module's own pass, on the double's arguments.

        Raises:
            ValueError: no tensor comes out.
            RuntimeError: the tracer lost its state on the way.
        """
        state = torch._C._get_tracing_state()
        out = tuple(tensors_within(self.module(*self._args, **self._kwargs)))
        if torch._C._get_tracing_state() is None:
            # going on from here, PyTorch dies of a segmentation fault
            set_tracer(state, excluded=False)
            raise RuntimeError("an operator raised, and the model caught it: there the trace ends")
        for result in self._kept:
            value = torch._C._get_value_trace(result)  # type: ignore[attr-defined]
            _mark(state, "", [value])
        if not out:
            raise ValueError("the model returns no tensor; a trace ends in tensors")
        return out


class Unpruned(TorchFunctionMode):
    """While it is on, the results of torch's functions are needed, also where no output needs them.

    Attributes:
        results: those that the pass has brought so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.results: list[Tensor] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **kwargs or {})
        self.results += tensors_in(out)
        return out


class Node(NamedTuple):
    """A node of the graph as fvcore looks at it.

    Attributes:
        node: torch.jit's.
        operator: its name, such as "aten::linear".
        scope: the innermost module that was running.
    """

    node: Any
    operator: str
    scope: str

    def kind(self) -> str:
        """The operator."""
        return self.operator

    def pyname(self) -> str:
        """Of a prim::PythonOp, the class of its autograd function."""
        return str(self.node.pyname())

    def scopeName(self) -> str:
        """The scope."""
        return self.scope

    def inputs(self) -> Any:
        """The values that go in, without those that an `out=` says where to write to."""
        node = self.node
        number = node.inputsSize()
        if number in _lengths_with_targets(self.operator):
            given = node.schema().partition(" -> ")[0]
            number -= given.partition(" *, ")[2].count("!)")
        # an iterator of PyTorch's ends in an exception of C++: as long as all the rest
        return [node.inputsAt(i) for i in range(number)]

    def outputs(self) -> Any:
        """The values that come out."""
        return [self.node.outputsAt(i) for i in range(self.node.outputsSize())]


@cache
def _lengths_with_targets(operator: str) -> frozenset[int]:
    """How many arguments those forms of the operator have that write to an `out=`."""
    forms = torch._C._jit_get_schemas_for_operator(operator)
    return frozenset(
        len(form.arguments) for form in forms if any(value.is_out for value in form.arguments)
    )


class Graph:
    """The graph as fvcore walks it, without the nodes that it passes over: constants and lists.

    Attributes:
        operators: the names of those that are in it.
        scope: that of the node that the walk has reached.
    """

    def __init__(self, traced: Any) -> None:
        self.scope = ""
        self._traced = traced  # owns the nodes
        self._nodes: list[Node] = []
        scope = ""
        for node in traced.nodes():
            kind = node.kind()
            if kind == _MARK and node.hasAttribute("scope"):
                scope = node.s("scope")
            elif not kind.startswith("prim::") or kind.startswith(_OPAQUE):
                self._nodes.append(Node(node, kind, scope))
        self.operators = {node.operator for node in self._nodes}

    def nodes(self) -> Iterator[Node]:
        """In the order in which they ran."""
        for node in self._nodes:
            self.scope = node.scope
            yield node


def trace(traced: Traced, tensors: Sequence[Tensor], scopes: dict[nn.Module, str]) -> Graph:
    """The graph of one forward pass.

    Args:
        traced: the module.
        tensors: what it meets: its arguments, parameters, buffers, and what else it keeps.
        scopes: each module's name in the graph.

    Raises:
        Exception: whatever the module, or tracing it, raises.
    """
    with _marked(scopes), _sizes_are_numbers(), _quiet():
        graph, _ = torch._C._create_graph_by_tracing(
            traced.forward,
            tuple(tensors),
            lambda _: "",  # values need no names
            True,
            False,
        )
    return Graph(graph)


@contextmanager
def _marked(scopes: dict[nn.Module, str]) -> Iterator[None]:
    """In the body, a mark is written into the graph wherever another module begins or goes on.

    The tracer has scopes of its own, but lifts every value out of them one by one, in time that
    grows with the square of the graph, and ends the process over one that an exception left open.
    """
    running = [""]

    def mark() -> None:
        if state := torch._C._get_tracing_state():
            _mark(state, running[-1])

    def enter(name: str) -> Hook:
        def begin(*_: Any) -> None:
            running.append(name)
            mark()

        return begin

    def leave(name: str) -> Hook:
        def end(*_: Any) -> None:
            if running[-1] == name:  # else it never began
                running.pop()
                mark()

        return end

    with on_calls(((name, module) for module, name in scopes.items()), enter, leave):
        yield


@contextmanager
def _sizes_are_numbers() -> Iterator[None]:
    """In the body, a tensor's sizes are numbers, as they are in any other pass.

    The tracer would make a tensor of each, and write down three nodes for it, and then what is
    worked out with it: in many networks more than all the rest.
    """

    def number(read: Callable[..., Any]) -> Callable[..., Any]:
        def untraced(*args: Any, **kwargs: Any) -> Any:
            if torch._C._get_tracing_state() is None:
                return read(*args, **kwargs)
            with tracer(None, excluded=True):
                return read(*args, **kwargs)

        return untraced

    base = torch._C.TensorBase
    own = {
        "shape": property(number(base.shape.__get__)),  # type: ignore[attr-defined]
        "size": number(base.size),
        "numel": number(base.numel),
    }
    for name, reader in own.items():
        setattr(Tensor, name, reader)
    try:
        yield
    finally:
        for name in own.keys() & vars(Tensor).keys():
            delattr(Tensor, name)


def _mark(state: Any, scope: str, values: Sequence[Any] = ()) -> None:
    """Write down that this scope begins or goes on, and needs these values."""
    graph = state.graph()
    last = graph.insertPoint().prev()
    if not values and last.kind() == _MARK and last.hasAttribute("scope"):
        last.s_("scope", scope)  # nothing ran in the other
        return
    node = graph.create(_MARK, list(values), 0)
    node.s_("scope", scope)
    graph.insertNode(node)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit._trace.TracerWarning)
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        yield
