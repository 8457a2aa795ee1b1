"""The peak of what was executed: which dtype, how many devices, and what is unknown."""

from types import SimpleNamespace

import pytest
import torch
from flopledger import meter
from flopledger.clock import remembered_peaks
from flopledger.clock.peaks import Peaks
from flopledger.clock.published_peaks import Peak
from flopledger.metering import executed_peak
from flopledger.metering.executed_peak import added, devices_of, mixed, peak_on
from torch import nn

CARD = "NVIDIA A100-SXM4-80GB"  # its data sheet: 312 TFLOP/s at bfloat16, 156 TF32, 19.5 float32


def on(monkeypatch, *devices, name=CARD):
    """The meter takes the weights to lie on these."""
    monkeypatch.setattr(executed_peak, "devices_of", lambda _: list(map(torch.device, devices)))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: name)


def test_float32_weights_under_bfloat16_autocast(monkeypatch):
    on(monkeypatch, "cuda:0")
    net = nn.Linear(4, 5)
    with meter(net) as m, torch.autocast("cpu", torch.bfloat16):
        net(torch.zeros(3, 4)).sum().backward()
    assert m.read().peak.flops_per_second == 312e12
    assert m.lap().peak == m.read().peak


def test_every_device_that_holds_weights_counts(monkeypatch):
    on(monkeypatch, "cuda:0", "cuda:1")
    net = nn.Linear(4, 5).to(torch.bfloat16)
    with meter(net) as m:
        net(torch.zeros(3, 4, dtype=torch.bfloat16))
    peak = m.read().peak
    assert peak.flops_per_second == 2 * 312e12
    assert peak.source.startswith("2 x NVIDIA")
    assert peak.url is not None


def test_several_dtypes_take_the_seconds_of_each(monkeypatch):
    on(monkeypatch, "cuda:0")
    half, whole = nn.Linear(4, 6).to(torch.bfloat16), nn.Linear(4, 2)
    with meter({"half": half, "whole": whole}) as m:
        half(torch.zeros(3, 4, dtype=torch.bfloat16))
        whole(torch.zeros(3, 4))
    # 3/4 of the products at 312, 1/4 at 19.5
    assert m.read().peak.flops_per_second == pytest.approx(1e12 / (0.75 / 312 + 0.25 / 19.5))
    assert m.read().peak.source.startswith("75.0% bfloat16: NVIDIA, A100")


def test_a_peak_that_is_asked_for_is_taken(monkeypatch):
    on(monkeypatch, "cuda:0")
    net = nn.Linear(4, 5)
    with meter(net, peak=7.0) as m:
        net(torch.zeros(3, 4))
    assert m.read().peak == Peak(7.0, "given")


@pytest.mark.parametrize("name", ["NVIDIA A10M", "NVIDIA A100X"])
def test_an_unknown_device_leaves_the_utilisation_unknown(monkeypatch, name):
    on(monkeypatch, "cuda:0", name=name)
    net = nn.Linear(4, 5)
    with meter(net) as m:
        net(torch.zeros(3, 4))
    assert m.read().totals.mfu is None
    assert f"{name} at float32 is not in facts/devices.csv" in m.read().peak.source


def test_nothing_multiplied_has_no_peak():
    net = nn.ReLU()
    with meter(net) as m:
        net(torch.zeros(3, 4))
    assert m.read().peak.source == "no product was watched yet"


def test_sums_and_mixtures_by_hand():
    known, unknown = Peak(10.0, "a"), Peak(None, "nowhere")
    assert added([known, unknown]) == unknown
    assert added([known, Peak(5.0, "b")]) == Peak(15.0, "a + b")
    assert mixed({"x": known, "y": unknown}, {"x": 9, "y": 1}) == unknown
    # under a thousandth of the products
    assert mixed({"x": known, "y": unknown}, {"x": 9999, "y": 1}) == known
    assert mixed({"x": known}, {"x": 3}) == known


def test_the_devices_of_weights_each_once():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, device="meta"))
    assert devices_of([net, net]) == [torch.device("cpu"), torch.device("meta")]
    copies = nn.DataParallel.__new__(nn.DataParallel)
    nn.Module.__init__(copies)
    copies.module, copies.device_ids = nn.Linear(2, 2), [0, 1]
    assert set(devices_of([copies])) == {torch.device(d) for d in ("cpu", "cuda:0", "cuda:1")}
    assert peak_on(torch.device("meta"), "float32").flops_per_second is None


def test_a_cpu_is_measured_once_and_that_time_is_no_laps(monkeypatch):
    now, asked = SimpleNamespace(seconds=0.0), []

    def measure(device, dtype):
        now.seconds += 100.0
        asked.append(dtype)
        return Peaks(flops_per_second=4e9, bytes_per_second=1e9)

    monkeypatch.setattr("time.perf_counter", lambda: now.seconds)
    monkeypatch.setattr(remembered_peaks, "peaks", measure)
    monkeypatch.setattr(remembered_peaks, "_key", lambda *parts: f"a-machine-{id(now)}")
    net = nn.Linear(4, 5)
    with meter(net) as m:
        net(torch.zeros(3, 4))
        now.seconds += 2.0
        first = m.lap()
        net(torch.zeros(3, 4))
        now.seconds += 3.0
        second = m.lap()
    assert asked == [torch.float32]
    assert (first.seconds, second.seconds, m.read().seconds) == (2, 3, 5)
    assert second.mfu == 2 * 3 * 4 * 5 / 3 / 4e9
    assert "float32" in second.peak.source
