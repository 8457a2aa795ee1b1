"""Runs read from files: what is in them, and one clear line for each mistake."""

import pytest

from profiler.training import BadRun, find_run, read_run

GOOD = """
title = "A run"
published_on = 2020-01-01
model = "alexnet"
method = "supervised"

[images]
value = 1000
source = "a paper, section 1"
tag = "E"

[epochs]
value = 9
low = 8
high = 10
kind = "assumed"
source = "the usual"

[[published]]
value = 2
unit = "pfs-day"
source = "a blog"
"""


@pytest.fixture
def run_of(tmp_path):
    def read(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return read_run(path)

    return read


def test_what_is_written_is_read(run_of):
    run = run_of(GOOD)
    assert (run.name, run.models, run.needed_models) == ("mine", ("alexnet",), ("alexnet",))
    (phase,) = run.phases
    assert (phase.method, phase.model) == ("supervised", "alexnet")
    images, epochs = phase.facts["images"], phase.facts["epochs"]
    assert (images.value, images.unit, images.kind) == (1000, "images", "cited")
    assert images.source == "a paper, section 1 [E]"  # the tag travels with the fact
    assert (epochs.low, epochs.high, epochs.kind) == (8, 10, "assumed")
    assert run.published[0].flops == 2 * 1e15 * 24 * 60 * 60  # a petaflop a second for a day


def test_phases_take_what_they_do_not_say_from_the_run(run_of):
    phases = """
[[phases]]
name = "small"
model = "resnet50"
epochs = {value = 3, source = "x"}
[[phases]]
name = "large"
"""
    small, large = run_of(GOOD + phases).phases
    assert (small.model, small.facts["epochs"].value, small.facts["images"].value) == (
        "resnet50", 3, 1000,
    )  # fmt: skip
    assert (large.model, large.facts["epochs"].value) == ("alexnet", 9)


BAD = {
    "an unknown key": (('title = "A run"', 'title = "A run"\ncolour = 1'), "[colour] is no key"),
    "no source": (('source = "a paper, section 1"', ""), "[images] has no source; give the paper"),
    "a wrong unit": (("value = 1000", 'value = 1000\nunit = "epochs"'), "[images] is in 'images'"),
    "a negative count": (("value = 1000", "value = -1000"), "[images] value is -1000"),
    "zero": (("value = 1000", "value = 0"), "[images] value is 0; give a number above 0"),
    "no number": (("value = 1000", 'value = "many"'), "[images.value] Input should be a valid"),
    "low above high": (("low = 8", "low = 11"), "[epochs] low 11 exceeds high 10"),
    "value outside": (
        ("value = 9", "value = 11"),
        "[epochs] the interval 8 to 10 does not contain",
    ),
    "an unknown kind": (('kind = "assumed"', 'kind = "felt"'), "[epochs.kind]"),
    "an unknown method": (('"supervised"', '"osmosis"'), "[method]"),
    "no method": (('method = "supervised"', ""), "no method; say method"),
    "a fact of another method": (("[images]", "[games]"), "[games] is no fact of a supervised run"),
    "no TOML": (('title = "A run"', "title = "), "not TOML"),
    "a published total below zero": (("value = 2", "value = -2"), "[published.0.value]"),
    "a published total in hours": (('"pfs-day"', '"hours"'), "[published.0.unit]"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_mistake_gives_one_line_with_file_and_key(run_of, mistake):
    (old, new), said = BAD[mistake]
    assert old in GOOD
    with pytest.raises(BadRun) as caught:
        run_of(GOOD.replace(old, new))
    assert "mine.toml: " in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fact_that_is_missing_is_named(run_of):
    without = GOOD[: GOOD.index("[epochs]")] + GOOD[GOOD.index("[[published]]") :]
    with pytest.raises(BadRun, match=r"\[epochs\] is missing; a supervised run needs it"):
        run_of(without)


def test_facts_that_contradict_each_other(run_of):
    samples = "[samples]\nvalue = {}\nsource = 'x'\n"
    run_of(GOOD + samples.format(9100))  # 1000 x 9, to the rounding of a print
    with pytest.raises(BadRun, match=r"\[samples\] is 12000, but images x epochs is 9000"):
        run_of(GOOD + samples.format(12000))


def test_steps_and_batch_size_go_together(run_of):
    with pytest.raises(BadRun, match=r"\[steps\] and \[batch_size\] go together"):
        run_of(GOOD + "[steps]\nvalue = 3\nsource = 'x'\n")


def test_an_unknown_run_names_the_nearest():
    with pytest.raises(BadRun, match="no run is called 'alexnett'; the nearest are alexnet"):
        find_run("alexnett")
