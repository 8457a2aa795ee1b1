"""What a device that is named does at most with a prompt and the tokens after it."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from flopledger.clock.named_devices import NamedDevice, turns_at

if TYPE_CHECKING:
    from flopledger.decoding.generation_result import Cost, Generation


@dataclass(frozen=True, kw_only=True)
class DeviceLimits:
    """The least times of a generation's passes on one device: bounds, and no forecast.

    A pass takes no less than its FLOPs at the peak, or its bytes at the bandwidth: of a prompt the
    needed MACs with logits at its last position alone, of latent attention the absorbed ones where
    they are fewer.

    Attributes:
        device: its peaks, and where they are from.
        utilisation: the share of its rates that it is taken to reach; 1 is the bound.
        prompt_seconds: of the prompt, at least.
        first_seconds: of the first new token; None without any.
        last_seconds: of the last.
        new_seconds: of all new tokens: the longer of their FLOPs together and their bytes together.
        tokens_per_second: new tokens of all sequences, at most.
        bound: what sets the last new token's limit; the prompt's without any.
        turns_at_batch: sequences from which arithmetic sets that limit, all experts being read;
            None where memory does at any number.
        held_bytes: the model's parameters, and the cache at its end.
        fits: whether the device's memory holds these; None where it is not known.
    """

    device: NamedDevice
    utilisation: float
    prompt_seconds: float
    first_seconds: float | None
    last_seconds: float | None
    new_seconds: float | None
    tokens_per_second: float | None
    bound: Literal["arithmetic", "memory"]
    turns_at_batch: float | None
    held_bytes: int
    fits: bool | None

    def as_object(self) -> dict[str, Any]:
        """Plain values by their names."""
        return {**asdict(self), "device": self.device.as_object()}


def limits_on(
    generation: "Generation", device: NamedDevice, utilisation: float = 1.0
) -> DeviceLimits:
    """What that device does at most with a generation.

    Args:
        generation: as it was counted, in the dtype that the model stores.
        device: its peaks.
        utilisation: the share of both rates that it is taken to reach.
    """

    def seconds(cost: "Cost | None") -> tuple[float, float]:
        if cost is None:
            return 0, 0
        return device.least_seconds(_flops(cost), cost.bytes_moved, utilisation)

    prompt, last, new = map(seconds, (generation.prompt, generation.last, generation.new))
    some = generation.new is not None
    told = last if some else prompt
    held = generation.stored_bytes + generation.cache[-1].bytes
    return DeviceLimits(
        device=device,
        utilisation=utilisation,
        prompt_seconds=max(prompt),
        first_seconds=max(seconds(generation.first)) if some else None,
        last_seconds=max(last) if some else None,
        new_seconds=max(new) if some else None,
        tokens_per_second=generation.batch * generation.decode / max(new) if some else None,
        bound="arithmetic" if told[0] >= told[1] else "memory",
        turns_at_batch=_turn(generation, device, utilisation),
        held_bytes=held,
        fits=device.holds(held),
    )


def _flops(cost: "Cost") -> int:
    macs = cost.macs if cost.needed_macs is None else cost.needed_macs
    if cost.last_logits_macs is not None:
        macs -= cost.macs - cost.last_logits_macs
    if cost.absorbed_macs is not None:
        macs = min(macs, cost.absorbed_macs)
    return 2 * macs


def _turn(generation: "Generation", device: NamedDevice, utilisation: float) -> float | None:
    """Where the arithmetic that a sequence adds has made up for reading the parameters."""
    last = generation.last
    if last is None:
        return None
    cached = last.cache_read_bytes + last.cache_written_bytes
    added = device.least_seconds(_flops(last), cached, utilisation)
    arithmetic, moved = (seconds / generation.batch for seconds in added)
    _, read = device.least_seconds(0, generation.read_by_many_bytes, utilisation)
    return turns_at(read, arithmetic, moved)
