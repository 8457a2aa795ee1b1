"""A language model's own passes with its own cache, on shapes: a prompt, and a token after it."""

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from flopledger.calls import OpCall
from flopledger.counting.dispatch import dispatch_counter
from flopledger.counting.dispatch.accesses import Accesses
from flopledger.counting.dispatch.dispatch_counter import Findings
from flopledger.counting.failures import first_line
from flopledger.counting.structure.met_params import key_of
from flopledger.decoding.cache_tensors import CACHES, Growth, Kept, grown, part_of, tensors_reached
from flopledger.errors import FlopledgerError, WrongOption
from flopledger.profiles.tables import ProfilingError
from flopledger.traffic.moves import Moves
from flopledger.zoo.inputs import Inputs, WrongInputs, as_inputs

# (batch, tokens, what forward returned last; None before the prompt) to forward's arguments
Arguments = Callable[[int, int, Any], Any]

_PROBE = 2  # tokens of the prompt by which a cache shows what of it grows

# what transformers' configurations call the most tokens that there are positions for
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len")


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One pass by the dispatch counter.

    Attributes:
        calls: the operator calls.
        met: of each parameter, how many elements took part in arithmetic, once for each time.
        operator_bytes: where each operator reads what it is given and writes what it makes, as
            PyTorch runs them one by one; None where those of some are not known.
        kept: of each storage that went in and is returned, by its key, how many elements are read
            and written, each part once; none where those of some operators are not known.
        out: what forward returned.
    """

    calls: tuple[OpCall, ...]
    met: dict[str, int]
    operator_bytes: int | None
    kept: Kept
    out: Any


@dataclass(frozen=True, kw_only=True)
class Step:
    """A pass of one new token a sequence.

    Attributes:
        inputs: forward's arguments, the cache among them.
        cache: its tensors.
    """

    inputs: Inputs
    cache: tuple[Tensor, ...]


class CachedPasses:
    """The arguments of a model's passes, its cache filled to any length.

    Args:
        name: the model's, for messages.
        module: the model, in the mode in which it is to be counted.
        batch: sequences at once.
        arguments: makes forward's arguments; None for a model of transformers'.

    Attributes:
        growth: what of the cache grows with each token, and what does not.

    Raises:
        WrongOption: it keeps no cache.
        ProfilingError: its passes fail.
        WrongInputs: `arguments` fails.
    """

    def __init__(
        self, name: str, module: nn.Module, batch: int, arguments: Arguments | None
    ) -> None:
        self.name, self.module, self.batch = name, module, batch
        self._arguments = arguments or _transformers(name, module)
        self._probe = self.run(self.prompt(_PROBE)).out
        first = self._after(self._probe)
        ran = self.run(first.inputs)
        second = self._after(ran.out)
        if not first.cache:
            raise WrongOption(
                f"{name}: it keeps no cache: nothing that its forward returns goes into the next "
                "pass"
            )
        self.growth: Growth = grown(first.cache, second.cache, ran.kept)

    def prompt(self, tokens: int) -> Inputs:
        """Forward's arguments for a prompt of that many tokens a sequence."""
        return self._given(tokens, None)

    def token(self) -> Counted:
        """One pass of a single token in one sequence.

        Raises:
            ProfilingError: it fails, or asks for a value.
        """
        return self.run(as_inputs(self._arguments(1, 1, None)))

    def step(self, context: int) -> Step:
        """The pass of a token before which that many are cached."""
        if (filled := self._filled(context)) is not None:
            return self._after(filled)
        return self._after(self.run(self.prompt(context)).out)

    def run(self, inputs: Inputs) -> Counted:
        """One pass with these arguments, on shapes.

        Raises:
            ProfilingError: it fails, or asks for a value.
        """
        findings = Findings(accesses=(accesses := Accesses()))
        try:
            calls = dispatch_counter.count(self.module, *inputs, findings=findings)
        except Exception as error:  # the network is anybody's code: it may raise anything
            raise ProfilingError(
                f"{self.name}: a pass with its cache fails on shapes: {first_line(error)}"
            ) from error
        return Counted(
            calls=tuple(calls),
            met=findings.met,
            operator_bytes=None if accesses.unknown else _run_one_by_one(accesses),
            kept={} if accesses.unknown else _kept(inputs, findings, accesses),
            out=findings.out,
        )

    def _given(self, tokens: int, last: Any) -> Inputs:
        try:
            return as_inputs(self._arguments(self.batch, tokens, last))
        except FlopledgerError:
            raise
        except Exception as error:  # the function is anybody's
            raise WrongInputs(
                f"{self.name}: its arguments for {tokens} token(s) cannot be made: "
                f"{first_line(error)}; the function takes (batch, tokens, last)"
            ) from error

    def _after(self, out: Any) -> Step:
        """The pass of one token after that of this result."""
        inputs = self._given(1, out)
        returned = {key_of(tensor) for tensor in tensors_reached(out)}
        held = [tensor for tensor in tensors_reached(inputs) if key_of(tensor) in returned]
        # a number that a cache keeps for itself has no axes
        return Step(inputs=inputs, cache=tuple(tensor for tensor in held if tensor.dim()))

    def _filled(self, context: int) -> dict[str, Any] | None:
        """A result whose cache, of transformers', holds that many; None of any other cache."""
        for name in CACHES:
            cache = part_of(self._probe, name)
            if isinstance(getattr(cache, "layers", None), list):
                filled = copy.deepcopy(cache)
                return {name: filled} if _extend(filled, context - _PROBE, self.growth) else None
        return None


