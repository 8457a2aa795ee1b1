"""flopledger diff: saved profiles and models, in every form, and each of its exit codes."""

import json

import pytest
from flopledger import Profile, diff, profile
from flopledger.cli.main import main


@pytest.fixture
def run(capsys):
    def call(*words):
        with pytest.raises(SystemExit) as end:
            main(["diff", *map(str, words)])
        return end.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "baseline.json"
    with pytest.raises(SystemExit):
        main(["profile", "lstm", "--format", "json", "--output", str(path)])
    return path


def test_a_saved_profile_against_its_model(saved, run):
    assert run(saved, "lstm", "--fail-over", "0%")[:2] == (0, "lstm: nothing moved\n")
    assert Profile.from_json(saved.read_text()) == profile("lstm")


def test_what_it_writes_is_the_librarys(saved, run):
    assert run(saved, "alphago-fan-policy", "--format", "json")[1] == (
        diff(saved, "alphago-fan-policy").to_json()
    )


def test_a_change_beyond_the_limit_is_exit_status_3(saved, run):
    code, out, _ = run(saved, "alphago-fan-policy", "--fail-over", "1%", "--format", "markdown")
    assert code == 3
    assert out.startswith("## lstm to alphago-fan-policy: params ")


def test_a_file_that_is_no_profile_is_one_line_and_exit_status_2(tmp_path, run):
    old = tmp_path / "old.json"
    old.write_text(json.dumps({"model": "net", "totals": {}}))
    for path, problem in [(old, "no saved profile"), (tmp_path / "none.json", "No such file")]:
        code, out, err = run(path, "lstm")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"{path}: {problem}" in err
