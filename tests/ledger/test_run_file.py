"""Runs read from files: what is in them, and which facts may stand together."""

from datetime import date

import pytest
from flopledger.ledger.run_file import find_run, list_runs, read_run
from flopledger.storage.facts import BadFacts, facts_folder
from flopledger.zoo.sizes import USUAL
from good_run import ANSWERS, GOOD, HEADS, changed, refused


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


def test_a_fact_that_is_missing_is_named(run_of):
    without = GOOD[: GOOD.index("[epochs]")] + GOOD[GOOD.index("[[published]]") :]
    with pytest.raises(BadFacts, match=r"\[epochs\] is missing; a supervised run needs it"):
        run_of(without)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("steps", r"\[batch_size\] is missing; a supervised run needs it$"),
        ("tokens", r"\[epochs\] is missing; a supervised run needs it$"),
        (None, r"\[epochs\] is missing; a supervised run needs it, and images$"),
    ],
)
def test_what_is_missing_is_what_the_given_facts_lack(run_of, given, missing):
    head = GOOD[: GOOD.index("[images]")]
    with pytest.raises(BadFacts, match=missing):
        run_of(head + (fact(given, 3) if given else ""))


def test_a_count_that_follows_may_be_a_mean(run_of):
    derived = fact("samples", 9000.5) + "kind = 'derived'\n"
    assert run_of(GOOD + derived).phases[0].facts["samples"].value == 9000.5


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


HEAD = 'title = "x"\npublished_on = 2020-01-01\nmodel = "dqn"\nmethod = '
ACTORS = {"actor_steps": 1e6, "steps_per_episode": 100, "reuse": 3}
SEARCH = dict.fromkeys(("games", "plies_per_game", "simulations_per_move"), 800)


@pytest.mark.parametrize(
    ("method", "facts", "complaint"),
    [
        ("policy gradient", ACTORS | {"samples": 3e6}, ""),
        ("policy gradient", ACTORS | {"samples": 3.15e6}, ""),  # 5% are a print's rounding
        ("policy gradient", ACTORS | {"samples": 3.16e6}, "[samples] is 3.16e+06, but actor_steps"),
        ("policy gradient", ACTORS | {"samples": 7}, "[samples] is 7, but actor_steps x reuse"),
        ("policy gradient", ACTORS | {"rewards": 1e4}, ""),
        ("policy gradient", ACTORS | {"rewards": 7}, "[actor_steps] is 1e+06, but rewards x step"),
        # five positions a sample: 100 steps of 10 are 5,000 samples
        ("self-play", {"steps": 100, "batch_size": 10, "unroll": 5, "samples": 5000}, ""),
        (
            "self-play",
            {"steps": 100, "batch_size": 10, "unroll": 5, "samples": 1000},
            "[samples] is 1000, but steps x batch_size x unroll is 5000",
        ),
        ("self-play", {"unroll": 5}, "[unroll] multiplies [steps] x [batch_size]; give them, or"),
        ("generation", {}, ""),
        ("generation", {"samples": 100}, "[samples] and [games] both say what is made; give one"),
    ],
)
def test_actors_and_games_are_counted_once(run_of, method, facts, complaint):
    games = SEARCH | {"evaluations_per_simulation": 1} if method != "policy gradient" else {}
    text = f'{HEAD}"{method}"\n' + "".join(fact(key, n) for key, n in (games | facts).items())
    if not complaint:
        run_of(text)
    else:
        assert complaint in refused(run_of, text)


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
    with pytest.raises(BadFacts, match=r"\[batch_size\] is missing beside \[steps\]; give both"):
        run_of(GOOD + fact("steps", 3))
    # a contradiction is not hidden by it
    with pytest.raises(BadFacts, match=r"\[samples\] is 12000, but images x epochs is 9000"):
        run_of(GOOD + fact("steps", 3) + fact("samples", 12_000))


def test_an_unknown_run_names_the_nearest():
    with pytest.raises(BadFacts, match="no run is called 'alexnett'; did you mean alexnet\\?"):
        find_run("alexnett")


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
    assert fact.source == "a paper, section 1 [E]; 1000: x; 3000: y"


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
    own_address = 'url = "https://example.org/b"\nretrieved = 2026-11-02'
    fact = run_of(changed('tag = "E"', own_address)).phases[0].facts["images"]
    assert (fact.url, fact.retrieved) == ("https://example.org/b", date(2026, 11, 2))


def test_what_is_cited_without_an_address_is_from_memory(run_of):
    facts = run_of(GOOD.replace('tag = "E"\n', "")).phases[0].facts
    assert facts["images"].source == "a paper, section 1 [M]"
    assert (facts["images"].url, facts["images"].retrieved) == (None, None)
    assert facts["epochs"].source == "the usual"  # an assumption is nobody's


def test_a_measured_fact_says_what_measured_it(run_of):
    provenance = (
        'kind = "measured"\ncommand = "flopledger selfplay chess"\nversions = "torch 2.13.0"'
    )
    fact = run_of(changed('kind = "assumed"', provenance)).phases[0].facts["epochs"]
    assert fact.kind == "measured"
    assert (fact.command, fact.versions) == ("flopledger selfplay chess", "torch 2.13.0")


def test_a_total_says_what_it_holds_and_of_which_day_it_is(run_of):
    (total,) = run_of(GOOD).published
    assert (total.accounting, total.as_of) == ("all", None)
    keys = '"a blog"\naccounting = "training"\nas_of = 2020-01-01'  # the day itself will do
    (total,) = run_of(changed('"a blog"', keys)).published
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
