"""profile(): a network counted twice, and the tables made of it."""

from dataclasses import replace
from typing import Any, get_args

from torch import Tensor, nn

from flopledger.calls import Counter, OpCall
from flopledger.counting.active_params import active_params_of
from flopledger.counting.advice import advice_on
from flopledger.counting.attempts import (
    REFUSALS,
    Attempt,
    by_dispatch,
    by_fvcore,
    complaint,
    stored,
)
from flopledger.counting.doubles.network_double import materialised
from flopledger.counting.failures import first_line
from flopledger.counting.samples import samples_of
from flopledger.counting.second_opinion import (
    backward_check_of,
    check_of,
    main_of,
    reason_of,
    trusted,
    unseen_by_fvcore,
)
from flopledger.counting.shapes.garbage import uncollected
from flopledger.counting.structure.layers import layers_of
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.network_parts import parameters_of
from flopledger.counting.structure.packed_weights import low_precision_buffers
from flopledger.counting.structure.wrapped import shape_of, states_of_shards
from flopledger.counting.subject import subject_of
from flopledger.counting.unread_work import executed
from flopledger.errors import WrongOption
from flopledger.options import brief
from flopledger.profiles.tables import Input, Profile, ProfilingError
from flopledger.zoo.inputs import Inputs


def profile(
    module: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    *,
    counter: Counter = "auto",
    backward: bool = False,
    samples: int | None = None,
    values: bool = False,
    check: bool = True,
) -> Profile:
    """Count one forward pass of a network with both counters.

    Both work on shapes: nothing is computed, at any size. The module's mode is kept, its weights
    are not changed, nor read unless the network asks for a value, and nothing that was done to it
    for the count is left, not even after an exception.

    Args:
        module: a network, or the name of one, as `flopledger profile` takes it (built without
            weights, in eval mode): "alexnet", "file.py:Net", "timm:resnet50".
        args: a tuple of what its forward takes by place, or the one tensor that it takes; of a
            named network, its own example inputs if left out.
        kwargs: what its forward takes by name.
        counter: which counter the tables come from: "fvcore" or "dispatch"; "auto" is fvcore, and
            dispatch where only that can count the network, or all of it. The other is the check.
        backward: also count the backward pass (by the dispatch counter, in either case).
        samples: how many samples the inputs hold; if left out, axis 0 of the first tensor, or what
            a note says was taken for them.
        values: compute the pass, on copies of the weights and inputs as they are: what a router
            picks or a threshold keeps is then counted as it is. Left out, that is done where the
            network asks for a value (zeros stand for what is not stored on the CPU).
        check: ask the second counter. Without it dispatch counts alone, in a third of the time, or
            fvcore where dispatch cannot count the network; work thrown away is then not named.

    Returns:
        The tables. One sample's FLOPs stand behind every `flops_per_param`.

    Raises:
        UnknownModel, BrokenModel, WrongSource, WrongInputs: of a name, as `subject_of`.
        WrongOption: `counter` is none of the three, or is "fvcore" without a check; `samples` is no
            whole number from 1 up; or `values` are asked for that are not stored on the CPU.
        ProfilingError: the network could not be counted.
    """
    _refuse(counter, samples, check)
    subject = subject_of(module, args, kwargs, stored=values)
    whole = counted(
        subject.name, subject.module, subject.inputs, counter, backward, samples, values, check
    )
    return replace(whole, notes=(*subject.notes, *whole.notes))


