"""A file that one run alone writes to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flopledger.errors import FlopledgerError

try:
    import fcntl
except ImportError:  # Windows: two runs on one file are not told apart
    fcntl = None  # type: ignore[assignment]


class Busy(FlopledgerError, ValueError):
    """Another run writes to the file; the message says what to do."""


@contextmanager
def alone(path: Path | None) -> Iterator[None]:
    """Keep other runs from the file in the body; a file that it made and left empty is removed.

    Raises:
        Busy: another run is in such a body, with the same file.
        OSError: the file cannot be made.
    """
    if path is None or fcntl is None:
        yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(
                f"another run is writing to {path}; wait for it, or name another file"
            ) from error
        try:
            yield
        finally:
            if os.fstat(descriptor).st_size == 0 and path.is_file():
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
