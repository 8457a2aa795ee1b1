"""An operator's call, answered with its result's shape: what both counters' modes do of each."""

from typing import Any

from torch import Tensor

from flopledger.counting.shapes.meta_devices import on_one_device, stays_on_meta, tensors_in
from flopledger.counting.shapes.meta_shapes import inferred
from flopledger.counting.shapes.operators import Operator
from flopledger.counting.shapes.overwritten import Overwritten


def answered(
    func: Any,
    operator: Operator,
    args: Any,
    kwargs: dict[str, Any],
    overwritten: Overwritten,
    zeros_known: bool,
) -> tuple[Any, dict[str, Any], list[Tensor], Any]:
    """The arguments as they were understood, the tensors among them, and the result.

    Args:
        func: torch.ops.aten.mul.Tensor, or another.
        operator: what is known of it.
        args: positional arguments.
        kwargs: keyword arguments.
        overwritten: tensors on the CPU whose numbers are no longer known.
        zeros_known: whether zeros are constants.

    Raises:
        Overwrites: known values are overwritten in place by values that are not computed.
        Exception: what the operator raises, or its kernel would.
    """
    op = operator.name
    if operator.overwrites and overwritten.writes(op, args, kwargs):
        return args, kwargs, tensors_in(*args, *kwargs.values()), args[0]
    if overwritten.are_any():
        args, kwargs = overwritten.shapes_of(op, args, kwargs)
    for check in operator.checks:
        check(op, args)
    given = tensors_in(*args, *kwargs.values()) if kwargs else tensors_in(*args)
    if operator.like or not stays_on_meta(given, kwargs):
        args, kwargs = on_one_device(op, args, kwargs, zeros_known)
        given = tensors_in(*args, *kwargs.values())
    rule = operator.rule
    out = NotImplemented if rule is None else inferred(rule, args, kwargs)
    if out is NotImplemented:
        out = func(*args, **kwargs)
    return args, kwargs, given, out
