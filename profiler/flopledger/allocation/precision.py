"""The dtypes of a training step: of weights, and of autocast, as a device runs it, on meta."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.library import _scoped_library
from torch.utils._pytree import tree_leaves, tree_map

from flopledger.counting.shapes.weightless import Place
from flopledger.errors import WrongOption
from flopledger.options import brief

# mixed: torch.autocast over the weights as they are; true: weights, gradients and state of that
# dtype; masters: likewise, and the optimiser keeps the weights and its state in float32
Precision = Literal[
    "bf16-mixed", "fp16-mixed", "bf16-true", "fp16-true", "bf16-masters", "fp16-masters"
]
PRECISIONS = get_args(Precision)
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def check_precision(precision: str | None) -> None:
    """See that there is such a precision, or None.

    Raises:
        WrongOption: there is none.
    """
    if precision is not None and precision not in PRECISIONS:
        raise WrongOption(
            f"--precision {brief(precision)} is not one of {', '.join(PRECISIONS)}; leave it out "
            "for the network's own"
        )


def cast_of(precision: str | None) -> torch.dtype | None:
    """The dtype that autocast casts to; None without autocast."""
    return _dtype(precision, "mixed")


def placed(place: Place, precision: str | None) -> Place:
    """That place, of tensors whose floats are of the precision's dtype where it is the weights'."""
    dtype = _dtype(precision, "true") or _dtype(precision, "masters")
    if dtype is None:
        return place

    def cast(tensor: Tensor) -> Tensor:
        there = place(tensor)
        return there.to(dtype) if there.is_floating_point() else there

    return cast


def _dtype(precision: str | None, kind: str) -> torch.dtype | None:
    if precision is None or not precision.endswith(f"-{kind}"):
        return None
    return _DTYPES[precision.partition("-")[0]]


class CastWeights:
    """The casts of weights that autocast keeps until it ends.

    Attributes:
        dtype: that a forward pass is cast to, or None without autocast.
        most_bytes: the most that were kept at once; None without autocast.
    """

    def __init__(self, dtype: torch.dtype | None) -> None:
        self.dtype = dtype
        self.most_bytes = None if dtype is None else 0
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    def in_forward(self) -> AbstractContextManager[Any]:
        """In the body, autocast is as it is in a forward pass."""
        return nullcontext() if self.dtype is None else torch.autocast("cpu", dtype=self.dtype)

    def cast(self, tensor: Tensor, dtype: torch.dtype) -> Tensor:
        """The tensor in that dtype, as autocast's `cached_cast` gives it."""
        if not tensor.is_floating_point() or tensor.dtype in (dtype, torch.float64):
            return tensor
        weight = tensor.dtype is torch.float32 and tensor.requires_grad and tensor.is_leaf
        narrow = dtype is torch.get_autocast_dtype("cpu")
        if not (weight and narrow and not tensor._is_view() and torch.is_autocast_cache_enabled()):
            return tensor.to(dtype)
        if id(tensor) not in self._kept:
            self._kept[id(tensor)] = tensor, tensor.to(dtype)
            size = sum(cast.untyped_storage().nbytes() for _, cast in self._kept.values())
            self.most_bytes = max(self.most_bytes or 0, size)
        return self._kept[id(tensor)][1]

    def clear(self) -> None:
        """Drop them all."""
        self._kept.clear()


@contextmanager
def autocast_on_meta(precision: str | None, device: str) -> Iterator[CastWeights]:
    """In the body torch.autocast("cpu") casts tensors on meta, as that device's autocast would.

    PyTorch has no autocast of meta tensors: the CPU's key is called for them, too, and its kernels
    are replaced by such as cast them by the device's lists, which are read off the dispatcher.
    """
    casts = CastWeights(_dtype(precision, "mixed"))
    if casts.dtype is None:
        yield casts
        return
    key, clear = torch._C.DispatchKey.AutocastCPU, torch.clear_autocast_cache

    def cleared() -> None:
        casts.clear()
        clear()

    with (
        _scoped_library("aten", "IMPL") as library,
        torch._C._IncludeDispatchKeyGuard(key),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", ".*[Oo]verrid", UserWarning)  # which is what is wanted
        listed = f"Autocast{device.upper()}"
        for full in torch._C._dispatch_get_registrations_for_dispatch_key(listed):
            if not full.startswith("aten::"):  # of another library, such as torchvision's
                continue
            name, _, overload = full.removeprefix("aten::").partition(".")
            op = getattr(getattr(torch.ops.aten, name), overload or "default")
            library.impl(op, _kernel(op, _policy(device, name), casts), "AutocastCPU")
        torch.clear_autocast_cache = cleared
        try:
            yield casts
        finally:
            torch.clear_autocast_cache = clear
            casts.clear()


def _kernel(op: Any, policy: str, casts: CastWeights) -> Callable[..., Any]:
    without = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCPU)

    def run(*args: Any, **kwargs: Any) -> Any:
        with torch._C._ExcludeDispatchKeyGuard(without):
            dtype = torch.float32
            if policy == "narrow":
                dtype = torch.get_autocast_dtype("cpu")
            elif policy == "widest":
                given = [t.dtype for t in tree_leaves((args, kwargs)) if _floats(t)]
                dtype = torch.float32 if torch.float32 in given else torch.get_autocast_dtype("cpu")

            def cast(leaf: Any) -> Any:
                return casts.cast(leaf, dtype) if _floats(leaf) else leaf

            return op(*tree_map(cast, args), **tree_map(cast, kwargs))

    return run


def _floats(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.is_floating_point()


def _policy(device: str, name: str) -> str:
    """Which dtype autocast gives that operator: "narrow", "widest" of its arguments, "float32"."""
    if name in _NARROW[device]:
        return "narrow"
    return "widest" if name in _WIDEST[device] else "float32"


# of PyTorch 2.13's aten/src/ATen/autocast_mode.h: what is listed there and in neither of these
# runs in float32
_ON_BOTH = {
    "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "_convolution", "prelu", "addmm", "addbmm", "baddbmm", "bmm", "mm",
    "matmul", "linear", "linalg_vecdot", "scaled_dot_product_attention",
}  # fmt: skip
_NARROW = {
    "cpu": _ON_BOTH | {"_addmm_activation", "mkldnn_rnn_layer", "_native_multi_head_attention"},
    "cuda": _ON_BOTH | {
        "convolution", "cudnn_convolution", "cudnn_convolution_transpose", "addmv", "addr",
        "einsum", "mv", "linalg_multi_dot", "chain_matmul", "_thnn_fused_lstm_cell",
        "_thnn_fused_gru_cell", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell",
        "_scaled_dot_product_flash_attention",
    },
}  # fmt: skip
_WIDEST = {
    "cpu": {"stack", "cat", "index_copy"},
    "cuda": {
        "addcdiv", "addcmul", "atan2", "bilinear", "cross", "dot", "vdot", "grid_sampler",
        "index_put", "tensordot", "scatter_add",
    },
}  # fmt: skip
