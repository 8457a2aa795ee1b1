"""The dtype in which a device takes products, which sets how many it can take."""

from collections import Counter
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

# what multiplies as if it were something else: complex numbers by parts, quantised ones as integers
_PARTS = {
    torch.complex32: "float16",
    torch.complex64: "float32",
    torch.complex128: "float64",
    torch.uint8: "int8",
    torch.qint8: "int8",
    torch.quint8: "int8",
}
_TF32_SINCE = (8, 0)  # NVIDIA's compute capability, Ampere
_XF32_SINCE = (9, 4)  # AMD's: CDNA 3


def add_product(products: Counter[str], op: str, given: Sequence[Tensor], macs: int) -> None:
    """Add a call's MACs, if it has any, to those of the dtype in which it takes them."""
    if macs and (dtype := product_dtype(op, given)):
        products[dtype] += macs


def product_dtype(op: str, given: Sequence[Tensor]) -> str | None:
    """The dtype of a product's operands: "bfloat16", "tf32", "int8", ...; None without tensors.

    That of the first: the others are of the same, or weights that are expanded to it. Float32 on a
    GPU is TF32 where torch.backends allows that to this sort of product and the GPU has it.

    Args:
        op: the operator's name, as "aten::convolution".
        given: its tensor arguments.
    """
    if not given:
        return None
    first = given[0]
    if first.dtype is torch.float32 and first.is_cuda and _allows_tf32(op) and _has_tf32(
        first.device
    ):  # fmt: skip
        return "tf32"
    return _name(first.dtype)


@cache
def _name(dtype: torch.dtype) -> str:
    return _PARTS.get(dtype) or str(dtype).removeprefix("torch.")


def _allows_tf32(op: str) -> bool:
    backends = torch.backends
    if "conv" in op:
        allowed = backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    elif any(cell in op for cell in ("rnn", "lstm", "gru")):
        allowed = backends.cudnn.rnn.fp32_precision  # type: ignore[attr-defined]
    else:
        allowed = backends.cuda.matmul.fp32_precision
    return bool(allowed == "tf32")


@cache
def _has_tf32(device: torch.device) -> bool:
    since = _XF32_SINCE if torch.version.hip else _TF32_SINCE
    return torch.cuda.get_device_capability(device) >= since
