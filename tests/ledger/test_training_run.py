"""Runs read from files: what is in them, and one clear line for each mistake."""

import pytest
from flopledger.ledger.run_file import find_run, read_run
from flopledger.storage.facts import BadFacts

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
tag = "S"
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
    total = run.published[0]
    assert (total.value, total.unit) == (2 * 1e15 * 24 * 60 * 60, "FLOP")  # a petaflop/s for a day
    assert total.source == "a blog [S]"


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
    "an unknown key": (
        ('title = "A run"', 'title = "A run"\ncolour = 1'),
        "colour is no key here; there are title, published_on",
    ),
    "a mistyped key": (
        ("value = 1000", "vlaue = 1000"),
        "[images] vlaue is no key here; did you mean value?",
    ),
    "a mistyped table": (("[images]", "[imgaes]"), "imgaes is no key here; did you mean images"),
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
    "a number in quotes": (("value = 1000", 'value = "1000"'), "[images.value] Input should be"),
    "a truth value": (("value = 1000", "value = true"), "[images.value] Input should be a valid"),
    "no network": (('model = "alexnet"', "model = []"), "[model] List should have at least 1"),
    "one end of an interval": (("high = 10\n", ""), "[epochs] an interval has two ends"),
    "a published total below zero": (("value = 2", "value = -2"), "[published.0] value is -2;"),
    "an endless published total": (("value = 2", "value = inf"), "[published.0] value is inf"),
    "a published total without source": (('"a blog"', '" "'), "[published.0] has no source"),
    "a published total in hours": (
        ('"pfs-day"', '"hours"'),
        "[published.0] is in 'FLOP' or 'pfs-day', not 'hours'; convert it",
    ),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_mistake_gives_one_line_with_file_and_key(run_of, mistake):
    (old, new), said = BAD[mistake]
    assert old in GOOD
    with pytest.raises(BadFacts) as caught:
        run_of(GOOD.replace(old, new))
    assert "mine.toml: " in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fact_that_is_missing_is_named(run_of):
    without = GOOD[: GOOD.index("[epochs]")] + GOOD[GOOD.index("[[published]]") :]
    with pytest.raises(BadFacts, match=r"\[epochs\] is missing; a supervised run needs it"):
        run_of(without)


def test_a_published_total_may_have_an_interval(run_of):
    wide = 'value = 2\nlow = 1\nhigh = 4\nunit = "pfs-day"'
    total = run_of(GOOD.replace('value = 2\nunit = "pfs-day"', wide)).published[0]
    assert (total.low, total.high) == (8.64e19, 4 * 8.64e19)


def fact(key, value):
    return f"[{key}]\nvalue = {value}\nsource = 'x'\n"


def test_facts_that_contradict_each_other(run_of):
    run_of(GOOD + fact("samples", 9100))  # 1000 x 9, to the rounding of a print
    run_of(GOOD + fact("samples", 10_400))  # 1000 x 8 to 1000 x 10 epochs, and 5% of rounding
    with pytest.raises(BadFacts, match=r"\[samples\] is 12000, but images x epochs is 9000"):
        run_of(GOOD + fact("samples", 12_000))
    with pytest.raises(BadFacts, match=r"\[samples\] is 7000, but images x epochs is 9000"):
        run_of(GOOD + fact("samples", 7_000))


def test_steps_must_not_contradict_epochs_or_samples(run_of):
    steps = fact("steps", 90) + fact("batch_size", 100)
    run_of(GOOD + steps)
    more = steps.replace("= 90", "= 900")
    with pytest.raises(BadFacts, match=r"\[steps\] x \[batch_size\] is 90000, but images x epochs"):
        run_of(GOOD + more)
    with pytest.raises(BadFacts, match=r"\[samples\] is 9000, but steps x batch_size is 90000"):
        run_of(GOOD + more + fact("samples", 9_000))


def test_examples_are_counted_once(run_of):
    with pytest.raises(BadFacts, match=r"\[images\] and \[sequences\] both count examples"):
        run_of(GOOD + fact("sequences", 1000))


def test_samples_will_do_where_epochs_are_not_known(run_of):
    head, tail = GOOD[: GOOD.index("[images]")], GOOD[GOOD.index("[[published]]") :]
    (phase,) = run_of(head + fact("samples", 9_000) + tail).phases
    assert phase.facts["samples"].value == 9_000


def test_a_phase_may_have_an_input_of_its_own(run_of):
    phases = '[[phases]]\nname = "small"\ninput = [1, 3, 128, 128]\n[[phases]]\nname = "large"\n'
    small, large = run_of(GOOD + phases).phases
    assert (small.sizes.input, small.network) == ((1, 3, 128, 128), "alexnet at 1x3x128x128")
    assert (large.sizes.input, large.network) == ((), "alexnet")
    with pytest.raises(BadFacts, match=r"\[phases.input.3\] Input should be greater than 0"):
        run_of(GOOD + phases.replace("128]", "0]"))


def test_steps_and_batch_size_go_together(run_of):
    with pytest.raises(BadFacts, match=r"\[steps\] and \[batch_size\] go together"):
        run_of(GOOD + fact("steps", 3))


def test_an_unknown_run_names_the_nearest():
    with pytest.raises(BadFacts, match="no run is called 'alexnett'; did you mean alexnet\\?"):
        find_run("alexnett")


def test_a_runs_sizes_are_its_networks_and_its_phases(run_of):
    run = run_of("input = [1, 3, 128, 128]\noptions = { blocks = 2 }\n" + GOOD)
    assert run.sizes.input == (1, 3, 128, 128)
    assert run.sizes.options == {"blocks": 2}
    assert run.networks == ("alexnet (blocks 2) at 1x3x128x128",)
    assert run.phases[0].sizes == run.sizes
