"""Totals go by attribute and by the names that JSON and tables have."""

import pytest
import torch
from flopledger import Coverage, meter, profile
from flopledger.calls import OpCall
from flopledger.profiles.totals import coverage_of
from torch import nn


def test_a_figure_goes_by_its_name_in_json():
    counted = profile(nn.Linear(4, 5), torch.zeros(3, 4), backward=True)
    # 3 x 4 x 5, once more for the weight's gradient: the input wants none
    assert counted.totals["macs"] == counted.totals.macs == 60
    assert counted.backward["macs"] == 60
    with pytest.raises(KeyError):
        counted.totals["marcs"]


def test_a_meters_totals_go_by_name():
    network = nn.Linear(4, 5)
    with meter(network) as metered:
        network(torch.zeros(3, 4))
    totals = metered.read().totals
    assert (totals["macs"], totals["passes"]) == (60, 1)
    assert totals["flops"] == totals.flops == 120


def test_of_no_elements_no_share_is_known():
    # one call of two has a formula, and neither has anything to do
    nothing = {"path": "", "inputs": ((0, 4),), "outputs": ((0, 4),)}
    calls = [OpCall(op="known", **nothing), OpCall(op="unknown", counted=False, **nothing)]
    assert coverage_of(calls) == Coverage(calls=0.5, arithmetic=None)
