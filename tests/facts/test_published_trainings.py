"""Plans of trainings that were published, beside their hours."""

import csv
from pathlib import Path

import flopledger
import pytest

FACTS = Path(__file__).parents[2] / "facts"

pytestmark = pytest.mark.xdist_group("runs")  # whose networks are counted there


@pytest.mark.parametrize("row", csv.DictReader((FACTS / "published_trainings.csv").open()))
def test_a_published_run_lies_inside_its_interval(row):
    plan = flopledger.plan(
        row["run"],
        on=f"{row['device']}:{row['devices']}",
        utilisation=f"{row['utilisation_low']}..{row['utilisation_high']}",
        goodput=float(row["goodput"]),
        dtype=row["dtype"],
    )
    hours = plan.device_hours
    published, share = float(row["device_hours"]), float(row["tolerance"])
    assert hours.low * (1 - share) <= published <= hours.high * (1 + share)


def test_palms_flop_are_those_of_its_table():
    plan = flopledger.plan("palm-540b", on="tpu-v4:6144", utilisation=0.462)
    assert plan.flop.value == pytest.approx(2.5272e24, rel=0.02)  # Chowdhery et al. 2022, table 20
    assert plan.kilowatt_hours is None  # its power is not known, and not nothing
