"""DAWNBench's entries, traced for real, against the arithmetic of those who read the sheet."""

import re
from functools import cache
from itertools import pairwise
from math import prod

import pytest
from flopledger.counting.cached import cached_profile
from flopledger.ledger.build import hours_of
from flopledger.ledger.dawnbench import find_entry, list_entries
from flopledger.ledger.dawnbench_hours import EPOCHS, FORWARD, contradiction, utilisation

# the entries that the discussion is about, in its order
TPU = (
    "google_resnet50_tpu_tensorflow17",
    "google_resnet50_tpu_tensorflow18",
    "google_resnet50_tpu_tensorflow111",
    "google_resnet50_tpu_tensorflow111_fastai",
)
V100 = ("diux_resnet50_p3-tensorpack", "fastai_pytorch-e5d00a5", "fastai_pytorch")

# sum of epochs x (px / 224)^2 to 93%, worked out from the entries' schedules with the sheet
EQUIVALENT = {
    "fastai_pytorch": 30.531,
    "fastai_pytorch-e5d00a5": 42.653,
    "google_resnet50_tpu_tensorflow111_fastai": 28.878,
    "google_resnet50_tpu_tensorflow111": 66,
    "fastai_resnet50_p3_4_machine_pytorch": 20.898,
    "fastai_resnet50_p3_8_machine_pytorch": 21.224,
    "fastai_resnet50_p3_16_machine_pytorch": 27.878,
    "gehc_resnet50_1_p3_16xlarge_tensorflow111": 22.188,
    "huaweicloud_resnet50_modelarts_16_machine_tensorflow18": 13.633,
    "alibabacloud_resnet50_gn6e_1_machine_tensorflow": 7.816,
}


@pytest.fixture(scope="module")
def hours():
    """Every entry's ledger, as far apart as it goes."""
    remembered = cache(cached_profile)
    return {name: hours_of([name], remembered)[0] for name in list_entries()}


@pytest.mark.parametrize("name", EQUIVALENT)
def test_flops_of_a_schedule_are_traced_at_each_size(hours, name):
    at_224 = hours["google_resnet50_tpu_tensorflow17"]
    full, ours = (
        {f.name: f.value for f in ledger.factors}[FORWARD] for ledger in (at_224, hours[name])
    )
    epochs = {f.name: f.value for f in hours[name].factors}[EPOCHS]
    # convolutions go as the area; the linear layer, 0.05% of the MACs at 224 px, does not
    assert epochs * ours / full == pytest.approx(EQUIVALENT[name], rel=0.002)


def test_the_times_are_the_claims(hours):
    def gain(a, b):
        return hours[a].total / hours[b].total

    steps = [gain(*pair) for pair in pairwise(TPU)]
    assert steps == pytest.approx([1.402, 1.511, 2.143], abs=5e-4)
    assert gain(TPU[0], TPU[-1]) == pytest.approx(4.539, abs=5e-4)
    assert gain(V100[0], V100[-1]) == pytest.approx(4.948, abs=5e-4)
    # 14.633056 / 4.036313, and 4.036313 / 2.957533: the step to a 128 px start
    assert [gain(*pair) for pair in pairwise(V100)] == pytest.approx([3.625, 1.365], abs=5e-4)


def test_the_last_steps_work_and_use(hours):
    before, after = (hours[name] for name in TPU[-2:])
    work = prod(
        a.value / b.value
        for a, b in zip(before.factors, after.factors, strict=True)
        if a.name in (EPOCHS, FORWARD)
    )
    assert work == pytest.approx(2.286, rel=0.001)  # 66 / 28.878
    # 66 x 3 x 8.18 GFLOP x 1,281,167 images in 5.875097 h on 180 TFLOP/s
    assert utilisation(before) == pytest.approx(
        66 * 3 * 8.18e9 * 1281167 / (5.875097 * 3600 * 180e12), rel=0.015
    )


def test_no_entry_uses_more_than_its_chips_can(hours):
    assert [line for line in map(contradiction, hours.values()) if line] == []


def test_what_is_guessed_is_not_taken_apart(hours):
    for name in ("setu_resnet50_azure-ndv2_pytorch", "zte_resnet50_2_machine_tensorflow112"):
        assert utilisation(hours[name]) is None
        assert "hardware, precision and use together" in hours[name].factors[-1].name


@pytest.mark.parametrize("name", list_entries())
def test_every_fact_says_where_it_stands(name):
    entry = find_entry(name)
    for fact in (entry.chips, entry.epochs, entry.hours):
        assert fact.kind in ("derived", "assumed") or re.search(r" \[[ESDM]\]$", fact.source)
    assert name.split("-e5d00a5")[0] in entry.source
    if entry.precision:
        assert entry.precision_kind == "assumed" or entry.precision_source.endswith("[E]")
