"""Runs read from files: what is in them, and one clear line for each mistake."""

from datetime import date

import pytest
from flopledger.ledger.run_file import find_run, list_runs, read_run
from flopledger.storage.facts import BadFacts, facts_folder
from flopledger.zoo.sizes import USUAL

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
    assert (run.name, run.models) == ("mine", (("alexnet",),))
    assert run.needed == {"alexnet": ("alexnet", USUAL)}
    (phase,) = run.phases
    assert (phase.method, phase.model) == ("supervised", None)  # the run's network
    assert run.networks_of(phase) == ("alexnet",)
    images, epochs = phase.facts["images"], phase.facts["epochs"]
    assert (images.value, images.unit, images.kind) == (1000, "images", "cited")
    assert images.source == "a paper, section 1 [E]"  # the tag travels with the fact
    assert (epochs.low, epochs.high, epochs.kind) == (8, 10, "assumed")
    total = run.published[0].quantity
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
    run = run_of(GOOD + phases)
    small, large = run.phases
    assert (small.model, small.facts["epochs"].value, small.facts["images"].value) == (
        "resnet50", 3, 1000,
    )  # fmt: skip
    assert (run.networks_of(large), large.facts["epochs"].value) == (("alexnet",), 9)
    assert set(run.needed) == {"alexnet", "resnet50"}


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
    "no network": (('model = "alexnet"', "model = []"), "[model] give model, or [[models]] where"),
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
    total = run_of(GOOD.replace('value = 2\nunit = "pfs-day"', wide)).published[0].quantity
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
    with pytest.raises(BadFacts, match=r"\[images\] and \[tokens\] both count examples"):
        run_of(GOOD + fact("sequences", 1000))


def test_samples_will_do_where_epochs_are_not_known(run_of):
    head, tail = GOOD[: GOOD.index("[images]")], GOOD[GOOD.index("[[published]]") :]
    (phase,) = run_of(head + fact("samples", 9_000) + tail).phases
    assert phase.facts["samples"].value == 9_000


def test_a_phase_may_have_an_input_of_its_own(run_of):
    phases = '[[phases]]\nname = "small"\ninput = [1, 3, 128, 128]\n[[phases]]\nname = "large"\n'
    run = run_of(GOOD + phases)
    small, large = run.phases
    assert (small.sizes.input, large.sizes.input) == ((1, 3, 128, 128), ())
    assert run.networks_of(small) == ("alexnet at 1x3x128x128",)
    assert run.networks_of(large) == ("alexnet",)
    with pytest.raises(BadFacts, match=r"\[phases.input.3\] Input should be greater than 0"):
        run_of(GOOD + phases.replace("128]", "0]"))


def test_steps_and_batch_size_go_together(run_of):
    with pytest.raises(BadFacts, match=r"\[steps\] and \[batch_size\] go together"):
        run_of(GOOD + fact("steps", 3))


def test_an_unknown_run_names_the_nearest():
    with pytest.raises(BadFacts, match="no run is called 'alexnett'; did you mean alexnet\\?"):
        find_run("alexnett")


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def refused(run_of, text):
    """The line that a file gets."""
    with pytest.raises(BadFacts) as caught:
        run_of(text)
    line = str(caught.value)
    assert "\n" not in line
    assert "mine.toml: " in line
    return line


