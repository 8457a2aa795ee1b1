"""What a network is given: what was asked for, its own example, or a guess."""

from collections.abc import Sequence
from typing import Any

from flopledger.counting.failures import first_line
from flopledger.profiles.tables import ProfilingError
from flopledger.zoo.guessed_inputs import guessed
from flopledger.zoo.inputs import AskedInput, Inputs, as_inputs, fit_inputs
from flopledger.zoo.registry import ModelSpec
from flopledger.zoo.sources import call


def arguments_of(
    name: str,
    spec: ModelSpec | None,
    module: Any,
    asked: Sequence[AskedInput],
    source: str | None = None,
    batch: int | None = None,
) -> tuple[Inputs, list[str]]:
    """The forward's arguments, and a line on what had to be guessed.

    Args:
        name: the network's, for messages.
        spec: the zoo's, or None.
        module: the network.
        asked: the shapes asked for; they replace those of the example.
        source: "FILE.py:FUNCTION" that returns the example; None for the network's own.
        batch: the size of axis 0 of every tensor, or None.

    Raises:
        WrongInputs: they are not those that the network takes, or none are known.
        WrongSource: `source` is no such function.
        ProfilingError: the zoo's examples cannot be made.
    """
    if source is not None:
        return fit_inputs(name, as_inputs(call(source)), asked, batch), []
    if spec is not None:
        return fit_inputs(name, (examples(spec), {}), asked, batch), []
    known, home = guessed(module) or (None, "")
    note = [f"its inputs are guessed from {home}; --input says otherwise"]
    return fit_inputs(name, known, asked, batch), note if not asked else []


def examples(spec: ModelSpec) -> tuple[Any, ...]:
    """The example inputs of a network of the zoo.

    Raises:
        ProfilingError: they cannot be made, or are no tuple.
    """
    try:
        made = spec.inputs()
    except (Exception, SystemExit) as error:  # it is anybody's code: it may raise anything
        raise ProfilingError(
            f"{spec.name}: its example inputs fail: {first_line(error)}"
        ) from error
    if not isinstance(made, tuple):  # a tensor's rows would be taken for the arguments
        raise ProfilingError(
            f"{spec.name}: its example inputs are a {type(made).__name__}, no tuple; with one "
            "input, say (torch.zeros(1, 3),)"
        )
    return made