@uncollected()
def counted(
    name: str,
    module: nn.Module,
    inputs: Inputs,
    counter: Counter = "auto",
    backward: bool = False,
    samples: int | None = None,
    values: bool = False,
    check: bool = True,
) -> Profile:
    """As `profile`, of a network that goes by that name, with its arguments in one piece."""
    _refuse(counter, samples, check)
    module = _materialised(name, module, inputs)
    if values and not stored(module, inputs):
        raise WrongOption(
            f"{name}: values=True takes weights and inputs that are stored on the CPU"
        )
    dispatch = by_dispatch(module, inputs, backward, "given" if values else "unknown")
    if isinstance(dispatch.error, REFUSALS):
        raise ProfilingError(f"{name}: {dispatch.error}") from dispatch.error
    fvcore = Attempt(counter="fvcore")
    if check or dispatch.calls is None:
        fvcore = unseen_by_fvcore(dispatch) or by_fvcore(
            module, inputs, dispatch.values, alone=dispatch.calls is None
        )
        fvcore = trusted(executed(module, inputs, fvcore, dispatch), dispatch)
    main, other = main_of(counter, fvcore, dispatch)
    if stopped := _failure(main, other, backward):
        advice = advice_on(inputs)
        stop = f"{advice}; it stopped with {complaint(stopped)}" if advice else complaint(stopped)
        if stopped is fvcore and dispatch.calls is not None:
            stop = (
                f"fvcore cannot trace it: {stop}; leave the counter to auto, and dispatch counts it"
            )
        raise ProfilingError(f"{name}: {stop}") from stopped.error
    shown = (fvcore if dispatch.calls is None else dispatch).seen
    guessed, doubt = samples_of(module, inputs, shown) if samples is None else (samples, [])
    return Profile(
        model=name,
        counter=main.counter,
        reason=reason_of(main, fvcore, dispatch) if counter == "auto" else "as asked",
        inputs=tuple(_described(tensor) for tensor in tensors_within(inputs)),
        samples=guessed,
        calls=(*main.forward, *(_masks(dispatch) if main is fvcore else ())),
        modules=tuple(layers_of(module, shown)),
        check=check_of(main, other),
        backward_calls=dispatch.backward if backward else None,
        backward_check=backward_check_of(dispatch) if check else None,
        unused=_unused(module, dispatch),
        active_params=active_params_of(module, inputs, dispatch.calls or ()),
        notes=(
            *dispatch.notes,
            *fvcore.notes,
            *doubt,
            *_spread(dispatch),
            *low_precision_buffers(module, {call.path for call in main.forward if call.macs}),
        ),
    )


def _refuse(counter: str, samples: Any, check: bool) -> None:
    if not isinstance(counter, str) or counter not in get_args(Counter):
        raise WrongOption(f"no counter is called {brief(counter)}; say auto, fvcore or dispatch")
    if counter == "fvcore" and not check:
        raise WrongOption("without a check it is dispatch that counts; leave one of the two out")
    if samples is not None and (type(samples) is not int or samples < 1):
        raise WrongOption(f"samples={brief(samples)} is no number of samples; give 1, 2, 3, ...")


def _materialised(name: str, module: nn.Module, inputs: Inputs) -> nn.Module:
    try:
        return materialised(module, inputs)
    # the network is anybody's code: it may raise anything
    except (Exception, SystemExit) as error:
        raise ProfilingError(
            f"{name}: its lazy layers cannot be made: {first_line(error)}"
        ) from error


def _failure(main: Attempt, other: Attempt, backward: bool) -> Attempt | None:
    """The attempt for want of which there is no profile, if there is none."""
    if main.error is not None:
        return main
    # fvcore traces no backward pass
    return other if backward and main.counter == "fvcore" and other.error is not None else None


def _masks(dispatch: Attempt) -> list[OpCall]:
    """What a causal mask lets kernels skip, which fvcore's trace does not tell."""
    return [call for call in dispatch.calls or () if call.masked_macs]


def _unused(module: nn.Module, dispatch: Attempt) -> tuple[str, ...] | None:
    shards = states_of_shards()
    if dispatch.calls is None or (shards and any(child in shards for child in module.modules())):
        return None  # of FSDP2's layers it is gathered copies that are used
    used = {name for call in dispatch.calls for name in call.params}
    return tuple(name for name, _ in parameters_of(module) if name not in used)


def _spread(dispatch: Attempt) -> list[str]:
    paths = [call.path or "its top" for call in dispatch.calls or () if call.evenly]
    if not paths:
        return []
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return [f"what {paths[0]}{more} selects by its values was taken as evenly spread"]


def _described(tensor: Tensor) -> Input:
    return Input(shape=shape_of(tensor), dtype=str(tensor.dtype).removeprefix("torch."))
