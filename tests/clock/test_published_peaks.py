"""Peaks of devices: which row is taken, and that each says where it is from."""

import pytest
from flopledger.clock.published_peaks import _rows, peak_of


@pytest.mark.parametrize(
    ("device", "dtype", "tflops"),
    [
        ("NVIDIA A100-SXM4-80GB", "float32", 19.5),
        ("NVIDIA A100-SXM4-80GB", "bfloat16", 312),  # dense: the sparse figure is twice it
        ("Tesla V100-SXM2-16GB", "float16", 125),
        ("Tesla K80", "float32", 8.74 / 2),  # one of the board's two GPUs
        ("Tesla M60", "float32", 2 * 2048 * 1.178e-3),
        ("Intel Xeon Platinum 8124M", "float32", 18 * 64 * 3.0e-3),
        ("NVIDIA H100 PCIe", "bfloat16", 756),  # the longer name wins over "H100"
        ("NVIDIA H100 80GB HBM3", "bfloat16", 989.4),
    ],
)
def test_the_dense_peak_at_that_dtype(device, dtype, tflops):
    assert peak_of(device, dtype).flops_per_second == pytest.approx(tflops * 1e12, rel=1e-3)


def test_an_unknown_device_has_no_peak_and_says_so():
    found = peak_of("cpu", "float32")
    assert found.flops_per_second is None
    assert "facts/devices.csv" in found.source


def test_every_figure_has_a_source():
    assert all(row.source for row in _rows())


def test_a_peak_says_where_and_when_it_was_read():
    found = peak_of("TPU v1", "int8")  # Jouppi et al. 2017, abstract
    assert found.url == "https://arxiv.org/abs/1704.04760"
    assert found.retrieved is not None
    assert found.retrieved.year >= 2018
    unknown = peak_of("cpu", "float32")
    assert (unknown.url, unknown.retrieved) == (None, None)
