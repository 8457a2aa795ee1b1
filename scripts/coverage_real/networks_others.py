"""Smaller libraries of networks on graphs, sequences and tables."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import torch
from rows import Network
from torch import rand

PACKAGES = (
    "torch-geometric", "x-transformers", "conformer", "performer-pytorch", "perceiver-pytorch",
    "tab-transformer-pytorch", "linformer", "g-mlp-pytorch",
)  # fmt: skip
NODES, EDGES, WIDTH = 30, 120, 16


def networks() -> dict[tuple[str, str], Callable[[], Network]]:
    """The factories, by library and network."""
    for path in (
        "torch_geometric.nn.models",
        "x_transformers",
        *(path.rpartition(".")[0] for _, _, path, *_ in SEQUENCES),
    ):
        import_module(path)  # here, once for all
    made: dict[tuple[str, str], Callable[[], Network]] = {}
    for name, options in GRAPH_MODELS.items():
        made["torch-geometric", name] = partial(_graph_model, name, options)
    for name, options in GRAPH_LAYERS.items():
        made["torch-geometric", name] = partial(_graph_layer, name, options)
    for name, options in DECODERS.items():
        made["x-transformers", name] = partial(_decoder, options)
    for library, name, path, options, inputs in SEQUENCES:
        made[library, name] = partial(_sequence, path, options, inputs)
    return made


def _edges() -> torch.Tensor:
    return torch.randint(0, NODES, (2, EDGES))


def _graph_model(name: str, options: dict[str, Any]) -> Network:
    network = getattr(import_module("torch_geometric.nn.models"), name)(**options)
    return network, (rand(NODES, WIDTH), _edges()), {}


def _graph_layer(name: str, options: dict[str, Any]) -> Network:
    network = getattr(import_module("torch_geometric.nn"), name)(WIDTH, 8, **options)
    return network, (rand(NODES, WIDTH), _edges()), {}


def _decoder(options: dict[str, Any]) -> Network:
    library = import_module("x_transformers")
    layers = library.Decoder(dim=64, depth=2, heads=4, attn_dim_head=16, **options)
    network = library.TransformerWrapper(num_tokens=100, max_seq_len=32, attn_layers=layers)
    return network, (torch.arange(24)[None],), {}


def _sequence(path: str, options: dict[str, Any], inputs: Callable[[], Any]) -> Network:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)(**options), inputs(), {}


_TWO_LAYERS = {"in_channels": WIDTH, "hidden_channels": 16, "num_layers": 2, "out_channels": 4}
GRAPH_MODELS: dict[str, dict[str, Any]] = {
    "GCN": _TWO_LAYERS, "GraphSAGE": _TWO_LAYERS, "GIN": _TWO_LAYERS, "GAT": _TWO_LAYERS,
    "EdgeCNN": _TWO_LAYERS,
    "GraphUNet": {"in_channels": WIDTH, "hidden_channels": 16, "out_channels": 4, "depth": 2},
    "PMLP": _TWO_LAYERS,
}  # fmt: skip
GRAPH_LAYERS: dict[str, dict[str, Any]] = {
    "ChebConv": {"K": 3}, "TransformerConv": {"heads": 2}, "GATv2Conv": {"heads": 2},
    "TAGConv": {}, "ARMAConv": {}, "SGConv": {"K": 2}, "GraphConv": {}, "LEConv": {},
    "ResGatedGraphConv": {}, "FiLMConv": {}, "SuperGATConv": {}, "ClusterGCNConv": {},
    "MFConv": {}, "GeneralConv": {}, "FeaStConv": {}, "SSGConv": {"alpha": 0.1},
}  # fmt: skip

DECODERS: dict[str, dict[str, Any]] = {
    "decoder": {},
    "rotary": {"rotary_pos_emb": True},
    "alibi": {"alibi_pos_bias": True},
    "T5's bias": {"rel_pos_bias": True},
    "one head of keys": {"attn_one_kv_head": True},
    "grouped keys": {"attn_kv_heads": 2},
    "gated linear units": {"ff_glu": True, "ff_swish": True},
    "memory keys": {"attn_num_mem_kv": 4},
    "talking heads": {"attn_pre_talking_heads": True, "attn_post_talking_heads": True},
    "flash": {"attn_flash": True},
    "macaron": {"macaron": True},
    "sandwich": {"sandwich_coef": 1},
    "qk norm": {"attn_qk_norm": True},
    "values gated": {"attn_gate_values": True},
    "residual attention": {"residual_attn": True},
    "shifted tokens": {"shift_tokens": 1},
}

SEQUENCES: tuple[tuple[str, str, str, dict[str, Any], Callable[[], Any]], ...] = (
    ("conformer", "Conformer", "conformer.Conformer", {"dim": 64, "depth": 2, "dim_head": 16,
     "heads": 4}, lambda: (rand(1, 40, 64),)),
    ("performer-pytorch", "PerformerLM", "performer_pytorch.PerformerLM",
     {"num_tokens": 100, "max_seq_len": 64, "dim": 64, "depth": 2, "heads": 4, "dim_head": 16},
     lambda: (torch.arange(64)[None],)),
    ("perceiver-pytorch", "Perceiver", "perceiver_pytorch.Perceiver",
     {"num_freq_bands": 4, "depth": 2, "max_freq": 10.0, "num_latents": 16, "latent_dim": 32,
      "latent_heads": 4, "num_classes": 10}, lambda: (rand(1, 16, 16, 3),)),
    ("perceiver-pytorch", "PerceiverIO", "perceiver_pytorch.PerceiverIO",
     {"dim": 32, "queries_dim": 32, "depth": 2, "num_latents": 16, "latent_dim": 32},
     lambda: (rand(1, 40, 32),)),
    ("tab-transformer-pytorch", "TabTransformer", "tab_transformer_pytorch.TabTransformer",
     {"categories": (10, 5, 6), "num_continuous": 4, "dim": 32, "dim_out": 1, "depth": 2,
      "heads": 4, "mlp_act": torch.nn.ReLU()}, lambda: (torch.tensor([[1, 2, 3]]), rand(1, 4))),
    ("tab-transformer-pytorch", "FTTransformer", "tab_transformer_pytorch.FTTransformer",
     {"categories": (10, 5, 6), "num_continuous": 4, "dim": 32, "dim_out": 1, "depth": 2,
      "heads": 4}, lambda: (torch.tensor([[1, 2, 3]]), rand(1, 4))),
    ("linformer", "LinformerLM", "linformer.LinformerLM",
     {"num_tokens": 100, "dim": 64, "seq_len": 32, "depth": 2, "heads": 4, "k": 8},
     lambda: (torch.arange(32)[None],)),
    ("g-mlp-pytorch", "gMLP", "g_mlp_pytorch.gMLP",
     {"num_tokens": 100, "dim": 64, "depth": 2, "seq_len": 32}, lambda: (torch.arange(32)[None],)),
    ("g-mlp-pytorch", "gMLPVision", "g_mlp_pytorch.gMLPVision",
     {"image_size": 64, "patch_size": 16, "num_classes": 10, "dim": 64, "depth": 2},
     lambda: (rand(1, 3, 64, 64),)),
)  # fmt: skip
