"""What convolutions and LSTMs take for themselves, by hand and by the allocator."""

import pytest
import torch
from flopledger.allocation.estimate import memory
from flopledger.allocation.kernel_scratch import leading
from flopledger.allocation.measure import allocated
from torch import nn

FLOAT = 4  # bytes


@pytest.fixture(autouse=True)
def one_thread():
    """Which kernel takes a convolution depends on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_convolution_copies_its_input_and_its_weights_into_blocks_by_hand():
    conv = nn.Conv2d(20, 32, 3, bias=False)
    given, made = 2 * 20 * 12 * 12 * FLOAT, 2 * 32 * 10 * 10 * FLOAT
    weights = 32 * 20 * 9 * FLOAT
    # 20 channels take the room of 32; of the result 32 are 32
    blocks = (given + weights) // 20 * 32
    found = memory(conv, torch.zeros(2, 20, 12, 12), backward=False)
    assert found.inference_peak_bytes == given + weights + made + blocks


def test_one_small_picture_is_made_columns_of():
    conv = nn.Conv2d(16, 16, 3, bias=False)
    given, made, columns = 16 * 64 * FLOAT, 16 * 36 * FLOAT, 16 * 9 * 36 * FLOAT
    weights = 16 * 16 * 9 * FLOAT
    found = memory(conv, torch.zeros(1, 16, 8, 8), backward=False)
    assert found.inference_peak_bytes == given + weights + made + columns


def test_on_cuda_nothing_is_known_of_it():
    conv, x = nn.Conv2d(16, 16, 3, bias=False), torch.zeros(2, 16, 8, 8)
    own = x.nbytes + 16 * 16 * 9 * FLOAT + 2 * 16 * 36 * FLOAT
    assert memory(conv, x, backward=False, device="cuda").inference_peak_bytes == own


LAYERS = {
    "3 x 3": (lambda: nn.Conv2d(32, 32, 3), (4, 32, 20, 20)),
    "with a stride": (lambda: nn.Conv2d(32, 64, 3, stride=2), (4, 32, 20, 20)),
    "a point, few pictures": (lambda: nn.Conv2d(32, 64, 1), (4, 32, 20, 20)),
    "a point, many pictures": (lambda: nn.Conv2d(32, 64, 1), (16, 32, 20, 20)),
    "a channel at a time": (lambda: nn.Conv2d(32, 32, 3, groups=32), (4, 32, 20, 20)),
    "a picture, small": (lambda: nn.Conv2d(16, 16, 3), (1, 16, 8, 8)),
    "colours": (lambda: nn.Conv2d(3, 32, 7), (4, 3, 32, 32)),
}


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() != "AVX512", reason="other kernels take other copies"
)
@pytest.mark.parametrize("name", LAYERS)
def test_worked_out_and_allocated_agree(name):
    layer, shape = LAYERS[name]
    # behind a layer, so that the input's gradient is wanted, too, as that of a picture is not
    before = [nn.Conv2d(shape[1], shape[1], 1)] if shape[1] > 3 else []
    net, x = nn.Sequential(*before, layer()), torch.zeros(shape)
    told, taken = (f(net, x, optimiser="sgd") for f in (memory, allocated))
    for size in ("inference_peak_bytes", "training_peak_bytes"):
        assert getattr(told, size) == pytest.approx(getattr(taken, size), rel=0.01), size


def test_rows_of_an_lstms_weights_are_whole_lines_and_no_multiples_of_256():
    # 16 float32 a line; oneDNN's rnn_utils::get_good_ld
    assert [leading(width) for width in (1, 64, 200, 256, 1024)] == [16, 64, 208, 272, 1040]


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() != "AVX512", reason="other kernels take other copies"
)
@pytest.mark.parametrize("width", [192, 200, 256])
def test_an_lstms_gradients_are_copied_where_their_rows_are_padded(width):
    net, x = nn.LSTM(width, width), torch.zeros(4, 2, width)
    told, taken = (f(net, x, optimiser="sgd") for f in (memory, allocated))
    assert told.training_peak_bytes == pytest.approx(taken.training_peak_bytes, rel=0.03)
