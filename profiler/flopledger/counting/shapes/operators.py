"""What is known of an operator before it is called, found once."""

from functools import cache
from typing import Any, NamedTuple

from flopledger.counting.formulas.every import is_free
from flopledger.counting.shapes.kernel_checks import Check, checks_of
from flopledger.counting.shapes.meta_devices import makes_constants
from flopledger.counting.shapes.meta_gradients import Rule
from flopledger.counting.shapes.meta_selection import asks, selects
from flopledger.counting.shapes.meta_shapes import rule_of
from flopledger.counting.shapes.overwritten import overwrites


class Operator(NamedTuple):
    """An operator, one of its overloads.

    Attributes:
        name: "aten::add_".
        free: whether it does no arithmetic.
        view: whether its result looks into what it is given.
        looks: whether that is all, and it is given one tensor and numbers.
        selects: whether its integers are positions that floats decide.
        asks: whether its result depends on values of what it is given.
        sparse: whether its result may be sparse where nothing it is given is.
        overwrites: whether it writes numbers over those of its first argument.
        like: whether it makes a constant like a tensor that it is given.
        checks: what its kernels refuse.
        rule: how its results are worked out here; None where PyTorch has to be asked.
        targets: names of the arguments (out=) to which it writes its result.
    """

    name: str
    free: bool
    view: bool
    looks: bool
    selects: bool
    asks: bool
    sparse: bool
    overwrites: bool
    like: bool
    checks: tuple[Check, ...]
    rule: Rule | None
    targets: frozenset[str]


@cache
def operator_of(func: Any) -> Operator:
    """What is known of torch.ops.aten.add.Tensor, or another."""
    schema = func._schema
    name, result = schema.name, schema.returns[:1]
    free, view = (
        is_free(name),
        bool(result and result[0].alias_info and not result[0].alias_info.is_write),
    )
    tensors = ["Tensor" in str(argument.type) for argument in schema.arguments]
    return Operator(
        name=name,
        free=free,
        view=view,
        looks=free and view and tensors[0] and sum(tensors) == 1 and not selects(name),
        selects=selects(name),
        asks=asks(name),
        sparse="sparse" in name,
        overwrites=overwrites(name),
        like=makes_constants(name),
        checks=checks_of(name),
        rule=rule_of(name, schema.overload_name),
        targets=frozenset(argument.name for argument in schema.arguments if argument.is_out),
    )
