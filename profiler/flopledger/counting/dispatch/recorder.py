"""Operator calls as they reach PyTorch's dispatcher, and their results as shapes alone."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator, OpOverload
from torch.autograd import forward_ad

from flopledger.calls import OpCall
from flopledger.counting.dispatch.accesses import Accesses
from flopledger.counting.dispatch.flex_attention import attend
from flopledger.counting.dispatch.fused_backward import wanted_macs
from flopledger.counting.dispatch.product_dtypes import add_product
from flopledger.counting.dispatch.run_again import is_run_again
from flopledger.counting.dispatch.transposed_products import Transposed
from flopledger.counting.formulas.every import rescored, work
from flopledger.counting.formulas.products import SparseShape
from flopledger.counting.shapes.answered_calls import answered
from flopledger.counting.shapes.dispatch_mode import DispatchMode
from flopledger.counting.shapes.meta_devices import tensors_in
from flopledger.counting.shapes.meta_selection import evenly
from flopledger.counting.shapes.operators import Operator, operator_of
from flopledger.counting.shapes.origins import Origins
from flopledger.counting.shapes.overwritten import Overwritten
from flopledger.counting.structure.met_params import Met
from flopledger.counting.structure.packed_weights import packed_shapes
from flopledger.counting.structure.shared_objects import ATOMS
from flopledger.counting.structure.sparse_tensors import SparseMeta, is_sparse, stored_elements
from flopledger.counting.structure.wrapped import (
    NESTED,
    any_holds_tensors,
    goes_by_parts,
    is_nested,
    shape_of,
)

_OF_SHAPES = (RuntimeError, IndexError)  # and none of their kinds: what is not implemented is one
_PLAIN = frozenset((Tensor, nn.Parameter))

UNSEEN = "thread::unseen"  # what an operator call is called whose work was not seen


class Recorder(DispatchMode):
    """Writes down every operator call, having worked out its result without doing its work."""

    supports_higher_order_operators = True

    def __init__(
        self,
        where: Callable[[], str],
        params: dict[int, str],
        computed: bool,
        backward: bool = False,
        overwritten: Overwritten | None = None,
        zeros_known: bool = False,
        origins: Origins | None = None,
        transposed: Transposed | None = None,
        accesses: Accesses | None = None,
    ) -> None:
        super().__init__()
        self.calls: list[OpCall] = []
        self._where = where
        self._computed = computed
        self._overwritten = overwritten or Overwritten()
        self._zeros_known = zeros_known
        self._origins = origins
        self._transposed = transposed or Transposed()
        self._accesses = accesses
        self._backward = backward
        self._invented: list[int] = []
        self._guessed = False  # whether positions were ever made up, on which shapes may depend
        self.complaint: Exception | None = None  # of an operator that got shapes it cannot take
        self.gradients = False  # whether autograd ran beneath it
        self.met = Met(params)
        self.products = Counter[str]()  # MACs by the dtype of what was multiplied
        self.sparse = False  # whether a sparse tensor was met
        self.wrapped = False  # whether one that holds others was met

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if type(func) is not OpOverload and isinstance(func, HigherOrderOperator):
            return self._attend(func, args, kwargs or {})
        if types and any_holds_tensors(types):
            self.wrapped = True
            return NotImplemented  # what it holds comes here in its place
        with torch._C.DisableTorchFunction():  # else this code, too, is told that meta is the CPU
            try:
                return self._count(func, args, kwargs or {})
            except _OF_SHAPES as error:
                if not self._guessed and _is_of_shapes(operator_of(func), error):
                    self.complaint = error
                raise

    def _count(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        operator = operator_of(func)
        if operator.looks and args and self._only_looks(args[0]):
            return func(*args, **kwargs)
        if self._origins is not None and not self._origins.known(args, kwargs):
            self.calls.append(self._unread(UNSEEN))
        if self._computed:
            if any(map(is_nested, tensors_in(*args))) and goes_by_parts(func) and not operator.free:
                self.wrapped = True
                with self:
                    return func._op_dk(NESTED, *args, **kwargs)
            given = tensors_in(*args, *kwargs.values())
            out = func(*args, **kwargs)
        else:
            args, kwargs, given, out = self._inferred(func, operator, args, kwargs)
        if self._origins is not None:
            self._origins.add(tensors_in(out))
        try:
            self._record(operator, args, kwargs, given, out)
        except Exception:  # a fault of ours is no fault of the network
            self.calls.append(self._unread(operator.name))
        return out

    def _only_looks(self, x: Tensor) -> bool:
        """Whether a view of that tensor leaves nothing to write down, as most views do."""
        return (
            x.is_meta
            and self._origins is None
            and not self._computed
            and not self._overwritten.are_any()
            and not self.met.holders((x,))[0]
            and not is_sparse(x)
            and (self.gradients or not _takes_gradients())
        )

    def _inferred(
        self, func: Any, operator: Operator, args: Any, kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any], list[Tensor], Any]:
        """The arguments as they were understood, the tensors among them, and the result."""
        args, kwargs, given, out = answered(
            func, operator, args, kwargs, self._overwritten, self._zeros_known
        )
        if operator.sparse and any(t.is_meta and is_sparse(t) for t in tensors_in(out)):
            raise SparseMeta
        if operator.asks:
            self.asked()
        if operator.selects and args[0].is_meta:
            self._guessed = True
            self._invented.append(len(self.calls))  # the call that is recorded next
            out = evenly(operator.name, args, kwargs, out)
        return args, kwargs, given, out

    def asked(self) -> None:
        """Integers are read, which may be such as were made up."""
        for index in self._invented:
            self.calls[index] = replace(self.calls[index], evenly=True)
        self._invented.clear()

    def _unread(self, op: str) -> OpCall:
        return OpCall(path=self._where(), op=op, inputs=(), outputs=(), counted=False,
                      backward=self._backward)  # fmt: skip

    def _attend(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if not func.name().startswith("flex_attention"):
            with self:
                return func(*args, **kwargs)
        out, macs, skipped, again = attend(func.name(), args)
        if self._computed:
            out = func(*args, **kwargs)
        if self._origins is not None:
            self._origins.add(tensors_in(out))
        add_product(self.products, func.name(), tensors_in(*args[:3]), macs)
        self.calls.append(
            OpCall(
                path=self._where(),
                op=func.name(),
                inputs=tuple(tuple(t.shape) for t in tensors_in(*args[:3])),
                outputs=tuple(tuple(t.shape) for t in tensors_in(out)),
                macs=macs,
                masked_macs=skipped,
                rescored_macs=again,
                backward=self._backward,
                recomputed=self._backward and torch.is_grad_enabled(),
            )
        )
        return out

    def _record(
        self, operator: Operator, args: Any, kwargs: dict[str, Any], given: list[Tensor], out: Any
    ) -> None:
        op, free = operator.name, operator.free
        made = [out] if type(out) is Tensor else tensors_in(out)
        holding, params = self.met.holders(given)
        self.gradients = self.gradients or _takes_gradients()
        if self._computed and not self.sparse:
            self.sparse = any(map(is_sparse, given))
        macs, other, again, counted = 0, 0, 0, True
        if free:
            if holding and not operator.view:  # a view looks into the same storage
                self.met.moved(holding, made)
            if operator.view and not params and not operator.selects:
                return
        else:
            macs, other, again, counted = self._work(operator, args, kwargs, given, made, out)
        if holding and (macs or other or op == "aten::embedding"):
            self.met.took_part(holding, macs)
        call = OpCall(
            path=self._where(),
            op=op,
            inputs=tuple(map(shape_of, given)),
            outputs=tuple(map(shape_of, made)),
            macs=macs,
            other_flops=other,
            counted=counted,
            backward=self._backward,
            params=params,
            rescored_macs=again,
            recomputed=self._backward and is_run_again(),
        )
        self._keep(call, operator, given, made)

    def _work(
        self,
        operator: Operator,
        args: Any,
        kwargs: dict[str, Any],
        given: list[Tensor],
        made: list[Tensor],
        out: Any,
    ) -> tuple[int, int, int, bool]:
        """MACs, other FLOPs, MACs of scores computed again; and whether a formula knows them."""
        op = operator.name
        if operator.targets:  # out= is where the result goes, and no argument of a formula
            kwargs = {word: value for word, value in kwargs.items() if word not in operator.targets}
        taken, result = _shapes(args), _shapes(out)
        cost = work(op, taken, _shapes(kwargs), result)
        macs, other = cost or (0, 0)
        if macs and (wanted := wanted_macs(op, taken)) is not None:
            macs = wanted
        if self._transposed.makes(op, len(given)):
            macs, other = prod(tuple(out.shape)), 0
            self._transposed.made(out)
        if macs and any(map(Tensor.is_complex, given)):
            macs *= 4  # (a + ib)(c + id) is four real products
        if other and not any(t.is_floating_point() or t.is_complex() for t in made):
            other = 0  # integer arithmetic is no FLOP; an integer product is still a MAC
        add_product(self.products, op, given, macs)
        return macs, other, rescored(op, taken, result) if macs else 0, cost is not None

    def _keep(
        self, call: OpCall, operator: Operator, given: list[Tensor], made: list[Tensor]
    ) -> None:
        self.calls.append(call)
        if self._accesses is not None:
            self._accesses.note(call, operator, given, made)


def _takes_gradients() -> bool:
    """Whether autograd runs, or carries tangents along."""
    return torch._C._current_autograd_node() is not None or forward_ad._current_level >= 0


def _is_of_shapes(operator: Operator, error: Exception) -> bool:
    """Whether tensors with values would have raised it, too: those shapes do not go together.

    Of operators whose rules are ours or whose results are views; and how a tensor lies in memory
    may be another matter where it has values.
    """
    ruled = operator.rule is not None or operator.view or operator.checks
    line = str(error).lower()
    return bool(ruled and type(error) in _OF_SHAPES and "meta" not in line and "stride" not in line)


def _shapes(tree: Any) -> Any:
    """The tree with every tensor replaced by its shape, lists and tuples kept."""
    kind = type(tree)
    if kind in ATOMS:
        return tree
    if kind in _PLAIN or isinstance(tree, Tensor):
        if is_sparse(tree):
            return SparseShape(tree.shape, stored_elements(tree))
        return shape_of(tree)
    if kind is list or isinstance(tree, tuple):
        if ATOMS.issuperset(map(type, tree)):  # a stride, an axis
            return tree
        return kind([_shapes(item) for item in tree])
    if kind is dict:
        return {key: _shapes(value) for key, value in tree.items()} if tree else tree
    if isinstance(tree, torch.ScriptObject) and (shapes := packed_shapes(tree)):
        return shapes[0]
    return tree
