"""Subject: the network that a verb is about, given or named, and what its forward pass takes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from flopledger.counting.advice import networks_in, not_a_network
from flopledger.counting.arguments import arguments_of
from flopledger.counting.failures import first_line
from flopledger.counting.shapes.weightless import build
from flopledger.options import brief
from flopledger.profiles.tables import FactoryFails
from flopledger.zoo.inputs import Inputs, WrongInputs
from flopledger.zoo.sources import find, offline


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network and the arguments of one forward pass.

    Attributes:
        name: as it was asked for, or its class.
        module: the network.
        inputs: its forward pass's arguments, by place and by name.
        notes: what had to be guessed, a line each.
    """

    name: str
    module: nn.Module
    inputs: Inputs
    notes: tuple[str, ...] = ()


def subject_of(
    subject: nn.Module | str,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    stored: bool = False,
) -> Subject:
    """The network and its arguments, as every verb of the library takes them.

    Args:
        subject: a network; or the name of one, as `flopledger profile` takes it: it is built
            without weights, in eval mode, and nothing is downloaded.
        args: a tuple of what its forward takes by place; anything that is no tuple or list is the
            one argument. Of a named network, its own example or a guess if both are left out.
        kwargs: what its forward takes by name.
        stored: a named one is built with the weights that its factory gives it.

    Raises:
        NoNetwork: it is neither a module nor a name.
        UnknownModel, BrokenModel, WrongSource: there is no network of that name.
        WrongInputs: what goes into a named network is not known.
        ProfilingError: it cannot be built, or its example inputs cannot be made.
    """
    if isinstance(kwargs, Tensor):
        raise WrongInputs("several tensors by place go in one tuple: (x, y)")
    if kwargs is not None and not (
        isinstance(kwargs, Mapping) and all(isinstance(name, str) for name in kwargs)
    ):
        raise WrongInputs(f"kwargs {brief(kwargs)} are no arguments by name; give a dict of them")
    by_place = tuple(args) if isinstance(args, tuple | list) else (args,)
    inputs: Inputs = (by_place, dict(kwargs or {}))
    if isinstance(subject, nn.Module):
        return Subject(name=type(subject).__name__, module=subject, inputs=inputs)
    if not isinstance(subject, str):
        raise not_a_network(subject)
    notes: list[str] = []
    with offline(own_thread=True):
        named = find(subject)
        module = built(named.name, named.factory, stored)
        if not by_place and not kwargs:
            try:
                inputs, notes = arguments_of(subject, named.spec, module, [])
            except WrongInputs as error:
                raise WrongInputs(
                    f"{subject}: what goes in is not known; give args, such as "
                    "(torch.zeros(1, 3, 224, 224),)"
                ) from error
    return Subject(name=subject, module=module, inputs=inputs, notes=tuple(notes))


def built(name: str, factory: Callable[[], Any], stored: bool = False) -> nn.Module:
    """A network in eval mode, if it has modes; on meta, with no weights stored, unless asked for.

    Raises:
        FactoryFails: its factory raised something, or made no module.
    """
    try:
        module = factory() if stored else build(factory)
    except (Exception, SystemExit) as error:  # the factory is anybody's code: it may raise anything
        raise FactoryFails(f"{name}: its factory fails: {first_line(error)}") from error
    if not isinstance(module, nn.Module):
        inside = networks_in(module)
        hint = f"; it holds {', '.join(inside)}: return one of them" if inside else ""
        raise FactoryFails(
            f"{name}: its factory makes a {type(module).__name__}, no torch.nn.Module{hint}"
        )
    with suppress(NotImplementedError):  # a graph of torch.export's has one mode, and says so
        module.eval()
    return module
