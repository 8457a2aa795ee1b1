"""Latent attention (DeepSeek's): what a step costs where its projections are absorbed."""

from collections.abc import Iterable
from typing import Any

from torch import nn

from flopledger.calls import OpCall

# what a module of latent attention has, as transformers names it
_OWN = ("kv_b_proj", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")


def absorbed_macs(
    calls: Iterable[OpCall], module: nn.Module, batch: int, context: int
) -> int | None:
    """The MACs of a step whose queries meet the latents themselves.

    As it is run, every step expands all cached latents to keys and values. Instead, the projection
    of keys can be applied to the query, and that of values to what attention gives (DeepSeek-V2,
    arXiv 2405.04434, section 2.1.2): the same result, for other products.

    Args:
        calls: those of the step as it is run.
        module: the model.
        batch: sequences.
        context: tokens cached before the step.

    Returns:
        The MACs; None of a model without latent attention.
    """
    latent = {path: part for path, part in module.named_modules() if _is_latent(part)}
    if not latent:
        return None
    macs = 0
    for call in calls:
        path = call.path.removesuffix(".kv_b_proj")
        if path not in latent:  # neither its own two products nor the expansion
            macs += call.macs
    return macs + sum(_absorbed(part, batch, context + 1) for part in latent.values())


def _is_latent(part: nn.Module) -> bool:
    return all(hasattr(part, name) for name in _OWN)


def _absorbed(part: Any, batch: int, keys: int) -> int:
    """Of one layer: keys' projection, scores and values on latents, values' projection."""
    rank, rope = part.kv_lora_rank, part.qk_rope_head_dim
    heads = part.kv_b_proj.out_features // (part.qk_nope_head_dim + part.v_head_dim)
    projections = rank * (part.qk_nope_head_dim + part.v_head_dim)
    attention = keys * ((rank + rope) + rank)
    products: int = batch * heads * (projections + attention)
    return products
