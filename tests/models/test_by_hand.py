"""The networks by hand where test_architectures.py does not: parameters, shapes, real passes."""

import itertools

import pytest
import torch
from flopledger import find_model, profile
from torch import nn


def params(name):
    """Each trainable parameter once, on the meta device: no weights are made."""
    with torch.device("meta"):
        return sum(p.numel() for p in find_model(name).factory().parameters())


def real(name):
    torch.manual_seed(0)
    return find_model(name).factory().eval()


def conv(inputs, outputs, kernel):
    return outputs * inputs * kernel * kernel


def norm(channels):
    return 2 * channels  # a scale and a shift


def linear(inputs, outputs):
    return inputs * outputs + outputs


def basic(inputs, width):
    return conv(inputs, width, 3) + conv(width, width, 3) + 2 * norm(width)


def bottleneck(inputs, width):
    kernels = conv(inputs, width, 1) + conv(width, width, 3) + conv(width, 4 * width, 1)
    return kernels + 2 * norm(width) + norm(4 * width)


def projection(inputs, outputs):
    return conv(inputs, outputs, 1) + norm(outputs)


STEM = conv(3, 64, 7) + norm(64)


@pytest.mark.parametrize(("name", "depths"), [("resnet18", "2222"), ("resnet34", "3463")])
def test_basic_resnets(name, depths):
    a, b, c, d = map(int, depths)
    blocks = (
        a * basic(64, 64)
        + basic(64, 128) + (b - 1) * basic(128, 128) + projection(64, 128)
        + basic(128, 256) + (c - 1) * basic(256, 256) + projection(128, 256)
        + basic(256, 512) + (d - 1) * basic(512, 512) + projection(256, 512)
    )  # fmt: skip
    assert params(name) == STEM + blocks + linear(512, 1000)


@pytest.mark.parametrize(
    ("name", "depths"),
    [("resnet50", (3, 4, 6, 3)), ("resnet101", (3, 4, 23, 3)), ("resnet152", (3, 8, 36, 3))],
)
def test_bottleneck_resnets(name, depths):
    a, b, c, d = depths
    blocks = (
        bottleneck(64, 64) + (a - 1) * bottleneck(256, 64) + projection(64, 256)
        + bottleneck(256, 128) + (b - 1) * bottleneck(512, 128) + projection(256, 512)
        + bottleneck(512, 256) + (c - 1) * bottleneck(1024, 256) + projection(512, 1024)
        + bottleneck(1024, 512) + (d - 1) * bottleneck(2048, 512) + projection(1024, 2048)
    )  # fmt: skip
    assert params(name) == STEM + blocks + linear(2048, 1000)


@pytest.mark.parametrize("name", ["resnet50", "resnet101", "resnet152"])
def test_only_the_3_x_3_of_a_stages_first_block_strides(name):
    with torch.device("meta"):
        network = find_model(name).factory()
    for number, stage in enumerate(
        [network.layer1, network.layer2, network.layer3, network.layer4]
    ):
        for index, block in enumerate(stage):
            stride = (2, 2) if number and not index else (1, 1)
            assert block.conv2.stride == stride
            assert block.conv1.stride == block.conv3.stride == (1, 1)
            if not index:
                assert block.downsample[0].stride == stride


def resnet50_macs(*, stride_in_the_1_x_1):
    macs, inputs = 112 * 112 * conv(3, 64, 7) + 2048 * 1000, 64
    for side, width, depth in ((56, 64, 3), (28, 128, 4), (14, 256, 6), (7, 512, 3)):
        before = side if stride_in_the_1_x_1 or width == 64 else 2 * side
        rest = side * side * (conv(width, width, 3) + conv(width, 4 * width, 1))
        macs += before * before * conv(inputs, width, 1) + rest
        macs += side * side * conv(inputs, 4 * width, 1)  # the shortcut
        macs += (depth - 1) * (side * side * conv(4 * width, width, 1) + rest)
        inputs = 4 * width
    return macs


