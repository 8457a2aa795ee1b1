"""Options of `flopledger profile` that say how it is counted."""

import json

import pytest

KEEPS = """
import torch
from torch import nn

class Keeps(nn.Module):
    "Multiplies the rows that score above a threshold of its own."
    def __init__(self):
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(0.5))
        self.head = nn.Linear(4, 2)

    def forward(self, x, scores):
        return self.head(x[scores > self.threshold])

def example():
    return torch.ones(5, 4), torch.tensor([0.1, 0.6, 0.7, 0.4, 0.9])
"""


@pytest.fixture(scope="module")
def keeps(tmp_path_factory):
    path = tmp_path_factory.mktemp("keeps") / "keeps.py"
    path.write_text(KEEPS)
    return f"{path}:Keeps", "--inputs", f"{path}:example"


def test_values_count_what_the_threshold_keeps(run, keeps):
    code, out, err = run("profile", *keeps, "--values", "--format", "json")
    parsed = json.loads(out)
    # three of the five rows score above 0.5
    assert (code, err, parsed["totals"]["macs"]) == (0, [], 3 * 4 * 2)
    assert parsed["check"]["agrees"] is True
    assert parsed["notes"] == []


def test_without_values_they_are_zeros_and_a_note_says_so(run, keeps):
    code, out, _ = run("profile", *keeps, "--format", "json")
    assert code == 0
    assert any("weights that are zero" in note for note in json.loads(out)["notes"])


def test_without_a_check_one_counter_counts(run, monkeypatch):
    from flopledger.counting.trace import fvcore_counter

    monkeypatch.delattr(fvcore_counter, "count")  # nobody asks
    words = ("profile", "dqn", "--no-check", "--strict")
    code, out, err = run(*words)
    assert (code, err) == (0, [])
    assert "counted by dispatch alone" in out
    assert "fvcore: not asked for" in out
    _, out, _ = run(*words, "--format", "json")
    assert json.loads(out)["check"] == {
        "counter": "fvcore", "macs": None, "agrees": None, "reason": "not asked for",
    }  # fmt: skip


def test_fvcore_without_a_check_is_refused(run):
    code, out, err = run("profile", "dqn", "--counter", "fvcore", "--no-check")
    assert (code, out, len(err)) == (2, "", 1)
    assert "leave one of the two out" in err[0]
