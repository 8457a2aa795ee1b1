"""Networks without weights: what they need to be counted, and nothing that has to be stored."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from flopledger.counting.meta_devices import GivenReal, IntegersReal
from flopledger.counting.network_parts import modules_of, tensors_of

Place = Callable[[Tensor], Tensor]

# what a pass knows of the weights: nothing but shapes, or all that they are zero, or their own
Values = Literal["unknown", "zeros", "given"]


def place_of(values: Values, module: nn.Module) -> Place:
    """How the module's tensors are stood in for in a pass that knows that much of them."""
    if values == "zeros":
        return zeros_for(module)
    return on_meta if values == "unknown" else real


def build(factory: Callable[[], nn.Module]) -> nn.Module:
    """The module that the factory makes, its floating tensors on meta, the others real.

    A factory that asks a tensor for its value while it builds is run again without all this.
    """
    try:
        with torch.device("meta"), GivenReal(), IntegersReal():  # type: ignore[no-untyped-call]
            return factory()
    except (NotImplementedError, RuntimeError):  # "Cannot copy out of meta tensor" and its kin
        return factory()


def on_meta(tensor: Tensor) -> Tensor:
    """A tensor like this one on the meta device if it is floating, a real copy if it is not.

    An integer or boolean tensor that lives on meta already has no values to copy: it stays there.
    """
    if tensor.is_floating_point() or tensor.is_complex() or tensor.device.type == "meta":
        # empty_like would import sympy
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    return tensor.detach().to("cpu", copy=True)


def real(tensor: Tensor) -> Tensor:
    """A copy of the tensor on the CPU; zeros for one on meta."""
    if tensor.device.type == "meta":
        return torch.zeros(tensor.shape, dtype=tensor.dtype)
    return tensor.detach().to("cpu", copy=True)


def zeros_for(module: nn.Module) -> Place:
    """A place for the module's tensors: real CPU tensors that all look into one block of zeros.

    The block comes from calloc and is only read, so that the kernel maps one page of zeros for all
    of it: an operator finds contiguous weights, and no memory holds them. (Expanding one zero
    would do too, but BLAS copies an expanded matrix before it multiplies.)
    """
    sizes = [t.numel() * t.element_size() for t in tensors_of(module)]
    block = torch.from_numpy(np.zeros(max(sizes, default=0), dtype=np.uint8))

    def place(tensor: Tensor) -> Tensor:
        if tensor.device.type != "meta" and not tensor.is_floating_point():
            return tensor.detach().to("cpu", copy=True)
        bytes_needed = tensor.numel() * tensor.element_size()
        return block[:bytes_needed].view(tensor.dtype).view(tensor.shape)

    return place


@contextmanager
def stand_ins(module: nn.Module, place: Place) -> Iterator[list[tuple[str, Tensor]]]:
    """Run the body with every parameter and buffer replaced by `place(tensor)`; then put all back.

    Shared tensors stay shared, and what required a gradient still does. The caller's tensors are
    never read or written, except integer and boolean ones, which are copied.

    Yields:
        Each parameter's name with its stand-in, once.
    """
    placed: dict[int, Tensor] = {}
    names: list[tuple[str, Tensor]] = []
    originals: list[tuple[dict[str, Any], str, Tensor]] = []
    modules = modules_of(module)
    recurrent = [child for _, child in modules if isinstance(child, nn.RNNBase)]

    def replace(table: dict[str, Any], prefix: str) -> None:
        for key, tensor in table.items():
            if tensor is None:
                continue
            if id(tensor) not in placed:
                stand_in = place(tensor)
                if isinstance(tensor, nn.Parameter):
                    stand_in = nn.Parameter(stand_in, requires_grad=tensor.requires_grad)
                    names.append((f"{prefix}{key}", stand_in))
                placed[id(tensor)] = stand_in
            originals.append((table, key, tensor))
            table[key] = placed[id(tensor)]

    try:
        for path, child in modules:
            if isinstance(child, torch.jit.ScriptModule):  # keeps its own tensors
                continue
            prefix = f"{path}." if path else ""
            replace(child._parameters, prefix)
            replace(child._buffers, prefix)
        _refresh_recurrent(recurrent)
        yield names
    finally:
        for table, key, tensor in originals:
            table[key] = tensor
        _refresh_recurrent(recurrent)


def _refresh_recurrent(layers: Sequence[nn.RNNBase]) -> None:
    for layer in layers:
        layer._init_flat_weights()  # a second list of its weights