HEADS = """
[[models]]
model = "alphazero-go"
weight = 0.75
source = "two planes"
[[models]]
model = ["alphazero-go-wide-head", "alexnet"]
weight = 0.25
source = "256 filters"
"""
ANSWERS = (
    'alternatives = [{value = 1000, weight = 0.3, source = "x"}, {value = 3000, weight = 0.7}]'
)
HARDWARE = """
[hardware]
chip = "TPU v1"
precision = "int8"
chips = {value = 8, source = "x"}
hours = {value = 2.5, source = "x"}
"""
NESTED = f"nest = {'[' * 3000}{']' * 3000}"
WORSE = {
    "alternatives that do not add up": (
        ("value = 1000", ANSWERS.replace("0.7", "0.6")),
        "[images] the alternatives' weights 0.3 + 0.6 do not add up to 1; mend them",
    ),
    "an alternative of no weight": (
        ("value = 1000", ANSWERS.replace("0.7", "1").replace("0.3", "0")),
        "[images] the alternatives' weights 0 + 1 do not add up to 1",
    ),
    "an alternative below zero": (
        ("value = 1000", ANSWERS.replace("= 1000", "= -1000")),
        "[images] an alternative is -1000; give a number above 0",
    ),
    "alternatives beside a value": (
        ("value = 1000", f"value = 1000\n{ANSWERS}"),
        "[images] has neither value nor alternatives, or both",
    ),
    "alternatives beside an interval": (
        ("value = 1000", f"low = 1\nhigh = 5000\n{ANSWERS}"),
        "[images] has an interval and alternatives; give one",
    ),
    "no value": (("value = 1000", ""), "[images] has neither value nor alternatives"),
    "two of the same fact": (
        ("[epochs]", "[images]\nvalue = 3\nsource = 'y'\n[epochs]"),
        "not TOML: Cannot declare ('images',) twice",
    ),
    "more than can be counted": (
        ("value = 1000", "value = 1e308"),
        "[images] 1e+308 is beyond counting; give a number below 1e60",
    ),
    "an empty title": (('"A run"', '""'), "[title] String should have at least 1 character"),
    "a blank title": (('"A run"', '" "'), "[title] String should have at least 1 character"),
    "a NUL in a title": (('"A run"', r'"A\u0000run"'), "[title] holds a NUL character; remove it"),
    "a NUL in a source": (
        ('"the usual"', r'"the\u0000usual"'),
        "[epochs.source] holds a NUL",
    ),
    "a NUL in a model": (('"alexnet"', r'"alex\u0000net"'), "[model] holds a NUL"),
    "a NUL in a file of a model": (('"alexnet"', r'"a\u0000.py:Net"'), "[model] holds a NUL"),
    "a NUL in a base": (
        ('title = "A run"', 'title = "A run"\nbase = "a\\u0000.toml"'),
        "[base] holds a NUL",
    ),
    "a source of 200,000 characters": (
        ('"the usual"', f'"{"x" * 200_000}"'),
        "[epochs.source] String should have at most 4000 characters",
    ),
    "a title of 200,000 characters": (
        ('"A run"', f'"{"x" * 200_000}"'),
        "[title] String should have at most 400 characters",
    ),
    "arrays nested 3,000 deep": (('title = "A run"', f'title = "A run"\n{NESTED}'), "not TOML: "),
    "tables nested 3,000 deep": (
        ('title = "A run"', f'title = "A run"\n{".".join("a" * 3000)} = 1'),
        "a is no key here",
    ),
    "a fact nested 3,000 deep": (
        ("value = 1000", f"value = 1000\n{'.'.join('a' * 3000)} = 1"),
        "[images] a is no key here",
    ),
    "a source that is not known": (
        ('tag = "E"', 'ref = "silver-2071-az"'),
        "[images] no source is called 'silver-2071-az'; did you mean silver-2017-az",
    ),
    "ref and url": (
        ('tag = "E"', 'ref = "silver-2017-az"\nurl = "https://example.org"'),
        "[images] has both ref and url; give one",
    ),
    "a day without an address": (
        ('tag = "E"', "retrieved = 2026-11-26"),
        "[images] retrieved says when, but url does not say where; give url",
    ),
    "a day in quotes": (
        ('tag = "E"', 'url = "https://example.org"\nretrieved = "2026-11-26"'),
        "[images.retrieved] Input should be a valid date",
    ),
    "a total older than its run": (
        ('"a blog"', '"a blog"\nas_of = 2019-12-31'),
        "[published.0] is of 2019-12-31, before the run's 2020-01-01: it cannot be this run's",
    ),
    "an accounting that nobody follows": (
        ('"a blog"', '"a blog"\naccounting = "direct"'),
        "[published.0.accounting] Input should be 'all' or 'training'",
    ),
    "two phases of one name": (
        ("[images]", '[[phases]]\nname = "a"\n[[phases]]\nname = "a"\n[images]'),
        "[phases] two phases have one name",
    ),
    "a phase without a name": (
        ("[images]", '[[phases]]\nname = ""\n[images]'),
        "[phases.name] String should have at least 1 character",
    ),
    "both model and models": (
        ("[images]", f"{HEADS}[images]"),
        "[model] give model, or [[models]]",
    ),
    "models that do not add up": (
        (
            'model = "alexnet"\nmethod = "supervised"',
            f'method = "supervised"{HEADS.replace("25", "3")}',
        ),
        "[models] the alternatives' weights 0.75 + 0.3 do not add up to 1",
    ),
    "a list of no models": (
        (
            'model = "alexnet"\nmethod = "supervised"',
            'method = "supervised"' + HEADS.replace('"alphazero-go"', "[]"),
        ),
        "[models.0.model",
    ),
    "a file that is not there": (
        ('"alexnet"', '"nets.py:Net"'),
        "[model] there is no nets.py beside it nor in facts/configs",
    ),
    "a configuration that is not there": (
        ('"alexnet"', '"hf:gpt5.json"'),
        "[model] there is no gpt5.json beside it",
    ),
    "half a chip": (
        ("[images]", HARDWARE.replace("= 8", "= 1.5") + "[images]"),
        "[hardware.chips] 1.5 is no number of chips; round it",
    ),
    "hours below zero": (
        ("[images]", HARDWARE.replace("2.5", "-2.5") + "[images]"),
        "[hardware.hours] value is -2.5",
    ),
    "a mistyped key of hardware": (
        ("[images]", HARDWARE.replace("chip =", "chpi =") + "[images]"),
        "[hardware] chpi is no key here; did you mean chip",
    ),
    "a teacher of no distillation": (
        ('title = "A run"', 'title = "A run"\nteacher = "resnet50"'),
        "[teacher] a distillation has one, and nothing else does",
    ),
    "a distillation without a teacher": (('"supervised"', '"distillation"'), "[teacher] a distill"),
    "a base that is not known": (
        ('title = "A run"', 'title = "A run"\nbase = "resnet5"'),
        "[base] no run is called 'resnet5'; did you mean resnet50",
    ),
    "a base that is not there": (
        ('title = "A run"', 'title = "A run"\nbase = "none.toml"'),
        "[base] there is no file none.toml beside it; name another",
    ),
    "a base that is itself": (
        ('title = "A run"', 'title = "A run"\nbase = "mine.toml"'),
        "[base] mine.toml goes on from this run itself",
    ),
}


