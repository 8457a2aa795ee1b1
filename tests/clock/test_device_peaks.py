"""What a device does at most: the arithmetic behind each figure, by a clock that is told."""

import pytest
import torch
import torch.nn.functional as F
from flopledger.clock import device_peaks
from flopledger.clock.device_peaks import peaks


class OneSecondEach:
    """Between two marks lies a second."""

    def mark(self):
        return None

    def wait(self):
        pass

    def between(self, start, end):
        return 1e9


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(device_peaks, "clock_of", lambda device: OneSecondEach())
    monkeypatch.setattr(device_peaks, "_COPIED", 1000)


def without(monkeypatch, name):
    monkeypatch.setattr(device_peaks, name, lambda *_: 0.0)


def test_a_convolution_counts_no_product_with_its_padding(monkeypatch):
    without(monkeypatch, "_multiplied")
    # every point of the result sums the ones that its 3 x 3 window meets inside the image
    met = int(F.conv2d(torch.ones(1, 1, 28, 28), torch.ones(1, 1, 3, 3), padding=1).sum())
    assert peaks("cpu").flops_per_second == 2 * 8 * 256 * 256 * met


def test_other_dtypes_are_not_convolved(monkeypatch):
    without(monkeypatch, "_multiplied")
    assert peaks("cpu", torch.float64).flops_per_second == 0


def test_a_product_of_two_square_matrices(monkeypatch):
    without(monkeypatch, "_convolved")
    monkeypatch.setattr(device_peaks, "_SIZES", (16, 32))
    # a second is more than a try may take: the larger size is left out
    assert peaks("cpu").flops_per_second == 2 * 16**3


def test_a_copied_byte_is_read_and_written(monkeypatch):
    without(monkeypatch, "_multiplied")
    without(monkeypatch, "_convolved")
    assert peaks("cpu").bytes_per_second == 2 * 1000
