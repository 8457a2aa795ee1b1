"""Devices as they are asked for: refused in one line before anything is counted."""

from collections.abc import Sequence
from math import isfinite

from flopledger.clock.named_devices import NamedDevice, dtype_of, named_device
from flopledger.clock.published_peaks import rows_of
from flopledger.errors import WrongOption
from flopledger.options import brief


def check_devices(
    names: Sequence[str], dtype: str | None, utilisation: float | None
) -> list[NamedDevice]:
    """The devices at that dtype; if it is the network's own, at any that they are known at.

    Raises:
        WrongOption: none is named, one is not known, or lacks the dtype; `utilisation` is no share.
    """
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise WrongOption(f"--on {brief(names)} names no device; say h100-sxm")
    if utilisation is not None:
        check_share("utilisation", utilisation)
    wanted = None if dtype is None else dtype_of(dtype)
    return [named_device(name, wanted or _any_dtype(name)) for name in names]


def check_share(name: str, value: float) -> None:
    """See that an option is a share above 0 and at most 1.

    Raises:
        WrongOption: it is not.
    """
    if not (isfinite(value) and 0 < value <= 1):
        raise WrongOption(f"--{name} {value:g} is no share; give one above 0 and at most 1: 0.4")


def _any_dtype(name: str) -> str:
    return next((row.dtype.split()[0] for row in rows_of(name) if row.dtype), "float32")
