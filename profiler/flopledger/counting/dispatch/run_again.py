"""Whether forward work is done once more, as checkpointing has it."""

import torch

_saving = torch._C._autograd._top_saved_tensors_default_hooks
_REENTRANT = "CheckpointFunctionBackward"


def is_checkpointed() -> bool:
    """Whether what runs here is run once more in the backward pass, or is that run.

    A checkpoint without reentry is meant; the other one shows in nothing.
    """
    saving = _saving(True)
    return saving is not None and saving[0].__module__ == "torch.utils.checkpoint"


def is_run_again() -> bool:
    """Whether what runs inside a backward pass is forward work."""
    if torch.is_grad_enabled():
        return True  # only code that is run again asks for gradients there
    # a checkpoint with reentry asks for none, in what another checkpoint runs again
    node = torch._C._current_autograd_node()
    return is_checkpointed() or (node is not None and node.name() == _REENTRANT)