def test_the_stride_does_not_explain_all_of_resnet50s_figure():
    # He et al. 2015, table 1, prints 3.8e9, and `differs` says how far the stride goes
    papers = resnet50_macs(stride_in_the_1_x_1=True)
    here = resnet50_macs(stride_in_the_1_x_1=False)
    assert profile("resnet50").total("macs") == here
    assert (round(papers / 1e9, 3), round((here - papers) / 1e9, 3)) == (3.858, 0.231)
    (printed,) = (f for f in find_model("resnet50").published if f.value == 3.8e9)
    assert "That is 0.231 G; the paper's placement gives 3.858 G" in printed.differs


@pytest.mark.parametrize(("name", "printed"), [("resnet18", 1.8), ("resnet34", 3.6)])
def test_shortcuts_without_weights_give_the_papers_figure(name, printed):
    projections = 28 * 28 * conv(64, 128, 1) + 14 * 14 * conv(128, 256, 1) + 49 * conv(256, 512, 1)
    assert round((profile(name).total("macs") - projections) / 1e9, 1) == printed


def test_vgg16():
    widths = [3, 64, 64, 128, 128, 256, 256, 256, *[512] * 6]
    convolutions = sum(conv(i, o, 3) + o for i, o in itertools.pairwise(widths))
    assert params("vgg16") == (
        convolutions + linear(512 * 7 * 7, 4096) + linear(4096, 4096) + linear(4096, 1000)
    )


def test_alexnet_one_tower():
    widths = [(3, 64, 11), (64, 192, 5), (192, 384, 3), (384, 256, 3), (256, 256, 3)]
    convolutions = sum(conv(i, o, k) + o for i, o, k in widths)
    assert params("alexnet-one-tower") == (
        convolutions + linear(256 * 6 * 6, 4096) + linear(4096, 4096) + linear(4096, 1000)
    )


def transformer_block(width):
    attention = linear(width, 3 * width) + linear(width, width)
    return 2 * norm(width) + attention + linear(width, 4 * width) + linear(4 * width, width)


def test_vit():
    patches = conv(3, 768, 16) + 768
    tokens = 768 + (14 * 14 + 1) * 768  # the class token and the positions
    assert params("vit-b-16") == (
        patches + tokens + 12 * transformer_block(768) + norm(768) + linear(768, 1000)
    )


def test_gpt2_counts_its_tied_matrix_once():
    embeddings = 50257 * 768 + 1024 * 768
    assert params("gpt2") == embeddings + 12 * transformer_block(768) + norm(768)
    with torch.device("meta"):
        network = find_model("gpt2").factory()
    assert network.lm_head.weight is network.wte.weight


@pytest.mark.parametrize(
    ("name", "planes", "convolutions"), [("policy", 48, 11), ("value", 49, 12)]
)
def test_alphago_lee(name, planes, convolutions):
    # AlphaGo Zero's Methods: 12 convolutions of 256 planes; the value network as Fan's, one more
    tower = conv(planes, 256, 5) + 256 + convolutions * (conv(256, 256, 3) + 256)
    head = {
        "policy": 256 + 19 * 19,
        "value": (256 + 1) + linear(19 * 19, 256) + linear(256, 1),
    }
    assert params(f"alphago-lee-{name}") == tower + head[name]


def test_what_epoch_leaves_out_of_alphago_zero():
    kernels = conv(17, 256, 3) + 2 * 39 * conv(256, 256, 3) + conv(256, 2, 1) + conv(256, 1, 1)
    matrices = 2 * 361 * 362 + 361 * 256 + 256
    assert kernels + matrices == 46_400_244  # Epoch AI, All ML Systems
    batch_norms = (1 + 2 * 39) * norm(256) + norm(2) + norm(1)
    assert params("alphago-zero-40") == kernels + matrices + batch_norms + (362 + 256 + 1)


