"""The reference counter: fvcore's FlopCountAnalysis over the graph that torch.jit traces."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from flopledger.calls import OpCall, Shape
from flopledger.counting.doubles.network_double import doubled
from flopledger.counting.formulas.elementwise import FREE
from flopledger.counting.formulas.every import known_operators, work
from flopledger.counting.shapes.functions_on_shapes import OnShapes
from flopledger.counting.shapes.garbage import collected, uncollected
from flopledger.counting.shapes.higher_order import step_by_step
from flopledger.counting.shapes.legacy_types import asked_by_name
from flopledger.counting.shapes.overwritten import Overwritten
from flopledger.counting.shapes.torch_functions import unfused
from flopledger.counting.shapes.weightless import Values, on_meta, place_of, real
from flopledger.counting.structure.layers import Watch, watch
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.sparse_tensors import is_sparse
from flopledger.counting.trace.fvcore_nn import FlopCountAnalysis, jit_analysis
from flopledger.counting.trace.traced_flags import FlagsAsNumbers
from flopledger.counting.trace.traced_graph import Graph, Traced, Unpruned, trace
from flopledger.counting.trace.traced_shapes import ShapesOnly

# fvcore's own handles: what makes this counter a second opinion. It counts a multiply-accumulate
# as one "flop"; here, and nowhere else, that figure becomes macs. Its matmul is not among them:
# it takes the batch of the first operand for that of the result; nor its einsum: it takes half of
# an outer product, and products for a diagonal.
_FVCORE = ("aten::_convolution", "aten::linear", "aten::addmm", "aten::mm", "aten::bmm")

_SLASH = "\N{DIVISION SLASH}"  # stands for one in a module's name


def count(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    values: Values = "unknown",
    pruned: bool = True,
    seen: Watch | None = None,
    gradients: bool = False,
    flags: bool = True,
) -> list[OpCall]:
    """Every operator call in the traced graph of one forward pass.

    Args:
        module: in the mode (train or eval) it is to be counted in; nothing of it is changed.
        args: the forward pass's positional arguments.
        kwargs: its keyword arguments.
        values: "unknown" traces shapes, and computes nothing; "zeros" and "given" compute the pass
            on the CPU, on weights that are zero and take no memory, or on copies of the weights;
            "random" on small weights of which square ones are near the identity.
        pruned: leave out what reaches no output, as the tracer does.
        seen: is told of every module's beginning and end.
        gradients: the pass keeps what gradients need.
        flags: torch's functions are given True and False as they are, not as numbers.

    Raises:
        ValueError: no tensor goes in or none comes out, so there is nothing to trace; or one is
            sparse.
        Exception: whatever the module, or tracing it, raises.
    """
    calls: list[OpCall] = []
    tensors = tensors_within((args, kwargs))
    if not tensors:
        raise ValueError("no tensor goes into the model; fvcore traces tensors")
    shapes = values == "unknown"
    unpruned, overwritten = Unpruned(), Overwritten()
    with (
        uncollected() if shapes else collected(),
        doubled(
            module, (args, kwargs), place_of(values, module), on_meta if shapes else real
        ) as double,
        watch(double.modules, seen),
        unfused(double.module),
        step_by_step(),
        asked_by_name(),
        torch.set_grad_enabled(gradients),
        ShapesOnly(overwritten, zeros_known=not gradients) if shapes else nullcontext(),
        OnShapes(overwritten, zeros_known=not gradients) if shapes else nullcontext(),
        nullcontext() if flags else FlagsAsNumbers(),
        nullcontext() if pruned else unpruned,
    ):
        if any(map(is_sparse, double.tensors)):
            raise ValueError("fvcore's trace does not say how much a sparse tensor stores")
        traced = Traced(double, unpruned.results)
        analysis = FlopCountAnalysis(traced, ())
        analysis._aliases = _without_slashes(analysis._aliases)
        scopes = {
            child: name for child, name in analysis._aliases.items() if not isinstance(child, str)
        }
        graph = trace(traced, double.tensors, scopes)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    analysis.ancestor_mode("caller")  # each operator is booked once: sums are made elsewhere
    known = known_operators()
    for op in graph.operators:
        if op in _FVCORE:
            native = _fvcore_macs(op, analysis._op_handles[op])
            analysis.set_op_handle(op, _recording(graph, calls, op, native))
        elif {op, op.removesuffix("_")} & known:
            analysis.set_op_handle(op, _recording(graph, calls, op, _formula(op)))
        elif {op, op.removesuffix("_")} & FREE:
            analysis.set_op_handle(op, None)
    with _walking(graph):
        analysis.total()
    calls.extend(_unsupported(analysis, scopes.values()))
    return calls


@contextmanager
def _walking(graph: Any) -> Iterator[None]:
    """In the body, that graph is the one that fvcore walks."""
    own = jit_analysis._get_scoped_trace_graph
    jit_analysis._get_scoped_trace_graph = lambda *_: graph
    try:
        yield
    finally:
        jit_analysis._get_scoped_trace_graph = own


_NOTHING: Counter[str] = Counter()  # what fvcore adds up, layer by layer

Cost = Callable[[list[Any], list[Any]], tuple[int, int] | None]


def _recording(
    graph: Graph, calls: list[OpCall], op: str, cost: Cost
) -> Callable[..., Counter[str]]:
    """A handle that writes the call down; what it returns to fvcore is not used."""

    def handle(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
        known = cost(inputs, outputs)
        macs, other = known or (0, 0)
        given, made = _tensors(inputs), _tensors(outputs)
        if any(dtype.is_complex for _, dtype in given):
            macs *= 4  # (a + ib)(c + id) is four real products
        if not any(dtype.is_floating_point or dtype.is_complex for _, dtype in made):
            other = 0  # integer arithmetic is no FLOP; an integer product is still a MAC
        calls.append(
            OpCall(
                path=_path(graph.scope),
                op=op,
                inputs=tuple(shape for shape, _ in given),
                outputs=tuple(shape for shape, _ in made),
                macs=macs,
                other_flops=other,
                counted=known is not None,
            )
        )
        return _NOTHING

    return handle


def _fvcore_macs(op: str, handle: Callable[..., Any]) -> Cost:
    ours = _formula(op)

    def cost(inputs: list[Any], outputs: list[Any]) -> tuple[int, int] | None:
        if op == "aten::linear" and len(_value(inputs[1])) == 1:
            return ours(inputs, outputs)  # fvcore takes the weight's one side for its rows
        macs = handle(inputs, outputs)
        return int(sum(macs.values()) if isinstance(macs, Counter) else macs), 0

    return cost


def _formula(op: str) -> Cost:
    def cost(inputs: list[Any], outputs: list[Any]) -> tuple[int, int] | None:
        out = [_value(value) for value in outputs]
        return work(op, [_value(v) for v in inputs], {}, out[0] if len(out) == 1 else tuple(out))

    return cost


def _value(value: Any) -> Any:
    """A graph value as a formula wants it: a tensor's shape, a list's items, a constant itself."""
    if value.isCompleteTensor():
        return tuple(value.type().sizes())
    if value.node().kind() == "prim::ListConstruct":
        return [_value(item) for item in value.node().inputs()]
    if value.type().kind() == "TensorType":  # a size that was computed in the graph: one number
        return ()
    return value.toIValue()


def _tensors(values: Sequence[Any]) -> list[tuple[Shape, torch.dtype]]:
    """Shape and dtype of each tensor among the values and in their lists."""
    tensors = []
    for value in values:
        if value.isCompleteTensor():
            kind = value.type()
            tensors.append((tuple(kind.sizes()), kind.dtype()))
        elif value.node().kind() == "prim::ListConstruct":
            tensors += _tensors(list(value.node().inputs()))
    return tensors


def _path(scope: str) -> str:
    """The layer in a scope such as "module.features"; the wrapper's own is the root."""
    return scope.removeprefix("module").removeprefix(".").replace(_SLASH, "/")


def _without_slashes(aliases: dict[Any, str]) -> dict[Any, str]:
    """The names that fvcore knows modules by, which it cuts at every slash."""
    return {
        key.replace("/", _SLASH) if isinstance(key, str) else key: name.replace("/", _SLASH)
        for key, name in aliases.items()
    }


def _unsupported(analysis: Any, names: Iterable[str]) -> Iterator[OpCall]:
    """One record a call for each operator that neither fvcore nor a formula knows."""
    for name in sorted(names):
        for op, number in sorted(analysis.unsupported_ops(name).items()):
            if op.startswith("profiler::"):  # torch.profiler's marks, as DataParallel leaves them
                continue
            for _ in range(number):
                yield OpCall(path=_path(name), op=op, inputs=(), outputs=(), counted=False)
