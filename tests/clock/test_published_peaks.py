"""Peaks of devices: which row is taken, and that each says where it is from."""

import pytest
from flopledger.clock.published_peaks import _rows, peak_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("device", "dtype", "tflops"),
    [
        ("NVIDIA A100-SXM4-80GB", "float32", 19.5),
        ("NVIDIA A100-SXM4-80GB", "tf32", 156),
        ("NVIDIA A100-SXM4-80GB", "bfloat16", 312),  # dense: the sparse figure is twice it
        ("NVIDIA A100-PCIE-40GB", "bfloat16", 312),
        ("NVIDIA A100 80GB PCIe", "int8", 624),
        ("Tesla V100-SXM2-16GB", "float16", 125),
        ("Tesla V100-PCIE-32GB", "float16", 112),
        ("Tesla V100-SXM3-32GB", "float16", 2 * 640 * 64 * 1.53e-3),  # tensor cores
        ("Tesla P100-PCIE-16GB", "float32", 9.3),
        ("Tesla T4", "int8", 130),
        ("Tesla K80", "float32", 8.74 / 2),  # one of the board's two GPUs
        ("Tesla M60", "float32", 2 * 2048 * 1.178e-3),
        ("Intel Xeon Platinum 8124M", "float32", 18 * 64 * 3.0e-3),
        ("Intel(R) Xeon(R) Platinum 8124M CPU @ 3.00GHz", "float32", 18 * 64 * 3.0e-3),
        ("NVIDIA H100 PCIe", "bfloat16", 756),
        ("NVIDIA H100 NVL", "bfloat16", 835.5),
        ("NVIDIA H100 80GB HBM3", "bfloat16", 989.4),
        ("NVIDIA H100 80GB HBM3", "float8_e4m3fn", 1978.9),
        ("NVIDIA H200", "bfloat16", 989.4),
        ("NVIDIA GH200 480GB", "bfloat16", 989.4),
        ("NVIDIA H20", "bfloat16", 148),
        ("NVIDIA L40S", "bfloat16", 362.05),
        ("NVIDIA L4", "bfloat16", 121),
        ("NVIDIA RTX A6000", "bfloat16", 309.677 / 2),
        ("NVIDIA RTX A1000", "bfloat16", 2 * 72 * 128 * 1.46e-3),
        ("NVIDIA RTX A1000 Laptop GPU", "float32", 4.669),
        ("NVIDIA T400 4GB", "float32", 1.094),
        ("NVIDIA T400 4GB", "float16", 2 * 1.094),
        ("NVIDIA A10G", "bfloat16", 70),  # an A10 does 125
        ("NVIDIA GeForce RTX 3090 Ti", "bfloat16", 80),
        ("NVIDIA GeForce RTX 4090", "bfloat16", 165.2),
        ("NVIDIA GeForce RTX 4090 D", "bfloat16", 147.09),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "float32", 2 * 9728 * 2.04e-3),  # shaders x GHz
        ("NVIDIA GeForce RTX 4080 Laptop GPU", "float32", 2 * 7424 * 2.28e-3),
        ("AMD Instinct MI250X", "bfloat16", 383 / 2),  # one of the card's two dies
        ("AMD Instinct MI300X", "float8_e4m3fnuz", 2614.9),
        ("TPU v6e", "int8", 1836),
        ("Apple M1 Max", "float32", 10.4),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "bfloat16", 312 / 7),
        ("NVIDIA A100-SXM4-40GB MIG 3g.20gb", "bfloat16", 312 * 3 / 7),
        ("NVIDIA A30 MIG 2g.12gb", "bfloat16", 165 / 2),
        ("NVIDIA A30 MIG 1g.6gb+me", "bfloat16", 165 / 4),
        ("NVIDIA H100 80GB HBM3 MIG 1c.3g.40gb", "bfloat16", 989.4 / 7),
    ],
)
def test_the_dense_peak_at_that_dtype(device, dtype, tflops):
    assert peak_of(device, dtype).flops_per_second == pytest.approx(tflops * 1e12, rel=2e-3)


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        "NVIDIA RTX A1000 6GB Laptop GPU",  # with more cores than that of 4 GB
        "NVIDIA T400",  # no T4
        "NVIDIA A10M",  # no A10
        "NVIDIA A100-SXM-64GB",  # with other clocks
        "NVIDIA H100 80GB HBM2e",
        "NVIDIA H200 NVL",
        "NVIDIA H20-3e",
        "NVIDIA RTX 4000",
        "NVIDIA GeForce RTX 4080 SUPER",
        "NVIDIA GeForce RTX 5090 D",
        "NVIDIA RTX 6000 Ada Generation",
        "Quadro RTX 6000",
        "Quadro RTX A6000 with Max-Q Design",
        "Tesla V100-SXM2-32GB-LS",
        "Tesla V100-SXM3-32GB-H",
        "AMD Instinct MI300A",
        "Apple M1 Pro Max",
        "TPU v5",
        "NVIDIA A100-SXM4-40GB MIG 0g.5gb",
        "NVIDIA A100-SXM4-40GB MIG 8g.40gb",
        "NVIDIA A800-SXM4-80GB MIG 1g.10gb",  # into how many slices it is cut is not known
    ],
)
def test_an_unknown_device_has_no_peak_and_says_so(device):
    for dtype in ("float32", "float16", "bfloat16"):
        peak = peak_of(device, dtype)
        assert peak.flops_per_second is None
        assert "facts/devices.csv" in peak.source


