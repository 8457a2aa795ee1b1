"""timm: one network a family, small, at its own input size."""

from collections.abc import Callable
from functools import partial

import torch
from flopledger.zoo.sources import find
from rows import Network

PACKAGES = ("timm",)


def networks() -> dict[tuple[str, str], Callable[[], Network]]:
    """The factories, by library and network."""
    find("timm:resnet18")  # imports timm, beside any torchvision
    return {("timm", name): partial(_made, name) for name in NAMES.split()}


def _made(name: str) -> Network:
    network = find(f"timm:{name}").factory()
    return network, (torch.rand(1, *network.default_cfg["input_size"]),), {}


NAMES = """
bat_resnext26ts beit_base_patch16_224 botnet26t_256 caformer_s18 cait_xxs24_224 coat_tiny
coatnet_nano_rw_224 convformer_s18 convit_tiny convnext_atto convnextv2_atto crossvit_9_240
cspresnet50 darknet53 davit_tiny deit_tiny_patch16_224 densenet121 dla34 dpn48b eca_nfnet_l0
edgenext_xx_small efficientformer_l1 efficientformerv2_s0 efficientnet_b0 efficientvit_b0
efficientvit_m0 eva02_tiny_patch14_224 fasternet_t0 fastvit_t8 fbnetc_100 flexivit_small
focalnet_tiny_srf gcresnet33ts gcvit_xxtiny gernet_s ghostnet_050 ghostnetv2_100 gmixer_24_224
gmlp_s16_224 halonet26t hardcorenas_a hgnetv2_b0 hiera_tiny_224 hrnet_w18_small inception_next_tiny
inception_v3 lambda_resnet26t lcnet_035 legacy_seresnet18 levit_128s mambaout_femto
maxvit_pico_rw_256 mixer_s32_224 mixnet_s mnasnet_small mobilenetv2_050 mobilenetv3_small_050
mobilenetv4_conv_small mobileone_s0 mobilevit_xxs mobilevitv2_050 mvitv2_tiny nest_tiny
nextvit_small nfnet_l0 pit_ti_224 poolformer_s12 pvt_v2_b0 rdnet_tiny regnetx_002 regnety_002
repghostnet_050 repvgg_a0 repvit_m0_9 res2net50_14w_8s resmlp_12_224 resnest14d resnet18 resnet26t
resnetv2_50 resnext50_32x4d rexnet_100 selecsls42b sequencer2d_s shvit_s1 skresnet18 spnasnet_100
starnet_s1 swiftformer_xs swin_tiny_patch4_window7_224 swinv2_cr_tiny_ns_224
swinv2_tiny_window8_256 tf_efficientnetv2_b0 tiny_vit_5m_224 tinynet_e tnt_s_legacy_patch16_224
tresnet_m twins_pcpvt_small twins_svt_small vgg11 visformer_tiny vit_relpos_small_patch16_224
vit_tiny_patch16_224 vitamin_small_224 volo_d1_224 vovnet39a xception xcit_nano_12_p16_224
"""
