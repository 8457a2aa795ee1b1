"""The second counter: what reaches PyTorch's dispatcher, floats on meta, integers real."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from flopledger.calls import OpCall
from flopledger.counting.dispatch.accesses import Accesses
from flopledger.counting.dispatch.autograd_graph import SPARSE, Reading, read
from flopledger.counting.dispatch.flex_attention import uncompiled
from flopledger.counting.dispatch.recorder import Recorder
from flopledger.counting.dispatch.running_layer import RunningLayer
from flopledger.counting.dispatch.transposed_products import Transposed
from flopledger.counting.doubles.network_double import doubled
from flopledger.counting.shapes.functions_on_shapes import OnShapes
from flopledger.counting.shapes.garbage import collected, uncollected
from flopledger.counting.shapes.higher_order import step_by_step
from flopledger.counting.shapes.legacy_types import asked_by_name
from flopledger.counting.shapes.origins import Origins
from flopledger.counting.shapes.overwritten import Overwritten
from flopledger.counting.shapes.torch_functions import Functions
from flopledger.counting.shapes.weightless import Values, on_meta, place_of, real
from flopledger.counting.structure.layers import Watch, watch
from flopledger.counting.structure.leaves import roots_of, tensors_within
from flopledger.counting.structure.met_params import key_of
from flopledger.counting.structure.unfinished import refuse_unfinished
from flopledger.counting.structure.wrapped import (
    held_by,
    holds_tensors,
    shapes_unheard,
)


@dataclass(kw_only=True)
class Findings:
    """What a pass shows beside its operator calls.

    Attributes:
        graph: what autograd's graph says of the backward pass; None where there is none.
        refused: of a pass on shapes, what was raised for want of numbers, and the network caught.
        complaint: of a pass on shapes, what an operator raised of shapes that it cannot take.
        met: by parameter, how many of its elements took part in arithmetic, once for each time.
        gradients: whether the forward pass took some itself.
        accesses: what each operator reads and writes; None where that was not asked for.
        out: what it returned, its floating tensors on meta.
        inputs: what stood in for its arguments.
    """

    graph: Reading | None = None
    refused: Exception | None = None
    complaint: Exception | None = None
    met: dict[str, int] = field(default_factory=dict)
    gradients: bool = False
    accesses: Accesses | None = None
    out: Any = None
    inputs: Any = None

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
        collected() if computed else uncollected(),
        doubled(module, (args, kwargs), place, given) as double,
        watch(double.modules, seen),
        uncompiled(),
        asked_by_name(),
        step_by_step(),
        shapes_unheard(),
    ):
        params = {key_of(held): name for name, tensor in double.named for held in held_by(tensor)}
        running, recorders = RunningLayer(noting=backward), list[Recorder]()
        transposed = Transposed()
        spoken, overwritten = list[OpCall](), Overwritten()
        # work that is not seen is that of a thread which was there before
        alone = computed or threading.active_count() == 1
        origins = None if alone else Origins(double.tensors)

        findings = findings or Findings()
        if (accesses := findings.accesses) is not None:
            accesses.begin(held for _, tensor in double.named for held in held_by(tensor))

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
                accesses=accesses,
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
                running.followed(double.modules, lambda: partial(recording, running.now())),
                recording(""),
            ):
                out = double.module(*double.args, **double.kwargs)
                refuse_unfinished(out)
                findings.out, findings.inputs = out, (double.args, double.kwargs)
        finally:
            if seen is not None:
                seen.elsewhere = any(recorder.calls for recorder in recorders[1:])
                seen.wrapped = any(recorder.wrapped for recorder in recorders)
            findings.complaint = recorders[0].complaint
        calls = [call for recorder in recorders for call in recorder.calls] + spoken
        findings.gradients = any(recorder.gradients for recorder in recorders)
        for recorder in recorders:
            for name, elements in recorder.met.elements.items():
                findings.met[name] = findings.met.get(name, 0) + elements
        if accesses is not None:
            accesses.keep(tensors_within(out))
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
            running.followed(double.modules),
            Recorder(
                running.of_node,
                params,
                computed,
                True,
                overwritten,
                transposed=transposed,
                accesses=accesses,
            ) as back,
        ):
            torch.autograd.backward(roots, [_filled_like(root) for root in roots])
        if accesses is not None:
            accesses.keep(t.grad for _, t in double.named if t.grad is not None)
        calls += back.calls
        return calls


def _filled_like(root: Tensor) -> Tensor:
    if root.is_nested or holds_tensors(root):
        return torch.zeros_like(root)
    # which would import sympy
    return torch.zeros(root.shape, dtype=root.dtype, device=root.device)
