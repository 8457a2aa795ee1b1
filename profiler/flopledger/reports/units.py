"""Large numbers as people read them, in reports only: 724.4M, 23.76, 1.2e+23."""

import math
from typing import Any

_SUFFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(value: Any) -> str:
    """Four digits and a suffix; "-" for nothing, and scientific notation from 1e18 up."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    for size, suffix in _SUFFIXES:
        if abs(value) >= size:
            return f"{value / size:.4g}{suffix}" if abs(value) < 1e18 else f"{value:.3g}"
    return f"{value:.4g}"


def binary(size: float | None) -> str:
    """Bytes in the unit that shows them: 97.49 MiB, 1.5 KiB, 96 B; "-" for nothing."""
    if size is None:
        return "-"
    for unit, name in ((2**20, "MiB"), (2**10, "KiB")):
        if abs(size) >= unit / 10:
            return f"{size / unit:,.2f} {name}"
    return f"{size:.0f} B"


def by_x(shape: tuple[int, ...]) -> str:
    """1x3x227x227."""
    return "x".join(map(str, shape)) or "-"


def percent(part: float, whole: float) -> str:
    """The share in percent; "-" of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else "-"
