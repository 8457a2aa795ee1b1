"""Translation, games, folding and diffusion: parameters and MACs as products, written out."""

import pytest
import torch
from flopledger import find_model, profile
from flopledger.counting.dispatch import dispatch_counter
from flopledger.counting.profiling import counted
from flopledger.counting.subject import built


def lstm(inputs, units, steps=1):
    """MACs of an LSTM's layer: four gates, each from the input and from the state."""
    return steps * 4 * units * (inputs + units)


def test_dqn_by_hand():
    # Mnih et al. 2013, section 4.1: 8 x 8 with stride 4 on 84 x 84, 4 x 4 with stride 2
    convolutions = 20 * 20 * 16 * (8 * 8 * 4) + 9 * 9 * 32 * (4 * 4 * 16)
    assert profile("dqn").total("macs") == convolutions + 9 * 9 * 32 * 256 + 256 * 18


def test_the_big_transformer_by_hand():
    # Vaswani et al. 2017, table 3: width 1,024, perceptron 4,096, 6 layers; 32 tokens either way
    attention = 32 * 4 * 1024**2 + 2 * 32 * 32 * 1024
    perceptron = 32 * 2 * 1024 * 4096
    layers = 6 * (attention + perceptron) + 6 * (2 * attention + perceptron)
    assert profile("transformer-big").total("macs") == layers + 32 * 1024 * 37_000


def test_gnmt_by_hand():
    # Wu et al. 2016, section 3: both ways, twice as wide, then six; the decoder's get a context
    encoder = 2 * lstm(1024, 1024, 32) + lstm(2048, 1024, 32) + 6 * lstm(1024, 1024, 32)
    decoder = lstm(1024, 1024, 32) + 7 * lstm(2048, 1024, 32)
    attention = 2 * 32 * 1024**2 + 32 * 32 * 1024 + 32 * 32 * 1024
    softmax = 32 * 1024 * 32_000
    assert profile("gnmt").total("macs") == encoder + decoder + attention + softmax


def test_openai_fives_lstm_holds_84_percent_and_grew():
    # Berner et al. 2019, appendices B and H: 158,502,815 parameters; 43,436,520 before 2,048 units
    # became 4,096
    counted = profile("openai-five")
    share = counted.by_layer().set_index("layer").loc["lstm", "params"] / counted.total("params")
    assert round(share, 2) in (0.84, 0.85)
    small = find_model("openai-five").factory(units=2048, features=4816)
    assert sum(p.numel() for p in small.parameters()) == pytest.approx(43_436_520, rel=2e-4)


def test_muzeros_simulation_by_hand():
    # appendices E and F: 16 blocks of 256 planes on 6 x 6 after a convolution that takes the action
    tower = 36 * (9 * 257 * 256 + 16 * 2 * 9 * 256 * 256)
    heads = 36 * 256 * (1 + 1 + 2) + 36 * (601 + 601 + 2 * 18)
    assert profile("muzero-atari-simulation").total("macs") == tower + heads


def test_muzero_trains_on_a_root_and_five_simulations():
    whole, root, simulation = (
        sum(call.macs for call in dispatch_counter.count(spec.factory(), spec.inputs(), {}))
        for spec in map(
            find_model, ("muzero-atari", "muzero-atari-root", "muzero-atari-simulation")
        )
    )
    assert whole == root + 5 * simulation


def test_efficientzeros_simulation_by_hand():
    # config/atari: 64 channels and the action's plane on 6 x 6, an LSTM of 512, heads through 32
    convolutions = 36 * 9 * (65 * 64 + 2 * 64 * 64 + 2 * 64 * 64) + 3 * 36 * 64 * 16
    heads = 2 * 16 * 36 * 32 + 512 * 32 + 32 * (601 + 601 + 18)
    assert (
        profile("efficientzero-simulation").total("macs")
        == convolutions + lstm(16 * 36, 512) + heads
    )


