"""The networks, and what they multiply by a figure that no counter made."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A network, its inputs by name, and its MACs: within a published figure's rounding, or exact.

    Attributes:
        source: "timm:NAME", or a transformers configuration.
        inputs: shapes by name; "x" is a picture, all else are token numbers or spectra.
        macs: the true figure.
        rounding: half of its last digit.
        why: where it comes from.
    """

    source: str | dict[str, Any]
    inputs: dict[str, tuple[int, ...]]
    macs: float
    rounding: float
    why: str


def _published(name: str, gmacs: str, twin: str) -> Case:
    size = {"x": (1, 3, 224, 224)}
    half = 0.501e9 * 10 ** -len(gmacs.partition(".")[2])
    return Case(f"timm:{name}", size, float(gmacs) * 1e9, half, f"torchvision, {twin}")


def _layer(width: int, tokens: int, inner: int, kv: int | None = None, gated: bool = False) -> int:
    """MACs of a transformer's layer: projections, attention's full square, a perceptron."""
    projections = tokens * 2 * width * (width + (width if kv is None else kv))
    return projections + 2 * tokens**2 * width + tokens * width * inner * (3 if gated else 2)


def _by_hand(config: dict[str, Any], macs: int, **inputs: tuple[int, ...]) -> Case:
    return Case(config, inputs or {"input_ids": (1, 128)}, macs, 0, "by hand")


def _llama(layers: int, width: int, inner: int, kv: int, vocab: int, tokens: int) -> int:
    return layers * _layer(width, tokens, inner, kv, gated=True) + tokens * width * vocab


_LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
# a spectrum's 3,000 frames of 80 bands: two convolutions, the second of stride 2, over 384 channels
_WHISPER = 3000 * 384 * 80 * 3 + 1500 * 384 * 384 * 3
_WHISPER += 4 * _layer(384, 1500, 1536) + 4 * _layer(384, 64, 1536)
_WHISPER += 4 * (2 * 64 * 384**2 + 2 * 1500 * 384**2 + 2 * 64 * 1500 * 384)  # decoder to encoder

CASES = {
    "resnet50": _published("resnet50", "4.089", "resnet50"),
    "mobilenetv3_large_100": _published("mobilenetv3_large_100", "0.217", "mobilenet_v3_large"),
    "efficientnet_b0": _published("efficientnet_b0", "0.386", "efficientnet_b0"),
    "convnext_tiny": _published("convnext_tiny", "4.456", "convnext_tiny"),
    "regnety_016": _published("regnety_016", "1.612", "regnet_y_1_6gf"),
    "vgg16": _published("vgg16", "15.47", "vgg16"),
    "densenet121": _published("densenet121", "2.834", "densenet121"),
    "swin_tiny": _published("swin_tiny_patch4_window7_224", "4.491", "swin_t"),
    "vit_base": _published("vit_base_patch16_224", "17.564", "vit_b_16"),
    # 49 patches of 32 x 32: tokens of width 512; 8 layers that mix them through 256, features 2048
    "mixer_s32": Case(
        "timm:mixer_s32_224", {"x": (1, 3, 224, 224)},
        49 * 3 * 32**2 * 512 + 8 * (2 * 49 * 256 * 512 + 2 * 49 * 512 * 2048) + 512 * 1000,
        0, "by hand",
    ),
    # 196 patches of 16 x 16: width 384; 12 layers, one matrix over patches, 1536 features
    "resmlp_12": Case(
        "timm:resmlp_12_224", {"x": (1, 3, 224, 224)},
        196 * 3 * 16**2 * 384 + 12 * (196**2 * 384 + 2 * 196 * 384 * 1536) + 384 * 1000,
        0, "by hand",
    ),
    "bert": _by_hand({"model_type": "bert"}, 12 * _layer(768, 128, 3072) + 768**2),
    "distilbert": _by_hand({"model_type": "distilbert"}, 6 * _layer(768, 128, 3072)),
    "gpt2": _by_hand({"model_type": "gpt2"}, 12 * _layer(768, 128, 3072)),
    "opt": _by_hand({"model_type": "opt"}, 12 * _layer(768, 128, 3072)),
    "t5-small": _by_hand(
        {"model_type": "t5"},
        12 * _layer(512, 128, 2048) + 6 * (4 * 128 * 512**2 + 2 * 128**2 * 512),
        input_ids=(1, 128), decoder_input_ids=(1, 128),
    ),
    "whisper-tiny": _by_hand(
        {"model_type": "whisper"}, _WHISPER,
        input_features=(1, 80, 3000), decoder_input_ids=(1, 64),
    ),
    "llama-1B": _by_hand(
        _LLAMA | {"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192,
                  "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8},
        _llama(16, 2048, 8192, 512, 128256, 256),
        input_ids=(1, 256),
    ),
    # two experts of eight, chosen by a matrix
    "mixtral, small": _by_hand(
        {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "vocab_size": 32000,
         "hidden_size": 512, "intermediate_size": 1792, "num_hidden_layers": 4,
         "num_attention_heads": 8, "num_key_value_heads": 2},
        4 * (_layer(512, 128, 0, 128) + 128 * (2 * 3 * 512 * 1792 + 512 * 8)) + 128 * 512 * 32000,
    ),
    "vit, transformers": _by_hand(
        {"model_type": "vit"},
        196 * 3 * 16**2 * 768 + 12 * _layer(768, 197, 3072) + 768**2,
        pixel_values=(1, 3, 224, 224),
    ),
    "llama-70B": _by_hand(
        _LLAMA | {"vocab_size": 32000, "hidden_size": 8192, "intermediate_size": 28672,
                  "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8},
        _llama(80, 8192, 28672, 1024, 32000, 2048),
        input_ids=(1, 2048),
    ),
}  # fmt: skip
