"""A token's cost: a table a model, what each figure means, and plain data."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from flopledger.decoding.device_limits import DeviceLimits
from flopledger.decoding.generation_result import Cost, Generation
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import bold, plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.profile_exports import headed
from flopledger.reports.profile_texts import confirmed
from flopledger.reports.units import percent, short
from flopledger.storage.json_text import json_text

_CONVENTIONS = (
    "MACs as run: each query meets every key that is there, and logits are made at all positions, "
    "as forward has them",
    "needed MACs: without those that causal masks and windows throw away",
    "parameters read: each once a pass, of tables the rows that are looked up",
    "bytes moved: parameters, and the cache read and written, as the model stores them; what is "
    "made on the way and the logits are not among them",
    "op by op: the bytes where each operator reads what it is given from memory and writes there "
    "what it makes, as PyTorch runs them one by one, attention in its parts",
)


# --columns is held to it before any work is done
COLUMNS = ("passes", "cached before", "MACs", "needed MACs", "absorbed MACs", "parameters read",
           "cache read", "cache written", "bytes moved", "op by op")  # fmt: skip
# what a narrow screen can do without, the least needed first
_FIRST_TO_GO = "op by op", "cache written", "cache read", "needed MACs", "passes"


def table(generation: Generation) -> str:
    """A line a pass, then the cache, the laws, and what was assumed."""
    rows = pd.DataFrame([_cells(name, cost) for name, cost in generation.costs().items()])
    lines = "".join(f"{wrapped(line)}\n" for line in lines_of(generation))
    return f"{bold(heading(generation))}\n{plain_table(_told(rows), _FIRST_TO_GO)}{lines}"


def markdown(generation: Generation) -> str:
    """The figures in full, then what the table has below it as a list."""
    exact = frame(generation).astype(object)
    rows = to_markdown(exact.where(exact.notna(), "").map(str))
    lines = "".join(f"- {markdown_text(line)}\n" for line in lines_of(generation))
    return f"## {markdown_text(heading(generation))}\n\n{rows}\n{lines}"


def html(generation: Generation) -> str:
    """The figures in full for a notebook."""
    return as_html(heading(generation), frame(generation), lines_of(generation))


def as_object(generation: Generation) -> dict[str, Any]:
    """Every figure, the laws and the conventions as plain dicts, lists and numbers."""
    return {
        "model": generation.model,
        "batch": generation.batch,
        "prefill": generation.prefill,
        "decode": generation.decode,
        "dtype": generation.dtype,
        "params": generation.params,
        "stored_bytes": generation.stored_bytes,
        "passes": [{"pass": name, **cost.as_object()} for name, cost in generation.costs().items()],
        "cache": [
            {"tokens": size.tokens, "bytes": size.bytes, "paged_bytes": size.paged_bytes}
            for size in generation.cache
        ],
        "cache_token_bytes": generation.cache_token_bytes,
        "cache_state_bytes": generation.cache_state_bytes,
        "laws": [
            {
                "quantity": name,
                "from": piece.first,
                "to": piece.last,
                "coefficients": {str(power): float(c) for power, c in law.coefficients.items()},
                "counted_at": list(piece.counted),
            }
            for piece in generation.laws
            for name, law in piece.laws.items()
        ],
        "checks": [
            {"counter": p.counter, "by": p.check.counter, "agrees": p.check.agrees}
            for p in generation.profiles
        ],
        "limits": [limits.as_object() for limits in generation.limits],
        "conventions": list(_CONVENTIONS),
        "notes": list(generation.notes),
    }


def frame(generation: Generation) -> pd.DataFrame:
    """A row a pass, every figure in full."""
    rows = [
        {"model": generation.model, "batch": generation.batch, "pass": name, **cost.as_object()}
        for name, cost in generation.costs().items()
    ]
    return pd.DataFrame(rows).dropna(axis="columns", how="all").convert_dtypes()


def heading(generation: Generation) -> str:
    """What was counted, and what the second counter says."""
    sequences = f"{generation.batch} sequence{'s' if generation.batch > 1 else ''}"
    words = dict.fromkeys(confirmed(profile) for profile in generation.profiles)
    return (
        f"{generation.model}: {sequences}, a prompt of {generation.prefill:,} tokens and "
        f"{generation.decode:,} new, {'; '.join(words)}"
    )


def lines_of(generation: Generation) -> list[str]:
    """What the table does not say."""
    return [
        *_cache(generation),
        *_parameters(generation),
        *_prompt(generation),
        *_absorbed(generation),
        *_laws(generation),
        *_limits(generation),
        *_CONVENTIONS,
        *generation.notes,
    ]


def _cells(name: str, cost: Cost) -> dict[str, str]:
    return {
        "": name,
        "passes": f"{cost.passes:,}",
        "cached before": "-" if cost.context is None else f"{cost.context:,}",
        "MACs": short(cost.macs),
        "needed MACs": short(cost.needed_macs),
        "absorbed MACs": short(cost.absorbed_macs),
        "parameters read": short(cost.params_read),
        "cache read": _bytes(cost.cache_read_bytes),
        "cache written": _bytes(cost.cache_written_bytes),
        "bytes moved": _bytes(cost.bytes_moved),
        "op by op": "-" if cost.operator_bytes is None else _bytes(cost.operator_bytes),
    }


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    """Without a column that says nothing."""
    return rows.loc[:, [name for name in rows if set(rows[name]) != {"-"}]]


def _cache(generation: Generation) -> list[str]:
    lines = []
    for size in generation.cache:
        paged = f", {_bytes(size.paged_bytes)} where every layer keeps every token"
        lines.append(
            f"the cache after {size.tokens:,} tokens: {_bytes(size.bytes)} as the library keeps it"
            f"{paged if size.paged_bytes != size.bytes else ''}"
        )
    state, token = generation.cache_state_bytes, generation.cache_token_bytes
    grows = f"a token adds {_bytes(token)}" if token else "no token adds to it"
    fixed = f"; {_bytes(state)} do not grow" if state else ""
    return [*lines, f"of the cache, {grows}{fixed}"]


def _parameters(generation: Generation) -> list[str]:
    routed = any(p.active_params is not None for p in generation.profiles)
    if not routed or generation.first is None:
        return []
    read = generation.first.params_read
    return [
        f"a mixture of experts: a new token of each sequence reads {short(read)} of "
        f"{short(generation.params)} parameters, the distinct experts expected where each is as "
        "likely and tokens choose one by one: assumed"
    ]


def _prompt(generation: Generation) -> list[str]:
    prompt = generation.prompt
    lines = []
    if prompt.needed_macs is not None and prompt.needed_macs != prompt.macs:
        lines.append(
            f"of the prompt's {short(prompt.macs)} MACs masks throw away "
            f"{percent(prompt.macs - prompt.needed_macs, prompt.macs)}, which a kernel may skip"
        )
    if prompt.needed_macs is None:
        least = "; its least time is of all its MACs, and less where a kernel skips some"
        lines.append(
            "the prompt's needed MACs are not known, as no mask of flags tells them"
            f"{least if generation.limits else ''}"
        )
    if prompt.last_logits_macs is not None:
        lines.append(
            f"the prompt with logits at its last position alone, as generate() has it: "
            f"{short(prompt.last_logits_macs)} MACs"
        )
    return lines


def _absorbed(generation: Generation) -> list[str]:
    if generation.first is None or generation.first.absorbed_macs is None:
        return []
    return [
        "absorbed MACs: of latent attention whose queries meet the latents themselves; as it is "
        "run, every new token expands all that is cached"
    ]


def _laws(generation: Generation) -> list[str]:
    return [
        f"MACs of a new token = {_polynomial(piece.laws['macs'].coefficients)}, exactly, with "
        f"n = {piece.first:,} to {piece.last:,} tokens cached"
        for piece in generation.laws
        if "macs" in piece.laws
    ]


def _limits(generation: Generation) -> list[str]:
    lines = []
    for limits in generation.limits:
        device = limits.device
        share = limits.utilisation
        assumed = "" if share == 1 else f" at {percent(share, 1)} of its peaks (assumed)"
        line = (
            f"on {device.name}, {device.dtype}{assumed}: the prompt takes at least "
            f"{_ms(limits.prompt_seconds)}"
        )
        if limits.tokens_per_second is not None:
            line += (
                f", a new token {_ms(limits.first_seconds)} to {_ms(limits.last_seconds)}: at most "
                f"{short(limits.tokens_per_second)} new tokens a second"
            )
        lines += [f"{line}, bound by {limits.bound}", _turn(limits), _fit(limits)]
        lines.append(
            f"{device.name}: {short(device.flops_per_second.value)}FLOP/s and "
            f"{_bytes(device.bytes_per_second.value)}/s at most; {'; '.join(device.sources())}"
        )
    if generation.limits:
        lines.append(
            "these are bounds and no forecast: needed MACs at the peak, absorbed where they are "
            "fewer, a prompt's logits at its last position alone, or bytes moved at the bandwidth"
        )
    return [line for line in lines if line]


def _turn(limits: DeviceLimits) -> str:
    if limits.last_seconds is None:
        return ""
    if (batch := limits.turns_at_batch) is None:
        return "a new token is bound by memory at any batch: the cache that each adds is too large"
    return f"a new token is bound by memory below a batch of {batch:.4g}, by arithmetic from there"


def _fit(limits: DeviceLimits) -> str:
    memory = limits.device.memory_bytes
    if memory is None:
        return "whether weights and cache fit into memory is not known"
    fits = "fit" if limits.fits else "do NOT fit"
    return (
        f"weights and cache {fits}: they take {_bytes(limits.held_bytes)} of {_bytes(memory.value)}"
    )


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.4g} ms"


def _polynomial(coefficients: Mapping[int, Fraction]) -> str:
    terms = []
    for power, c in coefficients.items():
        n = "" if not power else " n" if power == 1 else f" n^{power}"
        terms.append(f"{int(c):,}{n}" if c.denominator == 1 else f"{float(c):,.6g}{n}")
    return " + ".join(terms)


def _bytes(size: float) -> str:
    """In powers of ten, as a device's bandwidth is given: 536.9MB."""
    return f"{short(size)}B"


def latex(generation: Generation) -> str:
    """The figures in full as a LaTeX table."""
    return headed(heading(generation), frame(generation), "latex")


def _csv(generations: Sequence[Generation]) -> str:
    return to_csv(pd.concat([frame(own) for own in generations], ignore_index=True))


def _each(write: Callable[[Generation], str]) -> Callable[[Sequence[Generation]], str]:
    return lambda generations: "\n".join(map(write, generations))


def _page(generations: Sequence[Generation]) -> str:
    return page("generation", "\n".join(map(html, generations)))


# those of reports/profile.py that are no pictures; a picture is that of one pass
FORMATS: dict[str, Callable[[Sequence[Generation]], str]] = {
    "table": _each(table),
    "csv": _csv,
    "json": lambda generations: json_text([as_object(own) for own in generations]),
    "markdown": _each(markdown),
    "html": _page,
    "latex": _each(latex),
}
# those that have what devices do at most: a picture or a trace is of one pass, the others rows
WITH_LIMITS = "table", "json", "markdown", "html"
