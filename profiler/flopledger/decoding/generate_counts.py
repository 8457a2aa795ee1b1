"""generation(): a prompt and the tokens after it, counted by the model's own cached passes."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from inspect import signature
from typing import Any

import torch
from torch import nn

from flopledger.counting.advice import not_a_network
from flopledger.counting.profiling import counted
from flopledger.counting.subject import built
from flopledger.decoding.cache_tensors import read_of, size_of
from flopledger.decoding.cached_passes import CachedPasses, positions_of
from flopledger.decoding.context_laws import Figures, Piece, pieces_of
from flopledger.decoding.generation_result import CacheSize, Cost, Generation
from flopledger.decoding.latent import absorbed_macs
from flopledger.decoding.masks import needed_macs
from flopledger.decoding.parameters_read import reads_of, shares_of
from flopledger.errors import WrongOption
from flopledger.options import check_least, checks_arguments
from flopledger.zoo.sources import find, offline

_LAST_LOGITS = "logits_to_keep"  # of transformers' forward: how many positions' are computed


@checks_arguments
def generation(
    module: nn.Module | str,
    *,
    prefill: int,
    decode: int,
    batch: int = 1,
    inputs: Callable[[int, int, Any], Any] | None = None,
) -> Generation:
    """Count what a prompt and the new tokens after it cost a language model.

    The model's own forward is traced with its own cache, on shapes: nothing is computed, at any
    size. The prompt and the first and the last new token are counted by both counters, some tokens
    between them by one; all new tokens are summed by the law that these follow to the last digit.

    Args:
        module: a language model, or the name of one, as `profile` takes it: "hf:config.json".
        prefill: tokens of the prompt, of each sequence.
        decode: further passes, each of one new token a sequence. The prompt's pass gives the logits
            of a first token, so that with one more (max_new_tokens=decode + 1) generate() does the
            same passes.
        batch: sequences at once, of one length.
        inputs: makes forward's arguments out of (batch, tokens, last): sequences, tokens of each,
            and what forward returned the pass before, None for a prompt. A tuple goes by place, a
            dict by name. Left out, as models of transformers take them.

    Raises:
        NoNetwork: it is neither a network nor a name.
        WrongOption: a number is none, or too small, or beyond the model's positions; or it keeps no
            cache.
        UnknownModel, BrokenModel, WrongSource: of a name, as `profile`.
        WrongInputs: `inputs` fails.
        ProfilingError: it could not be counted.
    """
    check_least({"prefill": (prefill, 1), "decode": (decode, 0), "batch": (batch, 1)})
    if isinstance(module, nn.Module):
        return generated(type(module).__name__, module, prefill, decode, batch, inputs)
    if not isinstance(module, str):
        raise not_a_network(module)
    with offline(own_thread=True):
        named = find(module)
        network = built(named.name, named.factory)
    return generated(module, network, prefill, decode, batch, inputs)


def generated(
    name: str,
    module: nn.Module,
    prefill: int,
    decode: int,
    batch: int = 1,
    arguments: Callable[[int, int, Any], Any] | None = None,
) -> Generation:
    """As `generation`, of a network that goes by that name."""
    _refuse_beyond(name, module, prefill, decode)
    passes = CachedPasses(name, module, batch, arguments)
    prompt = passes.run(passes.prompt(prefill))
    shares, growth = shares_of(passes), passes.growth

    @cache
    def figures_at(context: int) -> Figures:
        step = passes.step(context)
        seen = passes.run(step.inputs)
        reads = reads_of(seen, module, shares, batch)
        absorbed = absorbed_macs(seen.calls, module, batch, context)
        macs = sum(call.macs for call in seen.calls)
        return {
            "macs": macs,
            # a mask of flags: chunks of attention, windows of a cache that keeps every token
            "needed_macs": macs - sum(call.masked_macs for call in seen.calls),
            "params_read": reads.elements,
            "params_bytes": reads.bytes,
            "cache_read_bytes": read_of(step.cache, seen.kept),
            "cache_written_bytes": growth.token_bytes + growth.rewritten_bytes,
            **({} if absorbed is None else {"absorbed_macs": absorbed}),
            **({} if (run := seen.operator_bytes) is None else {"operator_bytes": run}),
        }

    def cached(tokens: int) -> CacheSize:
        return CacheSize(
            tokens=tokens,
            bytes=size_of(passes.step(tokens).cache),
            paged_bytes=tokens * growth.token_bytes + growth.state_bytes,
        )

    after_prompt = cached(prefill)
    reads = reads_of(prompt, module, shares, batch * prefill)
    whole_prompt = Cost(
        passes=1,
        new_tokens=prefill,
        context=0,
        macs=sum(call.macs for call in prompt.calls),
        needed_macs=needed_macs(prompt.calls, module, prompt.out, prefill),
        last_logits_macs=_last_logits(passes, prefill) if arguments is None else None,
        params_read=_number(reads.elements),
        params_bytes=_number(reads.bytes),
        cache_read_bytes=0,
        cache_written_bytes=after_prompt.bytes,
        operator_bytes=prompt.operator_bytes,
    )
    profiles = [counted(name, module, passes.prompt(prefill))]
    laws: tuple[Piece, ...] = ()
    first = last = new = None
    if decode:
        at, end = prefill, prefill + decode - 1
        profiles += [counted(name, module, passes.step(n).inputs) for n in sorted({at, end})]
        laws = pieces_of(figures_at, at, end, _full_before(passes, end))
        first, last = _step(at, figures_at(at)), _step(end, figures_at(end))
        new = _summed(decode, laws)
    return Generation(
        model=name,
        batch=batch,
        prefill=prefill,
        decode=decode,
        dtype=_dtype(module),
        params=sum(param.numel() for param in module.parameters()),
        stored_bytes=size_of(list(module.parameters())),
        read_by_many_bytes=int(
            reads_of(prompt, module, dict.fromkeys(shares, Fraction(1)), 0).bytes
        ),
        prompt=whole_prompt,
        first=first,
        last=last,
        new=new,
        whole=_together(whole_prompt, new),
        cache=(after_prompt, cached(prefill + decode)) if decode else (after_prompt,),
        cache_token_bytes=growth.token_bytes,
        cache_state_bytes=growth.state_bytes,
        laws=laws,
        profiles=tuple(profiles),
        notes=tuple(dict.fromkeys(line for profile in profiles for line in profile.notes)),
    )


def _refuse_beyond(name: str, module: nn.Module, prefill: int, decode: int) -> None:
    positions, asked = positions_of(module), prefill + decode
    if positions is not None and asked > positions:
        words = f"--prefill {prefill}" + (f" and --decode {decode}" if decode else "")
        raise WrongOption(
            f"{name} has positions for {positions:,} tokens, not for {asked:,} ({words})"
        )


def _last_logits(passes: CachedPasses, prefill: int) -> int | None:
    if _LAST_LOGITS not in signature(passes.module.forward).parameters:
        return None
    args, kwargs = passes.prompt(prefill)
    return sum(call.macs for call in passes.run((args, kwargs | {_LAST_LOGITS: 1})).calls)


def _full_before(passes: CachedPasses, last: int) -> list[int]:
    """Contexts from which on another part of the cache grows no more, below that one."""
    cache = passes.step(last).cache
    return sorted({n for tensor in cache if tensor.dim() > 1 and (n := tensor.shape[-2]) < last})


def _step(context: int, figures: Figures) -> Cost:
    return Cost(passes=1, new_tokens=1, context=context, **_fields(figures))


def _summed(decode: int, laws: tuple[Piece, ...]) -> Cost:
    names = next(iter(laws[0].counted.values())).keys()
    sums = {name: sum((piece.total(name) for piece in laws), Fraction(0)) for name in names}
    return Cost(passes=decode, new_tokens=decode, context=None, **_fields(sums))


def _fields(figures: Figures) -> dict[str, Any]:
    numbers: dict[str, Any] = {name: _number(Fraction(value)) for name, value in figures.items()}
    return {"operator_bytes": None, **numbers}


def _together(prompt: Cost, new: Cost | None) -> Cost:
    if new is None:
        return prompt
    return Cost(
        passes=1 + new.passes,
        new_tokens=prompt.new_tokens + new.new_tokens,
        context=None,
        macs=prompt.macs + new.macs,
        needed_macs=_plus(prompt.needed_macs, new.needed_macs),
        last_logits_macs=_plus(prompt.last_logits_macs, new.macs),
        absorbed_macs=_plus(new.absorbed_macs, prompt.macs),
        params_read=prompt.params_read + new.params_read,
        params_bytes=prompt.params_bytes + new.params_bytes,
        cache_read_bytes=prompt.cache_read_bytes + new.cache_read_bytes,
        cache_written_bytes=prompt.cache_written_bytes + new.cache_written_bytes,
        operator_bytes=_plus(prompt.operator_bytes, new.operator_bytes),
    )


def _plus(figure: int | None, other: int | None) -> int | None:
    return None if figure is None or other is None else figure + other


def _dtype(module: nn.Module) -> str:
    dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
    return str(dtype).removeprefix("torch.")


def _number(value: Fraction) -> int | float:
    """A whole number as an int, to the last digit; an expected number as a float."""
    return int(value) if value.denominator == 1 else float(value)
