"""The second counter: what reaches PyTorch's dispatcher, floats on meta, integers real."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator, OpOverload
from torch.autograd import forward_ad

from flopledger.calls import OpCall
from flopledger.counting.autograd_graph import SPARSE, Reading, read
from flopledger.counting.dispatch_mode import DispatchMode
from flopledger.counting.doubles import doubled
from flopledger.counting.flex_attention import attend, uncompiled
from flopledger.counting.formulas.every import rescored, work
from flopledger.counting.formulas.products import SparseShape
from flopledger.counting.functions_on_shapes import OnShapes
from flopledger.counting.fused_backward import wanted_macs
from flopledger.counting.higher_order import step_by_step
from flopledger.counting.kernel_checks import refuse
from flopledger.counting.layers import Watch, watch
from flopledger.counting.leaves import roots_of
from flopledger.counting.legacy_types import asked_by_name
from flopledger.counting.met_params import Met, key_of
from flopledger.counting.meta_devices import on_one_device, stay_on_meta, tensors_in
from flopledger.counting.meta_selection import evenly
from flopledger.counting.meta_shapes import infer
from flopledger.counting.operators import Operator, operator_of
from flopledger.counting.origins import Origins
from flopledger.counting.overwritten import Overwritten
from flopledger.counting.packed_weights import packed_shapes
from flopledger.counting.product_dtypes import add_product
from flopledger.counting.running_layer import RunningLayer
from flopledger.counting.shared_objects import ATOMS
from flopledger.counting.sparse_tensors import SparseMeta, is_sparse, stored_elements
from flopledger.counting.torch_functions import Functions
from flopledger.counting.transposed_products import Transposed
from flopledger.counting.unfinished import refuse_unfinished
from flopledger.counting.weightless import Values, on_meta, place_of, real
from flopledger.counting.wrapped import (
    NESTED,
    any_holds_tensors,
    goes_by_parts,
    held_by,
    holds_tensors,
    is_nested,
    shape_of,
    shapes_unheard,
)

UNSEEN = "thread::unseen"  # what an operator call is called whose work was not seen


@dataclass(kw_only=True)
class Findings:
    """What a pass shows beside its operator calls.

    Attributes:
        graph: what autograd's graph says of the backward pass; None where there is none.
        refused: of a pass on shapes, what was raised for want of numbers, and the network caught.
        met: by parameter, how many of its elements took part in arithmetic, once for each time.
        gradients: whether the forward pass took some itself.
    """

    graph: Reading | None = None
    refused: Exception | None = None
    met: dict[str, int] = field(default_factory=dict)
    gradients: bool = False

    def refuse(self, error: Exception) -> None:
        """Keep it, if it is the first."""
        self.refused = self.refused or error


def count(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    backward: bool = False,
    values: Values = "unknown",
    seen: Watch | None = None,
    findings: Findings | None = None,
    gradients: bool = False,
) -> list[OpCall]:
    """Every operator call of one forward pass, and of the backward pass if asked for.

    The pass runs on a double of the network, in which floating tensors (weights, buffers, inputs)
    are meta tensors of the same shape, so that nothing large is computed or stored; integer and
    boolean tensors are real copies, so that code which asks for their values gets them.

    Args:
        module: in the mode (train or eval) it is to be counted in; nothing of it is changed.
        args: the forward pass's positional arguments.
        kwargs: its keyword arguments.
        backward: also run the backward pass from every floating output.
        values: "zeros" and "given" compute every operator on the CPU, on weights that are zero or
            on copies of the weights, so that code which asks for a floating value gets one; so
            does "random", on small weights of which square ones are near the identity.
        seen: is told of every module's beginning and end.
        findings: is told what else the pass shows.
        gradients: the forward pass keeps what gradients need, as it does for a backward pass.

    Raises:
        ValueError: backward was asked for and nothing requires a gradient.
        Exception: whatever the module raises.
    """
    computed, gradients = values != "unknown", gradients or backward
    place, given = place_of(values, module), real if computed else on_meta
    with (
        doubled(module, (args, kwargs), place, given) as double,
        watch(double.module, seen),
        uncompiled(),
        asked_by_name(),
        step_by_step(),
        shapes_unheard(),
    ):
        params = {key_of(held): name for name, tensor in double.named for held in held_by(tensor)}
        running, recorders = RunningLayer(), list[Recorder]()
        transposed = Transposed()
        spoken, overwritten = list[OpCall](), Overwritten()
        # work that is not seen is that of a thread which was there before
        alone = computed or threading.active_count() == 1
        origins = None if alone else Origins(double.tensors)

        findings = findings or Findings()

        @contextmanager
        def recording(path: str) -> Iterator[None]:
            functions = Functions(running.now, spoken)
            recorder = Recorder(
                running.now,
                params,
                computed,
                overwritten=overwritten,
                zeros_known=not gradients,
                origins=origins,
                transposed=transposed,
            )
            recorders.append(recorder)
            shapes = OnShapes(
                overwritten, recorder.asked, not gradients, findings.refuse, functions.result
            )
            with (
                running.inside(path),
                torch.set_grad_enabled(gradients),
                functions if computed else shapes,
                recorder,
            ):
                yield

        try:
            with (
                running.followed(double.module, lambda: recording(running.now())),
                recording(""),
            ):
                out = double.module(*double.args, **double.kwargs)
                refuse_unfinished(out)
        finally:
            if seen is not None:
                seen.elsewhere = any(recorder.calls for recorder in recorders[1:])
                seen.wrapped = any(recorder.wrapped for recorder in recorders)
        calls = [call for recorder in recorders for call in recorder.calls] + spoken
        findings.gradients = any(recorder.gradients for recorder in recorders)
        for recorder in recorders:
            for name, elements in recorder.met.elements.items():
                findings.met[name] = findings.met.get(name, 0) + elements
        if not backward:
            return calls
        roots = roots_of(out)
        if not roots:
            raise ValueError(
                "no output requires a gradient, so there is no backward pass; unfreeze a parameter"
            )
        sparse = any(recorder.sparse for recorder in recorders)
        findings.graph = SPARSE if sparse else read(roots, running.of, transposed.nodes())
        with (
            running.followed(double.module),
            Recorder(
                running.of_node, params, computed, True, overwritten, transposed=transposed
            ) as back,
        ):
            torch.autograd.backward(roots, [_filled_like(root) for root in roots])
        calls += back.calls
        return calls


def _filled_like(root: Tensor) -> Tensor:
    if root.is_nested or holds_tensors(root):
        return torch.zeros_like(root)
    # which would import sympy
    return torch.zeros(root.shape, dtype=root.dtype, device=root.device)


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
    ) -> None:
        super().__init__()
        self.calls: list[OpCall] = []
        self._where = where
        self._computed = computed
        self._overwritten = overwritten or Overwritten()
        self._zeros_known = zeros_known
        self._origins = origins
        self._transposed = transposed or Transposed()
        self._backward = backward
        self._invented: list[int] = []
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
            return self._count(func, args, kwargs or {})

    def _count(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        operator = operator_of(func)
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

    def _inferred(
        self, func: Any, operator: Operator, args: Any, kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any], list[Tensor], Any]:
        """The arguments as they were understood, the tensors among them, and the result."""
        op = operator.name
        if self._overwritten.writes(op, args, kwargs):
            return args, kwargs, tensors_in(*args, *kwargs.values()), args[0]
        args, kwargs = self._overwritten.shapes_of(op, args, kwargs)
        refuse(op, args)
        given = tensors_in(*args, *kwargs.values())
        if not stay_on_meta(op, given, kwargs):
            args, kwargs = on_one_device(op, args, kwargs, self._zeros_known)
            given = tensors_in(*args, *kwargs.values())
        out = infer(op, operator.overload, args, kwargs)
        if out is NotImplemented:
            out = func(*args, **kwargs)
        if operator.sparse and any(t.is_meta and is_sparse(t) for t in tensors_in(out)):
            raise SparseMeta
        if operator.asks:
            self.asked()
        if operator.selects and args[0].is_meta:
            self._invented.append(len(self.calls))  # the call that is recorded next
            out = evenly(op, args, kwargs, out)
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
        if free and holding:
            self.met.moved(holding, made)
        if self._computed and not self.sparse:
            self.sparse = any(map(is_sparse, given))
        if free and operator.view and not params and not operator.selects:
            return
        if operator.targets:  # out= is where the result goes, and no argument of a formula
            kwargs = {word: value for word, value in kwargs.items() if word not in operator.targets}
        taken, result = ((), ()) if free else (_shapes(args), _shapes(out))
        cost = (0, 0) if free else work(op, taken, _shapes(kwargs), result)
        macs, other = cost or (0, 0)
        if macs and (wanted := wanted_macs(op, taken)) is not None:
            macs = wanted
        if self._transposed.makes(op, len(given)):
            macs, other = prod(tuple(out.shape)), 0
            self._transposed.made(out)
        if macs and any(t.is_complex() for t in given):
            macs *= 4  # (a + ib)(c + id) is four real products
        if other and not any(t.is_floating_point() or t.is_complex() for t in made):
            other = 0  # integer arithmetic is no FLOP; an integer product is still a MAC
        add_product(self.products, op, given, macs)
        if holding and (macs or other or op == "aten::embedding"):
            self.met.took_part(holding, macs)
        self.calls.append(
            OpCall(
                path=self._where(),
                op=op,
                inputs=tuple(map(shape_of, given)),
                outputs=tuple(map(shape_of, made)),
                macs=macs,
                other_flops=other,
                counted=cost is not None,
                backward=self._backward,
                params=params,
                bytes=sum([t.numel() * t.element_size() for t in (*given, *made)]),
                rescored_macs=rescored(op, taken, result) if macs else 0,
                # only code that is run again asks for gradients inside a backward pass
                recomputed=self._backward and torch.is_grad_enabled(),
            )
        )


def _takes_gradients() -> bool:
    """Whether autograd runs, or carries tangents along."""
    return torch._C._current_autograd_node() is not None or forward_ad._current_level >= 0


def _shapes(tree: Any) -> Any:
    """The tree with every tensor replaced by its shape, lists and tuples kept."""
    kind = type(tree)
    if kind in ATOMS:
        return tree
    if isinstance(tree, Tensor):
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
