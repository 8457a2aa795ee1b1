"""One row's work: a network is made and counted; whatever goes wrong is the row's error."""

import gc
import threading
from functools import cache

from flopledger.counting.arguments import arguments_of
from flopledger.counting.profiling import counted
from flopledger.counting.subject import built
from flopledger.profiles.tables import Profile, ProfilingError
from flopledger.sweeping.rows import Point, Row, failed
from flopledger.zoo.inputs import WrongInputs, parse_input
from flopledger.zoo.libraries import WrongSource, in_one_line
from flopledger.zoo.registry import BrokenModel, UnknownModel
from flopledger.zoo.sources import Found, find, parse_options, set_apart

_OURS = (WrongInputs, WrongSource, ProfilingError, BrokenModel, UnknownModel)
_ONE_AT_A_TIME = threading.Lock()  # a tracer's state is the process's


def measured(point: Point, own_thread: bool = False) -> Row:
    """The point's row. It raises nothing of the network's; what that prints goes to stderr.

    Args:
        point: the network and its size.
        own_thread: whether other threads of the process are somebody else's, as a Dask worker's.
    """
    row = _counted(point, own_thread)
    if row.error:
        gc.collect()  # an exception and its frames hold one another, and these the whole network
    return row


def _counted(point: Point, own_thread: bool) -> Row:
    try:
        with _ONE_AT_A_TIME, set_apart(own_thread):
            profile = _profile(point)
    except _OURS as error:
        return failed(point, str(error).removeprefix(f"{point.model}: "))
    except (Exception, SystemExit) as error:  # the network is anybody's code
        return failed(point, in_one_line(error))
    return _row(point, profile)


def _profile(point: Point) -> Profile:
    network = _found(point.model, point.kwargs)
    module = built(point.model, network.factory)
    asked = [parse_input(text) for text in point.inputs]
    inputs, _ = arguments_of(point.model, network.spec, module, asked)
    try:
        return counted(point.model, module, inputs, point.counter)
    except ProfilingError as error:
        reason = str(error).removeprefix(f"{point.model}: ")
        if reason.startswith("memory is too small"):
            raise
        raise ProfilingError(f"it cannot take {point.size}: {reason}") from error


@cache
def _found(model: str, kwargs: tuple[str, ...]) -> Found:
    # once a process: finding a file runs it
    return find(model, parse_options(kwargs))


def _row(point: Point, profile: Profile) -> Row:
    check, totals = profile.check, profile.totals
    notes = list(profile.notes)
    if check.agrees is False:
        notes.append(f"{check.counter} counts {check.macs:,} MACs: {check.reason}")
    return Row(
        model=point.model,
        sizes=point.sizes,
        input=", ".join(f"{'x'.join(map(str, i.shape))} {i.dtype}" for i in profile.inputs),
        samples=profile.samples,
        params=totals.params,
        trainable_params=totals.trainable_params,
        macs=totals.macs,
        flops=totals.flops,
        other_flops=totals.other_flops,
        activations=totals.activations,
        flops_per_param=totals.flops_per_param,
        counter=profile.counter,
        agrees=check.agrees,
        uncounted=tuple(
            f"{row['operator']} ({row['calls']} calls)"
            for row in profile.unsupported().to_dict("records")
        ),
        notes=tuple(notes),
    )
