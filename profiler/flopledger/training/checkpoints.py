"""Checkpoints of a training: written whole, and gone on with only by the same plan."""

import io
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from flopledger.errors import FlopledgerError
from flopledger.storage import journal
from flopledger.storage.archives import damage
from flopledger.storage.files import write_whole

T = TypeVar("T")


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
    kept = _read(path)
    contradiction = journal.contradiction(
        path, kept["plan"], asdict(plan), "choose another --output"
    )
    if contradiction is not None:
        raise BadCheckpoint(contradiction)
    strange = _strange(kept["network"], network.state_dict())
    if strange is not None:
        raise BadCheckpoint(f"{path}: {strange}; choose another --output, and train anew")
    try:
        network.load_state_dict(kept["network"])
        optimiser.load_state_dict(kept["optimiser"])
        _check_optimiser(optimiser)
    except Exception as error:  # what PyTorch says of a state that is none may be anything
        raise BadCheckpoint(
            f"{path}: its optimiser does not fit this training; choose another --output"
        ) from error
    return kept["totals"], kept["more"]


def totals_of(path: Path, kind: type[T], totals: dict[str, Any]) -> T:
    """What was done so far, as its dataclass.

    Raises:
        BadCheckpoint: it has other fields, or what is no number in one.
    """
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    numbers = all(isinstance(value, int | float) for value in totals.values())
    if set(totals) != names or not numbers:
        raise BadCheckpoint(
            f"{path}: its totals are none of this training; choose another --output"
        )
    return kind(**totals)


def _read(path: Path) -> dict[str, Any]:
    """What `save` wrote.

    Raises:
        BadCheckpoint: the file is none, is damaged or lacks a part.
    """
    try:
        kept = torch.load(path, weights_only=True)
    except Exception as error:  # torch.load of any file may raise anything
        raise BadCheckpoint(f"{path} is no checkpoint of a training; name another") from error
    if (harm := damage(path)) is not None:
        raise BadCheckpoint(f"{path} is damaged ({harm}); choose another --output, and train anew")
    kinds = {"plan": dict, "totals": dict, "network": dict, "optimiser": dict, "more": object}
    for name, kind in kinds.items():
        there = isinstance(kept, dict) and name in kept
        if not there or not isinstance(kept[name], kind):
            raise BadCheckpoint(f"{path} is no checkpoint of a training; it has no {name}")
    whole: dict[str, Any] = kept
    return whole


def _strange(kept: dict[str, Any], own: dict[str, Any]) -> str | None:
    """The first weight that is missing, too much or of another shape."""
    for name, tensor in own.items():
        if name not in kept:
            return f"it has no weight {name}"
        shape = getattr(kept[name], "shape", None)
        if shape != tensor.shape:
            was = "no tensor" if shape is None else "x".join(map(str, shape)) or "a number"
            return f"its weight {name} is {was}, not {'x'.join(map(str, tensor.shape))}"
    if more := [name for name in kept if name not in own]:
        return f"it has a weight {more[0]}, which the network has not"
    return None


def _check_optimiser(optimiser: torch.optim.Optimizer) -> None:
    for param, state in optimiser.state.items():
        for tensor in state.values():
            if isinstance(tensor, torch.Tensor) and tensor.dim() and tensor.shape != param.shape:
                raise ValueError("a moment is of another shape than its weight")
