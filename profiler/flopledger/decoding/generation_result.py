"""Generation: what a prompt and the tokens after it cost a language model."""

from dataclasses import dataclass
from typing import Any

from flopledger.clock.named_devices import named_device
from flopledger.decoding.context_laws import Piece
from flopledger.decoding.device_limits import DeviceLimits, limits_on
from flopledger.profiles.tables import Profile
from flopledger.rooflines.named import check_share
from flopledger.storage.json_text import json_text


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one pass costs, or several together, of all sequences of the batch.

    Attributes:
        passes: how many.
        new_tokens: what goes in, of one sequence.
        context: tokens of one sequence that are cached before it; None of several passes.
        macs: multiply-accumulates as they are run: each query meets every key that is there.
        needed_macs: those that masks, causal ones and windows, do not throw away; None where a
            mask does not tell.
        last_logits_macs: of a prompt whose logits are computed at its last position alone, as
            generate() has it; None where forward does not offer that.
        absorbed_macs: where latent attention meets latents; None where there is none.
        params_read: parameters that the passes read, each once a pass: of tables the rows looked
            up, of experts the number expected where each is as likely.
        params_bytes: theirs, as the model stores them.
        cache_read_bytes: the cache as it was before each pass; of what stays in place, what is met.
        cache_written_bytes: what each pass adds to it, or has to store anew.
        operator_bytes: where each operator reads what it is given from memory and writes there what
            it makes, as PyTorch runs them one by one; None where those of some are not known.
    """

    passes: int
    new_tokens: int
    context: int | None
    macs: int
    needed_macs: int | None
    last_logits_macs: int | None = None
    absorbed_macs: int | None = None
    params_read: float
    params_bytes: float
    cache_read_bytes: int
    cache_written_bytes: int
    operator_bytes: int | None

    @property
    def flops(self) -> int:
        """2 x macs."""
        return 2 * self.macs

    @property
    def bytes_moved(self) -> float:
        """Parameters, and the cache read and written; activations and logits are not among them."""
        return self.params_bytes + self.cache_read_bytes + self.cache_written_bytes

    def as_object(self) -> dict[str, Any]:
        """Every figure by its name."""
        names = (*self.__dataclass_fields__, "flops", "bytes_moved")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class CacheSize:
    """The bytes of a cache, of all sequences of the batch.

    Attributes:
        tokens: of one sequence, that went in.
        bytes: as the library stores it: of a window of W tokens, W - 1.
        paged_bytes: where every layer keeps every token, as engines do that reserve whole pages.
    """

    tokens: int
    bytes: int
    paged_bytes: int


@dataclass(frozen=True, kw_only=True)
class Generation:
    """What a prompt and the new tokens after it cost, by the model's own passes with its own cache.

    Attributes:
        model: what it is called.
        batch: sequences at once.
        prefill: tokens of a prompt.
        decode: further passes, each of one new token a sequence.
        dtype: of its first parameter that floats: "bfloat16".
        params: the model's parameters.
        stored_bytes: theirs.
        read_by_many_bytes: of parameters, those that a new token's pass of very many sequences
            reads: every expert, and no table's rows.
        prompt: the prompt's pass.
        first: the first new token's, with the prompt cached; None without any.
        last: the last one's.
        new: all new tokens'.
        whole: the prompt's and theirs.
        cache: after the prompt, and after the last new token.
        cache_token_bytes: what one more token adds to every layer whose window is not full.
        cache_state_bytes: what does not grow: a state-space model's state.
        laws: of the new tokens' figures, in the tokens cached before each.
        profiles: the counts of the prompt, and of the first and the last new token.
        limits: what devices that were named do at most.
        notes: what had to be assumed, a line each.
    """

    model: str
    batch: int
    prefill: int
    decode: int
    dtype: str
    params: int
    stored_bytes: int
    read_by_many_bytes: int
    prompt: Cost
    first: Cost | None
    last: Cost | None
    new: Cost | None
    whole: Cost
    cache: tuple[CacheSize, ...]
    cache_token_bytes: int
    cache_state_bytes: int
    laws: tuple[Piece, ...]
    profiles: tuple[Profile, ...]
    limits: tuple[DeviceLimits, ...] = ()
    notes: tuple[str, ...] = ()

    def on(self, device: str, *, utilisation: float = 1.0) -> DeviceLimits:
        """What a device that need not be at hand does at most with it.

        Args:
            device: its name: "h100-sxm".
            utilisation: the share of its peaks that is taken to be reached.

        Raises:
            WrongOption: it is not known, or not at the model's dtype; or the share is none.
        """
        check_share("utilisation", utilisation)
        return limits_on(self, named_device(device, self.dtype), utilisation)

    def costs(self) -> dict[str, Cost]:
        """The passes by their names, those that there are."""
        named = {
            "prompt": self.prompt,
            "first new token": self.first,
            "last new token": self.last,
            "all new tokens": self.new,
            "prompt and new tokens": self.whole if self.new else None,
        }
        return {name: cost for name, cost in named.items() if cost is not None}

    def to_json(self) -> str:
        """Every figure under its name, and what it means where several do."""
        from flopledger.reports.generation import as_object

        return json_text(as_object(self))

    def __repr__(self) -> str:
        from flopledger.reports.generation import table

        return table(self).rstrip("\n")

    def _repr_html_(self) -> str:
        from flopledger.reports.generation import html

        return html(self)
