"""Hours as a product of factors, against arithmetic, and their splits to 1e-9."""

from dataclasses import replace
from datetime import date
from math import log10, prod

import pytest
from flopledger.ledger.chain import chain
from flopledger.ledger.compared import compare
from flopledger.ledger.dawnbench import Entry, Stage
from flopledger.ledger.dawnbench_hours import (
    CHIPS,
    EPOCHS,
    FORWARD,
    PEAK,
    PER_EPOCH,
    PRECISION,
    TOGETHER,
    USE,
    contradiction,
    detail_of,
    hours_ledger,
    utilisation,
)
from flopledger.ledger.identity import Measured, build_ledger
from flopledger.ledger.quantity import Quantity
from flopledger.storage.facts import BadFacts
from hypothesis import given, settings
from hypothesis import strategies as st

IMAGES = 1_281_167
# He et al.'s network with the stride in the 3 x 3 convolution: 4,087,136,256 MACs in convolutions,
# which go as the area for sizes that are multiples of 32, and 2048 x 1000 in the linear layer
CONV, LINEAR = 4_087_136_256, 2_048_000


def forward(pixels):
    return 2 * (CONV * (pixels / 224) ** 2 + LINEAR)


def cited(value, kind="cited"):
    return Quantity(value=value, unit="x", kind=kind, source="a log")


def entry(name, hours, *stages, chip="Tesla V100-SXM2", chips=8, precision="float32", **more):
    made = tuple(Stage(epochs=e, size=p and (p, p), batch=None) for e, p in stages)
    fields = {
        "name": name, "file": "mine.csv", "published_on": date(2018, 1, 1), "model": "ResNet50",
        "network": "resnet50", "framework": "x", "hardware": "x", "chip": chip,
        "chips": cited(chips), "precision": precision, "precision_kind": "cited",
        "precision_source": "a log", "epochs": cited(sum(stage.epochs for stage in made)),
        "stages": made, "schedule_source": "a log", "hours": hours and cited(hours), "source": "x",
    }  # fmt: skip
    return Entry(**fields | more)


def counted(training):
    """The ledger of its FLOPs with the network above, and a backward pass of 2 forward passes."""
    if not training.has_flops:
        return None
    run = training.run()
    networks = {
        name: Measured(
            model="resnet50", params=25_557_032,
            forward_flops=forward(sizes.input[-1] if sizes.input else 224), backward_ratio=2.0,
        )
        for name, (_, sizes) in run.needed.items()
    }  # fmt: skip
    return build_ledger(run, networks)


def ledger(training, detail=None):
    return hours_ledger(training, counted(training), detail)


def value(of, name):
    return next(factor.value for factor in of.factors if factor.name == name)


# DAWNBench's diux_resnet50_p3-tensorpack and fastai_pytorch
DIUX = entry("diux", 14.633056, (81, 224))
FASTAI = entry("fastai", 2.957533, (18, 128), (23, 224), (1, 288), precision="float16")


def test_utilisation_is_the_work_over_what_the_chips_could_do():
    flops = 81 * IMAGES * 3 * forward(224)
    seconds = 14.633056 * 3600
    assert utilisation(ledger(DIUX)) == pytest.approx(flops / seconds / (8 * 15.67e12))
    flops = IMAGES * 3 * (18 * forward(128) + 23 * forward(224) + 1 * forward(288))
    by_hand = flops / (2.957533 * 3600) / (8 * 125e12)
    assert utilisation(ledger(FASTAI)) == pytest.approx(by_hand)


def test_an_images_flops_are_the_schedules_mean():
    mean = (18 * forward(128) + 23 * forward(224) + forward(288)) / 42
    assert value(ledger(FASTAI), FORWARD) == pytest.approx(mean, rel=1e-12)


def test_precision_is_the_ratio_of_the_chips_peaks():
    split = {share.factor: share for share in compare(ledger(DIUX), ledger(FASTAI)).factors}
    assert split[PRECISION].ratio == pytest.approx(15.67 / 125)
    assert split[PEAK].orders == split[CHIPS].orders == 0
    assert split[EPOCHS].ratio == pytest.approx(42 / 81)
    # 45 TFLOP/s at bfloat16; no float32 peak is known of it, so that its peak is that one
    tpu = ledger(entry("tpu", 12.444167, (78, 224), chip="TPU v2", chips=4, precision="bfloat16"))
    assert value(tpu, PRECISION) == 1
    assert value(tpu, PEAK) == pytest.approx(1 / (45e12 * 3600))
    assert value(tpu, CHIPS) == 0.25


