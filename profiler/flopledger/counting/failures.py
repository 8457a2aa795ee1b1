"""An exception that a network's own code raised, in a line."""

import traceback
from pathlib import Path

import torch


def first_line(error: BaseException) -> str:
    """The error's class and its message's first line."""
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[0][:300]


def raised_at(error: BaseException) -> str:
    """The network's own line, outside torch and this package, in which the error arose."""
    ours = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(ours)]
    return f"{own[-1].filename}:{own[-1].lineno} ({own[-1].line})" if own else "torch's own code"
