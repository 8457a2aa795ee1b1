"""What an optimiser keeps of each parameter, from its shape, and what its step makes and drops."""

from collections.abc import Callable, Sequence
from math import ceil, prod
from typing import Any

import torch
from torch import Tensor

from flopledger.errors import WrongOption
from flopledger.zoo.libraries import imported

FLOAT32 = torch.float32.itemsize

# of bitsandbytes 0.50.2, optim/optimizer.py: Optimizer2State.init_state
_BLOCK = 256  # elements that share one float32, the largest of them
_LEAST = 4096  # elements of a tensor from which on its state has 8 bits
_CODES = 2 * 256 * FLOAT32  # the values of the 256 codes, signed and unsigned, once


def _copies(count: int) -> Callable[[Tensor], int]:
    """Of states that are shaped as the parameter, in its dtype."""
    return lambda param: count * _size(param)


def _factored(param: Tensor) -> int:
    """Of Adafactor (Shazeer and Stern 2018): of the last two axes, a sum over each of them."""
    shape = param.shape
    if len(shape) < 2:
        return _size(param)
    rows, columns = prod(shape[:-1]), prod(shape[:-2]) * shape[-1]
    return (rows + columns) * param.element_size()


def _factored_with_average(param: Tensor) -> int:
    # transformers' takes gradients of 16 bits as float32, and so is its state
    wide = max(param.element_size(), FLOAT32) // param.element_size()
    return wide * (_factored(param) + _size(param))


def _eight_bit(param: Tensor) -> int:
    """Of Dettmers et al. 2022: two averages of a byte an element, and each block's largest."""
    count = param.numel()
    if count < _LEAST:
        return 2 * count * FLOAT32
    return 2 * (count + ceil(count / _BLOCK) * FLOAT32)


# bytes kept of a parameter, the count of steps left out
KEPT: dict[str, Callable[[Tensor], int]] = {
    "sgd": _copies(0),
    "momentum": _copies(1),
    "adam": _copies(2),
    "adamw": _copies(2),
    "adam8bit": _eight_bit,
    "adamw8bit": _eight_bit,
    "lion": _copies(1),
    "rmsprop": _copies(1),
    "adagrad": _copies(1),
    "adafactor": _factored,
    "adafactor-momentum": _factored_with_average,
}

# whose state of a part of a parameter is that part of its state
BY_ELEMENT = ("sgd", "momentum", "adam", "adamw", "lion", "rmsprop", "adagrad")


def check_optimiser(name: str) -> None:
    """See that there is an optimiser of that name.

    Raises:
        WrongOption: there is none.
    """
    if name not in KEPT:
        raise WrongOption(f"no optimiser is called {name!r}; say {', '.join(KEPT)}")


def state_bytes(name: str, trained: Sequence[Tensor], untouched: Sequence[Tensor] = ()) -> int:
    """The bytes that the optimiser keeps.

    Args:
        name: the optimiser's.
        trained: the parameters that get a gradient.
        untouched: those that require one and get none, of which Adagrad alone keeps state.

    Raises:
        WrongOption: a parameter is complex, which that optimiser does not take.
    """
    if name not in BY_ELEMENT and any(p.is_complex() for p in trained):
        raise WrongOption(f"{name} takes no complex parameters; say one of {', '.join(BY_ELEMENT)}")
    if name == "adagrad":
        trained = [*trained, *untouched]
    quantised = KEPT[name] is _eight_bit and any(p.numel() >= _LEAST for p in trained)
    return sum(map(KEPT[name], trained)) + _CODES * quantised


def step_bytes(name: str, device: str, trained: Sequence[Tensor]) -> int:
    """The most bytes alive of what a step makes and drops: roots, quotients, updates.

    On the CPU PyTorch takes one parameter after the other, and what the last operator on one made
    is there until the same is made of the next. On CUDA it takes all of them together, but for
    bitsandbytes, whose kernels there make nothing, timm's Lion, which takes them in pieces, and
    transformers' Adafactor.

    Args:
        name: the optimiser's.
        device: whose kernels take the step.
        trained: the parameters that get a gradient, in the order in which they are stepped.
    """
    if device == "cuda" and name in _TOGETHER:
        return sum(_TOGETHER[name] * _size(param) for param in trained)
    if device == "cuda" and KEPT[name] is _eight_bit:
        return 0
    left = [0, *(_LEFT[name](param) for param in trained)]
    made = map(_IN_TURN[name], trained)
    return max((before + own for before, own in zip(left, made, strict=False)), default=0)


