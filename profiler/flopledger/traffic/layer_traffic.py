"""Traffic: the bytes of a pass, layer by layer, under three ways of running it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LayerTraffic:
    """What one layer does itself in a pass, no module inside it, and the bytes that it moves.

    Attributes:
        path: its first name in the network, dotted; "" is the network itself.
        kind: "conv", "linear", "norm", ... or its class.
        macs: as executed.
        masked_macs: those of them that a causal mask lets a kernel skip.
        other_flops: FLOPs of every other kind.
        operator_bytes: where each of its operators reads what it is given from memory and writes
            what it makes there: how PyTorch runs them one by one.
        fused_bytes: where what it does between one layer and the next is one kernel, which reads
            what it did not make itself, once, and writes what is read after it.
        params_bytes: those of fused_bytes that are the network's parameters.
    """

    path: str
    kind: str
    macs: int
    masked_macs: int
    other_flops: int
    operator_bytes: int
    fused_bytes: int
    params_bytes: int


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The bytes that one pass moves.

    Attributes:
        model: what the network is called.
        dtype: of its weights and activations: "float32", "bfloat16", ...
        samples: how many the pass is of.
        layers: those that compute or move anything, in the network's order.
        least_bytes: of the whole pass as one kernel: what it reads that it did not make, and what
            outlives it. No way of running it moves fewer, unless part of it is in a cache already.
        params_bytes: those of least_bytes that are parameters: each once, of tables and experts
            what is looked up.
        backward: whether the backward pass is part of it.
        unknown: operators whose bytes are not known, and not among the others, with their calls.
        complete: whether every operator has a formula; if not, MACs are lower bounds.
    """

    model: str
    dtype: str
    samples: int
    layers: tuple[LayerTraffic, ...]
    least_bytes: int
    params_bytes: int
    backward: bool
    unknown: tuple[tuple[str, int], ...]
    complete: bool

    @property
    def macs(self) -> int:
        """Of all layers."""
        return sum(layer.macs for layer in self.layers)

    @property
    def masked_macs(self) -> int:
        """Of all layers."""
        return sum(layer.masked_macs for layer in self.layers)

    @property
    def operator_bytes(self) -> int:
        """Of all layers."""
        return sum(layer.operator_bytes for layer in self.layers)

    @property
    def fused_bytes(self) -> int:
        """Of all layers."""
        return sum(layer.fused_bytes for layer in self.layers)