def _run_one_by_one(accesses: Accesses) -> int:
    moves = Moves(accesses, torch.float32, torch.float32)  # each tensor in its own dtype
    return sum(map(moves.by_operator, accesses.all))


def _kept(inputs: Inputs, findings: Findings, accesses: Accesses) -> Kept:
    given, stood_in = tensors_reached(inputs), tensors_reached(findings.inputs)
    returned = {key_of(tensor) for tensor in tensors_reached(findings.out)}
    touched = accesses.touched()
    return {
        key_of(tensor): touched.get(key_of(double), (0, 0))
        for tensor, double in zip(given, stood_in, strict=True)
        if key_of(double) in returned
    }


def _extend(cache: Any, tokens: int, growth: Growth) -> bool:
    """Further tokens put into every layer of transformers' cache, as its own code does.

    Returns:
        Whether it could: all that grows is keys and values, and no tokens are to be taken out.
    """
    layers = [layer for layer in cache.layers if isinstance(getattr(layer, "keys", None), Tensor)]
    if tokens < 0 or growth.growing != 2 * len(layers):
        return False
    for layer in layers:
        keys, values = layer.keys, layer.values
        layer.update(
            keys.new_empty(*keys.shape[:-2], tokens, keys.shape[-1]),
            values.new_empty(*values.shape[:-2], tokens, values.shape[-1]),
        )
    return True


def _transformers(name: str, module: nn.Module) -> Arguments:
    """The arguments of a language model of transformers'.

    Raises:
        WrongOption: it is none, or keeps no cache.
    """
    takes = inspect.signature(module.forward).parameters
    cached = next((key for key in CACHES if key in takes), None)
    config = getattr(module, "config", None)
    hint = "--inputs FILE.py:FUNCTION of (batch, tokens, last) says how another one is given"
    if cached is None or "input_ids" not in takes:
        raise WrongOption(f"{name}: its forward takes no cache ({' or '.join(CACHES)}); {hint}")
    if getattr(config, "is_encoder_decoder", False):
        raise WrongOption(f"{name}: it has an encoder, whose cache is not made here; {hint}")

    def arguments(batch: int, tokens: int, last: Any) -> dict[str, Any]:
        given = {"input_ids": torch.ones(batch, tokens, dtype=torch.int64), "use_cache": True}
        if last is None:
            return given
        if (cache := part_of(last, cached)) is None:
            raise WrongOption(f"{name}: it keeps no cache: its forward returns no {cached}")
        return given | {cached: cache}

    return arguments


def positions_of(module: nn.Module) -> int | None:
    """The most tokens that a model of transformers' says it has positions for; None if none."""
    config = getattr(module, "config", None)
    text = getattr(config, "text_config", None) or config
    known = (getattr(text, name, None) for name in _POSITIONS)
    return next((value for value in known if isinstance(value, int) and value > 0), None)
