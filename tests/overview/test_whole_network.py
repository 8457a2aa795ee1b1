"""summary(): one call has what profile, memory and timing have, and says what it lacks."""

import json

import pytest
import torch
from flopledger import FlopledgerError, memory, profile, summary
from torch import nn


@pytest.fixture
def network():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10))


def test_the_figures_are_those_of_the_single_calls(network):
    x = torch.zeros(1, 3, 8, 8)
    whole = summary(network, x, repeats=2)
    # 8 filters of 3 x 3 x 3 at 6 x 6 points, then 288 x 10
    assert whole.profile.totals.macs == 8 * 27 * 36 + 288 * 10
    assert whole.profile.backward == profile(network, x, backward=True).backward
    assert whole.memory == memory(network, x)
    assert whole.mfu == whole.timing.utilisation
    text = repr(whole)
    assert "10.66k" in text
    assert "3.114k" in text  # 8 x 27 + 8 + 288 x 10 + 10
    said = json.loads(whole.to_json())
    assert said["totals"]["params"] == 3114
    assert said["memory"]["params_bytes"] == 4 * 3114
    assert said["mfu"] == whole.mfu


def test_a_notebook_shows_the_figures_and_the_picture(network):
    shown = summary(network, torch.zeros(1, 3, 8, 8), repeats=2)._repr_html_()
    assert "<td>10.66k</td>" in shown
    assert '<img alt="Where the FLOPs of Sequential are" src="data:image/svg+xml;base64,' in shown


def test_frozen_networks_have_no_training_in_it(network):
    whole = summary(network.requires_grad_(False), torch.zeros(1, 3, 8, 8), repeats=2)
    assert whole.profile.backward is None
    assert whole.memory.training_peak_bytes is None
    assert "training" not in repr(whole)


def test_what_cannot_be_worked_out_is_none_and_has_a_reason():
    class Asks(nn.Module):
        """Memory's passes have no values, and this one wants one."""

        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return self.layer(x) * (2.0 if self.layer(x).sum().item() > 0 else 1.0)

    whole = summary(Asks(), torch.ones(1, 4), repeats=2)
    assert whole.profile.totals.macs == 2 * 16
    assert whole.timing is not None
    assert whole.memory is None
    assert whole.notes[0].startswith("memory is not known: ")
    assert whole.notes[0] in repr(whole)


@pytest.mark.parametrize("wrong", [{"device": "abacus"}, {"optimiser": "magic"}, {"repeats": 0}])
def test_wrong_options_are_refused(network, wrong):
    with pytest.raises(FlopledgerError):
        summary(network, torch.zeros(1, 3, 8, 8), **wrong)
