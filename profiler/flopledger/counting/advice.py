"""What to give instead of what is no network, or no input of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from flopledger.counting.failures import first_line
from flopledger.errors import FlopledgerError
from flopledger.options import brief
from flopledger.profiles.tables import ProfilingError
from flopledger.zoo.inputs import Inputs


class NoNetwork(FlopledgerError, TypeError):
    """What was given is neither a network nor the name of one; the message says what to give."""


def not_a_network(given: Any, named: bool = True) -> NoNetwork:
    """The error of what was given in a network's place.

    Args:
        given: it.
        named: whether a name would do.
    """
    if isinstance(given, type) and issubclass(given, nn.Module):
        name = given.__name__
        return NoNetwork(f"{name} is a class and no network yet; make one, such as {name}()")
    kind = "class" if isinstance(given, type) else type(given).__name__
    if inside := networks_in(given):
        return NoNetwork(
            f"a {kind} is no torch.nn.Module, and holds some: {', '.join(inside)}; give one of "
            "them, with its own inputs"
        )
    hint = f"give a torch.nn.Module{' or a name such as ' + repr('alexnet') if named else ''}"
    if kind in ("function", "method", "partial"):
        hint = "give the torch.nn.Module that it returns, or in which it is forward"
    return NoNetwork(f"a {kind} is no network; {hint}")


@contextmanager
def advised(name: str, inputs: Inputs) -> Iterator[None]:
    """Passes of a network in the body; what it raises is its own, unless its inputs are odd.

    Raises:
        ProfilingError: it raised, and what it was given is no input; the message says what is.
    """
    try:
        yield
    except FlopledgerError:
        raise
    except Exception as error:  # the network is anybody's code: it may raise anything
        if (advice := advice_on(inputs)) is None:
            raise
        raise ProfilingError(f"{name}: {advice}; it stopped with {first_line(error)}") from error


def networks_in(given: Any) -> list[str]:
    """The names of the networks that it holds, as a pipeline does."""
    return [name for name, part in _attributes(given) if isinstance(part, nn.Module)]


def _attributes(given: Any) -> list[tuple[str, Any]]:
    """Its parts by name: a pipeline's attributes and components, a dict's or list's entries."""
    if isinstance(given, dict):
        return [(str(name), part) for name, part in given.items()]
    if isinstance(given, list | tuple):
        return [(f"[{i}]", part) for i, part in enumerate(given)]
    own = dict(getattr(given, "__dict__", {}))
    components = getattr(given, "components", None)
    if isinstance(components, dict):
        own |= components
    return [] if isinstance(given, type) else list(own.items())


def advice_on(inputs: Inputs) -> str | None:
    """What is odd about the inputs of a pass that did not go through; None if nothing is.

    Asked only then: a forward may take what it likes.
    """
    args, kwargs = inputs
    leaves = tree_leaves(inputs)
    if not args and not kwargs:
        return "it was given no inputs; give args, such as torch.zeros(1, 3, 224, 224)"
    for leaf in leaves:
        if type(leaf).__module__ == "numpy" and hasattr(leaf, "shape"):
            return "a numpy array is no tensor; give torch.from_numpy(array)"
    if any(isinstance(leaf, Tensor) for leaf in leaves):
        return None
    if all(type(leaf) is int for leaf in leaves):
        shape = ", ".join(map(str, leaves))
        return f"({shape}) is a shape and no tensor; give torch.zeros({shape})"
    return f"none of its inputs is a tensor, but {brief(leaves[0])} is given; give tensors"
