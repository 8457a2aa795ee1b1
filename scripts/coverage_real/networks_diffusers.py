"""diffusers: U-Nets, transformers and autoencoders, made small."""

from collections.abc import Callable
from functools import partial
from typing import Any

import diffusers
import torch
from rows import Network
from torch import Tensor, nn, rand

PACKAGES = ("diffusers",)


def networks() -> dict[tuple[str, str], Callable[[], Network]]:
    """The factories, by library and network."""
    kinds = {name: getattr(diffusers, name) for name in NETWORKS}  # imported here, once for all
    return {("diffusers", name): partial(_made, name, kind) for name, kind in kinds.items()}


def _made(name: str, kind: Callable[..., nn.Module]) -> Network:
    options, inputs = NETWORKS[name]
    return kind(**options), (), inputs()


def _step(**more: Tensor) -> dict[str, Any]:
    return {"timestep": torch.tensor([7])} | more


def _picture(*size: int) -> Callable[[], dict[str, Any]]:
    return lambda: {"sample": rand(1, *size)}


def _latents(*size: int, text: int = 32, tokens: int = 7, **more: Any) -> Callable[[], Any]:
    return lambda: _step(
        hidden_states=rand(1, *size), encoder_hidden_states=rand(1, tokens, text), **more
    )


_UNET = {"block_out_channels": (32, 64), "layers_per_block": 1, "norm_num_groups": 8}
_CROSS = _UNET | {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "cross_attention_dim": 32,
    "attention_head_dim": 8,
}
_AUTOENCODER = {"block_out_channels": (32, 64), "norm_num_groups": 8, "latent_channels": 4}
_TWO = {
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
}

