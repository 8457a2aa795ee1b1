"""What inference and a training step really allocate: both are run, and the allocator is read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.profiler import ProfilerActivity

from flopledger.allocation.blocks import blocks_of, checkpointed
from flopledger.allocation.held_bytes import Form, Memory
from flopledger.allocation.optimisers import WithMasters, check_optimiser, real_optimiser
from flopledger.allocation.precision import Precision, cast_of, check_precision, placed
from flopledger.allocation.tensor_bytes import outputs_of, stored
from flopledger.counting.advice import advised
from flopledger.counting.doubles.network_double import Double, doubled
from flopledger.counting.gradients_in_forward import without_gradients
from flopledger.counting.shapes.torch_functions import unfused
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.unfinished import refuse_unfinished
from flopledger.counting.subject import subject_of
from flopledger.options import check_least, checks_arguments
from flopledger.profiles.totals import Optimiser


@checks_arguments
def allocated(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    optimiser: Optimiser = "adam",
    accumulate: int = 1,
    precision: Precision | None = None,
    checkpoint: str | None = None,
    backward: bool = True,
    device: str = "cpu",
) -> Memory:
    """Run it and read the allocator: what `memory` works out, measured.

    A copy of the weights is trained for two steps; the module itself is left as it is. On CUDA the
    allocator's own peak is read, on the CPU the profiler's record of every allocation.

    Args:
        module: in the mode (train or eval) it is to be measured in; or a name, as `profile`.
        args: a tuple of what its forward takes by place, or the one tensor; as `profile`.
        kwargs: what its forward takes by name.
        optimiser: as `memory`; "lion" is timm's, "adafactor-momentum" transformers', and those of
            8 bits are bitsandbytes'.
        accumulate: as `memory`; the last of two micro-batches is read, as each later one is as it.
        precision: as `memory`.
        checkpoint: as `memory`; torch.utils.checkpoint does it.
        backward: False is inference alone.
        device: "cpu", "cuda", "cuda:1".

    Raises:
        WrongOption: an option is none of these, nothing requires a gradient, or the library of an
            optimiser is not installed.
        UnknownModel, BrokenModel, WrongSource, WrongInputs, ProfilingError: as `profile`.
        Exception: whatever the module raises, for want of memory too.
    """
    check_optimiser(optimiser)
    check_least({"accumulate": (accumulate, 1)})
    check_precision(precision)

    def real(tensor: Tensor) -> Tensor:
        if tensor.is_meta:
            return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)
        return tensor.detach().to(device, copy=True)

    subject = subject_of(module, args, kwargs)
    module, inputs = subject.module, subject.inputs
    paths = () if checkpoint is None else tuple(blocks_of(subject.name, module, checkpoint))
    calm = advised(subject.name, inputs)
    place = placed(real, precision)
    with calm, doubled(module, inputs, place) as double, torch.random.fork_rng(), unfused(module):
        params = list(double.module.parameters())
        given = tensors_within((double.args, double.kwargs))
        sizes: dict[str, Any] = {
            "params_bytes": stored(params),
            "buffers_bytes": stored(double.module.buffers()),
            "inputs_bytes": stored(given),
        }
        base = sum(sizes.values())
        run = _Run(double, device, cast_of(precision))

        def peak() -> int:
            with _allocations(device) as seen:
                refuse_unfinished(run.forward())
            return seen["peak"]

        sizes["inference_peak_bytes"] = base + without_gradients(peak)
        if not backward:
            return Memory(**sizes)

        trained = [p for p in params if p.requires_grad]
        masters = (precision or "").endswith("-masters")
        # torch's take no empty list, where the inputs alone are trained
        made = (WithMasters if masters else real_optimiser) if trained else _Nothing
        trainer = made(optimiser, trained)
        blocks = [double.module.get_submodule(path) for path in paths]
        with checkpointed(blocks), torch.enable_grad():
            sizes |= _trained(run, trainer, params, given, accumulate)
        if isinstance(trainer, WithMasters):
            sizes["masters_bytes"] = stored(trainer.own)
        kept = sizes["optimiser_state_bytes"] + sizes.get("masters_bytes", 0)
        sizes["training_peak_bytes"] += base + kept
    form = Form(optimiser=optimiser, accumulate=accumulate, precision=precision, checkpointed=paths)
    return Memory(**sizes, form=form)


class _Nothing:
    """The optimiser of no parameters."""

    def __init__(self, name: str, params: Sequence[Tensor]) -> None:
        self.state: dict[Tensor, dict[str, Tensor]] = {}

    def step(self) -> None:
        """Nothing."""


class _Run:
    """Passes of a double, cast as autocast does where it is to."""

    def __init__(self, double: Double, device: str, cast: torch.dtype | None) -> None:
        self._double, self._cast = double, cast
        self.device = device

    def forward(self) -> Any:
        kind = torch.device(self.device).type
        cast = torch.autocast(kind, dtype=self._cast) if self._cast else nullcontext()
        with cast:
            return self._double.module(*self._double.args, **self._double.kwargs)

    def both(self) -> None:
        roots = outputs_of(self.forward())
        torch.autograd.backward(roots, [torch.zeros_like(root) for root in roots])


def _trained(
    run: _Run, trainer: Any, params: Sequence[Tensor], given: list[Tensor], accumulate: int
) -> dict[str, int]:
    """Of a step that is not the first; its peak without what was there before it."""
    with _allocations(run.device) as seen:
        out = run.forward()
        edges = [get_gradient_edge(t) for t in outputs_of(out)]
        del out
    del edges
    saved = seen["now"]
    run.both()
    trainer.step()  # after which the optimiser has its state
    gradients = stored(p.grad for p in params)
    for tensor in (*params, *given):
        tensor.grad = None
    if accumulate > 1:  # each micro-batch finds the gradients of those before it
        run.both()
    there = gradients if accumulate > 1 else 0
    with _allocations(run.device) as seen:
        run.both()
        trainer.step()
    return {
        "gradients_bytes": gradients,
        "optimiser_state_bytes": stored(
            tensor for kept in trainer.state.values() for tensor in kept.values()
        ),
        "saved_activations_bytes": saved,
        "training_peak_bytes": there + seen["peak"],
    }


@contextmanager
def _allocations(device: str) -> Iterator[dict[str, int]]:
    """What the body allocates: "peak", and "now", what is left of it, in bytes."""
    seen = {"now": 0, "peak": 0}
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield seen
        torch.cuda.synchronize(device)
        seen["now"] = torch.cuda.memory_allocated(device) - before
        seen["peak"] = torch.cuda.max_memory_allocated(device) - before
        return
    with torch.profiler.profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        yield seen
    assert record.profiler is not None
    events = [e for e in record.profiler.kineto_results.events() if e.name() == "[memory]"]
    for event in sorted(events, key=lambda e: e.start_ns()):
        seen["now"] += event.nbytes()
        seen["peak"] = max(seen["peak"], seen["now"])
