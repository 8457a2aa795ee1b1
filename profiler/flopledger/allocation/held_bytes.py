"""Memory: what a pass and a training step hold, in bytes."""

from dataclasses import asdict, dataclass


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