@pytest.mark.parametrize(
    ("name", "blocks", "channels"),
    [("b6c96", 6, 96), ("b10c128", 10, 128), ("b15c192", 15, 192), ("b20c256", 20, 256)],
)
def test_katagos_cost_goes_as_blocks_times_channels_squared(name, blocks, channels):
    # Wu 2019, section 5.1; the stem, the heads and the pooling are the rest
    trunk = 361 * blocks * 2 * 9 * channels**2
    assert profile(f"katago-{name}").total("macs") == pytest.approx(trunk, rel=0.05)


def test_katagos_parameters_by_hand():
    # appendix A, table 5: b20 c256, c_pool 64, c_head 48, c_val 96, three pooling blocks
    pooling = 9 * 256**2 + 3 * 64 * 192 + 9 * 192 * 256
    trunk = 25 * 18 * 256 + 10 * 256 + 17 * 2 * 9 * 256**2 + 3 * pooling
    policy = 2 * 256 * 48 + 144 * 48 + 48 * 2 + 144 * 2
    value = 256 * 48 + (144 * 96 + 96 * 9) + 48 + (144 * 96 + 96) + (146 * 96 + 96)
    weights = trunk + policy + value
    norms = 2 * (17 * 512 + 3 * (256 + 64 + 192) + 256 + 48 + 48)
    biases = (96 + 9) + (96 + 1) + (96 + 1)
    assert profile("katago-b20c256").total("params") == weights + norms + biases


def test_a_block_of_the_evoformer_by_hand():
    # Jumper et al. 2021, supplement, algorithm 6: 32 residues, 8 rows, 256 and 128 channels
    rows, r = 8, 32
    points, pairs = rows * r, r * r
    msa = 2 * points * 5 * 256 * 256 + 2 * 256 * points * (r + rows) + points * 2 * 256 * 1024
    outer = points * 256 * 64 + pairs * rows * 32 * 32 + pairs * 32 * 32 * 128
    multiply = 2 * (pairs * 6 * 128 * 128 + r**3 * 128)
    attend = 2 * (pairs * 5 * 128 * 128 + 2 * r**3 * 128)
    biases = pairs * 128 * (8 + 4 + 4)
    block = msa + outer + multiply + attend + biases + pairs * 2 * 128 * 512
    layers = profile("alphafold-small").by_layer(2).set_index("layer")
    assert layers.loc["evoformer.0", "macs"] == block


def test_alphafold_has_as_many_parameters_as_are_published():
    # 93 million: arXiv 2207.05477, table 1
    whole = built("alphafold", lambda: find_model("alphafold-small").factory(48, 4))
    assert round(sum(p.numel() for p in whole.parameters()) / 1e6) == 93


def test_stable_diffusions_unet_has_as_many_parameters_as_are_published():
    # 860 million: CompVis/stable-diffusion, README.md
    whole = built("unet", lambda: find_model("stable-diffusion-unet-small").factory(320))
    assert round(sum(p.numel() for p in whole.parameters()) / 1e6) == 860


def test_alphastars_sizes_that_are_published():
    # detailed-architecture.txt: an LSTM of 3 x 384, and a map of 16 x 16 x 128 to 256 numbers
    star = counted(
        "alphastar",
        built("alphastar", find_model("alphastar").factory),
        (tuple(find_model("alphastar").inputs()), {}),
        counter="dispatch",
    )
    layers = star.by_layer(3).set_index("layer")
    scalars = 64 + 128 + 128 + 64 + 64 + 64 + 128 + 256
    contexts = 32 + 32 + 64 + 32 + 32 + 32
    core = lstm(512 + scalars + contexts, 384) + 2 * lstm(384, 384)
    assert layers.loc["core", "macs"] == core
    assert layers.loc["spatial_encoder.embed.0", "macs"] == 16 * 16 * 128 * 256
    units = 512 * (256 * 768 + 256 * 256 + 2 * 256 * 1024) + 2 * 512 * 512 * 256
    transformer = star.by_layer(1).set_index("layer").loc["transformer", "macs"]
    assert transformer == 3 * units


def test_a_second_hero_sees_the_same_network():
    torch.manual_seed(0)
    five = find_model("openai-five").factory(units=8, features=3).eval()
    heroes = torch.rand(2, 16, 3)
    assert torch.allclose(five(heroes)[1], five(heroes[1:])[0], atol=1e-6)
