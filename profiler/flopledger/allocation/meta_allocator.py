"""What a network's operators allocate, told on meta tensors: storages, while they live."""

import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.library import _scoped_library

from flopledger.allocation.kernel_scratch import FLOAT32, leading, scratch
from flopledger.counting.shapes.dispatch_mode import DispatchMode
from flopledger.counting.shapes.meta_devices import on_one_device, tensors_in
from flopledger.counting.shapes.meta_selection import evenly, selects
from flopledger.counting.shapes.meta_shapes import infer
from flopledger.counting.shapes.overwritten import Overwritten
from flopledger.counting.structure.wrapped import any_holds_tensors

Device = Literal["cpu", "cuda"]
DEVICES = get_args(Device)


class Live(DispatchMode):
    """Keeps account of the storages that operators make, while they live.

    Attributes:
        now: their bytes.
        peak: the most that there were.
        overwritten: tensors on the CPU whose numbers are no longer known.

    Args:
        known: tensors that are there before, and are not counted.
        device: whose kernels take memory for themselves: of the CPU's some is known.
    """

    def __init__(self, *known: Iterable[Any], device: str = "cpu") -> None:
        super().__init__()
        self._device = device
        self.now = 0
        self.peak = 0
        self.overwritten = Overwritten()
        # by address: for a known storage nothing, for any other what calls when it is gone
        self._alive: dict[int, Any] = {
            tensor.untyped_storage()._cdata: None
            for tensors in known
            for tensor in tensors
            if isinstance(tensor, Tensor)
        }

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if types and any_holds_tensors(types):
            return NotImplemented  # what it holds comes here in its place
        with torch._C.DisableTorchFunction():  # else this code, too, is told that meta is the CPU
            return self._account(func, args, kwargs or {})

    def _account(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        op = func._schema.name
        if self.overwritten.writes(op, args, kwargs):
            return args[0]
        args, kwargs = self.overwritten.shapes_of(op, args, kwargs)
        args, kwargs = on_one_device(op, args, kwargs)
        out = infer(op, func._schema.overload_name, args, kwargs)
        if op == "aten::add" and _is_sum_in_place(*args):
            out = args[0]
        elif out is NotImplemented:
            out = func(*args, **kwargs)
        if selects(op) and args[0].device.type == "meta":
            out = evenly(op, args, kwargs, out)
        if op == "aten::mkldnn_rnn_layer":
            out = (*out[:3], _workspace(args[0], args[5]))
        for tensor in tensors_in(*out) if isinstance(out, tuple) else tensors_in(out):
            self._hold(tensor)
        if self._device == "cpu":
            self.peak = max(self.peak, self.now + scratch(op, args, out))
        return out

    def _hold(self, tensor: Tensor) -> None:
        if tensor.layout is torch.sparse_coo:
            self._hold(tensor._indices())
            self._hold(tensor._values())
            return
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive:
            return
        self.now += size
        self.peak = max(self.peak, self.now)

        def gone(_: object) -> None:
            self.now -= size
            del self._alive[key]

        # a storage's Python object lives as long as the storage
        self._alive[key] = weakref.ref(storage, gone)


def _is_sum_in_place(old: Any, new: Any) -> bool:
    """Whether autograd adds up two gradients in the first one's storage, where nobody looks on.

    As `can_accumulate_inplace` of torch/csrc/autograd/input_buffer.cpp asks, but for the mode that
    is on here, for which it adds them into a third.
    """
    return (
        torch._C._current_graph_task_id() != -1
        and not torch.is_grad_enabled()
        and isinstance(new, Tensor)
        and new.shape == old.shape
        and new.dtype == old.dtype
        and old.is_contiguous()
        and torch._C._storage_Use_Count(old.untyped_storage()._cdata) == _OWN_STORAGE
        and old._use_count() == _OWN_TENSOR
    )


# uses of a gradient that only autograd's buffer holds, with those of this call among them
_OWN_STORAGE, _OWN_TENSOR = 2, 4


@contextmanager
def kernels_of(device: str) -> Iterator[None]:
    """While the body runs, attention and dropout on meta tensors are the operators of the device.

    PyTorch gives meta tensors the one attention that no device would take: all scores are stored.
    """
    with _scoped_library("aten", "IMPL") as library:
        library.impl("scaled_dot_product_attention", _attention(device), "AutogradMeta")
        if device == "cuda":
            library.impl("dropout", _dropout, "AutogradMeta")
        else:
            library.impl("lstm.input", _lstm, "AutogradMeta")
        yield


def _attention(device: str) -> Callable[..., Tensor]:
    def attend(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        *,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        if attn_mask is not None and attn_mask.dtype is torch.bool:  # kernels add it to the scores
            attn_mask = torch.zeros(attn_mask.shape, dtype=query.dtype, device=query.device)
        asked = (query, key, value, attn_mask, dropout_p, is_causal)
        if device == "cuda" or _fused_on_cpu(*asked, scale=scale, enable_gqa=enable_gqa):
            out = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
                query, key, value, 0.0, is_causal, attn_mask=attn_mask, scale=scale
            )
        else:
            out = torch.ops.aten._scaled_dot_product_attention_math(
                *asked, None, scale=scale, enable_gqa=enable_gqa
            )
        attended: Tensor = out[0]
        return attended

    return attend


def _fused_on_cpu(*args: Any, **kwargs: Any) -> bool:
    """PyTorch's own choice for such tensors on the CPU; a single row of each is allocated."""

    def row(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        single = torch.empty([1] * (leaf.dim() - 1) + list(leaf.shape[-1:]), dtype=leaf.dtype)
        return single.expand(leaf.shape).requires_grad_(leaf.requires_grad)

    with torch._C._DisableTorchDispatch():
        choice = torch._fused_sdp_choice(*map(row, args), **kwargs)
    return bool(choice == torch.nn.attention.SDPBackend.FLASH_ATTENTION.value)


def _dropout(x: Tensor, p: float, train: bool) -> Tensor:
    out: Tensor = torch.ops.aten.native_dropout(x, p, True)[0] if train and p else x
    return out


def _lstm(
    x: Tensor,
    hx: list[Tensor],
    params: list[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """As oneDNN on the CPU runs it: all steps of a layer and direction in one kernel."""
    ops, directions, each = torch.ops.aten, 1 + bidirectional, 4 if has_biases else 2
    if (
        x.dtype not in (torch.float32, torch.bfloat16)
        or len(params) != each * num_layers * directions
    ):
        taken_apart: tuple[Tensor, Tensor, Tensor] = ops.lstm.input.decompose(
            x, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first
        )
        return taken_apart
    hidden, cells = (t.contiguous() for t in hx)
    x = (x.transpose(0, 1) if batch_first else x).contiguous()
    last: list[tuple[Tensor, Tensor]] = []
    for layer in range(num_layers):
        outs = []
        for reverse in range(directions):
            i = len(last)
            weights = params[i * each : (i + 1) * each]
            if not has_biases:  # PyTorch makes zeros as large as the weights
                weights = [*weights, *(torch.zeros_like(weight) for weight in weights)]
            out, *ends, _ = ops.mkldnn_rnn_layer(
                x, *weights, hidden[i], cells[i], bool(reverse), [], 2, hidden.shape[-1],
                num_layers, has_biases, bidirectional, batch_first, train,
            )  # fmt: skip
            outs.append(out)
            last.append(tuple(ends))
        x = torch.cat(outs, -1) if bidirectional else outs[0]
        if dropout and train and layer < num_layers - 1:
            x = ops.dropout(x, dropout, True)
    hy, cy = (torch.stack(ends) for ends in zip(*last, strict=True))
    return x.transpose(0, 1) if batch_first else x, hy, cy


def _workspace(x: Tensor, hidden: Tensor) -> Tensor:
    # what oneDNN keeps of a layer for the backward pass: the gates of every step, and its states
    # and their gradients, those of the layer below as wide as the wider of the two; read off for
    # float32 and bfloat16 on x86, where sizes are also rounded up to pages; of bfloat16 five of the
    # eleven, and the gates, are narrow; in float32 eight lie in rows that are padded
    if not torch.is_grad_enabled():
        return torch.empty(0, dtype=torch.uint8, device="meta")
    steps, batch, width = x.shape[0], x.shape[1], hidden.shape[-1]
    own = x.element_size()
    wide, padded = max(x.shape[2], width), width
    if own == FLOAT32:
        wide, padded = leading(wide), leading(width)
    states = (5 * 4 + own) * wide + 2 * own * padded + (4 + 2 * own) * width
    size = batch * (own * steps * 4 * width + (steps + 1) * states)
    return torch.empty(size, dtype=torch.uint8, device="meta")
