"""A CPU's peak is measured once, kept, and raised by what is seen later."""

import pytest
import torch
from flopledger.clock import remembered_peaks
from flopledger.clock.peaks import Peaks
from flopledger.clock.remembered_peaks import cpu_peak
from flopledger.clock.remembered_peaks import remembered_peaks as known_peaks


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """What was measured; a process and a cache of their own."""
    asked = []

    def measure(device, dtype):
        asked.append((device.type, dtype, torch.get_num_threads()))
        return Peaks(flops_per_second=100.0, bytes_per_second=10.0)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(remembered_peaks, "_in_process", {})
    monkeypatch.setattr(remembered_peaks, "peaks", measure)
    return asked


def another_process(monkeypatch):
    monkeypatch.setattr(remembered_peaks, "_in_process", {})


def test_once_a_machine_dtype_and_number_of_threads(monkeypatch, measured):
    for _ in range(2):
        assert cpu_peak("float32").flops_per_second == 100
        another_process(monkeypatch)
    assert len(measured) == 1
    cpu_peak("bfloat16")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert cpu_peak("float32").source.endswith("64 threads, float32")
    assert [dtype for _, dtype, _ in measured] == [torch.float32, torch.bfloat16, torch.float32]
    monkeypatch.setattr("platform.node", lambda: "another machine")
    remembered_peaks._key.cache_clear()
    cpu_peak("float32")
    assert len(measured) == 4


def test_what_is_seen_later_raises_it(monkeypatch, measured):
    more = Peaks(flops_per_second=150.0, bytes_per_second=5.0)
    most = Peaks(flops_per_second=150.0, bytes_per_second=10.0)
    assert known_peaks(torch.float32, seen=more) == most
    assert known_peaks(torch.float32, seen=Peaks(flops_per_second=1, bytes_per_second=1)) == most
    another_process(monkeypatch)
    assert known_peaks(torch.float32) == most
    assert len(measured) == 1


def test_a_damaged_file_is_measured_again(monkeypatch, measured, tmp_path):
    cpu_peak("float32")
    (file,) = (tmp_path / "flopledger").iterdir()
    file.write_text("{")
    another_process(monkeypatch)
    assert cpu_peak("float32").flops_per_second == 100
    assert len(measured) == 2
    another_process(monkeypatch)
    cpu_peak("float32")
    assert len(measured) == 2


def test_without_a_place_to_keep_it_a_process_measures_once(monkeypatch, measured, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cpu_peak("float32")
    cpu_peak("float32")
    assert len(measured) == 1


def test_integers_are_not_measured(measured):
    assert cpu_peak("int8").flops_per_second is None
    assert "int8" in cpu_peak("int8").source
    assert not measured
