"""A device by name, at hand or not: what it does at most, its memory and its power."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from math import isfinite
from typing import Any

from flopledger.clock.published_peaks import Peak, Row, peak_of, row_of, rows_of
from flopledger.errors import WrongOption
from flopledger.storage.nearest_name import did_you_mean

# what people write for a dtype, and PyTorch's name for it; tf32 is products of float32
DTYPES = {
    "fp64": "float64", "fp32": "float32", "tf32": "tf32", "fp16": "float16", "bf16": "bfloat16",
    "fp8": "float8_e4m3fn", "int8": "int8",
}  # fmt: skip
_GIGA = 1e9  # as data sheets have it


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of a device, and where it is from.

    Attributes:
        value: in the unit that the field says.
        source: where it stands.
        url: its address; None if it is derived or from memory.
        retrieved: the day it was read there.
    """

    value: float
    source: str
    url: str | None = None
    retrieved: date | None = None


@dataclass(frozen=True, kw_only=True)
class NamedDevice:
    """What a device does at most at a dtype.

    Attributes:
        name: as it was asked for.
        dtype: of the products: "bfloat16".
        flops_per_second: of dense products.
        bytes_per_second: of its memory.
        memory_bytes: that it has, as its data sheet says (GB of 1e9); None if that is not known.
        watts: its thermal design power, without host, network and cooling; None if not known.
    """

    name: str
    dtype: str
    flops_per_second: Figure
    bytes_per_second: Figure
    memory_bytes: Figure | None
    watts: Figure | None

    @property
    def ridge(self) -> float:
        """FLOPs a byte from which arithmetic, no longer memory, sets the limit."""
        return self.flops_per_second.value / self.bytes_per_second.value

    def least_seconds(
        self, flops: float, moved: float, utilisation: float = 1.0
    ) -> tuple[float, float]:
        """FLOPs at its peak and bytes at its bandwidth, at that share of both."""
        return (
            flops / (self.flops_per_second.value * utilisation),
            moved / (self.bytes_per_second.value * utilisation),
        )

    def holds(self, size: int | None) -> bool | None:
        """Whether so many bytes fit into its memory; None where either is not known."""
        if size is None or self.memory_bytes is None:
            return None
        return size <= self.memory_bytes.value

    def sources(self) -> list[str]:
        """Where its figures are from, each once, with the day they were read."""
        figures = (self.flops_per_second, self.bytes_per_second, self.memory_bytes)
        return list(
            dict.fromkeys(
                f"{figure.source} ({f'read {figure.retrieved}' if figure.url else 'not re-read'})"
                for figure in figures
                if figure is not None and isfinite(figure.value)
            )
        )

    def as_object(self) -> dict[str, Any]:
        """Plain values; days as texts, and None for a bandwidth that is not known."""
        whole = asdict(self)
        for figure in whole.values():
            if isinstance(figure, dict) and figure["retrieved"]:
                figure["retrieved"] = figure["retrieved"].isoformat()
        if not isfinite(self.bytes_per_second.value):
            whole["bytes_per_second"] = None
        return whole


def dtype_of(name: str) -> str:
    """PyTorch's name for a dtype: "bfloat16" for "bf16" or itself.

    Raises:
        WrongOption: no peak is ever given for it.
    """
    dtype = DTYPES.get(name.lower(), name.lower())
    if dtype not in DTYPES.values():
        raise WrongOption(f"--dtype {name!r} is not one of {', '.join(DTYPES)}")
    return dtype


def named_device(name: str, dtype: str, needs_bandwidth: bool = True) -> NamedDevice:
    """The device of that name, in facts/devices.csv; all of its words count, as in `peak_of`.

    Args:
        name: "h100-sxm", "A100 80GB", ...
        dtype: PyTorch's name for it, as `dtype_of` gives it.
        needs_bandwidth: whether it is of no use without; the field is infinite then.

    Raises:
        WrongOption: it is not known, or not its peak at that dtype, or its bandwidth.
    """
    known = [row for row in rows_of(name) if row.tflops and row.sparse == "no"]
    if not known:
        names = {full for row in rows_of() if row.tflops for full in _full_names(row)}
        raise WrongOption(f"no device is called {name!r}; {did_you_mean(name.lower(), names)}")
    peak = _peak(name, dtype)
    if peak.flops_per_second is None:
        dtypes = dict.fromkeys(word for row in known for word in row.dtype.split())
        raise WrongOption(f"{name} has no peak at {dtype}; known are {', '.join(dtypes)}")
    bandwidth = _figure(name, lambda row: row.bandwidth_gb_s, _GIGA)
    if bandwidth is None and needs_bandwidth:
        raise WrongOption(f"the bandwidth of {name} is not known; {fuller(name)}")
    return NamedDevice(
        name=name,
        dtype=dtype,
        flops_per_second=Figure(
            value=peak.flops_per_second,
            source=peak.source,
            url=peak.url,
            retrieved=peak.retrieved,
        ),
        bytes_per_second=bandwidth or Figure(value=float("inf"), source="not known"),
        memory_bytes=_figure(name, lambda row: row.memory_gb, _GIGA),
        watts=_figure(name, lambda row: row.watts, 1),
    )


def _peak(name: str, dtype: str) -> Peak:
    peak = peak_of(name, dtype)
    if peak.flops_per_second is None and dtype.startswith("float8"):  # AMD's has another bias
        return peak_of(name, "float8_e4m3fnuz")
    return peak


def _figure(name: str, of: Callable[[Row], float | None], unit: float) -> Figure | None:
    row = row_of(name, lambda row: of(row) is not None)
    value = of(row) if row is not None else None
    if row is None or value is None:
        return None
    return Figure(value=value * unit, source=row.source, url=row.url, retrieved=row.retrieved)


def fuller(name: str) -> str:
    """What to say in place of a name of several devices: those that tell memory and bandwidth."""
    told = (row for row in rows_of() if row.bandwidth_gb_s is not None)
    names = dict.fromkeys(_as_typed(row.name) for row in told)
    near: Iterable[str] = [n for n in names if n.startswith(_as_typed(name))]
    return f"say {' or '.join(near)}" if near else did_you_mean(name.lower(), names)


def _full_names(row: Row) -> list[str]:
    """Its name alone, and with each word that may stand beside it: "h100", "h100-sxm"."""
    name = _as_typed(row.name)
    return [name, *(f"{name}-{word.lower()}" for word in row.also.split())]


def _as_typed(name: str) -> str:
    return name.lower().replace(" ", "-")


def turns_at(fixed: float, arithmetic: float, moved: float) -> float | None:
    """How many samples it takes until arithmetic sets the limit; None where none are enough.

    Args:
        fixed: seconds of moving what all samples share.
        arithmetic: seconds of arithmetic that each adds.
        moved: seconds of moving bytes that each adds.
    """
    return None if arithmetic <= moved else fixed / (arithmetic - moved)