@pytest.mark.parametrize("training", [DIUX, FASTAI])
def test_factors_multiply_to_the_hours(training):
    for detail in ("all", "work", "epochs"):
        built = ledger(training, detail)
        assert prod(f.value for f in built.factors) == pytest.approx(
            training.hours.value, rel=1e-12
        )
        assert built.total == pytest.approx(training.hours.value, rel=1e-12)


@pytest.mark.parametrize(
    ("changed", "detail", "rest"),
    [
        ({"precision": None}, "work", TOGETHER),
        ({"chip": "an abacus"}, "work", TOGETHER),
        ({"network": None}, "epochs", PER_EPOCH),
        ({"stages": (Stage(epochs=81, size=None, batch=None),)}, "epochs", PER_EPOCH),
    ],
)
def test_what_is_not_known_stays_in_one_factor(changed, detail, rest):
    training = replace(DIUX, **changed)
    assert detail_of(training) == detail
    assert ledger(training).factors[-1].name == rest
    assert ledger(training).factors[-1].kind == "derived"
    with pytest.raises(BadFacts, match="diux cannot be taken apart into all"):
        ledger(training, "all")


def test_an_entry_without_a_time_is_refused():
    with pytest.raises(BadFacts, match=r"mine\.csv: late has no time to 93% top-5: hours is empty"):
        ledger(entry("late", None, (81, 224)))


def test_more_than_the_peak_is_a_contradiction():
    # 5.59 hours would be all that 8 V100s can do at float32
    least = 81 * IMAGES * 3 * forward(224) / (8 * 15.67e12) / 3600
    assert contradiction(ledger(entry("fair", least * 1.01, (81, 224)))) is None
    line = contradiction(ledger(entry("quick", least / 2, (81, 224))))
    assert line.startswith("quick would have used 200% of its chips' peak: a contradiction")
    assert contradiction(ledger(entry("dark", 1e-6, (81, 224), precision=None))) is None


def test_assumptions_travel():
    pod = ledger(replace(DIUX, chips=cited(128, "assumed")))
    assert {factor.name: factor.kind for factor in pod.factors}[CHIPS] == "assumed"
    assert {factor.name: factor.kind for factor in pod.factors}[USE] == "derived"


stages = st.lists(
    st.tuples(st.floats(0.1, 100), st.sampled_from([96, 128, 160, 224, 288])), min_size=1,
    max_size=4,
)  # fmt: skip
runs = st.builds(
    lambda hours, stages, chips, chip: entry(
        "x", hours, *stages, chips=chips, chip=chip[0], precision=chip[1]
    ),
    st.floats(1e-3, 1e3),
    stages,
    st.integers(1, 512),
    st.sampled_from(
        [("TPU v2", "bfloat16"), ("V100-SXM2", "float32"), ("V100-SXM2", "float16"),
         ("Tesla K80", "float32")]
    ),
)  # fmt: skip


@settings(max_examples=60)
@given(runs, runs, st.sampled_from(["all", "work", "epochs"]))
def test_orders_add_up_whatever_the_entries(first, other, detail):
    split = compare(ledger(first, detail), ledger(other, detail), samples=1)
    assert sum(share.orders for share in split.factors) == pytest.approx(split.orders, abs=1e-9)
    by_hand = log10(other.hours.value / first.hours.value)
    assert split.orders == pytest.approx(by_hand, abs=1e-9)
    for share in split.factors:
        assert share.orders == pytest.approx(log10(share.b / share.a), abs=1e-9)


@settings(max_examples=30)
@given(st.lists(runs, min_size=2, max_size=5))
def test_a_chains_steps_are_the_way_from_first_to_last(listed):
    ledgers = [ledger(training, "all") for training in listed]
    whole, direct = chain(ledgers, samples=1), compare(ledgers[0], ledgers[-1], samples=1)
    assert whole.total_orders == pytest.approx(direct.orders, abs=1e-9)
    for share in direct.factors:
        assert whole.orders[share.factor] == pytest.approx(share.orders, abs=1e-9)


def test_one_run_is_no_chain():
    with pytest.raises(ValueError, match="1 runs are no chain"):
        chain([ledger(DIUX)])
