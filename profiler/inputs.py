"""The tensors that go into a network: read from the command line, fitted to its examples."""

import re
from dataclasses import dataclass
from typing import Any

from profiler.calls import Shape

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
]


class WrongInputs(ValueError):
    """The inputs asked for are not those that a model takes."""


@dataclass(frozen=True)
class AskedInput:
    """One --input: a shape, and a dtype's name or None for the example's."""

    shape: Shape
    dtype: str | None = None


def parse_input(text: str) -> AskedInput:
    """Read "1,3,224,224" or "1,1024:int64".

    Raises:
        WrongInputs: it is neither; the message quotes the part that is wrong.
    """
    sizes, _, dtype = text.partition(":")
    if dtype and dtype not in _DTYPES:
        raise WrongInputs(f"--input {text}: no dtype is called {dtype!r}; say {', '.join(_DTYPES)}")
    for size in sizes.split(","):
        if not re.fullmatch(r"\s*\d+\s*", size, re.ASCII) or int(size) < 1:
            raise WrongInputs(
                f"--input {text}: {size.strip()!r} is not a size; "
                "give whole numbers from 1 up, such as 1,3,224,224"
            )
    return AskedInput(tuple(map(int, sizes.split(","))), dtype or None)


def fit_inputs(
    model: str, examples: tuple[Any, ...], asked: list[AskedInput], batch: int | None
) -> tuple[Any, ...]:
    """The model's example inputs in the shapes and with the batch asked for.

    Args:
        model: its name, for messages.
        examples: its registered example tensors, one sample each along axis 0.
        asked: one an input, in the order of the forward's arguments, or none.
        batch: the size of axis 0 of every input, or None.

    Returns:
        Zeros: a count does not depend on values.

    Raises:
        WrongInputs: there are not as many inputs as the model takes.
    """
    import torch

    if asked and len(asked) != len(examples):
        raise WrongInputs(
            f"{model} takes {len(examples)} input(s), not {len(asked)}; give --input once for each"
        )
    fitted = tuple(
        torch.zeros(one.shape, dtype=getattr(torch, one.dtype) if one.dtype else example.dtype)
        for one, example in zip(asked, examples, strict=False)
    )
    inputs = fitted or examples
    if batch is None:
        return inputs
    return tuple(torch.zeros((batch, *t.shape[1:]), dtype=t.dtype) for t in inputs)
