"""Checkpoints of a training: written whole, and gone on with only by the same plan."""

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flopledger.errors import FlopledgerError
from flopledger.storage import journal
from flopledger.storage.files import write_whole


class BadCheckpoint(FlopledgerError, ValueError):
    """The file is no checkpoint of this training; the message says what to change."""


def save(
    path: Path,
    plan: Any,
    totals: Any,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    more: Any = None,
) -> None:
    """Write all that a training needs to go on, whole or not at all.

    Args:
        path: the file.
        plan: a dataclass of the settings, which one that goes on must share.
        totals: a dataclass of what was done so far.
        network: whose weights are kept.
        optimiser: whose state is kept.
        more: tensors that the training needs beside them.
    """
    out = io.BytesIO()
    kept = {
        "plan": asdict(plan),
        "totals": asdict(totals),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "more": more,
    }
    torch.save(kept, out)
    write_whole(path, out.getvalue())


def load(
    path: Path, plan: Any, network: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[dict[str, Any], Any]:
    """Put the weights and the optimiser's state back.

    Returns:
        The totals by their names, and what else was kept.

    Raises:
        BadCheckpoint: it is no checkpoint, or one of another plan.
    """
    try:
        kept: dict[str, Any] = torch.load(path, weights_only=True)
        before = kept["plan"]
    except Exception as error:  # torch.load of any file may raise anything
        raise BadCheckpoint(f"{path} is no checkpoint of a training; name another") from error
    contradiction = journal.contradiction(path, before, asdict(plan), "choose another --output")
    if contradiction is not None:
        raise BadCheckpoint(contradiction)
    network.load_state_dict(kept["network"])
    optimiser.load_state_dict(kept["optimiser"])
    return kept["totals"], kept["more"]
