"""What each device of a cluster holds of a model in training, at its simplest."""

from dataclasses import dataclass
from math import ceil

# bytes a parameter of mixed-precision Adam: Rajbhandari et al. 2020, "ZeRO: Memory Optimizations
# Toward Training Trillion Parameter Models", section 3.1: weights and gradients in 16 bits; the
# optimiser's weights and two averages in 32
WEIGHTS, GRADIENTS, OPTIMISER = 2, 2, 12
STAGES = (0, 1, 2, 3)  # of ZeRO: from which one on optimiser, gradients and weights are divided


@dataclass(frozen=True, kw_only=True)
class Split:
    """How a model in training is divided among devices.

    Attributes:
        data: replicas, which see different samples.
        tensor: parts of each matrix.
        pipeline: stretches of layers.
        zero: the stage of ZeRO among the replicas.
        device_bytes: of weights, gradients and optimiser's state, of one device; activations,
            buffers and what is gathered for a while come on top.
        fits: whether the device's memory holds that; None where it is not known.
    """

    data: int
    tensor: int
    pipeline: int
    zero: int
    device_bytes: int
    fits: bool | None


def split_of(
    params: int, devices: int, tensor: int, pipeline: int, zero: int, memory: float | None
) -> Split:
    """What one device holds where tensor x pipeline devices hold a replica, divided evenly.

    Args:
        params: the model's parameters.
        devices: all that there are; a whole number of tensor x pipeline.
        tensor: devices that share each matrix.
        pipeline: stretches of layers.
        zero: ZeRO's stage among the replicas, 0 to 3.
        memory: a device's bytes; None if not known.
    """
    data = devices // (tensor * pipeline)
    own = params / (tensor * pipeline)
    parts = ((OPTIMISER, 1), (GRADIENTS, 2), (WEIGHTS, 3))
    held = ceil(sum(size * own / (data if zero >= stage else 1) for size, stage in parts))
    return Split(
        data=data,
        tensor=tensor,
        pipeline=pipeline,
        zero=zero,
        device_bytes=held,
        fits=None if memory is None else held <= memory,
    )