@pytest.mark.parametrize("mistake", WORSE)
def test_what_cannot_be_used_gives_one_short_line_with_file_and_key(run_of, mistake):
    (old, new), said = WORSE[mistake]
    line = refused(run_of, changed(old, new))
    assert said in line
    assert len(line) < 600


@pytest.mark.parametrize("name", ["", " ", "\0", "alex\0net", "a\0.toml"])
def test_what_is_no_name_finds_no_run(name):
    with pytest.raises(BadFacts, match="is no run's name; flopledger compare --list shows them"):
        find_run(name)


TEXT = """
title = "A text"
published_on = 2020-01-01
model = "gpt2"
method = "supervised"
tokens = {value = 64000, source = "x"}
epochs = {value = 2, source = "x"}
"""


def test_tokens_and_sequences_must_agree(run_of):
    # 1,000 sequences of 64 tokens are 64,000; to a print's rounding
    cut = """
sequences = {value = 1000, source = 'x'}
tokens_per_sequence = {value = 64, source = 'x'}
"""
    (phase,) = run_of(TEXT + cut).phases
    assert phase.facts["tokens"].value == 64_000
    run_of(TEXT + cut.replace("64", "65"))
    line = refused(run_of, TEXT + cut.replace("64", "80"))
    assert "[tokens] is 64000, but sequences x tokens_per_sequence is 80000; mend the one" in line
    # within the interval of one of them it is no contradiction
    wide = TEXT.replace("value = 64000", "value = 64000, low = 60000, high = 90000")
    run_of(wide + cut.replace("64", "80"))


def test_what_was_seen_must_be_tokens_times_epochs(run_of):
    line = refused(run_of, TEXT + "samples = {value = 64000, source = 'x'}\n")
    assert "[samples] is 64000, but tokens x epochs is 128000" in line


def test_the_heaviest_alternative_is_the_value(run_of):
    fact = run_of(changed("value = 1000", ANSWERS)).phases[0].facts["images"]
    assert (fact.value, fact.ends) == (3000, (1000, 3000))
    assert fact.alternatives == ((1000, 0.3), (3000, 0.7))
    assert fact.uncertain


def test_models_may_be_an_open_question(run_of):
    run = run_of(
        changed('model = "alexnet"\nmethod = "supervised"', f'method = "supervised"{HEADS}')
    )
    assert run.models == (("alphazero-go",), ("alphazero-go-wide-head", "alexnet"))
    assert (run.choice.weights, run.choice.kind) == ((0.75, 0.25), "assumed")
    assert run.choice.source == "two planes; 256 filters"
    assert set(run.needed) == {"alphazero-go", "alphazero-go-wide-head", "alexnet"}
    # of several networks the last is trained, where a phase names none
    assert run.networks_of(run.phases[0]) == ("alphazero-go", "alexnet")


def test_a_cited_fact_has_the_address_and_the_day_of_its_source(run_of):
    own = '[sources.mine]\ncite = "a page"\nurl = "https://example.org/a"\nretrieved = 2026-11-01\n'
    fact = run_of(changed('tag = "E"', 'tag = "E"\nref = "mine"') + own).phases[0].facts["images"]
    assert (fact.url, fact.retrieved) == ("https://example.org/a", date(2026, 11, 1))
    said = 'url = "https://example.org/b"\nretrieved = 2026-11-02'
    fact = run_of(changed('tag = "E"', said)).phases[0].facts["images"]
    assert (fact.url, fact.retrieved) == ("https://example.org/b", date(2026, 11, 2))


