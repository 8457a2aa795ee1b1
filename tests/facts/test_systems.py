"""facts/systems.csv and facts/steps_per_outcome.csv: whose they are, and that they agree."""

import tomllib
from pathlib import Path

import pytest
from flopledger.field.ai_and_compute import read_systems
from flopledger.field.published_systems import OLDER, PRIMARY, of_table, read_published
from flopledger.field.steps import BY_DOMAIN, with_steps
from flopledger.ledger.run_file import find_run

FACTS = Path(__file__).parents[2] / "facts"
SOURCES = tomllib.loads((FACTS / "sources.toml").read_text())


def test_the_head_says_whose_the_figures_are_and_from_which_days():
    head = "".join(
        line for line in (FACTS / "systems.csv").read_text().splitlines() if line.startswith("#")
    )
    assert "Epoch AI, https://epoch.ai/data/ai-models, licence CC BY 4.0" in head
    for table in (PRIMARY, OLDER):
        assert f"{table}: {SOURCES[table]['cite']}" in head
        assert str(SOURCES[table]["retrieved"]) in head


def test_each_table_has_the_systems_that_its_download_had_with_both_figures():
    published = read_published()
    # README of the downloads: 457 and 792; of two rows called SigLIP the first counts
    assert len(of_table(published, PRIMARY)) == 457
    assert len(of_table(published, OLDER)) == 791
    assert {one.accounting for one in of_table(published, PRIMARY)} == {"training"}
    assert {one.accounting for one in of_table(published, OLDER)} == {"all"}
    assert {one.table for one in published} == {PRIMARY, OLDER}


def test_no_text_of_theirs_is_in_it():
    for one in read_published():
        assert len(one.name) <= 70
        assert len(one.confidence.split()) <= 1
        assert one.link == "" or one.link.startswith(("https://", "http://"))


def test_the_systems_of_ai_and_compute_have_the_same_figures_in_both_files():
    published = {(one.table, one.name): one for one in read_published()}
    pairs = [("Epoch 2026", PRIMARY), ("Epoch 2025", OLDER)]
    compared = [
        (one.flop_by[figure], published[table, one.name].flop)
        for one in read_systems()
        for figure, table in pairs
        if figure in one.flop_by and (table, one.name) in published
    ]
    assert len(compared) >= 9
    for here, there in compared:
        assert here == pytest.approx(there, rel=0.02)


@pytest.mark.parametrize(
    ("name", "run", "fact"),
    [
        ("OpenAI Five", "openai-five", "steps_per_episode"),
        ("OpenAI Five Rerun", "openai-five", "steps_per_episode"),
        ("AlphaStar", "alphastar", "steps_per_episode"),
        ("KataGo", "katago", "plies_per_game"),
        ("AlphaGo Zero", "alphago-zero-40", "plies_per_game"),
        ("AlphaGo Fan", "alphago-fan", "plies_per_game"),
        ("DQN", "dqn", "steps_per_episode"),
        ("MuZero", "muzero-atari", "steps_per_episode"),
    ],
)
def test_steps_are_those_of_the_ledgers_run(name, run, fact):
    held = {p.facts[fact].value for p in find_run(run).phases if fact in p.facts}
    steps = {one.steps_per_outcome for one in read_published() if one.name == name}
    assert steps == held
    source = next(one.steps_source for one in read_published() if one.name == name)
    assert source.startswith(f"facts/runs/{run}.toml")


def test_every_system_with_steps_says_where_they_are_from_and_the_file_is_up_to_date():
    published = read_published()
    assert with_steps(published) == published
    for one in published:
        assert (one.steps_per_outcome is None) == (one.steps_source == "")
    alone = {one.domain for one in published if one.steps_source in BY_DOMAIN.values()}
    assert alone == set(BY_DOMAIN)