def _factored_step(param: Tensor) -> int:
    # the update; of a vector its square as well
    return _size(param) if param.dim() > 1 else 2 * _size(param)


def _factored_with_average_step(param: Tensor) -> int:
    # the square with and without epsilon; of 16 bits, gradient and parameter as float32, too
    copies = 2 if param.element_size() >= FLOAT32 else 4
    return copies * param.numel() * max(param.element_size(), FLOAT32)


def _eight_bit_step(param: Tensor) -> int:
    # bitsandbytes' kernel for the CPU: both averages as float32, the gradient scaled, the root and
    # the quotient; of 16 bits the parameter as float32, too
    floats = 5 if param.numel() >= _LEAST else 3
    return (floats + (param.element_size() < FLOAT32)) * param.numel() * FLOAT32


# read off the libraries' code: torch 2.13 (adam.py and its like), timm 1.0.31, transformers 5.23
_IN_TURN: dict[str, Callable[[Tensor], int]] = {
    "sgd": _copies(0),
    "momentum": _copies(0),
    "adam": _copies(2),
    "adamw": _copies(2),
    "adam8bit": _eight_bit_step,
    "adamw8bit": _eight_bit_step,
    "lion": _copies(1),
    "rmsprop": _copies(1),
    "adagrad": _copies(1),
    "adafactor": _factored_step,
    "adafactor-momentum": _factored_with_average_step,
}
# what a Python name still holds of a parameter when the next one's turn has come: the root or
# quotient that divides, Lion's signs, Adafactor's update; transformers' update is the state itself
_LEFT: dict[str, Callable[[Tensor], int]] = {
    "sgd": _copies(0),
    "momentum": _copies(0),
    "adam": _copies(1),
    "adamw": _copies(1),
    "adam8bit": _copies(0),
    "adamw8bit": _copies(0),
    "lion": _copies(1),
    "rmsprop": _copies(1),
    "adagrad": _copies(1),
    "adafactor": _factored_step,
    "adafactor-momentum": _copies(0),
}
_TOGETHER = {
    "sgd": 0, "momentum": 0, "adam": 1, "adamw": 1, "rmsprop": 1, "adagrad": 2, "adafactor": 1,
}  # fmt: skip


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def real_optimiser(name: str, params: Sequence[Tensor]) -> Any:
    """The optimiser itself, of torch or of the library that has it.

    Raises:
        WrongOption, WrongSource: that library is not installed.
    """
    if name in _OF_TORCH:
        return _OF_TORCH[name](params)
    if name == "lion":
        return imported("timm.optim.lion", "timm").Lion(params)
    if name == "adafactor-momentum":
        return imported("transformers.optimization", "hf").Adafactor(params, beta1=0.9)
    try:
        import bitsandbytes  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise WrongOption(
            f"{name} is bitsandbytes', which is not installed; pip install bitsandbytes, or leave "
            "the allocator out"
        ) from error
    kind = bitsandbytes.optim.Adam8bit if name == "adam8bit" else bitsandbytes.optim.AdamW8bit
    return kind(params)


_OF_TORCH: dict[str, Callable[[Sequence[Tensor]], torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda params: torch.optim.SGD(params, momentum=0.9),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adafactor": torch.optim.Adafactor,
}


class WithMasters:
    """Float32 masters of narrower parameters, stepped in their place and copied back.

    As Megatron and apex do it: all gradients become float32 together, and are dropped with the
    step.

    Attributes:
        own: the masters.
        state: what the optimiser keeps, of them and of parameters that need none.
    """

    def __init__(self, name: str, params: Sequence[Tensor]) -> None:
        self._pairs = [
            (param, param.detach().float().requires_grad_())
            for param in params
            if param.element_size() < FLOAT32
        ]
        wide = [param for param in params if param.element_size() >= FLOAT32]
        self.own = [master for _, master in self._pairs]
        self._optimiser = real_optimiser(name, [*self.own, *wide])
        self.state = self._optimiser.state

    def step(self) -> None:
        """One step of every master that has a gradient."""
        for param, master in self._pairs:
            master.grad = None if param.grad is None else param.grad.float()
        self._optimiser.step()
        with torch.no_grad():
            for param, master in self._pairs:
                master.grad = None
                param.copy_(master)
