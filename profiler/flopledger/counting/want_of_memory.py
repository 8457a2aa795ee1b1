"""Whether an error was raised for want of memory: PyTorch has no one class for that."""

import torch

# of the CPU's allocator, and of a size that no address space holds; both are RuntimeErrors
_WORDS = (
    "not enough memory",
    "can't allocate memory",
    "out of memory",
    "Storage size calculation overflowed",
)


def is_want_of_memory(error: BaseException) -> bool:
    """Whether it was raised because something did not fit into memory.

    >>> is_want_of_memory(MemoryError()), is_want_of_memory(RuntimeError("size mismatch"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)
