"""Memory: what a pass and a training step hold, in bytes."""

from dataclasses import asdict, dataclass

from flopledger.storage.json_text import json_text

# what each field of a Memory is called, in the order of tables
WORDS = {
    "params_bytes": "parameters",
    "buffers_bytes": "buffers",
    "inputs_bytes": "inputs",
    "inference_peak_bytes": "peak of inference",
    "gradients_bytes": "gradients",
    "optimiser_state_bytes": "optimiser's state",
    "saved_activations_bytes": "saved activations",
    "training_peak_bytes": "peak of a training step",
}


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What one pass holds in memory, in bytes; of a pass without backward, no more than that.

    Attributes:
        params_bytes: of all parameters, shared ones once.
        buffers_bytes: of all buffers, such as running means.
        inputs_bytes: of the tensors that go in.
        gradients_bytes: of the parameters that got one.
        optimiser_state_bytes: that the optimiser keeps of those parameters, in their dtype; the
            count of steps is left out.
        saved_activations_bytes: what the forward pass leaves for the backward pass, parameters,
            buffers and inputs left out; an output only where the backward pass reads it.
        inference_peak_bytes: everything alive at the worst moment of a pass without gradients.
        training_peak_bytes: everything alive at the worst moment of a training step that is not
            the first, so that the optimiser's state is there from its beginning.
    """

    params_bytes: int
    buffers_bytes: int
    inputs_bytes: int
    inference_peak_bytes: int
    gradients_bytes: int | None = None
    optimiser_state_bytes: int | None = None
    saved_activations_bytes: int | None = None
    training_peak_bytes: int | None = None

    def as_dict(self) -> dict[str, int | None]:
        """The fields by name."""
        return asdict(self)

    def to_json(self) -> str:
        """The fields, as `flopledger profile MODEL --memory --format json` has them in "memory"."""
        return json_text(self.as_dict())

    def __repr__(self) -> str:
        return "\n".join(f"{words:24} {size:>12}" for words, size in self._rows())

    def _repr_html_(self) -> str:
        cells = (f"<tr><td>{words}</td><td>{size}</td></tr>" for words, size in self._rows())
        return f"<table>{''.join(cells)}</table>"

    def _rows(self) -> list[tuple[str, str]]:
        return [
            (WORDS[name], f"{size / 2**20:,.2f} MiB")
            for name, size in self.as_dict().items()
            if size is not None
        ]
