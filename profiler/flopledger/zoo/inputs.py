"""What goes into a network: read from the command line, fitted to its examples."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flopledger.calls import Shape
from flopledger.errors import FlopledgerError

# a forward pass's arguments, by place and by name
Inputs = tuple[tuple[Any, ...], dict[str, Any]]

# what torch calls them
_DTYPES = [
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
    "complex64",
    "complex128",
]


class WrongInputs(FlopledgerError, ValueError):
    """The inputs asked for are not those that a model takes."""


@dataclass(frozen=True)
class AskedInput:
    """One --input: a shape, a dtype's name (None: the example's), an argument's name or None."""

    shape: Shape
    dtype: str | None = None
    name: str | None = None


def parse_input(text: str) -> AskedInput:
    """Read "1,3,224,224", "1,1024:int64" or "input_ids=1,2048:int64".

    Raises:
        WrongInputs: it is none of these; the message quotes the part that is wrong.
    """
    name, equals, rest = text.rpartition("=")
    if equals and not name.isidentifier():
        raise WrongInputs(f"--input {text}: {name!r} is no argument's name")
    sizes, _, dtype = rest.partition(":")
    if dtype and dtype not in _DTYPES:
        raise WrongInputs(f"--input {text}: no dtype is called {dtype!r}; say {', '.join(_DTYPES)}")
    for size in sizes.split(","):
        if not re.fullmatch(r"\s*\d+\s*", size, re.ASCII) or int(size) < 1:
            raise WrongInputs(
                f"--input {text}: {size.strip()!r} is not a size; "
                "give whole numbers from 1 up, such as 1,3,224,224"
            )
    return AskedInput(tuple(map(int, sizes.split(","))), dtype or None, name or None)


def as_inputs(made: Any) -> Inputs:
    """What a function of --inputs returned, as a forward pass's arguments.

    A dict is taken by name, a tuple by place, a tuple of a tuple and a dict as both; anything else
    is the one argument.
    """
    if isinstance(made, dict):
        return (), made
    if isinstance(made, tuple):
        if len(made) == 2 and isinstance(made[0], tuple) and isinstance(made[1], dict):
            return made
        return made, {}
    return (made,), {}


def fit_inputs(
    model: str, known: Inputs | None, asked: Sequence[AskedInput], batch: int | None
) -> Inputs:
    """The model's example inputs in the shapes and with the batch asked for.

    Args:
        model: its name, for messages.
        known: its example inputs, one sample each along axis 0; None where there are none.
        asked: those without a name in the order of the examples, one for each, or none.
        batch: the size of axis 0 of every tensor, or None.

    Raises:
        WrongInputs: there are not as many inputs as the model takes, or none are known.
    """
    if known is None and not asked:
        raise WrongInputs(
            f"{model}: what goes in is not known; give --input 1,3,224,224 (NAME=1,16:int64 for an "
            "argument by name), or --inputs FILE.py:FUNCTION"
        )
    args, kwargs = known or ((), {})
    places = [tensor for tensor in asked if tensor.name is None]
    if known is not None and places and len(places) != len(args or kwargs):
        raise WrongInputs(
            f"{model} takes {len(args or kwargs)} input(s), not {len(places)}; "
            "give --input once for each"
        )
    if args or known is None:
        args = tuple(_filled(tensor, _at(args, i)) for i, tensor in enumerate(places)) or args
    else:
        names = zip(kwargs, places, strict=False)
        kwargs = kwargs | {name: _filled(tensor, kwargs[name]) for name, tensor in names}
    kwargs = kwargs | {
        tensor.name: _filled(tensor, kwargs.get(tensor.name))
        for tensor in asked
        if tensor.name is not None
    }
    return (args, kwargs) if batch is None else (_batched(args, batch), _batched(kwargs, batch))


def _at(args: tuple[Any, ...], index: int) -> Any:
    return args[index] if index < len(args) else None


def _filled(asked: AskedInput, example: Any) -> Any:
    """A tensor of the example's dtype, unless another is asked for, and of its first value."""
    import torch

    value: int | float = 0
    dtype = torch.float32
    if isinstance(example, torch.Tensor):
        dtype = example.dtype
        if not dtype.is_floating_point and not dtype.is_complex and example.numel():
            value = example.flatten()[0].item()  # a token's id may mean padding if it is 0
    dtype = getattr(torch, asked.dtype) if asked.dtype else dtype
    with _fitting(asked.shape):
        if not value:
            return torch.zeros(asked.shape, dtype=dtype)  # no memory until it is written
        return torch.full(asked.shape, value, dtype=dtype)


@contextmanager
def _fitting(shape: tuple[int, ...]) -> Iterator[None]:
    """Make a tensor of that shape in the body.

    Raises:
        WrongInputs: there is no place for it.
    """
    try:
        yield
    # PyTorch's words for want of memory, for too many bytes, and for a size beyond 64 bits
    except (RuntimeError, TypeError, OverflowError, MemoryError) as error:
        sizes = ",".join(map(str, shape))
        raise WrongInputs(
            f"an input of {sizes} does not fit into memory; make it smaller"
        ) from error


def _batched(tree: Any, batch: int) -> Any:
    import torch
    from torch.utils._pytree import tree_map

    def repeat(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor) or not leaf.dim():
            return leaf
        shape = (batch, *leaf.shape[1:])
        with _fitting(shape):
            if leaf.is_floating_point():
                return torch.zeros(shape, dtype=leaf.dtype)  # no memory until it is written
            return leaf[:1].expand(shape).contiguous()

    return tree_map(repeat, tree)
