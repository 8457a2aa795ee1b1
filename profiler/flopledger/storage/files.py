"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from flopledger.errors import WrongOption


def write_whole(path: Path, content: str | bytes) -> None:
    """Write the content (text as UTF-8) to a temporary file beside `path`, then rename it.

    Raises:
        OSError: the folder does not exist or cannot be written; `path` is as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)  # mkstemp's is private
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def check_writable(path: Path) -> None:
    """See before the work begins that `write_whole` will be able to write there.

    Raises:
        ValueError: it will not; the message says what to change.
    """
    folder = path.parent
    if not folder.is_dir():
        raise WrongOption(f"the folder {folder} does not exist; make it first")
    if path.is_dir():
        raise WrongOption(f"{path} is a folder; name a file in it")
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
