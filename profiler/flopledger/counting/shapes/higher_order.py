"""torch.cond, while_loop, scan and map: run step by step, as their definitions say.

PyTorch compiles them wherever they are called, and a compiler does not look for counters. What a
network compiles itself runs uncompiled, too.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from threading import get_ident
from typing import Any

import torch
from torch._higher_order_ops import utils
from torch._higher_order_ops.associative_scan import AssociativeScanOp, generic_associative_scan
from torch._higher_order_ops.cond import CondOp
from torch._higher_order_ops.map import MapImpl
from torch._higher_order_ops.scan import ScanOp
from torch._higher_order_ops.while_loop import WhileLoopOp
from torch.utils._pytree import tree_leaves, tree_map


@contextmanager
def step_by_step() -> Iterator[None]:
    """In the body, they run so in this thread; in others as ever."""
    own = get_ident()

    def here(replaced: Callable[..., Any], steps: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            return (steps if get_ident() == own else replaced)(*args, **kwargs)

        return run

    places = [(utils, "_hop_compile_and_call", _call), *((kind, "__call__", steps)
              for kind, steps in _STEPS.items())]  # fmt: skip
    before = [vars(place)[name] for place, name, _ in places]
    for (place, name, steps), replaced in zip(places, before, strict=True):
        setattr(place, name, here(replaced, steps))
    compiled = "torch._dynamo" in sys.modules  # else nothing is
    try:
        with torch.compiler.set_stance("force_eager") if compiled else nullcontext():
            yield
    finally:
        for (place, name, _), replaced in zip(places, before, strict=True):
            setattr(place, name, replaced)


def _call(run: Callable[..., Any], args: Sequence[Any], kwargs: Any = None) -> Any:
    return run(*args, **kwargs or {})


def _cond(_: Any, chosen: Any, yes: Any, no: Any, operands: Sequence[Any] = ()) -> Any:
    return yes(*operands) if chosen else no(*operands)


def _while_loop(_: Any, goes_on: Any, body: Any, carried: Any, more: Any = (), **__: Any) -> Any:
    while goes_on(*carried, *more):
        carried = tuple(tree_leaves(body(*carried, *more)))
    return tuple(carried)


def _scan(_: Any, combine: Any, carried: Any, xs: Any, additional_inputs: Any = ()) -> Any:
    results = []
    for i in range(len(xs[0])):
        step = [x[i] for x in xs]
        carried, result = combine(*tree_leaves(carried), *step, *additional_inputs)
        results.append(result)
    return carried, _stacked(results)


def _map(_: Any, run: Any, xs: Any, more: Any) -> Any:
    return _stacked([run(*(x[i] for x in xs), *more) for i in range(len(xs[0]))])


def _associative_scan(_: Any, combine: Any, xs: Any, additional_inputs: Any = ()) -> Any:
    more = {"additional_inputs": additional_inputs}
    return generic_associative_scan(combine, xs, **more)  # type: ignore[no-untyped-call]


def _stacked(results: list[Any]) -> Any:
    return tree_map(lambda *steps: torch.stack(steps), *results)


_STEPS: dict[type, Callable[..., Any]] = {
    CondOp: _cond,
    WhileLoopOp: _while_loop,
    ScanOp: _scan,
    MapImpl: _map,
    AssociativeScanOp: _associative_scan,
}
