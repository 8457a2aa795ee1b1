"""How much memory inference and a training step take: worked out without it, and measured."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.profiler import ProfilerActivity

from flopledger.allocation.held_bytes import Memory
from flopledger.allocation.meta_allocator import DEVICES, Device, Live, kernels_of
from flopledger.counting.advice import advised
from flopledger.counting.doubles import Double, doubled
from flopledger.counting.functions_on_shapes import OnShapes
from flopledger.counting.gradients_in_forward import without_gradients
from flopledger.counting.higher_order import step_by_step
from flopledger.counting.leaves import roots_of, tensors_within
from flopledger.counting.legacy_types import asked_by_name
from flopledger.counting.meta_devices import Overwrites, constants_unknown
from flopledger.counting.sparse_tensors import is_sparse
from flopledger.counting.subject import Subject, subject_of
from flopledger.counting.torch_functions import unfused
from flopledger.counting.unfinished import refuse_unfinished
from flopledger.counting.weightless import on_meta
from flopledger.errors import WrongOption
from flopledger.options import checks_arguments
from flopledger.profiles.totals import Optimiser

# what each keeps, in copies of the trainable parameters
OPTIMISERS = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}


@checks_arguments
def memory(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    optimiser: Optimiser = "adam",
    backward: bool = True,
    device: Device = "cpu",
) -> Memory:
    """The memory of one pass and of one training step; neither computes or stores anything large.

    Every tensor that an operator makes is counted, once a storage, from its making to its end. A
    training step is the forward pass, the backward pass from every floating output, each of which
    is held with its gradient to the end, and the optimiser's step.

    Not seen: what a kernel takes for itself while it runs (a convolution's columns or reordered
    weights, cuDNN's workspace), an allocator's rounding and fragments, a GPU's context, and
    recurrent cells that a kernel runs as one (here they are taken step by step).

    Args:
        module: in the mode (train or eval) it is to be measured in, and nothing of it is changed;
            or the name of one, as `profile`.
        args: a tuple of what its forward takes by place, or the one tensor; as `profile`.
        kwargs: what its forward takes by name.
        optimiser: "sgd" keeps nothing, "momentum" one copy of the trained parameters, "adam" and
            "adamw" two.
        backward: False is inference alone.
        device: whose kernels are assumed: attention on "cuda" is always fused and dropout keeps a
            boolean mask; on "cpu" attention is fused where PyTorch's CPU kernel takes it, and
            dropout keeps a mask of floats.

    Raises:
        WrongOption: no optimiser or device has that name, nothing requires a gradient, or
            gradients are sparse.
        UnknownModel, BrokenModel, WrongSource, WrongInputs, ProfilingError: as `profile`.
        Exception: whatever the module raises.
    """
    _check(optimiser)
    if device not in DEVICES:
        raise WrongOption(f"no kernels are known of {device!r}; say {' or '.join(DEVICES)}")

    subject = subject_of(module, args, kwargs)
    try:
        return _worked_out(subject, optimiser, backward, device)
    except Overwrites:
        with constants_unknown():
            return _worked_out(subject, optimiser, backward, device)


def _worked_out(subject: Subject, optimiser: Optimiser, backward: bool, device: Device) -> Memory:
    with advised(subject.name, subject.inputs), _with_kernels(subject, device) as double:
        params, buffers, given = _there_before(double)

        def peak() -> int:
            with Live(params, buffers, given) as live, OnShapes(live.overwritten):
                refuse_unfinished(double.module(*double.args, **double.kwargs))
            return int(live.peak)

        parts = {
            "params_bytes": _stored(params),
            "buffers_bytes": _stored(buffers),
            "inputs_bytes": _stored(given),
        }
        base = sum(parts.values())
        inference_peak = base + without_gradients(peak)
    if not backward:
        return Memory(**parts, inference_peak_bytes=inference_peak)

    with _with_kernels(subject, device) as double:
        params, buffers, given = _there_before(double)
        with Live(params, buffers, given) as live, torch.enable_grad():
            saved = _forward_and_backward(double, live)
        trained = [param for param in params if param.grad is not None]
        if any(is_sparse(param.grad) for param in trained):
            raise WrongOption(
                f"{subject.name}: of sparse gradients the memory is not known; "
                "make its embeddings with sparse=False, or say backward=False"
            )
        gradients = _stored([param.grad for param in trained])

    state = OPTIMISERS[optimiser] * _stored(trained)
    step = gradients + _step_temporaries(optimiser, device, trained)
    return Memory(
        **parts,
        inference_peak_bytes=inference_peak,
        gradients_bytes=gradients,
        optimiser_state_bytes=state,
        saved_activations_bytes=saved,
        training_peak_bytes=base + state + max(live.peak, step),
    )


@contextmanager
def _with_kernels(subject: Subject, device: Device) -> Iterator[Double]:
    """In the body, a double of the network whose passes run as with that device's kernels."""
    with (
        doubled(subject.module, subject.inputs, on_meta) as double,
        kernels_of(device),
        step_by_step(),
        asked_by_name(),
    ):
        yield double


def _there_before(double: Double) -> tuple[list[nn.Parameter], list[Tensor], list[Tensor]]:
    """What is stored before a pass: parameters, buffers, and what goes in."""
    given = tensors_within((double.args, double.kwargs))
    return list(double.module.parameters()), list(double.module.buffers()), given


def _check(optimiser: str) -> None:
    if optimiser not in OPTIMISERS:
        raise WrongOption(f"no optimiser is called {optimiser!r}; say {', '.join(OPTIMISERS)}")


def _forward_and_backward(double: Double, live: Live) -> int:
    """Forward and backward; the bytes alive between them without the outputs."""
    with OnShapes(live.overwritten):
        out = double.module(*double.args, **double.kwargs)
    roots = _outputs_of(out)
    edges = [get_gradient_edge(root) for root in roots]
    seeds = [(root.shape, root.dtype, root.device) for root in roots]
    storages = [ref(t.untyped_storage()) for t in tensors_within(out)]
    with_outputs = live.now
    del out, roots
    saved = live.now
    held = [storage() for storage in storages]  # the caller keeps the outputs until the end,
    live.now = with_outputs  # those too that nothing else keeps
    torch.autograd.backward(
        edges, [torch.zeros(shape, dtype=dtype, device=where) for shape, dtype, where in seeds]
    )
    del held
    return saved


def _outputs_of(out: Any) -> list[Tensor]:
    """The tensors of a forward pass's result from which a backward pass can start.

    Raises:
        WrongOption: there are none.
    """
    roots = roots_of(out)
    if not roots:
        raise WrongOption(
            "no output requires a gradient, so there is no training step; unfreeze a parameter, "
            "or say backward=False"
        )
    return roots


def _stored(tensors: Iterable[Any]) -> int:
    """The bytes of the tensors' storages, each once."""
    storages = [t.untyped_storage() for t in tensors if isinstance(t, Tensor)]
    return sum({storage._cdata: storage.nbytes() for storage in storages}.values())


def _step_temporaries(optimiser: str, device: str, trained: Sequence[Tensor]) -> int:
    """The bytes that an optimiser's step makes and drops: Adam's square root and quotient.

    On the CPU PyTorch takes one parameter after the other, and both exist at once; on CUDA it
    takes all parameters together and divides in place.
    """
    sizes = [param.numel() * param.element_size() for param in trained]
    if not optimiser.startswith("adam") or not sizes:
        return 0
    return sum(sizes) if device == "cuda" else 2 * max(sizes)


@checks_arguments
def allocated(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    optimiser: Optimiser = "adam",
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
        optimiser: "sgd", "momentum", "adam" or "adamw".
        backward: False is inference alone.
        device: "cpu", "cuda", "cuda:1".

    Raises:
        WrongOption: no optimiser has that name, or nothing requires a gradient.
        UnknownModel, BrokenModel, WrongSource, WrongInputs, ProfilingError: as `profile`.
        Exception: whatever the module raises, for want of memory too.
    """
    _check(optimiser)

    def real(tensor: Tensor) -> Tensor:
        if tensor.is_meta:
            return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)
        return tensor.detach().to(device, copy=True)

    subject = subject_of(module, args, kwargs)
    module, inputs = subject.module, subject.inputs
    calm = advised(subject.name, inputs)
    with calm, doubled(module, inputs, real) as double, torch.random.fork_rng(), unfused(module):
        params = list(double.module.parameters())
        given = tensors_within((double.args, double.kwargs))
        sizes = {
            "params_bytes": _stored(params),
            "buffers_bytes": _stored(double.module.buffers()),
            "inputs_bytes": _stored(given),
        }
        base = sum(sizes.values())

        def peak() -> int:
            with _allocations(device) as seen:
                refuse_unfinished(double.module(*double.args, **double.kwargs))
            return seen["peak"]

        sizes["inference_peak_bytes"] = base + without_gradients(peak)
        if not backward:
            return Memory(**sizes)

        trainer = _optimiser(optimiser, [p for p in params if p.requires_grad])
        with torch.enable_grad():
            with _allocations(device) as seen:
                out = double.module(*double.args, **double.kwargs)
                edges = [get_gradient_edge(t) for t in _outputs_of(out)]
                del out
            del edges
            sizes["saved_activations_bytes"] = seen["now"]
            _step(double, trainer)  # after which the optimiser has its state
            sizes["gradients_bytes"] = _stored(p.grad for p in params)
            for tensor in (*params, *given):
                tensor.grad = None
            state = sum(_stored(kept.values()) for kept in trainer.state.values())
            sizes["optimiser_state_bytes"] = state
            with _allocations(device) as seen:
                _step(double, trainer)
            sizes["training_peak_bytes"] = base + state + seen["peak"]
    return Memory(**sizes)


def _optimiser(name: str, params: list[Tensor]) -> torch.optim.Optimizer:
    if name == "adam":
        return torch.optim.Adam(params)
    if name == "adamw":
        return torch.optim.AdamW(params)
    return torch.optim.SGD(params, momentum=0.9 if name == "momentum" else 0.0)


def _step(double: Double, trainer: Any) -> None:
    roots = _outputs_of(double.module(*double.args, **double.kwargs))
    torch.autograd.backward(roots, [torch.zeros_like(root) for root in roots])
    trainer.step()


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
