"""Whether calls still run: no hook is told when Ctrl-C, or an exit, goes through a module."""

from types import FrameType

from torch import nn

_CALL = nn.Module._call_impl.__code__
_COMPILED = "torch_dynamo_resume_in_"  # begins the names of frames that stand for others


def outside(module: nn.Module, frame: FrameType | None) -> FrameType | None:
    """The frame that called the innermost running call of that module."""
    within = frame
    while within is not None:
        if _is_of(module, within):
            return within.f_back
        within = within.f_back
    return frame


def runs(module: nn.Module, frame: FrameType | None) -> bool:
    """Whether a call of that module runs in a frame, or in one of those that it was called by."""
    while frame is not None:
        if _is_of(module, frame) or frame.f_code.co_name.startswith(_COMPILED):
            return True
        frame = frame.f_back
    return False


def _is_of(module: nn.Module, frame: FrameType) -> bool:
    return frame.f_code is _CALL and frame.f_locals.get("self") is module
