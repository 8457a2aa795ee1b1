"""Windows, and Fourier transforms as torch's functions name them: other FLOPs.

What reaches the dispatcher in their place are `_fft_c2c` and its kin, in linear_algebra.py.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from flopledger.calls import Shape
from flopledger.counting.formulas.formula_table import other_flops
from flopledger.counting.formulas.linear_algebra import transforms


@other_flops("aten::hann_window", "aten::hamming_window", "aten::bartlett_window")
def window(*_: Any, out: Shape, **__: Any) -> int:
    """4 an element: the angle, its cosine, a product, a difference; Bartlett's as many."""
    return 4 * prod(out)


@other_flops("aten::blackman_window")
def blackman_window(*_: Any, out: Shape, **__: Any) -> int:
    """8 an element: two angles, two cosines, two products, a difference, a sum."""
    return 8 * prod(out)


@other_flops("aten::kaiser_window")
def kaiser_window(*_: Any, out: Shape, **__: Any) -> int:
    """8 an element: I0(b sqrt(1 - ((n - a) / a)^2)) / I0(b), each sign once."""
    return 8 * prod(out)


@other_flops("aten::fft_fftfreq", "aten::fft_rfftfreq")
def frequencies(*_: Any, out: Shape, **__: Any) -> int:
    """1 an element: a product."""
    return prod(out)


@other_flops(*(f"aten::fft_{way}{sides}" for way in ("fft", "ifft") for sides in ("", "2", "n")))
def complex_transform(
    x: Shape, size: Any = None, axes: Any = None, *_: Any, out: Shape, **__: Any
) -> int:
    """5 N log2 N for each transform of N points, as `_fft_c2c`."""
    return transforms(out, _axes(axes, size, out))


@other_flops(*(f"aten::fft_{way}{sides}" for way in ("irfft", "hfft") for sides in ("", "2", "n")))
def to_real(x: Shape, size: Any = None, axes: Any = None, *_: Any, out: Shape, **__: Any) -> int:
    """Half of that, of the real result's points."""
    return transforms(out, _axes(axes, size, out)) // 2


@other_flops(*(f"aten::fft_{way}{sides}" for way in ("rfft", "ihfft") for sides in ("", "2", "n")))
def from_real(x: Shape, size: Any = None, axes: Any = None, *_: Any, out: Shape, **__: Any) -> int:
    """Half of that, of the real argument's points, as many as `size` asks for."""
    over = _axes(axes, size, out)
    sizes = size if isinstance(size, list | tuple) else [size]
    sides = list(x)
    for axis, side in zip(over, sizes, strict=False):
        sides[axis] = x[axis] if side is None else side
    return transforms(tuple(sides), over) // 2


@other_flops("aten::stft")
def stft(
    x: Shape, points: int, hop: Any, length: Any, window: Any = None, *_: Any, out: Shape, **__: Any
) -> int:
    """Of each frame, one real transform, after a product with the window where there is one."""
    frames = prod(x[:-1]) * out[len(x)]  # the axes after the batch: frequencies, frames
    return transforms((frames, points), [1]) // 2 + (frames * points if window else 0)


@other_flops("aten::istft")
def istft(
    x: Shape, points: int, hop: Any, length: Any, window: Any = None, *_: Any, out: Shape, **__: Any
) -> int:
    """Of each frame, one real transform and a product with the window; then quotients.

    These are of the result, by the squared window. (Adding frames up is scattering, which is free.)
    """
    frames = prod(out[:-1]) * x[len(out)]
    return transforms((frames, points), [1]) // 2 + frames * points + points + prod(out)


def _axes(axes: Any, size: Any, out: Shape) -> Sequence[int]:
    """Over which it goes: those given, else the last as many as sizes, else all or the last."""
    if isinstance(axes, int):
        return [axes]
    if axes is not None:
        return axes  # type: ignore[no-any-return]
    return range(-len(size if isinstance(size, list | tuple) else out), 0)
