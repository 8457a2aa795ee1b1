"""The second discussion's claims: computed, by the arithmetic of the sheet, and moved by facts."""

from dataclasses import replace
from functools import cache
from math import log2

import pytest
from flopledger.counting.cached import cached_profile
from flopledger.ledger.build import hours_of
from flopledger.ledger.dawnbench import find_entry
from flopledger.ledger.dawnbench_hours import hours_ledger
from flopledger.play.elo import elo_of
from flopledger.statements.claim import judge, read_claims
from flopledger.statements.evidence import Evidence
from flopledger.statements.speed_claims import CHAINS, more_compute, read_strength
from hypothesis import given
from hypothesis import strategies as st

LAST = "google_resnet50_tpu_tensorflow111_fastai"


@pytest.fixture(scope="module")
def held():
    remembered = cache(cached_profile)
    names = [name for chain in CHAINS.values() for name in chain]
    return Evidence(
        profiles={},
        ledgers={},
        facts={},
        systems=(),
        entries={name: find_entry(name) for name in names},
        hours={name: hours_of([name], remembered)[0] for name in names},
    )


@pytest.fixture(scope="module")
def claims():
    return {claim.id: claim for claim in read_claims() if claim.discussion == 2}


# figures: the sheet's hours, epochs and 224 px equivalents; peaks of 125 and 15.67 TFLOP/s
@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("tpu-speed-up", 12.444167 / 2.741805),
        ("v100-speed-up", 14.633056 / 2.957533),
        ("v100-precision", 125 / 15.67),
        ("tpu-same-batch", 1),
        ("tpu-first-half", 12.444167 / 5.875097),
        ("tpu-last-half", 66 / 28.878),
        ("last-half-smaller-images", 41 / 28.878),
        ("last-half-fewer-epochs", 66 / 41),
        ("tuning-win-rate", 119.1),
    ],
)
def test_what_is_measured(held, claims, name, measured):
    verdict = judge(claims[name], held)
    assert verdict.measured == pytest.approx(measured, rel=0.001)
    assert verdict.verdict == "holds"


def moved(held, name, **changed):
    """The evidence with some facts of an entry changed; its FLOPs stay."""
    one = replace(held.entries[name], **changed)
    counted = {factor.name: factor for factor in held.hours[name].factors}
    old = held.hours[name]
    if one.hours != held.entries[name].hours:
        scale = one.hours.value / old.total
        factors = tuple(
            replace(factor, value=factor.value * scale) if factor.kind == "derived"
            and factor is counted["1 / utilisation"] else factor for factor in old.factors
        )  # fmt: skip
        phases = {"training": {factor.name: factor.value for factor in factors}}
        old = replace(old, factors=factors, phases=phases)
    return replace(held, entries={**held.entries, name: one}, hours={**held.hours, name: old})


def test_change_the_hours_and_the_verdict_changes(held, claims):
    hours = held.entries[LAST].hours
    slow = moved(held, LAST, hours=replace(hours, value=2 * hours.value))
    assert judge(claims["tpu-speed-up"], slow).verdict == "off by 2.02 x"
    # the schedule is what it was: the chips were used half as well
    assert judge(claims["tpu-last-half"], slow).verdict == "holds"


def test_change_a_batch_and_the_verdict_changes(held, claims):
    entry = held.entries[LAST]
    stages = tuple(replace(stage, batch=2048) for stage in entry.stages)
    verdict = judge(claims["tpu-same-batch"], moved(held, LAST, stages=stages))
    assert (verdict.verdict, verdict.measured) == ("off by 2 x", 2)
    assert "1024, 2048 images a step" in verdict.reason


def test_without_fp16_no_part_of_it_is_precision(held, claims):
    fastai = held.entries["fastai_pytorch"]
    factors = {factor.name: factor for factor in held.hours["fastai_pytorch"].factors}
    slower = factors["1 / precision's speed-up"].value
    as_fp32 = tuple(
        replace(factor, value=1.0) if name == "1 / precision's speed-up"
        else replace(factor, value=factor.value * slower) if name == "1 / utilisation"
        else factor
        for name, factor in factors.items()
    )  # fmt: skip
    ledger = replace(held.hours["fastai_pytorch"], factors=as_fp32)
    changed = replace(
        held,
        entries={**held.entries, "fastai_pytorch": replace(fastai, precision="float32")},
        hours={**held.hours, "fastai_pytorch": ledger},
    )
    assert judge(claims["v100-precision"], changed).verdict.startswith("off by")


def test_the_whole_and_its_parts_stand_in_the_reasons(held, claims):
    reason = judge(claims["tpu-speed-up"], held).reason
    assert "12.44 h / 2.74 h = 1.90 x from epochs, 1.42 x from FLOPs an epoch" in reason
    assert "8 V100s, not one" in judge(claims["v100-speed-up"], held).reason
    # 4.948 / (81 / 30.531) of the peaks' 7.98
    assert "7.98 x as high, of which 1.87 x arrived" in judge(claims["v100-precision"], held).reason
    assert "58% of what the schedule saves" in judge(claims["last-half-fewer-epochs"], held).reason


TABLE = ((1, 0), (2, 100), (4, 200), (8, 250))


@pytest.mark.parametrize(
    ("start", "gain", "factor"),
    [(1, 150, 2 * 2**0.5), (2, 100, 2), (2, 125, 2 * 2**0.5), (4, 60, None), (8, 1, None)],
)
def test_more_compute_by_hand(start, gain, factor):
    assert more_compute(TABLE, start, gain) == (factor and pytest.approx(factor))


@given(st.floats(1, 249), st.floats(1, 249))
def test_more_gain_needs_more_compute(one, other):
    less, more = (more_compute(TABLE, 1, gain) for gain in sorted((one, other)))
    assert 1 <= less <= more <= 8
    assert log2(more) >= max(one, other) / 100 - 1e-9  # no doubling gains more than 100


def test_tuning_in_gpus_spans_what_the_table_says(held, claims):
    # from 8 GPUs and 2890: 3009 lies 72 of 142 points on the way from 64 to 112
    by_hand = 64 * (112 / 64) ** ((2890 + elo_of(0.665) - 2937) / (3079 - 2937)) / 8
    assert more_compute(read_strength().scaling, 8, elo_of(0.665)) == pytest.approx(by_hand)
    reason = judge(claims["tuning-as-compute"], held).reason
    assert f"{by_hand:.1f} x from 8" in reason
    assert "from 112, 176, 280 the table does not reach that far" in reason
    assert "Silver et al. 2016" in reason


def test_without_a_table_that_reaches_it_cannot_be_decided(held, claims, monkeypatch):
    from flopledger.statements import speed_claims

    known = read_strength()
    flat = tuple((gpus, 2900 + index) for index, (gpus, _) in enumerate(known.scaling))
    monkeypatch.setattr(speed_claims, "read_strength", lambda: replace(known, scaling=flat))
    verdict = judge(claims["tuning-as-compute"], held)
    assert verdict.verdict == "cannot be decided from what is known"
    assert verdict.measured is None


def test_an_entrys_ledger_is_what_its_row_gives(held):
    # the same entry, at its least detail, has the same hours
    assert hours_ledger(held.entries[LAST], None, "epochs").total == held.hours[LAST].total
