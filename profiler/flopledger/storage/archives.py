"""Archives that torch.save writes: whether each of their bytes is as it was written."""

import zipfile
from pathlib import Path


def damage(path: Path) -> str | None:
    """What in a checkpoint is not as it was written, by the zip's own checksums; None if nothing.

    torch.load reads weights without looking at them.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        return str(error)
