"""The passes of a training step, run on tensors without storage, and what is alive in them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from weakref import ref

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge

from flopledger.allocation.blocks import checkpointed, repeated
from flopledger.allocation.held_bytes import Form
from flopledger.allocation.meta_allocator import Live, kernels_of
from flopledger.allocation.precision import CastWeights, autocast_on_meta, placed
from flopledger.allocation.shards import Gathered, Sharding, gathered_of, reduced_by_unit, units_of
from flopledger.allocation.tensor_bytes import outputs_of, stored
from flopledger.counting.doubles.network_double import Double, doubled
from flopledger.counting.gradients_in_forward import without_gradients
from flopledger.counting.shapes.functions_on_shapes import OnShapes
from flopledger.counting.shapes.higher_order import step_by_step
from flopledger.counting.shapes.legacy_types import asked_by_name
from flopledger.counting.shapes.weightless import on_meta
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.sparse_tensors import is_sparse
from flopledger.counting.structure.unfinished import refuse_unfinished
from flopledger.counting.subject import Subject
from flopledger.errors import WrongOption


@dataclass(frozen=True, kw_only=True)
class Inference:
    """A pass without gradients; sizes in bytes.

    Attributes:
        params: of all parameters that one rank has.
        buffers: of all buffers.
        inputs: of the tensors that go in.
        gathered: whole parameters that a rank has from others, here and in training.
        peak: of what operators make, at the worst moment.
    """

    params: int
    buffers: int
    inputs: int
    gathered: Gathered
    peak: int


@dataclass(frozen=True, kw_only=True)
class Training:
    """A forward and a backward pass, of the second micro-batch where there are several.

    Attributes:
        trained: the parameters that got a gradient.
        untouched: those that require one, and got none.
        gradients: their bytes.
        saved: what the forward pass leaves for the backward pass.
        casts: the casts of weights that autocast keeps at most; None without autocast.
        recomputed: what is alive of a block that has run again, of the largest; None without
            checkpointing.
        forward: what operators make in the forward pass, at its worst moment.
        peak: what operators make, gradients too, at the worst moment; of gradients that are
            divided among ranks those of one unit, while they are whole.
    """

    trained: list[nn.Parameter]
    untouched: list[nn.Parameter]
    gradients: int
    saved: int
    casts: int | None
    recomputed: int | None
    forward: int
    peak: int


def inference_of(subject: Subject, form: Form, sharding: Sharding | None, device: str) -> Inference:
    """What a pass without gradients holds."""
    with _on_shapes(subject, form, device) as (double, casts):
        params, buffers, given = _there_before(double)

        def peak() -> int:
            live = Live(params, buffers, given, device=device)
            with live, OnShapes(live.overwritten), casts.in_forward():
                refuse_unfinished(double.module(*double.args, **double.kwargs))
            return int(live.peak)

        return Inference(
            params=stored(sharding.cut(params, 3) if sharding else params),
            buffers=stored(buffers),
            inputs=stored(given),
            gathered=gathered_of(sharding, _units(double, sharding)),
            peak=without_gradients(peak),
        )


def training_of(subject: Subject, form: Form, sharding: Sharding | None, device: str) -> Training:
    """What a forward and a backward pass hold.

    Raises:
        WrongOption: no output requires a gradient, or gradients are sparse.
    """
    with _on_shapes(subject, form, device) as (double, casts), ExitStack() as forms:
        params, buffers, given = _there_before(double)
        live = Live(params, buffers, given, device=device)
        blocks = [double.module.get_submodule(path) for path in form.checkpointed]
        grown = forms.enter_context(checkpointed(blocks, lambda: live.now))
        reduced = forms.enter_context(reduced_by_unit(sharding, _units(double, sharding), device))
        with live, torch.enable_grad():
            saved, forward = _forward_and_backward(double, live, casts)
            if form.accumulate > 1:  # every later one is as the second
                _forward_and_backward(double, live, casts)
        gradients = [param.grad for param in params if param.grad is not None]
        if any(map(is_sparse, gradients)):
            raise WrongOption(
                f"{subject.name}: of sparse gradients the memory is not known; "
                "make its embeddings with sparse=False, or say backward=False"
            )
        trained = [p for p in params if p.grad is not None or p in reduced]
        return Training(
            trained=trained,
            untouched=[p for p in params if p.requires_grad and p not in {*trained}],
            gradients=stored(sharding.cut(trained, 2))
            if reduced and sharding
            else stored(gradients),
            saved=saved,
            casts=casts.most_bytes,
            recomputed=max(grown, default=0) if blocks else None,
            forward=forward,
            peak=live.peak,
        )


@contextmanager
def _on_shapes(subject: Subject, form: Form, device: str) -> Iterator[tuple[Double, CastWeights]]:
    """In the body, a double of the network whose passes run as with that device's kernels."""
    with (
        doubled(subject.module, subject.inputs, placed(on_meta, form.precision)) as double,
        kernels_of(device),
        autocast_on_meta(form.precision, device) as casts,
        step_by_step(),
        asked_by_name(),
    ):
        yield double, casts


def _there_before(double: Double) -> tuple[list[nn.Parameter], list[Tensor], list[Tensor]]:
    """What is stored before a pass: parameters, buffers, and what goes in."""
    given = tensors_within((double.args, double.kwargs))
    return list(double.module.parameters()), list(double.module.buffers()), given


def _units(double: Double, sharding: Sharding | None) -> list[list[nn.Parameter]]:
    if sharding is None:
        return []
    return units_of(double.module, repeated(double.module).values())


def _forward_and_backward(double: Double, live: Live, casts: CastWeights) -> tuple[int, int]:
    """Forward and backward; bytes alive in between without the outputs, and the peak till then."""
    with OnShapes(live.overwritten), casts.in_forward():
        out = double.module(*double.args, **double.kwargs)
    roots = outputs_of(out)
    edges = [get_gradient_edge(root) for root in roots]
    seeds = [(root.shape, root.dtype, root.device) for root in roots]
    storages = [ref(t.untyped_storage()) for t in tensors_within(out)]
    with_outputs, peak = live.now, live.peak
    del out, roots
    saved = live.now
    held = [storage() for storage in storages]  # the caller keeps the outputs until the end,
    live.now += with_outputs - saved  # those too that nothing else keeps
    torch.autograd.backward(
        edges, [torch.zeros(shape, dtype=dtype, device=where) for shape, dtype, where in seeds]
    )
    del held
    live.now -= with_outputs - saved
    return saved, peak
