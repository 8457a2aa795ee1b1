"""The run files one by one: sources and tags, and the arithmetic behind derived facts."""

import re

import pytest
from flopledger.ledger.run_file import find_run, list_runs

TAG = re.compile(r" \[[ESDM]\]$")


def facts_of(name):
    return {key: fact for phase in find_run(name).phases for key, fact in phase.facts.items()}


@pytest.mark.parametrize("name", list_runs())
def test_what_is_cited_says_how_sure_it_is(name):
    run = find_run(name)
    for phase in run.phases:
        for key, fact in phase.facts.items():
            assert fact.kind != "cited" or TAG.search(fact.source), (name, key)
    for total in run.published:
        assert TAG.search(total.quantity.source), name


@pytest.mark.parametrize("name", list_runs())
def test_what_is_cited_has_an_address_and_a_day_or_is_from_memory(name):
    run = find_run(name)
    facts = [(key, fact) for phase in run.phases for key, fact in phase.facts.items()]
    facts += [("published", total.quantity) for total in run.published]
    if run.hardware:
        facts += [("chips", run.hardware.chips), ("hours", run.hardware.hours)]
    for key, fact in facts:
        if fact.kind != "cited" or fact.source.endswith("[M]"):
            continue
        assert fact.url, (name, key)
        # what was read as quoted elsewhere says so, and where
        assert fact.retrieved or fact.source.endswith("[S]"), (name, key)
        assert "elsewhere" not in fact.source, (name, key)


@pytest.mark.parametrize("name", list_runs())
def test_every_total_says_what_it_holds_and_from_when_it_is(name):
    run = find_run(name)
    for total in run.published:
        assert total.as_of, name
        assert total.as_of >= run.published_on, name
        assert total.accounting in ("all", "training")
        # a table of one accounting is not cited under the other
        if "2026" in total.quantity.source and "direct" in total.quantity.source:
            assert total.accounting == "training", name


def test_a_total_belongs_to_runs_it_can_belong_to():
    # OpenAI's chart of May 2018 is older than the paper in Science
    sources = [total.quantity.source for total in find_run("alphazero-go-science").published]
    assert not [source for source in sources if "OpenAI 2018" in source]


# chips x seconds / (games x seconds a move), one always-busy TPU a game: training_runs, section 2b
TPU_SECONDS = {
    "alphazero-chess": (5000 * 9 * 3600, 44e6, 0.040),
    "alphazero-shogi": (5000 * 12 * 3600, 24e6, 0.080),
    "alphazero-go-preprint": (5000 * 34 * 3600, 21e6, 0.200),
    "alphazero-go-science": (5000 * 13 * 24 * 3600, 140e6, 0.200),
}


@pytest.mark.parametrize("name", TPU_SECONDS)
def test_lengths_of_games_follow_from_the_hardware(name):
    seconds, games, move = TPU_SECONDS[name]
    facts = facts_of(name)
    assert facts["games"].value == games
    assert facts["plies_per_game"].value == pytest.approx(seconds / (games * move), rel=0.01)


def test_alphago_fans_epochs_are_its_steps():
    supervised = [
        phase.facts for phase in find_run("alphago-fan").phases if "images" in phase.facts
    ]
    # Silver et al. 2016, Methods: 340 million steps of 16 positions, 50 million of 32
    for facts, seen in zip(supervised, (340e6 * 16, 50e6 * 32), strict=True):
        assert facts["images"].value * facts["epochs"].value == pytest.approx(seen, rel=0.005)


@pytest.mark.parametrize("name", ["alphago-zero-20", "alphago-zero-40"])
def test_alphago_zeros_interval_holds_the_evaluators_games(name):
    # Silver et al. 2017, Methods: 400 games for each checkpoint, one every 1,000 steps
    facts = facts_of(name)
    evaluations = facts["steps"].value / 1000 * 400
    assert facts["games"].high == pytest.approx(facts["games"].value + evaluations, rel=0.01)
    assert facts["games"].low == facts["games"].value


def test_what_epoch_says_of_its_guesses_is_in_the_interval():
    guesses = {
        name: next(t.quantity for t in find_run(name).published if t.accounting == "all")
        for name in ("alphago-lee", "alphago-master")
    }
    lee, master = guesses.values()  # "a guess, +-3x"
    assert (lee.low, lee.high) == pytest.approx((1.9e21 / 3, 1.9e21 * 3), rel=0.01)
    # "+-1 order"
    assert (master.low, master.high) == pytest.approx((2e22, 2e24))
