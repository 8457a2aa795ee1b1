"""What is swept: letters of --input, their sizes, and the points of their grid."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain, product
from math import prod

from flopledger.calls import Counter
from flopledger.errors import FlopledgerError
from flopledger.sweeping.rows import Point, Row
from flopledger.zoo.inputs import WrongInputs, parse_input

MOST = 100_000  # rows of one sweep

_TAKEN = {*(field.name for field in fields(Row)), "MACs", "FLOPs", "check"}
_LETTER = re.compile(r"[^\W\d]\w*", re.ASCII)


class WrongSweep(FlopledgerError, ValueError):
    """There is nothing to sweep; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A letter and the sizes that it takes."""

    letter: str
    sizes: tuple[int, ...]


def parse_axis(text: str) -> Axis:
    """Read "N=128,160,224" or "T=128:1025:128": ranges end before their second number.

    Raises:
        WrongSweep: it is none of these, or has no sizes; the message quotes the part that is wrong.
    """
    letter, equals, rest = text.partition("=")
    letter = letter.strip()
    if not equals or not _LETTER.fullmatch(letter):
        raise WrongSweep(f"--over {text}: say LETTER=SIZES, such as N=128,160,224 or N=128:289:32")
    if letter in _TAKEN:
        raise WrongSweep(f"--over {text}: {letter} is a column of its own; say N, T or B")
    ranges = [_range(text, part.strip()) for part in rest.split(",")]
    if sum(map(len, ranges)) > MOST:
        raise WrongSweep(f"--over {text}: more than {MOST:,} sizes; give fewer")
    sizes = tuple(dict.fromkeys(chain.from_iterable(ranges)))
    if not sizes:
        raise WrongSweep(f"--over {text}: no sizes, for ranges end before their second number")
    return Axis(letter=letter, sizes=sizes)


def grid(
    models: Sequence[str],
    inputs: Sequence[str],
    axes: Sequence[Axis],
    kwargs: Sequence[str] = (),
    counter: Counter = "auto",
) -> list[Point]:
    """Every model at every combination of the sizes, the last axis the fastest.

    Args:
        models: what `flopledger.zoo.sources.find` takes.
        inputs: texts such as "1,3,N,N" or "input_ids=1,T:int64".
        axes: one a letter of the inputs.
        kwargs: texts such as "depth=18", for every model's factory.
        counter: whose count is shown; the other one checks it.

    Raises:
        WrongSweep: a letter is in no input, an input has a letter that is not swept, or there are
            too many rows.
        WrongInputs: an input is none.
    """
    letters = [axis.letter for axis in axes]
    for letter in letters:
        if letters.count(letter) > 1:
            raise WrongSweep(f"--over {letter} is given twice; name all its sizes in one")
        if not any(spans(text, letter) for text in inputs):
            raise WrongSweep(
                f"--over {letter}: no --input has an axis {letter}; give one, such as "
                f"--input 1,3,{letter},{letter}"
            )
    if len(models) * prod(len(axis.sizes) for axis in axes) > MOST:
        raise WrongSweep(f"more than {MOST:,} rows; sweep fewer models, or fewer sizes")
    for text in inputs:
        for word in _axes_of(text):
            if _LETTER.fullmatch(word) and word not in letters:
                raise WrongInputs(f"--input {text}: {word} is not swept; give --over {word}=SIZES")
        parse_input(filled(text, dict.fromkeys(letters, 1)))
    return [
        at(model, inputs, dict(zip(letters, combination, strict=True)), kwargs, counter)
        for model in dict.fromkeys(models)
        for combination in product(*(axis.sizes for axis in axes))
    ]


def at(
    model: str,
    inputs: Sequence[str],
    sizes: dict[str, int],
    kwargs: Sequence[str] = (),
    counter: Counter = "auto",
) -> Point:
    """The model at those sizes; the other arguments are those of `grid`."""
    return Point(
        model=model,
        sizes=sizes,
        inputs=tuple(filled(text, sizes) for text in inputs),
        kwargs=tuple(kwargs),
        counter=counter,
    )


def filled(text: str, sizes: dict[str, int]) -> str:
    """The input with numbers for its letters: "1,3,N,N" becomes "1,3,128,128"."""
    name, shape, dtype = _parts(text)
    return name + ",".join(str(sizes.get(word, word)) for word in shape) + dtype


def spans(text: str, letter: str) -> int:
    """How many axes of the input have that letter: 2 of "1,3,N,N"."""
    return _axes_of(text).count(letter)


def _axes_of(text: str) -> list[str]:
    return _parts(text)[1]


def _parts(text: str) -> tuple[str, list[str], str]:
    """The argument's name with its "=", the axes, and the dtype with its ":"."""
    name, equals, rest = text.rpartition("=")
    shape, colon, dtype = rest.partition(":")
    return name + equals, [word.strip() for word in shape.split(",")], colon + dtype


def _range(text: str, part: str) -> range:
    numbers = part.split(":")
    if len(numbers) > 3 or not all(re.fullmatch(r"\d{1,12}", n, re.ASCII) for n in numbers):
        raise WrongSweep(
            f"--over {text}: {part!r} is no size; give whole numbers from 1 up, or FROM:TO:STEP"
        )
    first, *rest = map(int, numbers)
    stop, step = (*rest, 1)[:2] if rest else (first + 1, 1)
    if first < 1 or step < 1:
        raise WrongSweep(f"--over {text}: {part!r} has a 0; sizes and steps are from 1 up")
    return range(first, stop, step)
