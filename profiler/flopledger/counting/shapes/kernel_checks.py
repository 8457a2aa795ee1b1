"""What PyTorch's kernels refuse, and its rules for meta tensors let pass."""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from flopledger.counting.shapes.meta_devices import tensors_in

Check = Callable[[str, Any], None]

_PRODUCTS = frozenset(
    f"aten::{op}" for op in ("mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "dot")
)
_NORMS = frozenset(
    f"aten::{op}" for op in ("native_layer_norm", "native_group_norm", "native_batch_norm")
)
_SOFTMAX = frozenset(f"aten::{op}" for op in ("_softmax", "_log_softmax", "_safe_softmax"))
_RESIZES = ("aten::upsample", "aten::_adaptive_avg_pool", "aten::adaptive_max_pool")
_NO_COMPLEX = _SOFTMAX | frozenset(
    f"aten::{op}"
    for op in (
        "relu gelu elu celu selu hardtanh hardswish hardsigmoid leaky_relu glu softplus "
        "native_layer_norm native_group_norm native_batch_norm max_pool2d_with_indices "
        "max_pool3d_with_indices avg_pool2d avg_pool3d adaptive_max_pool2d adaptive_max_pool3d "
        "_adaptive_avg_pool2d _adaptive_avg_pool3d upsample_bilinear2d upsample_bicubic2d"
    ).split()
)


@cache
def checks_of(op: str) -> tuple[Check, ...]:
    """What is checked of an operator's calls: each check raises what its kernels would.

    A check is given the operator's name and a call's positional arguments; integers are real where
    their values are known.

    Args:
        op: "aten::mm".
    """
    name = op.removesuffix("_")
    own = {
        "aten::convolution": _convolves,
        "aten::embedding": _rows,
        "aten::index": _masks,
        "aten::where": _chooses,
    }
    checks: list[Check] = [own[name]] if name in own else []
    if name in _PRODUCTS:
        checks.append(_one_dtype)
    elif name in _SOFTMAX:
        checks.append(_axis)
    elif name in _NORMS:
        checks.append(_norm_dtypes)
    elif name.startswith(_RESIZES):
        checks.append(_pixels)
    if name in ("aten::mm", "aten::addmm"):
        checks.append(_multiplies)
    if name in _NO_COMPLEX:
        checks.append(_no_complex)
    return tuple(checks)


def _axis(op: str, args: Any) -> None:
    axes = max(args[0].dim(), 1)
    if not -axes <= args[1] < axes:
        raise IndexError(f"a tensor of {args[0].dim()} axes has no axis {args[1]}")


def _pixels(op: str, args: Any) -> None:
    if 0 in args[0].shape[2:]:
        raise RuntimeError(f"{op} takes no image without pixels")


def _no_complex(op: str, args: Any) -> None:
    if any(t.is_complex() and t.numel() for t in tensors_in(*args)):
        raise RuntimeError(f"{op} takes no complex tensor")


def _one_dtype(op: str, args: Any) -> None:
    dtypes = {t.dtype for t in tensors_in(*args)}
    if len(dtypes) > 1:
        got = " and ".join(sorted(map(_dtype, dtypes)))
        raise RuntimeError(f"{op} takes one dtype, but got {got}")


def _multiplies(op: str, args: Any) -> None:
    # rules for meta refuse it, too, in words that no kernel has
    first, second = args[-2].shape, args[-1].shape
    if len(first) == len(second) == 2 and first[1] != second[0]:
        shapes = " and ".join("x".join(map(str, shape)) for shape in (first, second))
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({shapes})")


def _convolves(op: str, args: Any) -> None:
    x, weight, bias, stride, padding, dilation, transposed, output_padding, groups = args
    if x.numel() == 0 and 0 not in x.shape[:2]:
        raise RuntimeError(f"{op} takes no image without pixels")
    wanted = weight.shape[1] * groups
    if not transposed and x.dim() == weight.dim() and x.shape[1] != wanted:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.shape)}, expected "
            f"input{list(x.shape)} to have {wanted} channels, but got {x.shape[1]} channels instead"
        )
    if transposed:
        if x.shape[1] != weight.shape[0]:
            raise RuntimeError(
                f"a transposed convolution of {weight.shape[0]} channels got {x.shape[1]}"
            )
        if not x.numel():  # no kernel is asked
            return
        sides = (x.shape[2:], weight.shape[2:], stride, padding, dilation, output_padding)
        if any(
            (n - 1) * s - 2 * p + d * (k - 1) + o < 0
            for n, k, s, p, d, o in zip(*sides, strict=False)
        ):
            raise RuntimeError(f"{op} of {tuple(x.shape[2:])} pixels has no result")
    _one_dtype(op, (x, weight, bias))


def _rows(op: str, args: Any) -> None:
    weight, indices = args[:2]
    if indices.dtype not in (torch.int64, torch.int32):
        raise RuntimeError(
            f"the indices of an embedding are int64 or int32, but got {_dtype(indices.dtype)}"
        )
    if indices.device.type == "meta" or not indices.numel():
        return
    rows, low, high = weight.shape[0], int(indices.min()), int(indices.max())
    if low < 0 or high >= rows:
        wrong = low if low < 0 else high
        raise RuntimeError(f"index {wrong} is outside an embedding of {rows} rows")


def _masks(op: str, args: Any) -> None:
    x, indices = args[:2]
    axis = 0
    for index in indices:
        if index is None or index.dtype not in (torch.bool, torch.uint8):
            axis += 1
            continue
        over = x.shape[axis : axis + index.dim()]
        if index.shape != over:
            raise IndexError(
                f"The shape of the mask {list(index.shape)} does not match the indexed tensor's, "
                f"{list(over)} from axis {axis} on"
            )
        axis += index.dim()


def _chooses(op: str, args: Any) -> None:
    if args[0].dtype not in (torch.bool, torch.uint8):
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got {_dtype(args[0].dtype)}"
        )


def _norm_dtypes(op: str, args: Any) -> None:
    # weights and statistics may be wider than 16-bit numbers, no others
    x, *rest = tensors_in(*args)
    if x.dtype in (torch.float16, torch.bfloat16):
        return
    if other := next((t for t in rest if t.dtype != x.dtype), None):
        wrong = f"{_dtype(x.dtype)} and {_dtype(other.dtype)}"
        raise RuntimeError(f"{op} takes one dtype, but got {wrong}")


def _dtype(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
