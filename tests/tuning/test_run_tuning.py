"""flopledger.tune: what the command line does, from Python."""

import flopledger
import pytest
from flopledger.play.search import Search

QUICK = {"game": "tic_tac_toe", "blocks": 1, "filters": 4, "evaluations": 4, "trials": 1,
         "games": 2, "final": 2}  # fmt: skip
WORDS = [word for name, value in QUICK.items() for word in (f"--{name}", str(value))]


def test_it_is_the_command_lines_twin(run, capsys):
    steps = []
    tuned = flopledger.tune(**QUICK, progress=steps.append)
    assert capsys.readouterr() == ("", "")
    code, out, lines = run("tune", *WORDS, "--format", "json")
    assert (code, out) == (0, tuned.to_json())
    assert lines == [f"flopledger: {step.message}" for step in steps]
    assert repr(tuned) + "\n" == run("tune", *WORDS)[1]
    assert "Dirichlet noise" in tuned._repr_html_()
    assert [outcome.sampler for outcome in tuned.outcomes] == ["gp", "random"]


def test_an_interrupt_carries_what_was_played(monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "run", interrupted)
    with pytest.raises(flopledger.Interrupted) as stop:
        flopledger.tune(**QUICK)
    assert [outcome.verdict for outcome in stop.value.result.outcomes] == [
        "not played to the end", "not played to the end",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"games": 1}, "--games 1 is too small; give 2 or more"),
        ({"opening": -1}, "--opening -1 is too small; give 0 or more"),
        ({"against": "me"}, "--against 'me' is not one of match, selfplay"),
        ({"resume": True}, "--resume goes on with a file; name it with --storage"),
    ],
)
def test_what_is_refused(options, line):
    with pytest.raises(flopledger.FlopledgerError) as refused:
        flopledger.tune(**QUICK | options)
    assert str(refused.value) == line