def test_the_wide_go_policy():
    tower = conv(17, 256, 3) + 38 * conv(256, 256, 3) + 39 * norm(256)
    policy = conv(256, 256, 3) + norm(256) + linear(256 * 361, 362)
    value = conv(256, 1, 1) + norm(1) + linear(361, 256) + linear(256, 1)
    assert params("alphazero-go-wide-head") == tower + policy + value
    assert linear(256 * 361, 362) / (tower + policy + value) == pytest.approx(0.59, abs=0.005)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("alexnet", (1000,)), ("alexnet-one-tower", (1000,)), ("resnet18", (1000,)),
     ("resnet50", (1000,)), ("vit-b-16", (1000,)), ("lstm", (35, 10_000)),
     ("alphago-fan-policy", (361,)), ("alphago-fan-value", (1,))],
)  # fmt: skip
def test_axis_0_is_the_sample(name, shape):
    spec, network = find_model(name), real(name)
    (example,) = spec.inputs()
    two = torch.stack([_random(example[0]) for _ in range(2)])
    with torch.no_grad():
        both, second = network(two), network(two[1:])
    assert both.shape == (2, *shape)
    torch.testing.assert_close(both[1:], second, rtol=1e-4, atol=1e-5)
    assert not torch.equal(both[0], both[1])  # and it looks at what it is given


def _random(like):
    if like.dtype is torch.int64:
        return torch.randint(10_000, like.shape)
    return torch.randn(like.shape)


def test_vgg16_passes():
    network = real("vgg16")
    with torch.no_grad():
        assert network(torch.randn(1, 3, 224, 224)).shape == (1, 1000)


@pytest.mark.parametrize(
    ("name", "policy", "moves"),  # the supplement's numbers of moves
    [("alphazero-chess", (73, 8, 8), 4_672), ("alphazero-shogi", (139, 9, 9), 11_259),
     ("alphazero-go", (362,), 362)],
)  # fmt: skip
def test_two_heads(name, policy, moves):
    spec, network = find_model(name), real(name)
    (example,) = spec.inputs()
    with torch.no_grad():
        logits, value = network(torch.rand(2, *example.shape[1:]))
    assert logits.shape == (2, *policy)
    assert logits[0].numel() == moves
    assert value.shape == (2, 1)
    assert (value.abs() < 1).all()


def test_alphagos_policy_is_a_distribution_biased_point_by_point():
    network, board = real("alphago-fan-policy"), torch.rand(1, 48, 19, 19)
    with torch.no_grad():
        before = network(board)
        network.bias[7] += 1
        after = network(board)
    assert before.sum() == pytest.approx(1, abs=1e-5)
    odds = (after[0] / before[0]).log()
    others = torch.cat([odds[:7], odds[8:]])
    assert torch.allclose(odds[7] - others, torch.ones(360), atol=1e-4)


def test_alexnets_pools_overlap():
    pool = real("alexnet").pool
    assert (pool.kernel_size, pool.stride) == (3, 2)  # section 3.4: s = 2, z = 3


def test_alexnets_third_convolution_sees_both_groups():
    alexnet, x = real("alexnet"), torch.rand(1, 256, 13, 13)
    other = x.clone()
    other[:, :128] += 1
    with torch.no_grad():
        changed = (alexnet.conv3(x) != alexnet.conv3(other)).flatten(2).any(dim=2)[0]
        assert changed.all()
    assert [layer.groups for layer in (alexnet.conv3, alexnet.conv4, alexnet.conv5)] == [1, 2, 2]


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("alexnet", 0.5),
        ("alexnet-one-tower", 0.5),
        ("vgg16", 0.5),
        ("vit-b-16", 0.1),
        ("lstm", 0.5),
    ],
)
def test_dropout_is_where_the_paper_has_it(name, rate):
    with torch.device("meta"):
        network = find_model(name).factory()
    rates = [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)]
    assert rates
    assert set(rates) == {rate}


def test_vits_dropout_works_in_training_alone():
    network, image = real("vit-b-16"), torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(network(image), network(image))
        network.train()
        assert not torch.allclose(network(image), network(image))


def test_gpt2_reads_any_length_up_to_its_context():
    network = real("gpt2")
    with torch.no_grad():
        assert network(torch.randint(50257, (2, 5))).shape == (2, 5, 50257)
    with torch.device("meta"):
        weightless = find_model("gpt2").factory()
        assert weightless(torch.zeros(1, 1024, dtype=torch.int64)).shape == (1, 1024, 50257)
