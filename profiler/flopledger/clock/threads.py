"""How many threads PyTorch takes for small passes."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of PyTorch in the body, which may be a function's.

    Passes of small networks are slower on several threads, and on a busy machine many times so.
    """
    import torch  # here, for the verbs are read by those who want --help

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
