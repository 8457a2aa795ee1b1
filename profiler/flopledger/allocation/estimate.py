"""How much memory inference and a training step take, worked out without taking it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from flopledger.allocation.blocks import blocks_of
from flopledger.allocation.held_bytes import Form, Memory
from flopledger.allocation.meta_allocator import DEVICES, Device
from flopledger.allocation.optimisers import FLOAT32, check_optimiser, state_bytes, step_bytes
from flopledger.allocation.passes_on_shapes import Training, inference_of, training_of
from flopledger.allocation.precision import Precision, check_precision
from flopledger.allocation.shards import Sharding, dealt, parse_sharding
from flopledger.counting.advice import advised
from flopledger.counting.shapes.meta_devices import Overwrites, constants_unknown
from flopledger.counting.subject import Subject, subject_of
from flopledger.errors import WrongOption
from flopledger.options import check_least, checks_arguments
from flopledger.profiles.totals import Optimiser


@checks_arguments
def memory(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    optimiser: Optimiser = "adam",
    accumulate: int = 1,
    precision: Precision | None = None,
    checkpoint: str | None = None,
    shard: str | None = None,
    backward: bool = True,
    device: Device = "cpu",
) -> Memory:
    """The memory of one pass and of one training step; neither computes or stores anything large.

    Every tensor that an operator makes is counted, once a storage, from its making to its end. A
    training step is the forward pass, the backward pass from every floating output, each of which
    is held with its gradient to the end, and the optimiser's step. docs/memory.md has each form's
    rules, and predictions beside what was allocated.

    Not seen: what a kernel takes for itself while it runs (cuDNN's workspace; of the CPU's the
    copies and columns of convolutions and LSTMs are known, with as many threads as torch has), an
    allocator's rounding and fragments, a GPU's context, and recurrent cells that a kernel runs as
    one (here they are taken step by step).

    Args:
        module: in the mode (train or eval) it is to be measured in, and nothing of it is changed;
            or the name of one, as `profile`.
        args: a tuple of what its forward takes by place, or the one tensor; as `profile`.
        kwargs: what its forward takes by name.
        optimiser: of "sgd", "momentum", "adam", "adamw", "adam8bit", "adamw8bit", "lion",
            "rmsprop", "adagrad", "adafactor", "adafactor-momentum".
        accumulate: how many micro-batches, each as what goes in, add their gradients before the
            optimiser's step; from the second on the gradients are there from the beginning.
        precision: "bf16-mixed" is torch.autocast over the weights as they are, "bf16-true" has
            weights, inputs and gradients of that dtype, and "bf16-masters" likewise, while the
            optimiser keeps weights and state in float32; "fp16" for "bf16" is float16. None leaves
            the network as it is.
        checkpoint: the blocks that keep their inputs alone and run again in the backward pass:
            "blocks" are those that repeat, or paths such as "layer1.*, layer2.*".
        shard: the scheme and the ranks that the training is divided among, "zero3:8", "fsdp:8":
            all sizes are then one rank's.
        backward: False is inference alone.
        device: whose kernels are assumed: attention on "cuda" is always fused and dropout keeps a
            boolean mask; on "cpu" attention is fused where PyTorch's CPU kernel takes it, and
            dropout keeps a mask of floats.

    Raises:
        WrongOption: an option is none of these, or two contradict each other; nothing requires a
            gradient, or gradients are sparse.
        UnknownModel, BrokenModel, WrongSource, WrongInputs, ProfilingError: as `profile`.
        Exception: whatever the module raises.
    """
    check_optimiser(optimiser)
    check_least({"accumulate": (accumulate, 1)})
    check_precision(precision)
    sharding = parse_sharding(shard, optimiser)
    if device not in DEVICES:
        raise WrongOption(f"no kernels are known of {device!r}; say {' or '.join(DEVICES)}")

    subject = subject_of(module, args, kwargs)
    blocks = {} if checkpoint is None else blocks_of(subject.name, subject.module, checkpoint)
    form = Form(
        optimiser=optimiser,
        accumulate=accumulate,
        precision=precision,
        checkpointed=tuple(blocks),
        shard=f"{sharding.scheme}:{sharding.ranks}" if sharding else None,
    )
    try:
        return _worked_out(subject, form, sharding, backward, device)
    except Overwrites:
        with constants_unknown():
            return _worked_out(subject, form, sharding, backward, device)


def _worked_out(
    subject: Subject, form: Form, sharding: Sharding | None, backward: bool, device: Device
) -> Memory:
    """What is held beside the passes, and with them; under `sharding` one rank's share of it."""
    with advised(subject.name, subject.inputs):
        still = inference_of(subject, form, sharding, device)
    ranks = sharding or Sharding(scheme="zero1", ranks=1)
    sizes: dict[str, Any] = {
        "params_bytes": still.params,
        "buffers_bytes": still.buffers,
        "inputs_bytes": still.inputs,
    }
    base: int = sum(sizes.values())
    sizes["inference_peak_bytes"] = base + still.gathered.inference + still.peak
    if not backward:
        return Memory(**sizes)

    step = training_of(subject, form, sharding, device)
    kept = step.gradients * (form.accumulate > 1)
    forward = still.gathered.forward + step.forward + kept
    passes = max(forward, still.gathered.training + step.peak)

    def peak(own: _Stepped) -> int:
        gradients = step.gradients
        if ranks.scheme == "zero2":  # DeepSpeed drops those of 16 bits as it makes them float32
            gradients -= own.masters // 2
        return base + own.state + own.masters + max(passes, own.making + gradients)

    fullest = max(_stepped(step, form, ranks, device), key=peak)
    return Memory(
        **sizes,
        gradients_bytes=step.gradients,
        optimiser_state_bytes=fullest.state,
        masters_bytes=fullest.masters if _has_masters(form) else None,
        saved_activations_bytes=step.saved,
        weight_casts_bytes=step.casts,
        recomputed_bytes=step.recomputed,
        gathered_bytes=still.gathered.training if ranks.stage > 2 else None,
        training_peak_bytes=peak(fullest),
        form=form,
    )


@dataclass(frozen=True)
class _Stepped:
    """The bytes that a rank's optimiser keeps, those of masters, and what its step makes."""

    state: int
    masters: int
    making: int


def _stepped(step: Training, form: Form, ranks: Sharding, device: Device) -> list[_Stepped]:
    """Of each rank that steps parameters of its own; of one, where all have the same share."""
    trained, untouched = ranks.cut(step.trained, 1), ranks.cut(step.untouched, 1)
    params, ungiven = [*trained, *untouched], {*untouched}
    found = []
    for hand in dealt(params, ranks.ranks) if ranks.stage == 1 < ranks.ranks else [params]:
        own = [p for p in hand if p not in ungiven]
        stepped = [_master(p) if _has_masters(form) else p for p in own]
        masters = sum(m.nbytes for m, p in zip(stepped, own, strict=True) if m is not p)
        state = state_bytes(form.optimiser, stepped, [p for p in hand if p in ungiven])
        # the gradients as float32, of which the masters' steps are taken, are there all together
        making = masters + step_bytes(form.optimiser, device, stepped)
        found.append(_Stepped(state, masters, making))
    return found


def _master(param: Tensor) -> Tensor:
    """The float32 that is stepped in place of a narrow parameter; itself, if it is none."""
    if param.element_size() >= FLOAT32:
        return param
    return torch.empty(param.shape, dtype=torch.float32, device="meta")


def _has_masters(form: Form) -> bool:
    return (form.precision or "").endswith("-masters")
