"""Claims: those of both discussions, and no verdict that the facts do not make."""

from dataclasses import replace

import pytest
from flopledger.counting.cached import cached_profile
from flopledger.statements.claim import Claim, judge, read_claims
from flopledger.statements.compute_claims import Measurement, measures
from flopledger.statements.evidence import Evidence, evidence
from flopledger.storage.facts import BadFacts


@pytest.fixture(scope="module")
def held():
    return evidence(cached_profile)


@pytest.fixture(scope="module")
def verdicts(held):
    return {claim.id: judge(claim, held) for claim in read_claims()}


def test_every_claim_has_its_own_name_a_verdict_and_a_reason_in_a_line(verdicts):
    assert len(verdicts) == len(read_claims())
    assert all(one.reason and "\n" not in one.reason for one in verdicts.values())
    assert {one.claim.discussion for one in verdicts.values()} == {1, 2}


def test_every_measure_is_some_claims():
    assert set(measures) == {claim.measure for claim in read_claims()}


# expected figures: training_runs, section 9, where each is derived
@pytest.mark.parametrize(
    ("name", "measured", "verdict"),
    [
        ("alexnet-flops-per-parameter", 23.8, "mixes conventions"),
        ("alphazero-722", 710, "holds"),
        ("factor-fifty", 29.9, "mixes conventions"),
        ("alphazero-games", 44e6, "holds"),
        ("images-equal-games", 0.41, "off by 2.45 x"),
        ("tree-search-200", (800 * 0.992 + 1 + 2.1) * 92, "off by 366 x"),
    ],
)
def test_verdicts_where_the_facts_say_what_they_should_be(verdicts, name, measured, verdict):
    assert verdicts[name].measured == pytest.approx(measured, rel=0.01)
    assert verdicts[name].verdict == verdict


def test_macs_against_flops_comes_out_of_the_count(verdicts):
    assert "11.88 MAC" in verdicts["alexnet-flops-per-parameter"].reason
    assert "the claim fits MACs called FLOPs" in verdicts["alexnet-flops-per-parameter"].reason


def test_the_board_of_chess_comes_out_of_the_network(verdicts):
    assert "on a board of 8 x 8" in verdicts["alphazero-games"].reason


def test_change_a_fact_and_the_verdict_changes(held):
    claim = next(c for c in read_claims() if c.id == "alphazero-games")
    facts = {**held.facts, "alphazero-chess": {**held.facts["alphazero-chess"], "games": 88e6}}
    assert judge(claim, replace(held, facts=facts)).verdict == "off by 2 x"


def test_change_a_network_and_the_verdict_changes(held):
    claim = next(c for c in read_claims() if c.id == "factor-fifty")
    profiles = {**held.profiles, "alphazero-go": held.profiles["vgg16"]}
    assert judge(claim, replace(held, profiles=profiles)).verdict != "mixes conventions"


def claim_of(claimed, unit="ratio", tolerance=1.5, at_least=False):
    return Claim(
        id="x", claim="x.", claimed=claimed, unit=unit, tolerance=tolerance, measure="probe",
        source="x", at_least=at_least,
    )  # fmt: skip


NOTHING = Evidence(profiles={}, ledgers={}, facts={}, systems=())


@pytest.mark.parametrize(
    ("claim", "found", "verdict", "ratio"),
    [
        (claim_of(10), Measurement(12, ""), "holds", 1.2),
        (claim_of(10), Measurement(16, ""), "off by 1.6 x", 1.6),
        (claim_of(10), Measurement(5, ""), "off by 2 x", 0.5),
        (claim_of((10, 15)), Measurement(12, ""), "holds", 1.0),
        (claim_of((10, 15)), Measurement(30, ""), "off by 2 x", 2.0),
        (claim_of(10, at_least=True), Measurement(1000, ""), "holds", 100.0),
        (claim_of(10), Measurement(20, "", {"MACs": 10}), "mixes conventions", 2.0),
        (claim_of(10), Measurement(20, "", {"MACs": 40}), "off by 2 x", 2.0),
        (claim_of(4, "orders", 0.5), Measurement(4.4, ""), "holds", 10**0.4),
        (claim_of(4, "orders", 0.5), Measurement(3, ""), "off by 10 x", 0.1),
        (
            claim_of(10),
            Measurement(None, "who knows"),
            "cannot be decided from what is known",
            None,
        ),
    ],
)
def test_how_a_verdict_follows(monkeypatch, claim, found, verdict, ratio):
    monkeypatch.setitem(measures, "probe", lambda _: found)
    one = judge(claim, NOTHING)
    assert one.verdict == verdict
    assert one.ratio == (None if ratio is None else pytest.approx(ratio))


GOOD = """
[[claims]]
id = "x"
claim = "x."
claimed = 1
unit = "ratio"
tolerance = 2
measure = "games_per_image"
source = "x"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "games_per_image",
            "no_such",
            "[claims.x] no measure is called 'no_such'; there are alexnet_flops",
        ),
        ("tolerance = 2", "", "[claims.x] tolerance is missing; add it"),
        (
            'unit = "ratio"',
            'unit = "ratio"\nverdict = "holds"',
            "[claims.x] verdict is no key here; there are id, claim",
        ),
        ("claimed = 1", "claimed = ", "not TOML"),
    ],
)
def test_a_bad_claim_gives_one_line(tmp_path, old, new, said):
    path = tmp_path / "claims.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(BadFacts) as caught:
        read_claims(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
