"""Networks without weights: what they need to be counted, and nothing that has to be stored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

from flopledger.counting.shapes.meta_devices import GivenReal, IntegersReal
from flopledger.counting.structure.network_parts import tensors_of
from flopledger.counting.structure.sparse_tensors import SparseMeta, is_sparse
from flopledger.counting.structure.wrapped import is_nested

Place = Callable[[Tensor], Tensor]

_META = torch.device("meta")

# what a pass knows of the weights: nothing but shapes, or that they are zero, or such as every
# matrix has an inverse with, or their own
Values = Literal["unknown", "zeros", "random", "given"]

# what a factory raises of its own: no tensor without values does
_ITS_OWN = (KeyError, NameError, ImportError, OSError)


def place_of(values: Values, module: nn.Module) -> Place:
    """How the module's tensors are stood in for in a pass that knows that much of them."""
    if values == "zeros":
        return zeros_for(module)
    if values == "random":
        return random_ones()
    return on_meta if values == "unknown" else real


def build(factory: Callable[[], nn.Module]) -> nn.Module:
    """The module that the factory makes, its floating tensors on meta, the others real.

    A factory that asks a tensor for its value while it builds is run again without all this, and so
    is one that makes a part of TorchScript, which keeps the tensors that it is made with. One that
    fails of its own, as of a name that its configuration lacks, is not: with its weights stored a
    large network would take all memory before it failed again.
    """
    try:
        with (
            torch.device("meta"),
            GivenReal(),
            IntegersReal(),
            _scripts_whole(),
        ):
            module = factory()
    except _ITS_OWN:
        raise
    # "Cannot copy out of meta tensor" and its kin, or what comes of sizes that no export expects
    except Exception:
        return factory()
    if any(map(_is_script, module.modules() if isinstance(module, nn.Module) else ())):
        return factory()
    return module


def _is_script(module: nn.Module) -> bool:
    return isinstance(module, torch.jit.ScriptModule)


@contextmanager
def _scripts_whole() -> Iterator[None]:
    """In the body, torch.jit.load reads what is in the file: a mode that it met would end in C."""
    load = torch.jit.load

    def whole(*args: Any, **kwargs: Any) -> Any:
        with _disable_current_modes(), torch._C.DisableTorchFunction():
            return load(*args, **kwargs)  # type: ignore[no-untyped-call]

    torch.jit.load = whole
    try:
        yield
    finally:
        torch.jit.load = load


def on_meta(tensor: Tensor) -> Tensor:
    """A tensor like this one on the meta device if it is floating, a real copy if it is not.

    An integer or boolean tensor that lives on meta already has no values to copy: it stays there.

    Raises:
        RuntimeError: it is sparse, or nested in the strided layout.
    """
    if tensor.layout is not torch.strided and is_sparse(tensor):
        raise SparseMeta
    if tensor.is_nested and is_nested(tensor):
        raise RuntimeError("a nested tensor of the strided layout has no form without its values")
    if tensor.is_floating_point() or tensor.is_meta or tensor.is_complex():
        # empty_like would import sympy
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=_META)
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
    dense = [t for t in tensors_of(module) if not is_sparse(t)]
    sizes = [t.numel() * t.element_size() for t in dense]
    block = torch.from_numpy(np.zeros(max(sizes, default=0), dtype=np.uint8))

    def place(tensor: Tensor) -> Tensor:
        if tensor.device.type != "meta" and not tensor.is_floating_point():
            return tensor.detach().to("cpu", copy=True)
        if is_sparse(tensor):
            return real(tensor)
        bytes_needed = tensor.numel() * tensor.element_size()
        if bytes_needed > len(block):  # neither parameter nor buffer
            return real(tensor)
        return block[:bytes_needed].view(tensor.dtype).view(tensor.shape)

    return place


def random_ones() -> Place:
    """A place for a module's tensors: small positive numbers, as scales are, and few of them alike.

    A square matrix of them is near the identity, so that it has an inverse and Cholesky factors.
    """
    source = torch.Generator().manual_seed(0)

    def place(tensor: Tensor) -> Tensor:
        if not (tensor.is_floating_point() or tensor.is_complex()):
            return real(tensor)
        made = torch.rand(tensor.shape, generator=source).mul_(0.1).to(tensor.dtype)
        if tensor.dim() > 1 and tensor.shape[-1] == tensor.shape[-2]:
            side = tensor.shape[-1]
            made = made / side + torch.eye(side, dtype=tensor.dtype)
        return made

    return place
