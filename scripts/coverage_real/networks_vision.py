"""Smaller libraries of networks on pictures and volumes."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import torch
from rows import Network
from torch import rand

PACKAGES = (
    "segmentation-models-pytorch", "vit-pytorch", "open_clip_torch", "monai",
    "efficientnet-pytorch", "denoising-diffusion-pytorch",
)  # fmt: skip


def networks() -> dict[tuple[str, str], Callable[[], Network]]:
    """The factories, by library and network."""
    for path in ("segmentation_models_pytorch", "open_clip", "monai.networks.nets",
                 "efficientnet_pytorch", "denoising_diffusion_pytorch"):  # fmt: skip
        import_module(path)  # here, once for all
    made: dict[tuple[str, str], Callable[[], Network]] = {}
    for name in "Unet UnetPlusPlus MAnet Linknet FPN PSPNet PAN DeepLabV3 DeepLabV3Plus".split():
        made["segmentation-models-pytorch", name] = partial(_segmenter, name, "resnet18")
    for name in ("UPerNet", "Segformer"):
        made["segmentation-models-pytorch", name] = partial(_segmenter, name, "mit_b0")
    for name, (path, options, inputs) in VIT.items():
        made["vit-pytorch", name] = partial(_vit, path, options, inputs)
    for name in ("ViT-B-32", "RN50"):
        made["open_clip_torch", name] = partial(_clip, name)
    for name, (options, size) in MONAI.items():
        made["monai", name] = partial(_monai, name, options, size)
    for name in ("efficientnet-b0", "efficientnet-b1"):
        made["efficientnet-pytorch", name] = partial(_efficientnet, name)
    for name, options in (
        ("Unet", {}),
        ("Unet, learned sinusoids", {"learned_sinusoidal_cond": True}),
    ):
        made["denoising-diffusion-pytorch", name] = partial(_denoiser, options)
    return made


def _segmenter(name: str, encoder: str) -> Network:
    library = import_module("segmentation_models_pytorch")
    network = getattr(library, name)(encoder, encoder_weights=None, classes=3)
    return network, (rand(1, 3, 128, 128),), {}


def _vit(path: str, options: dict[str, Any], size: tuple[int, ...]) -> Network:
    module, _, name = path.rpartition(".")
    return getattr(import_module(f"vit_pytorch.{module}"), name)(**options), (rand(1, *size),), {}


def _clip(name: str) -> Network:
    library = import_module("open_clip")
    network = library.create_model(name, pretrained=None)
    size = network.visual.image_size
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return network, (rand(1, 3, height, width), torch.arange(77)[None]), {}


def _monai(name: str, options: dict[str, Any], size: tuple[int, ...]) -> Network:
    network = getattr(import_module("monai.networks.nets"), name)(**options)
    return network, (rand(1, *size),), {}


def _efficientnet(name: str) -> Network:
    return import_module("efficientnet_pytorch").EfficientNet.from_name(name), (
        rand(1, 3, 128, 128),
    ), {}  # fmt: skip


def _denoiser(options: dict[str, Any]) -> Network:
    library = import_module("denoising_diffusion_pytorch")
    network = library.Unet(dim=16, dim_mults=(1, 2, 4), **options)
    return network, (rand(1, 3, 32, 32), torch.tensor([5])), {}


_PLAIN = {"image_size": 64, "patch_size": 16, "num_classes": 10, "dim": 64, "depth": 2,
          "heads": 4, "mlp_dim": 96}  # fmt: skip
_PICTURE = (3, 64, 64)
_FILM = (3, 4, 64, 64)
VIT: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "ViT": ("vit.ViT", _PLAIN, _PICTURE),
    "SimpleViT": ("simple_vit.SimpleViT", _PLAIN, _PICTURE),
    "SimpleViT with registers": ("simple_vit_with_register_tokens.SimpleViT", _PLAIN, _PICTURE),
    "SimpleViT with Fourier transform": (
        "simple_vit_with_fft.SimpleViT", _PLAIN | {"freq_patch_size": 16}, _PICTURE),
    "SimpleViT with qk norm": ("simple_vit_with_qk_norm.SimpleViT", _PLAIN, _PICTURE),
    "SimpleViT with value residual": (
        "simple_vit_with_value_residual.SimpleViT", _PLAIN, _PICTURE),
    "DeepViT": ("deepvit.DeepViT", _PLAIN, _PICTURE),
    "CaiT": ("cait.CaiT", _PLAIN | {"cls_depth": 1}, _PICTURE),
    "ParallelViT": ("parallel_vit.ViT", _PLAIN, _PICTURE),
    "patch merger": (
        "vit_with_patch_merger.ViT",
        _PLAIN | {"patch_merge_layer": 1, "patch_merge_num_tokens": 4}, _PICTURE),
    "small dataset": ("vit_for_small_dataset.ViT", _PLAIN, _PICTURE),
    "adaptive token sampling": ("ats_vit.ViT", _PLAIN | {"max_tokens_per_depth": (8, 4)}, _PICTURE),
    "rotary": ("rvt.RvT", _PLAIN, _PICTURE),
    "NormalizedViT": (
        "normalized_vit.nViT", _PLAIN, _PICTURE),
    "ViT of films": (
        "vit_3d.ViT",
        {"image_size": 64, "image_patch_size": 16, "frames": 4, "frame_patch_size": 2,
         "num_classes": 10, "dim": 64, "depth": 2, "heads": 4, "mlp_dim": 96}, _FILM),
    "ViViT": (
        "vivit.ViViT",
        {"image_size": 64, "image_patch_size": 16, "frames": 4, "frame_patch_size": 2,
         "num_classes": 10, "dim": 64, "spatial_depth": 1, "temporal_depth": 1, "heads": 4,
         "mlp_dim": 96}, _FILM),
    "ViT of series": (
        "vit_1d.ViT",
        {"seq_len": 64, "patch_size": 8, "num_classes": 10, "dim": 64, "depth": 2, "heads": 4,
         "mlp_dim": 96}, (3, 64)),
    "CCT": (
        "cct.CCT",
        {"img_size": 64, "embedding_dim": 64, "n_conv_layers": 2, "kernel_size": 7, "stride": 2,
         "padding": 3, "pooling_kernel_size": 3, "pooling_stride": 2, "pooling_padding": 1,
         "num_layers": 2, "num_heads": 4, "mlp_ratio": 2.0, "num_classes": 10}, _PICTURE),
    "T2TViT": (
        "t2t.T2TViT",
        {"image_size": 64, "num_classes": 10, "dim": 64, "depth": 2, "heads": 4, "mlp_dim": 96,
         "t2t_layers": ((7, 4), (3, 2))}, _PICTURE),
    "CrossViT": (
        "cross_vit.CrossViT",
        {"image_size": 64, "num_classes": 10, "depth": 1, "sm_dim": 32, "sm_patch_size": 16,
         "sm_enc_mlp_dim": 64, "lg_dim": 64, "lg_patch_size": 32, "lg_enc_mlp_dim": 96},
        _PICTURE),
    "PiT": (
        "pit.PiT",
        {"image_size": 70, "patch_size": 14, "dim": 64, "num_classes": 10, "depth": (1, 1),
         "heads": 4, "mlp_dim": 96}, (3, 70, 70)),
    "CvT": ("cvt.CvT", {"num_classes": 10}, _PICTURE),
    "TwinsSVT": ("twins_svt.TwinsSVT", {"num_classes": 10}, (3, 224, 224)),
    "RegionViT": (
        "regionvit.RegionViT",
        {"dim": (32, 64, 64, 96), "depth": (1, 1, 1, 1), "window_size": 7, "num_classes": 10,
         "tokenize_local_3_conv": False, "use_peg": False}, (3, 224, 224)),
    "CrossFormer": (
        "crossformer.CrossFormer",
        {"num_classes": 10, "dim": (32, 32, 64, 64), "depth": (1, 1, 1, 1),
         "global_window_size": (8, 4, 2, 1), "local_window_size": 7}, (3, 224, 224)),
    "MaxViT": (
        "max_vit.MaxViT",
        {"num_classes": 10, "dim_conv_stem": 32, "dim": 32, "dim_head": 16, "depth": (1, 1),
         "window_size": 7}, (3, 112, 112)),
    "NesT": (
        "nest.NesT",
        {"image_size": 64, "patch_size": 4, "dim": 32, "heads": 2, "num_hierarchies": 2,
         "block_repeats": (1, 1), "num_classes": 10}, _PICTURE),
    "XCiT": ("xcit.XCiT", _PLAIN | {"cls_depth": 1}, _PICTURE),
    "SepViT": (
        "sep_vit.SepViT",
        {"num_classes": 10, "dim": 32, "dim_head": 16, "heads": (1, 2, 4), "depth": (1, 1, 1),
         "window_size": 7}, (3, 224, 224)),
    "ScalableViT": (
        "scalable_vit.ScalableViT",
        {"num_classes": 10, "dim": 32, "heads": (2, 4, 4, 4), "depth": (1, 1, 1, 1),
         "ssa_dim_key": (16, 16, 16, 16), "reduction_factor": (8, 4, 2, 1),
         "window_size": (64, 32, None, None)}, (3, 256, 256)),
    "LeViT": (
        "levit.LeViT",
        {"image_size": 64, "num_classes": 10, "stages": 2, "dim": (32, 64), "depth": 1,
         "heads": (2, 4), "mlp_mult": 2}, _PICTURE),
    "learnable memory": ("learnable_memory_vit.ViT", _PLAIN, _PICTURE),
}  # fmt: skip

_VOLUME = (1, 32, 32, 32)
_IN_OUT = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2}
MONAI: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "UNet": (_IN_OUT | {"channels": (8, 16, 32), "strides": (2, 2), "num_res_units": 1}, _VOLUME),
    "BasicUNet": (_IN_OUT | {"features": (8, 8, 16, 16, 32, 8)}, _VOLUME),
    "BasicUNetPlusPlus": (_IN_OUT | {"features": (8, 8, 16, 16, 32, 8)}, _VOLUME),
    "AttentionUnet": (_IN_OUT | {"channels": (8, 16, 32), "strides": (2, 2)}, _VOLUME),
    "DynUNet": (
        _IN_OUT | {"kernel_size": (3, 3, 3), "strides": (1, 2, 2), "upsample_kernel_size": (2, 2),
                   "filters": (8, 16, 32)}, _VOLUME),
    "SegResNet": (_IN_OUT | {"init_filters": 8}, _VOLUME),
    "SegResNetDS": (_IN_OUT | {"init_filters": 8}, _VOLUME),
    "VNet": ({"spatial_dims": 3, "in_channels": 1, "out_channels": 2}, _VOLUME),
    "HighResNet": (_IN_OUT, (1, 16, 16, 16)),
    "UNETR": (
        {"in_channels": 1, "out_channels": 2, "img_size": (32, 32, 32), "feature_size": 8,
         "hidden_size": 48, "mlp_dim": 96, "num_heads": 4}, _VOLUME),
    "SwinUNETR": ({"in_channels": 1, "out_channels": 2, "feature_size": 12}, (1, 64, 64, 64)),
    "ViT": (
        {"in_channels": 1, "img_size": (32, 32, 32), "patch_size": (8, 8, 8), "hidden_size": 48,
         "mlp_dim": 96, "num_layers": 2, "num_heads": 4, "classification": True}, _VOLUME),
    "DenseNet121": (_IN_OUT, (1, 64, 64, 64)),
    "SEResNet50": ({"spatial_dims": 2, "in_channels": 1, "num_classes": 2}, (1, 64, 64)),
    "MedNeXtS": (_IN_OUT, _VOLUME),
    "FlexibleUNet": (
        {"in_channels": 3, "out_channels": 2, "backbone": "efficientnet-b0", "spatial_dims": 2},
        (3, 64, 64)),
    "VarAutoEncoder": (
        {"spatial_dims": 2, "in_shape": (1, 32, 32), "out_channels": 1, "latent_size": 8,
         "channels": (8, 16), "strides": (2, 2)}, (1, 32, 32)),
    "AutoencoderKL": (
        {"spatial_dims": 2, "in_channels": 1, "out_channels": 1, "channels": (8, 16),
         "latent_channels": 4, "num_res_blocks": (1, 1), "attention_levels": (False, True),
         "norm_num_groups": 4}, (1, 32, 32)),
}  # fmt: skip
