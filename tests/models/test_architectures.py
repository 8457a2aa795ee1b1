"""The networks against their papers: parameters and MACs as products, written out."""

import pytest
import torch
from flopledger import find_model, profile


def test_alexnet_by_hand():
    # Krizhevsky et al. 2012, section 3.5: (points, filters, kernel x channels of the group)
    convolutions = [(55 * 55, 96, 11 * 11 * 3), (27 * 27, 256, 5 * 5 * 48), (13 * 13, 384, 9 * 256),
                    (13 * 13, 384, 9 * 192), (13 * 13, 256, 9 * 192)]  # fmt: skip
    linear = [(9216, 4096), (4096, 4096), (4096, 1000)]
    counted = profile("alexnet", backward=True)
    forward = sum(p * f * k for p, f, k in convolutions) + sum(i * o for i, o in linear)
    assert counted.total("macs") == forward
    assert counted.total("params") == sum(f * k + f for _, f, k in convolutions) + sum(
        i * o + o for i, o in linear
    )
    # twice the forward, but for the first layer, whose input needs no gradient
    points, filters, kernel = convolutions[0]
    assert counted.backward.macs == 2 * forward - points * filters * kernel
    assert counted.backward.ratio_to_forward < 2


def test_alexnets_groups_do_not_see_each_other():
    alexnet = find_model("alexnet").factory()
    x = torch.rand(1, 96, 27, 27)
    other = x.clone()
    other[:, :48] += 1
    changed = (alexnet.conv2(x) != alexnet.conv2(other)).any(dim=3).any(dim=2)[0]
    assert changed[:128].all()
    assert not changed[128:].any()


def test_alexnets_normalisation_is_the_papers():
    # section 3.3: b = a / (k + alpha * sum of a^2 over 5 neighbouring maps) ** beta
    norm = find_model("alexnet").factory().norm
    maps = torch.arange(1.0, 8.0).view(1, 7, 1, 1) * 10
    by_hand = [
        a / (2 + 1e-4 * sum(b * b for b in range(max(10, a - 20), min(70, a + 20) + 1, 10))) ** 0.75
        for a in range(10, 80, 10)
    ]
    assert torch.allclose(norm(maps).flatten(), torch.tensor(by_hand))


def tower(planes, side, blocks, filters=256):
    """Weights and batch norms of the tower, and its MACs."""
    kernels = 9 * planes * filters + 2 * blocks * 9 * filters * filters
    return kernels + (1 + 2 * blocks) * 2 * filters, side * side * kernels


def value_head(side):
    points = side * side
    return (256 + 2) + (points * 256 + 256) + (256 + 1), points * 256 + points * 256 + 256


@pytest.mark.parametrize(
    ("name", "planes", "blocks"),
    [("alphazero-go", 17, 19), ("alphago-zero-20", 17, 19), ("alphago-zero-40", 17, 39)],
)
def test_go_networks_with_a_narrow_policy(name, planes, blocks):
    counted, points = profile(name), 361
    policy = (256 * 2 + 4) + (2 * points * 362 + 362)
    policy_macs = points * 256 * 2 + 2 * points * 362
    weights, macs = tower(planes, 19, blocks)
    assert counted.total("params") == weights + policy + value_head(19)[0]
    assert counted.total("macs") == macs + policy_macs + value_head(19)[1]


@pytest.mark.parametrize(
    ("name", "planes", "side", "moves"),
    [("alphazero-chess", 119, 8, 73), ("alphazero-shogi", 362, 9, 139)],
)
def test_games_with_planes_of_moves(name, planes, side, moves):
    counted, points = profile(name), side * side
    weights, macs = tower(planes, side, 19)
    policy = (9 * 256 * 256 + 2 * 256) + (256 * moves + moves)
    policy_macs = points * (9 * 256 * 256 + 256 * moves)
    assert counted.total("params") == weights + policy + value_head(side)[0]
    assert counted.total("macs") == macs + policy_macs + value_head(side)[1]


def test_the_two_readings_of_the_go_policy():
    narrow, wide = profile("alphazero-go"), profile("alphazero-go-wide-head")
    convolution = (9 * 256 * 256 + 512) - (256 * 2 + 4)
    linear = (256 - 2) * 361 * 362
    assert wide.total("params") - narrow.total("params") == convolution + linear


def test_alphago_fan_by_hand():
    three, points = 9 * 192 * 192 + 192, 361
    policy = (25 * 48 * 192 + 192) + 11 * three + 192 + points
    value = (25 * 49 * 192 + 192) + 12 * three + (192 + 1) + (points * 256 + 256) + (256 + 1)
    assert profile("alphago-fan-policy").total("params") == policy
    assert profile("alphago-fan-value").total("params") == value
    assert (policy + value) / 8.21e6 == pytest.approx(1, abs=0.003)  # Epoch AI's notes, both nets


def test_resnet50_halves_in_the_3_x_3():
    network = find_model("resnet50").factory()
    first = network.layer2[0]
    assert (first.conv1.stride, first.conv2.stride) == ((1, 1), (2, 2))


def test_vit_by_hand():
    # 196 patches and the class token; width 768, 12 blocks
    tokens, width = 197, 768
    block = tokens * (4 * width * width + 8 * width * width) + 2 * tokens * tokens * width
    by_hand = 196 * (16 * 16 * 3) * width + 12 * block + width * 1000
    assert profile("vit-b-16").total("macs") == by_hand


def test_gpt2_by_hand_and_its_one_matrix_in_two_places():
    tokens, width, vocabulary = 64, 768, 50257
    counted = profile("gpt2", torch.zeros(1, tokens, dtype=torch.int64))
    block = tokens * 12 * width * width + 2 * tokens * tokens * width
    assert counted.total("macs") == 12 * block + tokens * width * vocabulary
    layers = counted.layers.set_index("layer")
    assert layers.loc["wte", "params"] == vocabulary * width
    assert layers.loc["lm_head", "params"] == 0
    assert layers.loc["lm_head", "shared"] == "lm_head.weight = wte.weight"


def test_gpt2_does_not_look_ahead():
    torch.manual_seed(0)
    network = find_model("gpt2").factory().eval()
    tokens = torch.tensor([[5, 6, 7, 8]])
    later = torch.tensor([[5, 6, 7, 9]])
    with torch.no_grad():
        a, b = network(tokens), network(later)
    assert torch.allclose(a[:, :3], b[:, :3])
    assert not torch.allclose(a[:, 3], b[:, 3])


def test_lstm_by_hand():
    units, vocabulary, steps = 650, 10_000, 35
    matrices = 2 * 4 * units * (units + units)
    counted = profile("lstm")
    assert counted.total("macs") == steps * (matrices + units * vocabulary)
    biases = 2 * 2 * 4 * units
    assert counted.total("params") == 2 * vocabulary * units + vocabulary + matrices + biases


def test_vgg16_by_hand():
    convolutions, channels, side, macs = [64, 64, 128, 128, 256, 256, 256, *[512] * 6], 3, 224, 0
    for index, filters in enumerate(convolutions):
        macs += side * side * filters * 9 * channels
        channels = filters
        side //= 2 if index in (1, 3, 6, 9) else 1
    macs += 25088 * 4096 + 4096 * 4096 + 4096 * 1000
    assert profile("vgg16").total("macs") == macs