def test_a_measured_fact_says_what_measured_it(run_of):
    said = 'kind = "measured"\ncommand = "flopledger selfplay chess"\nversions = "torch 2.13.0"'
    fact = run_of(changed('kind = "assumed"', said)).phases[0].facts["epochs"]
    assert fact.kind == "measured"
    assert (fact.command, fact.versions) == ("flopledger selfplay chess", "torch 2.13.0")


def test_a_total_says_what_it_holds_and_of_which_day_it_is(run_of):
    (total,) = run_of(GOOD).published
    assert (total.accounting, total.as_of) == ("all", None)
    said = '"a blog"\naccounting = "training"\nas_of = 2020-01-01'  # the day itself will do
    (total,) = run_of(changed('"a blog"', said)).published
    assert (total.accounting, total.as_of) == ("training", date(2020, 1, 1))


def test_a_network_of_a_file_lies_beside_the_run(run_of, tmp_path, monkeypatch):
    monkeypatch.chdir("/")  # wherever the run is read from
    (tmp_path / "nets.py").write_text("")
    run = run_of(changed('"alexnet"', '"nets.py:Net"'))
    assert run.models == ((f"{tmp_path / 'nets.py'}:Net",),)


def test_a_configuration_lies_beside_the_run_or_in_facts_configs(run_of, tmp_path):
    text = changed('"alexnet"', '"hf:bert-large.json"')
    assert run_of(text).models == ((f"hf:{facts_folder('configs', 'bert-large.json')}",),)
    (tmp_path / "bert-large.json").write_text("{}")
    assert run_of(text).models == ((f"hf:{tmp_path / 'bert-large.json'}",),)


@pytest.mark.parametrize("model", ["timm:resnet18", "torchvision:resnet18", "package.nets:net"])
def test_other_networks_are_left_as_they_are(run_of, model):
    assert run_of(changed('"alexnet"', f'"{model}"')).models == ((model,),)


TUNED = """
title = "Tuned"
published_on = 2021-01-01
model = "resnet50"
method = "fine-tuning"
base = "mine.toml"
frozen = ["conv1", "layer1"]
images = {value = 10, source = "x"}
epochs = {value = 3, source = "x"}
"""


def test_fine_tuning_goes_on_from_its_base(run_of, tmp_path):
    run_of(GOOD)
    (tmp_path / "tuned.toml").write_text(TUNED)
    run = read_run(tmp_path / "tuned.toml")
    before, after = run.phases
    assert (before.name, before.model, before.facts["images"].value) == (
        "mine: training", "alexnet", 1000,
    )  # fmt: skip
    assert (after.name, after.method, after.facts["images"].value) == (
        "training",
        "fine-tuning",
        10,
    )
    assert run.networks_of(before) == ("alexnet",)
    assert after.sizes.frozen == ("conv1", "layer1")
    assert run.networks_of(after) == ("resnet50 without gradients of conv1, layer1",)
    # and from a run of facts/runs
    (tmp_path / "other.toml").write_text(TUNED.replace("mine.toml", "resnet50"))
    assert read_run(tmp_path / "other.toml").phases[0].name.startswith("resnet50: ")


def test_a_base_is_trained_at_its_own_sizes(run_of, tmp_path):
    run_of(changed('title = "A run"', 'title = "A run"\ninput = [1, 3, 128, 128]'))
    (tmp_path / "tuned.toml").write_text(TUNED)
    run = read_run(tmp_path / "tuned.toml")
    assert run.networks_of(run.phases[0]) == ("alexnet at 1x3x128x128",)


def test_bases_in_a_ring_are_refused(run_of, tmp_path):
    (tmp_path / "tuned.toml").write_text(TUNED)
    line = refused(run_of, changed('title = "A run"', 'title = "A run"\nbase = "tuned.toml"'))
    assert "[base] mine.toml goes on from this run itself; name an earlier one" in line or (
        "[base] tuned.toml goes on from this run itself; name an earlier one" in line
    )


def test_a_distillation_has_a_teacher(run_of):
    run = run_of(changed('"supervised"', '"distillation"\nteacher = "vgg16"'))
    assert run.phases[0].teacher == "vgg16"
    assert set(run.needed) == {"alexnet", "vgg16"}


def test_every_run_of_the_facts_is_listed():
    assert list_runs() == sorted(path.stem for path in facts_folder("runs").glob("*.toml"))
    assert {"alexnet", "alphazero-go-preprint"} <= set(list_runs())
