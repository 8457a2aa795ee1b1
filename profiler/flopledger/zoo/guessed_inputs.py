"""Example inputs of networks that nobody described: guessed from what they say of themselves."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Inputs = tuple[tuple[Any, ...], dict[str, Any]]

_TOKENS = 2_048  # a sequence, where a model would take longer ones


def guessed(module: nn.Module) -> tuple[Inputs, str] | None:
    """One sample's inputs for a network of timm, transformers, torchvision or Lightning.

    Returns:
        The forward's arguments and what they were guessed from; None where nothing is known.
    """
    for guess in (_lightning, _timm, _transformers, _torchvision):
        if (inputs := guess(module)) is not None:
            return inputs
    return None


def _lightning(module: nn.Module) -> tuple[Inputs, str] | None:
    example = getattr(module, "example_input_array", None)
    if example is None:
        return None
    if isinstance(example, dict):
        return ((), example), "its example_input_array"
    args = example if isinstance(example, tuple) else (example,)
    return (args, {}), "its example_input_array"


def _timm(module: nn.Module) -> tuple[Inputs, str] | None:
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
    size = config.get("input_size") if isinstance(config, dict) else None
    if not size:
        return None
    return ((torch.zeros(1, *size, dtype=_dtype(module)),), {}), "timm's input_size"


def _torchvision(module: nn.Module) -> tuple[Inputs, str] | None:
    home = type(module).__module__
    if not home.startswith("torchvision.models"):
        return None

    def image(*shape: int) -> Tensor:
        return torch.zeros(shape, dtype=_dtype(module))

    args: tuple[Any, ...] = (image(1, 3, 224, 224),)
    if ".detection" in home:
        args = ([image(3, 800, 800)],)
    elif ".segmentation" in home:
        args = (image(1, 3, 520, 520),)
    elif ".optical_flow" in home:
        args = (image(1, 3, 520, 960), image(1, 3, 520, 960))
    elif ".video" in home or "3d" in type(module).__name__.lower():
        side = 112 if "resnet" in home else 224
        args = (image(1, 3, 16, side, side),)
    elif home.endswith("inception"):
        args = (image(1, 3, 299, 299),)
    return (args, {}), "what torchvision's reference training uses"


def _transformers(module: nn.Module) -> tuple[Inputs, str] | None:
    config, main = getattr(module, "config", None), getattr(module, "main_input_name", None)
    if main is None or not hasattr(config, "model_type"):
        return None
    takes = inspect.signature(module.forward).parameters
    wanted = [main]
    if "pixel_values" in takes and _has(config, "text_config") and _has(config, "vision_config"):
        wanted = [name for name in ("input_ids", "pixel_values") if name in takes]
    if getattr(config, "is_encoder_decoder", False) and "decoder_input_ids" in takes:
        wanted.append("decoder_input_ids")
    kwargs = {
        name: made
        for name in wanted
        if name in _MAKERS and (made := _MAKERS[name](config, module)) is not None
    }
    if not kwargs or main not in kwargs:
        return None
    return ((), kwargs), "transformers' configuration"


def _tokens(config: Any, module: nn.Module) -> Tensor:
    text = _part(config, "text_config")
    longest = _first(text, "max_position_embeddings", "n_positions", "max_target_positions")
    # RoBERTa and its kin keep positions for their padding
    spare = 2 if _first(text, "pad_token_id") == 1 and longest in (514, 1026) else 0
    return torch.ones(1, min((longest or 512) - spare, _TOKENS), dtype=torch.int64)


def _image(config: Any, module: nn.Module) -> Tensor | None:
    vision = _part(config, "vision_config")
    side, channels = _first(vision, "image_size"), _first(vision, "num_channels", "in_channels")
    if side is None:
        side = 224
    sides = tuple(side) if isinstance(side, list | tuple) else (side, side)
    return torch.zeros(1, channels or 3, *sides, dtype=_dtype(module))


def _spectrum(config: Any, module: nn.Module) -> Tensor:
    bins, source = _first(config, "num_mel_bins"), _first(config, "max_source_positions")
    return torch.zeros(1, bins or 80, 2 * (source or 1500), dtype=_dtype(module))


def _sound(config: Any, module: nn.Module) -> Tensor:
    bins, length = _first(config, "num_mel_bins"), _first(config, "max_length")
    if bins and length and _first(config, "patch_size"):  # a spectrogram cut into patches
        return torch.zeros(1, length, bins, dtype=_dtype(module))
    return torch.zeros(1, 16_000, dtype=_dtype(module))  # a second


_MAKERS: dict[str, Callable[[Any, nn.Module], Tensor | None]] = {
    "input_ids": _tokens,
    "decoder_input_ids": _tokens,
    "pixel_values": _image,
    "input_features": _spectrum,
    "input_values": _sound,
}


def _has(config: Any, name: str) -> bool:
    return getattr(config, name, None) is not None


def _part(config: Any, name: str) -> Any:
    return getattr(config, name) if _has(config, name) else config


def _first(config: Any, *names: str) -> Any:
    return next((value for name in names if (value := getattr(config, name, None))), None)


def _dtype(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
