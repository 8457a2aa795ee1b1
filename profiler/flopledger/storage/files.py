"""Files that are written whole or not at all."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flopledger.errors import WrongOption


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Write to a file in the body; a disk that is full, or breaks, is said with the file's name.

    Raises:
        OSError: as the body's, with a name.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write the content (text as UTF-8) to a temporary file beside `path`, then rename it.

    A link is followed, and stays. A file that is there keeps its mode and its owner. What is no
    plain file (a device, a pipe) cannot be replaced: it is written into.

    Raises:
        WrongOption: `path` is a pipe that nobody reads.
        OSError: the folder does not exist or cannot be written; `path` is as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    before = _status(path)
    if before is not None and not stat.S_ISREG(before.st_mode):
        _write_into(path, data)
        return
    path = Path(os.path.realpath(path))
    name = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    # the mode of a new file is what the umask leaves of this
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with naming(path), os.fdopen(descriptor, "wb") as file:
            file.write(data)
        if before is not None:
            with suppress(PermissionError):  # only root gives files away
                os.chown(name, before.st_uid, before.st_gid)
            os.chmod(name, stat.S_IMODE(before.st_mode))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _status(path: Path) -> os.stat_result | None:
    """Of what it leads to, if there is anything."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _write_into(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise WrongOption(
            f"{path} is a pipe that nobody reads; start what reads it first"
        ) from None
    os.set_blocking(descriptor, True)
    with naming(path), os.fdopen(descriptor, "wb") as file:
        file.write(data)


def check_writable(path: Path) -> None:
    """See before the work begins that `write_whole` will be able to write there.

    Raises:
        ValueError: it will not; the message says what to change.
    """
    if path.is_dir():
        raise WrongOption(f"{path} is a folder; name a file in it")
    try:
        status = _status(path)
    except OSError as error:  # a link to itself
        raise WrongOption(f"{path} cannot be written ({error.strerror})") from error
    if status is not None and not stat.S_ISREG(status.st_mode):
        if not os.access(path, os.W_OK):
            raise WrongOption(f"{path} cannot be written; choose another file")
        return
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise WrongOption(f"the folder {path.parent} does not exist; make it first")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WrongOption(
            f"{folder} cannot be written ({error.strerror}); choose another folder"
        ) from error


def check_folder(path: Path) -> None:
    """See before the work begins that a folder is there, or can be made, and can be written.

    Raises:
        ValueError: it is not; the message says what to change.
    """
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise WrongOption(f"{there} is no folder; choose another one")
    check_writable(there / "file")
