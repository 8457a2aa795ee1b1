"""What a token costs: flopledger profile --prefill and --decode."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flopledger.cli.console import NOT_CONFIRMED, say
from flopledger.cli.one_by_one import doubts
from flopledger.errors import WrongOption
from flopledger.options import check_least

if TYPE_CHECKING:
    from torch import nn

    from flopledger.cli.profile_devices import Devices
    from flopledger.decoding.generation_result import Generation
    from flopledger.profiles.tables import Profile
    from flopledger.reports.profile import Measured


@dataclass(frozen=True, kw_only=True)
class Prompted:
    """A prompt and new tokens after it.

    Attributes:
        prefill: tokens of the prompt.
        decode: passes of a new token after it.
        batch: sequences at once.
    """

    prefill: int
    decode: int
    batch: int


def prompted(
    prefill: int | None, decode: int | None, batch: int | None, others: Mapping[str, bool]
) -> Prompted | None:
    """What --prefill and --decode ask for; None where neither is given.

    Args:
        prefill: what --prefill says.
        decode: what --decode says; none without.
        batch: what --batch says; 1 without.
        others: options that are not of a generation, and whether each is given.

    Raises:
        WrongOption: one of the two is no number of tokens, --decode stands alone, or another
            option is given.
    """
    if prefill is None and decode is None:
        return None
    if prefill is None:
        raise WrongOption("--decode counts new tokens after a prompt; give --prefill, too")
    check_least({"prefill": (prefill, 1), "decode": (decode, 0)})
    if given := next((name for name, asked in others.items() if asked), None):
        raise WrongOption(f"--prefill counts a model's passes with its cache; leave {given} out")
    return Prompted(
        prefill=prefill,
        decode=0 if decode is None else decode,
        batch=1 if batch is None else batch,
    )


def stored_in(module: "nn.Module", dtype: str | None) -> "nn.Module":
    """The model with its weights in the dtype of --dtype; as it is without one.

    Raises:
        WrongOption: products of it are made of other weights than these.
    """
    if dtype is None:
        return module
    import torch

    from flopledger.clock.named_devices import dtype_of

    name = dtype_of(dtype)
    if name not in ("bfloat16", "float16", "float32", "float64"):
        raise WrongOption(f"--dtype {dtype} is of a pass; with --prefill say bf16, fp16 or fp32")
    return module.to(getattr(torch, name))


def on_devices(made: "Generation", devices: "Devices") -> "Generation":
    """The generation with what the devices of --on do at most.

    Raises:
        WrongOption: one has no peak at the model's dtype.
    """
    share = 1.0 if devices.utilisation is None else devices.utilisation
    return replace(made, limits=tuple(made.on(name, utilisation=share) for name in devices.on))


def show(
    made: "Sequence[Generation]",
    form: str,
    several: bool,
    picture: "Callable[[list[Profile], list[Measured]], str | bytes]",
) -> str | bytes:
    """The text of a format; of a picture or a trace, that of the first new token's pass.

    Args:
        made: those that could be counted.
        form: the format's name.
        several: whether several were asked for, however many there are.
        picture: writes a format that `reports.generation` has not, of a pass's profile.
    """
    from flopledger.reports.generation import FORMATS
    from flopledger.reports.profile import Measured

    if form == "json" and not several:
        return made[0].to_json()
    if form in FORMATS:
        return FORMATS[form](made)
    return picture([made[0].profiles[min(1, made[0].decode)]], [Measured()])


def confirmed(made: "Sequence[Generation]", code: int, strict: bool) -> int:
    """The exit code, having said what is uncounted and where the counters differ."""
    lines = [line for own in made for profile in own.profiles for line in doubts(profile)]
    for line in dict.fromkeys(lines):
        say(line)
    return code or (NOT_CONFIRMED if strict and lines else 0)