# options of the class, and what its forward takes by name
NETWORKS: dict[str, tuple[dict[str, Any], Callable[[], dict[str, Any]]]] = {
    "UNet2DModel": (
        _UNET | {"sample_size": 32, "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
                 "up_block_types": ("AttnUpBlock2D", "UpBlock2D"), "attention_head_dim": 8},
        lambda: _step(sample=rand(1, 3, 32, 32)),
    ),
    "UNet2DConditionModel": (
        _CROSS | {"sample_size": 16, "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D")},
        lambda: _step(sample=rand(1, 4, 16, 16), encoder_hidden_states=rand(1, 7, 32)),
    ),
    "UNet3DConditionModel": (
        _UNET | {"sample_size": 16, "down_block_types": ("CrossAttnDownBlock3D", "DownBlock3D"),
                 "up_block_types": ("UpBlock3D", "CrossAttnUpBlock3D"), "cross_attention_dim": 32,
                 "attention_head_dim": 8},
        lambda: _step(sample=rand(1, 4, 3, 16, 16), encoder_hidden_states=rand(1, 7, 32)),
    ),
    "UNet1DModel": (
        {"block_out_channels": (32, 64, 128), "sample_size": 64, "in_channels": 14,
         "out_channels": 14, "time_embedding_type": "positional", "use_timestep_embedding": True,
         "flip_sin_to_cos": False, "freq_shift": 1.0, "out_block_type": "OutConv1DBlock",
         "mid_block_type": "MidResTemporalBlock1D", "act_fn": "swish", "layers_per_block": 1,
         "down_block_types": ("DownResnetBlock1D",) * 3,
         "up_block_types": ("UpResnetBlock1D",) * 2},
        lambda: _step(sample=rand(1, 14, 64)),
    ),
    "UNetSpatioTemporalConditionModel": (
        {"block_out_channels": (32, 64), "sample_size": 16, "in_channels": 8, "out_channels": 4,
         "down_block_types": ("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
         "up_block_types": ("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
         "cross_attention_dim": 32, "num_attention_heads": (2, 4), "layers_per_block": 1,
         "addition_time_embed_dim": 32, "projection_class_embeddings_input_dim": 96},
        lambda: _step(sample=rand(1, 2, 8, 16, 16), encoder_hidden_states=rand(1, 1, 32),
                      added_time_ids=rand(1, 3)),
    ),
    "ControlNetModel": (
        _CROSS | {"conditioning_embedding_out_channels": (16, 32)},
        lambda: _step(sample=rand(1, 4, 16, 16), encoder_hidden_states=rand(1, 7, 32),
                      controlnet_cond=rand(1, 3, 32, 32)),
    ),
    "UVit2DModel": (
        {"hidden_size": 32, "cond_embed_dim": 32, "encoder_hidden_size": 32,
         "block_out_channels": 32,
         "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 64,
         "micro_cond_encode_dim": 16, "micro_cond_embed_dim": 80, "in_channels": 32,
         "vocab_size": 33, "codebook_size": 32, "block_num_heads": 4, "num_res_blocks": 1},
        lambda: {"input_ids": torch.arange(64).view(1, 8, 8) % 32,
                 "encoder_hidden_states": rand(1, 7, 32), "pooled_text_emb": rand(1, 32),
                 "micro_conds": rand(1, 5)},
    ),
    "AutoencoderKL": (_AUTOENCODER | _TWO, _picture(3, 32, 32)),
    "AsymmetricAutoencoderKL": (
        {"down_block_types": ("DownEncoderBlock2D",) * 2, "down_block_out_channels": (32, 64),
         "layers_per_down_block": 1, "up_block_types": ("UpDecoderBlock2D",) * 2,
         "up_block_out_channels": (32, 64), "layers_per_up_block": 1, "norm_num_groups": 8},
        _picture(3, 32, 32),
    ),
    "AutoencoderKLTemporalDecoder": (
        {"block_out_channels": (32, 64), "down_block_types": ("DownEncoderBlock2D",) * 2},
        lambda: {"sample": rand(3, 3, 32, 32), "num_frames": 3},
    ),
    "AutoencoderTiny": (
        {"encoder_block_out_channels": (32, 32), "decoder_block_out_channels": (32, 32),
         "num_encoder_blocks": (1, 2), "num_decoder_blocks": (2, 1)},
        _picture(3, 32, 32),
    ),
    "VQModel": (
        {"block_out_channels": (32, 64), "norm_num_groups": 8, "num_vq_embeddings": 32} | _TWO,
        _picture(3, 32, 32),
    ),
    "AutoencoderDC": (
        {"latent_channels": 4, "attention_head_dim": 8, "encoder_block_out_channels": (32, 64),
         "decoder_block_out_channels": (32, 64), "encoder_layers_per_block": (1, 1),
         "decoder_layers_per_block": (1, 1),
         "encoder_block_types": ("ResBlock", "EfficientViTBlock"),
         "decoder_block_types": ("ResBlock", "EfficientViTBlock"),
         "encoder_qkv_multiscales": ((), (5,)), "decoder_qkv_multiscales": ((), (5,)),
         "decoder_norm_types": "rms_norm", "decoder_act_fns": "silu"},
        _picture(3, 32, 32),
    ),
    "AutoencoderKLWan": (
        {"base_dim": 12, "z_dim": 4, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1,
         "temperal_downsample": [False, True, True], "latents_mean": [0.0] * 4,
         "latents_std": [1.0] * 4},
        _picture(3, 9, 16, 16),
    ),
    "AutoencoderKLCogVideoX": (
        {"block_out_channels": (8, 8, 8, 8), "latent_channels": 4, "layers_per_block": 1,
         "norm_num_groups": 2, "down_block_types": ("CogVideoXDownBlock3D",) * 4,
         "up_block_types": ("CogVideoXUpBlock3D",) * 4, "temporal_compression_ratio": 4},
        _picture(3, 8, 16, 16),
    ),
    "DiTTransformer2DModel": (
        {"num_attention_heads": 2, "attention_head_dim": 8, "in_channels": 4, "num_layers": 2,
         "sample_size": 8, "patch_size": 2, "norm_type": "ada_norm_zero"},
        lambda: _step(hidden_states=rand(1, 4, 8, 8), class_labels=torch.tensor([3])),
    ),
    "PixArtTransformer2DModel": (
        {"num_attention_heads": 2, "attention_head_dim": 8, "in_channels": 4, "num_layers": 2,
         "sample_size": 8, "cross_attention_dim": 16, "caption_channels": 32, "out_channels": 8,
         "use_additional_conditions": False},
        lambda: _step(hidden_states=rand(1, 4, 8, 8), encoder_hidden_states=rand(1, 7, 32),
                      added_cond_kwargs={"resolution": None, "aspect_ratio": None}),
    ),
    "SD3Transformer2DModel": (
        {"sample_size": 16, "patch_size": 2, "in_channels": 4, "num_layers": 2,
         "attention_head_dim": 8, "num_attention_heads": 4, "joint_attention_dim": 32,
         "caption_projection_dim": 32, "pooled_projection_dim": 64, "out_channels": 4},
        lambda: _latents(4, 16, 16)() | {"pooled_projections": rand(1, 64)},
    ),
    "FluxTransformer2DModel": (
        {"patch_size": 1, "in_channels": 4, "num_layers": 1, "num_single_layers": 1,
         "attention_head_dim": 16, "num_attention_heads": 2, "joint_attention_dim": 32,
         "pooled_projection_dim": 32, "axes_dims_rope": (4, 4, 8)},
        lambda: _latents(16, 4)() | {"pooled_projections": rand(1, 32), "img_ids": rand(16, 3),
                                      "txt_ids": torch.zeros(7, 3)},
    ),
    "ChromaTransformer2DModel": (
        {"patch_size": 1, "in_channels": 4, "num_layers": 1, "num_single_layers": 1,
         "attention_head_dim": 16, "num_attention_heads": 2, "joint_attention_dim": 32,
         "axes_dims_rope": (4, 4, 8), "approximator_num_channels": 8,
         "approximator_hidden_dim": 16, "approximator_layers": 1},
        lambda: _latents(16, 4)() | {"img_ids": rand(16, 3), "txt_ids": torch.zeros(7, 3)},
    ),
    "AuraFlowTransformer2DModel": (
        {"sample_size": 8, "patch_size": 2, "in_channels": 4, "num_mmdit_layers": 1,
         "num_single_dit_layers": 1, "attention_head_dim": 8, "num_attention_heads": 4,
         "caption_projection_dim": 32, "joint_attention_dim": 32, "out_channels": 4,
         "pos_embed_max_size": 64},
        _latents(4, 8, 8),
    ),
    "SanaTransformer2DModel": (
        {"patch_size": 1, "in_channels": 4, "out_channels": 4, "num_layers": 2,
         "attention_head_dim": 4, "num_attention_heads": 2, "num_cross_attention_heads": 2,
         "cross_attention_head_dim": 4, "cross_attention_dim": 8, "caption_channels": 8,
         "sample_size": 8},
        _latents(4, 8, 8, text=8),
    ),
    "LTXVideoTransformer3DModel": (
        {"in_channels": 4, "out_channels": 4, "num_attention_heads": 4, "attention_head_dim": 8,
         "cross_attention_dim": 32, "num_layers": 2, "caption_channels": 16},
        lambda: _latents(32, 4, text=16)() | {"encoder_attention_mask": torch.ones(1, 7).bool(),
                                               "num_frames": 2, "height": 4, "width": 4},
    ),
    "CogVideoXTransformer3DModel": (
        {"num_attention_heads": 2, "attention_head_dim": 8, "in_channels": 4, "out_channels": 4,
         "time_embed_dim": 8, "text_embed_dim": 8, "num_layers": 2, "sample_width": 8,
         "sample_height": 8, "sample_frames": 8, "patch_size": 2, "max_text_seq_length": 7},
        _latents(2, 4, 8, 8, text=8),
    ),
    "MochiTransformer3DModel": (
        {"patch_size": 2, "num_attention_heads": 2, "attention_head_dim": 8, "num_layers": 2,
         "pooled_projection_dim": 16, "in_channels": 4, "out_channels": 4, "text_embed_dim": 16,
         "time_embed_dim": 4, "max_sequence_length": 16},
        lambda: _latents(4, 2, 16, 16, text=16)() | {
            "encoder_attention_mask": torch.ones(1, 7).bool()},
    ),
    "WanTransformer3DModel": (
        {"patch_size": (1, 2, 2), "num_attention_heads": 2, "attention_head_dim": 12,
         "in_channels": 4, "out_channels": 4, "text_dim": 16, "freq_dim": 256, "ffn_dim": 32,
         "num_layers": 2, "cross_attn_norm": True, "rope_max_seq_len": 32},
        _latents(4, 2, 16, 16, text=16),
    ),
    "HunyuanDiT2DModel": (
        {"sample_size": 16, "patch_size": 2, "in_channels": 4, "num_layers": 2,
         "attention_head_dim": 8, "num_attention_heads": 3, "cross_attention_dim": 8,
         "cross_attention_dim_t5": 8, "pooled_projection_dim": 4, "hidden_size": 24,
         "text_len": 4, "text_len_t5": 4, "activation_fn": "gelu-approximate"},
        lambda: _latents(4, 16, 16, text=8, tokens=4)() | {
            "timestep": torch.tensor([7.0]),
            "text_embedding_mask": torch.ones(1, 4), "encoder_hidden_states_t5": rand(1, 4, 8),
            "text_embedding_mask_t5": torch.ones(1, 4), "image_meta_size": rand(1, 6),
            "style": torch.tensor([0]), "image_rotary_emb": [rand(64, 8), rand(64, 8)]},
    ),
    "PriorTransformer": (
        {"num_attention_heads": 2, "attention_head_dim": 4, "num_layers": 2, "embedding_dim": 8,
         "num_embeddings": 7, "additional_embeddings": 4},
        lambda: _step(hidden_states=rand(1, 8), proj_embedding=rand(1, 8),
                      encoder_hidden_states=rand(1, 7, 8)),
    ),
    "Lumina2Transformer2DModel": (
        {"sample_size": 16, "patch_size": 2, "in_channels": 4, "hidden_size": 24, "num_layers": 2,
         "num_refiner_layers": 1, "num_attention_heads": 3, "num_kv_heads": 1, "multiple_of": 2,
         "axes_dim_rope": (4, 2, 2), "axes_lens": (128, 128, 128), "cap_feat_dim": 32},
        lambda: _latents(4, 16, 16)() | {"encoder_attention_mask": torch.ones(1, 7).bool()},
    ),
    "CogView4Transformer2DModel": (
        {"patch_size": 2, "in_channels": 4, "num_layers": 2, "attention_head_dim": 4,
         "num_attention_heads": 4, "out_channels": 4, "text_embed_dim": 32, "time_embed_dim": 8,
         "condition_dim": 4},
        lambda: _latents(4, 8, 8)() | {"original_size": torch.tensor([[64, 64]]),
                                        "target_size": torch.tensor([[64, 64]]),
                                        "crop_coords": torch.tensor([[0, 0]])},
    ),
    "QwenImageTransformer2DModel": (
        {"patch_size": 2, "in_channels": 16, "out_channels": 4, "num_layers": 2,
         "attention_head_dim": 16, "num_attention_heads": 3, "joint_attention_dim": 16,
         "axes_dims_rope": (8, 4, 4)},
        lambda: _latents(16, 16, text=16)() | {"img_shapes": [[(1, 4, 4)]],
                                                "encoder_hidden_states_mask":
                                                    torch.ones(1, 7).bool()},
    ),
    "LatteTransformer3DModel": (
        {"sample_size": 8, "num_layers": 1, "patch_size": 2, "attention_head_dim": 4,
         "num_attention_heads": 2, "caption_channels": 8, "in_channels": 4,
         "cross_attention_dim": 8,
         "out_channels": 8, "norm_type": "ada_norm_single"},
        _latents(4, 1, 8, 8, text=8),
    ),
}  # fmt: skip
