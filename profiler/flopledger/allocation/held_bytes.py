"""Memory: what a pass and a training step hold, in bytes, and in which form of training."""

from dataclasses import asdict, dataclass
from typing import Any

from flopledger.storage.json_text import json_text

# what each size of a Memory is called, in the order of tables
WORDS = {
    "params_bytes": "parameters",
    "buffers_bytes": "buffers",
    "inputs_bytes": "inputs",
    "inference_peak_bytes": "peak of inference",
    "gradients_bytes": "gradients",
    "optimiser_state_bytes": "optimiser's state",
    "masters_bytes": "float32 masters",
    "saved_activations_bytes": "saved activations",
    "weight_casts_bytes": "casts of weights, kept",
    "recomputed_bytes": "a block's recomputation",
    "gathered_bytes": "gathered parameters",
    "training_peak_bytes": "peak of a training step",
}
# of which a form of training without them has no row
OF_A_FORM = ("masters_bytes", "weight_casts_bytes", "recomputed_bytes", "gathered_bytes")


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a step of training is taken.

    Attributes:
        optimiser: its name.
        accumulate: micro-batches whose gradients are added before the optimiser's step.
        precision: as `memory` takes it, or None for the network's own.
        checkpointed: the paths of the blocks that keep their inputs alone.
        shard: the scheme and the number of ranks, "zero3:8", or None.
    """

    optimiser: str
    accumulate: int = 1
    precision: str | None = None
    checkpointed: tuple[str, ...] = ()
    shard: str | None = None

    def lines(self) -> list[str]:
        """What is not usual about it, in words."""
        scheme, _, ranks = (self.shard or "").partition(":")
        blocks = self.checkpointed
        said = {
            f"{self.accumulate} micro-batches, gradients kept between them": self.accumulate > 1,
            f"{self.precision} precision": self.precision is not None,
            f"{len(blocks)} blocks checkpointed, {_range(blocks)}": bool(blocks),
            f"of one of {ranks} ranks under {scheme}": self.shard is not None,
        }
        return [line for line, holds in said.items() if holds]


def _range(paths: tuple[str, ...]) -> str:
    first, last = paths[:1], paths[1:][-1:]
    return " to ".join(first + last)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What one pass holds in memory, in bytes; of a pass without backward, no more than that.

    With `shard` all of it is one rank's.

    Attributes:
        params_bytes: of all parameters, shared ones once.
        buffers_bytes: of all buffers, such as running means.
        inputs_bytes: of the tensors that go in.
        gradients_bytes: of the parameters that got one.
        optimiser_state_bytes: that the optimiser keeps of those parameters; the count of steps is
            left out.
        masters_bytes: of the float32 copies that the optimiser steps in place of narrower
            parameters; None without a precision that has them.
        saved_activations_bytes: what the forward pass leaves for the backward pass, parameters,
            buffers and inputs left out; an output only where the backward pass reads it.
        weight_casts_bytes: of the weights that autocast casts and keeps until the forward pass
            ends; what the backward pass reads of them is among saved_activations_bytes, too. None
            without autocast.
        recomputed_bytes: what is alive of a checkpointed block when it has run again, of the
            largest; None where nothing is checkpointed.
        gathered_bytes: of the whole parameters that a rank has gathered from the others at its
            worst moment; None where parameters are not divided.
        inference_peak_bytes: everything alive at the worst moment of a pass without gradients.
        training_peak_bytes: everything alive at the worst moment of a training step that is not
            the first, so that the optimiser's state is there from its beginning.
        form: of the training; None of a pass without backward.
    """

    params_bytes: int
    buffers_bytes: int
    inputs_bytes: int
    inference_peak_bytes: int
    gradients_bytes: int | None = None
    optimiser_state_bytes: int | None = None
    masters_bytes: int | None = None
    saved_activations_bytes: int | None = None
    weight_casts_bytes: int | None = None
    recomputed_bytes: int | None = None
    gathered_bytes: int | None = None
    training_peak_bytes: int | None = None
    form: Form | None = None

    def as_dict(self) -> dict[str, int | None]:
        """The sizes by name."""
        return {name: getattr(self, name) for name in WORDS}

    def as_object(self) -> dict[str, Any]:
        """The sizes and the form, as JSON has them."""
        return {**self.as_dict(), "form": asdict(self.form) if self.form else None}

    def to_json(self) -> str:
        """As `flopledger profile MODEL --memory --format json` has it in "memory"."""
        return json_text(self.as_object())

    def __repr__(self) -> str:
        from flopledger.reports.units import binary

        sizes = (
            (WORDS[name], binary(size)) for name, size in self.as_dict().items() if size is not None
        )
        lines = [f"{words:24} {size:>12}" for words, size in sizes]
        return "\n".join([*(self.form.lines() if self.form else []), *lines])

    def _repr_html_(self) -> str:
        from flopledger.reports.memory import html

        return html(self)
