"""Windows and Fourier transforms by hand: 5 N log2 N of N points, half where one side is real."""

import pytest
import torch
from flopledger import profile
from flopledger.counting.formulas.every import work
from torch import nn


def other(op, *args, out):
    known = work(f"aten::{op}", args, {}, out)
    assert known is not None
    assert known[0] == 0
    return known[1]


def test_windows():
    for name, each in (
        ("hann", 4),
        ("hamming", 4),
        ("bartlett", 4),
        ("blackman", 8),
        ("kaiser", 8),
    ):
        assert other(f"{name}_window", 64, out=(64,)) == each * 64


@pytest.mark.parametrize("way", ["fft", "ifft"])
def test_complex_transforms(way):
    # 4 of 16 points; 3 of 4 x 8; all of 2 x 4 x 8 = 64; the last two axes of it
    assert other(f"fft_{way}", (4, 16), None, -1, None, out=(4, 16)) == 4 * 5 * 16 * 4
    assert other(f"fft_{way}", (4, 16), None, 0, None, out=(4, 16)) == 16 * 5 * 4 * 2
    assert other(f"fft_{way}2", (3, 4, 8), None, [-2, -1], None, out=(3, 4, 8)) == 3 * 5 * 32 * 5
    assert other(f"fft_{way}n", (2, 4, 8), None, None, None, out=(2, 4, 8)) == 5 * 64 * 6
    assert other(f"fft_{way}n", (2, 4, 8), [4, 8], None, None, out=(2, 4, 8)) == 2 * 5 * 32 * 5


def test_real_transforms():
    half = 4 * 5 * 16 * 4 // 2
    assert other("fft_rfft", (4, 16), None, -1, None, out=(4, 9)) == half
    assert other("fft_rfft", (4, 12), 16, -1, None, out=(4, 9)) == half  # padded to 16
    assert other("fft_irfft", (4, 9), 16, -1, None, out=(4, 16)) == half
    assert other("fft_hfft", (4, 9), None, -1, None, out=(4, 16)) == half
    assert other("fft_rfft2", (4, 8), None, [-2, -1], None, out=(4, 5)) == 5 * 32 * 5 // 2
    assert other("fft_rfftn", (3, 4), [4, 8], [0, 1], None, out=(4, 5)) == 5 * 32 * 5 // 2
    assert other("fft_fftfreq", 8, 1.0, out=(8,)) == 8


class Spectrum(nn.Module):
    """Frames of 64 of 1,000 samples and 64 of padding, a step of 16: 63 of them, 33 frequencies."""

    def __init__(self, window, **more):
        super().__init__()
        self.layer, self.window, self.more = nn.Linear(33, 4), window, more

    def forward(self, x):
        window = self.window(64)
        z = torch.stft(x, 64, 16, window=window, return_complex=True, **self.more)
        return self.layer(z.abs().transpose(1, 2))


FRAME = 5 * 64 * 6 // 2  # a real transform of 64 points


@pytest.mark.parametrize(("window", "each"), [(torch.hann_window, 4), (torch.blackman_window, 8)])
def test_a_window_made_in_forward_is_counted(window, each):
    counted = profile(Spectrum(window), (torch.zeros(2, 1000),))
    frames = 2 * 63
    assert counted.total("macs") == frames * 33 * 4
    assert {call.op for call in counted.calls if not call.counted} == set()
    assert (counted.notes, counted.check.agrees) == ((), True)
    made = 64 * each + frames * 64
    # with the magnitudes; a trace does not hold what needs no input, and is cut out of constants
    pieces = profile(Spectrum(window), (torch.zeros(2, 1000),), counter="dispatch")
    assert pieces.total("other_flops") == frames * FRAME + made + frames * 33


def test_the_dispatcher_s_pieces_add_up_to_the_same():
    network, x = Spectrum(torch.hann_window, normalized=True), torch.zeros(2, 1000)
    traced, pieces = (profile(network, (x,), counter=c) for c in ("fvcore", "dispatch"))
    # where the trace does not hold the window's making, which needs no input
    assert pieces.total("other_flops") - traced.total("other_flops") in (0, 64 * 4)


def test_there_and_back():
    class Back(nn.Module):
        def forward(self, x):
            window = torch.hann_window(64)
            z = torch.stft(x, 64, 16, window=window, return_complex=True)
            return torch.istft(z, 64, 16, window=window)

    counted = profile(Back(), (torch.zeros(1, 1000),))
    assert {call.op for call in counted.calls if not call.counted} == set()
    there, back = 63 * (FRAME + 64), 63 * (FRAME + 64) + 64 + 992  # squares, quotients
    assert counted.total("other_flops") in (there + back, there + back + 64 * 4)