NAMES = sorted({row.name for row in _rows()})


@given(st.sampled_from(NAMES), st.text("ABCXYZ0123456789", min_size=2, max_size=6))
def test_a_word_that_nobody_knows_makes_another_device(name, word):
    known = {known for row in _rows() for known in f"{row.name} {row.also}".lower().split()}
    if word.lower() in known | {part for compound in known for part in compound.split("-")}:
        return
    for row in _rows():
        if row.name == name and row.dtype:
            dtype = row.dtype.split()[0]
            assert peak_of(f"NVIDIA {name} {word}", dtype).flops_per_second is None
            assert peak_of(f"{name}{word}", dtype).flops_per_second is None


@given(st.sampled_from(NAMES), st.randoms())
def test_how_a_name_is_written_changes_nothing(name, random):
    words = name.replace("-", " ").split()
    random.shuffle(words)
    for dtype in ("float32", "bfloat16", "int8"):
        written = f"NVIDIA {random.choice([' ', '-']).join(words).upper()}"
        peak, same = peak_of(written, dtype), peak_of(name, dtype)
        assert (peak.flops_per_second, peak.url) == (same.flops_per_second, same.url)


def test_every_row_has_a_source_that_was_read_on_a_day_or_says_that_it_is_from_memory():
    for row in _rows():
        derived = row.source.startswith("derived: ")
        assert bool(row.url) == bool(row.retrieved), row
        assert row.url or derived or "from memory" in row.source, row


def test_every_row_tells_of_products_of_memory_or_of_power():
    told = []
    for row in _rows():
        products = (bool(row.dtype), row.tflops is not None, row.sparse is not None)
        memory = (row.bandwidth_gb_s is not None, row.memory_gb is not None)
        kinds = {"products": products, "memory": memory, "power": (row.watts is not None,)}
        (kind,) = (name for name, figures in kinds.items() if any(figures))
        assert all(kinds[kind]), row
        told += [(row.name, kind, dtype, row.sparse) for dtype in row.dtype.split() or [""]]
    assert len(set(told)) == len(told)


def test_two_four_sparsity_doubles_what_is_dense():
    for row in _rows():
        if row.sparse == "yes":
            dense = peak_of(row.name, row.dtype.split()[0]).flops_per_second
            assert row.tflops * 1e12 == pytest.approx(2 * dense, rel=0.02)


def test_a_peak_says_where_and_when_it_was_read():
    peak = peak_of("TPU v1", "int8")  # Jouppi et al. 2017, abstract
    assert peak.url == "https://arxiv.org/abs/1704.04760"
    assert peak.retrieved is not None
    assert peak.retrieved.year >= 2018
    unknown = peak_of("cpu", "float32")
    assert (unknown.url, unknown.retrieved) == (None, None)
    assert peak_of("NVIDIA A30 MIG 1g.6gb", "float32").source.startswith("1/4 of: Epoch")
