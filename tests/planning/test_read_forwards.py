"""A run on a cluster: hours by hand, and what cannot be refused in a line."""

import csv
import io
import json
from math import sqrt

import flopledger
import pytest
from flopledger import BadFacts, WrongOption
from flopledger.planning.read_forwards import parse_utilisation
from flopledger.reports.plan import FORMATS

PEAK = 989.4e12  # of an H100 SXM at 16 bits, its data sheet
RUN = """
title = "A small classifier"
published_on = 2020-01-01
model = "tiny.py:tiny"
method = "supervised"
input = ["1,100"]
[images]
value = 1e9
source = "here"
{interval}
[epochs]
value = 10
source = "here"
"""
MODEL = """
from torch import nn

def tiny():
    return nn.Sequential(nn.Linear(100, 100, bias=False), nn.ReLU(), nn.Linear(100, 10, bias=False))
"""
PARAMS = 100 * 100 + 100 * 10
# forward; backward both products of the second layer, and of the first that of its weights
FLOP = 1e10 * 2 * (PARAMS + 2 * 100 * 10 + 100 * 100)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "tiny.py").write_text(MODEL)

    def written(interval=""):
        path = tmp_path / "run.toml"
        path.write_text(RUN.format(interval=interval))
        return path

    return written


def test_hours_are_flop_over_devices_peak_utilisation_and_goodput(file):
    plan = flopledger.plan(file(), on="h100-sxm:4", utilisation="0.3..0.6", goodput=0.8)
    assert (plan.params, plan.dtype) == (PARAMS, "bfloat16")
    assert plan.flop.value == pytest.approx(FLOP)
    rate = 4 * PEAK * 0.8 * 3600
    hours = plan.hours
    assert (hours.low, hours.high) == pytest.approx((FLOP / rate / 0.6, FLOP / rate / 0.3))
    assert hours.value == pytest.approx(FLOP / rate / sqrt(0.3 * 0.6))
    assert plan.device_hours.value == pytest.approx(4 * hours.value)
    assert plan.kilowatt_hours.value == pytest.approx(0.7 * 4 * hours.value)  # 700 W each
    assert json.loads(plan.to_json())["hours"]["low"] == hours.low
    assert "bfloat16 is assumed" in repr(plan)
    assert "hours" in plan._repr_html_()


def test_the_facts_interval_widens_the_hours(file):
    plan = flopledger.plan(file("low = 0.5e9\nhigh = 4e9"), on="h100-sxm:4", utilisation=0.5)
    rate = 4 * PEAK * 0.5 * 3600
    assert plan.hours.low == pytest.approx(0.5 * FLOP / rate, rel=0.05)  # 10,000 draws
    assert plan.hours.high == pytest.approx(4 * FLOP / rate, rel=0.05)


def test_each_stage_of_zero_divides_one_part_more(file):
    plan = flopledger.plan(file(), on="h100-sxm:8", tensor=2)
    own, replicas = PARAMS / 2, 4
    held = [(2 + 2 + 12) * own, (2 + 2 + 12 / 4) * own, (2 + (2 + 12) / 4) * own, 16 * own / 4]
    assert [split.device_bytes for split in plan.splits] == pytest.approx(held)
    assert {split.data for split in plan.splits} == {replicas}


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"on": "h100:0"}, "too small"),
        ({"on": "h100"}, "does not say how many; say h100:64"),
        ({"on": "h100:-4"}, "does not say how many; say h100:64"),
        ({"on": "h1000:8"}, "did you mean h100"),
        ({"on": "h100:8", "utilisation": "0.5..0.4"}, "exchange them"),
        ({"on": "h100:8", "utilisation": "1.4"}, "no share"),
        ({"on": "h100:8", "utilisation": "half"}, "no share"),
        ({"on": "h100:8", "goodput": 0.0}, "no share"),
        ({"on": "h100:8", "tensor": 3}, "no whole number of replicas"),
        ({"on": "h100:8", "zero": 4}, "no stage of ZeRO"),
        ({"on": "v100-sxm2:8", "dtype": "bf16"}, "no peak at bfloat16"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(options, line):
    with pytest.raises(WrongOption, match=line) as refused:
        flopledger.plan("gpt3", **options)  # which is not counted for it
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("devices", "zero", "line"),
    [
        # 16 bytes a parameter: 1,440 GB, of which each of 8 has 80
        (8, None, "8 x h100 cannot hold the model: .* are 180 GB a device, and h100 has 80"),
        # weights and gradients whole, 360 GB; or all divided by 64, 22.5
        (64, 1, "--zero 1 leaves 376.9 GB a device, and h100 has 80; say --zero 3"),
    ],
)
def test_a_cluster_that_cannot_hold_the_model_is_refused(file, devices, zero, line):
    path = file()
    (path.parent / "tiny.py").write_text(
        "from torch import nn\n\ndef tiny():\n    return nn.Linear(300_000, 300_000, bias=False)\n"
    )
    path.write_text(path.read_text().replace("1,100", "1,300000"))
    with pytest.raises(WrongOption, match=line):
        flopledger.plan(path, on=f"h100:{devices}", zero=zero)


def test_a_run_without_what_is_needed_is_refused(file):
    path = file()
    path.write_text(path.read_text().partition("[images]")[0])
    with pytest.raises(BadFacts, match="is missing"):
        flopledger.plan(path, on="h100:8")


def test_a_device_of_which_several_are_sold_leaves_open_what_fits(file):
    plan = flopledger.plan(file(), on="a100:4")  # with 40 GB or 80
    whole = json.loads(plan.to_json())
    assert whole["device"]["bytes_per_second"] is whole["device"]["memory_bytes"] is None
    assert {split["fits"] for split in whole["splits"]} == {None}
    assert any("say a100-40gb or a100-80gb" in note for note in plan.notes)


def test_csv_has_the_hours_in_full_and_a_row_a_stage(file):
    plan = flopledger.plan(file(), on="h100:4", utilisation="0.3..0.6")
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](plan))))
    assert [int(row["zero"]) for row in rows] == [0, 1, 2, 3]
    assert {float(row["hours_low"]) for row in rows} == {plan.hours.low}
    assert int(rows[0]["device_bytes"]) == 16 * PARAMS


def test_many_hours_are_written_out(file):
    plan = flopledger.plan(file(), on="h100:4", utilisation=1e-9)
    assert f"{FLOP / (4 * PEAK * 1e-9 * 3600):,.0f} hours" in repr(plan)  # 16,000 and more


def test_one_share_is_both_ends():
    assert parse_utilisation(0.4) == parse_utilisation("0.4") == (0.4, 0.4)
