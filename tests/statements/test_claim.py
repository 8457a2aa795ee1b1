"""Claims: every statement of both discussions has a verdict, by one rule, and how it was found."""

import json
import pickle
import re

import pytest
from flopledger import claims
from flopledger.counting.cached import cached_profile
from flopledger.statements.claim import Claim, judge, read_claims
from flopledger.statements.figures import Figures
from hypothesis import given
from hypothesis import strategies as st

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")

# the statements of the two discussions, as they were numbered when both were read sentence by
# sentence: a comment on "Parameter counts in Machine Learning" (LessWrong, June 2021), comment id
# yTGtAT8QLNHAkrd32, has 17; Kythe's on "Reasons compute may not drive AI capabilities growth"
# (LessWrong, December 2018) have 14
STATEMENTS = {*(f"D1.{n}" for n in range(1, 18)), *(f"D2.{n}" for n in range(1, 15))}
# those of them that say what somebody thinks, of which nothing could be found
OPINIONS = {"D2.5", "D2.6", "D2.9", "D2.11"}
KEYS = [
    "id", "statement", "sense", "claimed", "unit", "found", "kind", "range", "versions",
    "tolerance", "verdict", "reason", "source", "url", "retrieved",
]  # fmt: skip


@pytest.fixture(scope="module")
def verdicts():
    return claims()


@pytest.fixture(scope="module")
def by_id(verdicts):
    return {verdict.claim.id: verdict for verdict in verdicts}


def test_every_statement_has_a_verdict_an_opinion_or_is_not_decided_here(verdicts):
    # a statement of two parts has two claims, D1.2a and D1.2b
    assert {verdict.claim.id.rstrip("ab") for verdict in verdicts} == STATEMENTS
    assert {v.claim.id for v in verdicts if v.word == "opinion"} == OPINIONS
    for verdict in verdicts:
        assert verdict.word, verdict.claim.id
        assert "\n" not in verdict.reason
        assert verdict.reason or verdict.word in ("opinion", "as cited", "holds")
        if verdict.word == "not decided here":
            assert verdict.claim.decides in verdict.reason
        if verdict.word in ("holds", "holds in part", "does not hold"):
            assert verdict.found is not None
            assert verdict.tolerance
            assert verdict.kind


def test_every_claim_says_who_where_and_when_it_was_read(verdicts):
    for verdict in verdicts:
        claim = verdict.claim
        assert claim.source
        assert (claim.url and claim.retrieved) or "from memory" in claim.source, claim.id


# expected figures: the runs' facts and the networks' layers, by hand
@pytest.mark.parametrize(
    ("name", "figure", "within", "word"),
    [
        # (2 x 724,406,816) / 60,965,224, the counts of AlexNet's paper and layers
        ("D1.5", 2 * 724_406_816 / 60_965_224, 1e-9, "does not hold"),
        ("D1.7", 710.18, 1e-4, "holds in part"),  # 295 with a head of 256 filters
        ("D1.9", 1.4754 + 2.1644, 1e-3, "holds"),
        # of the check that was made before the regression was written: 1.197 x sqrt(2)
        ("D1.10b", 1.692, 1e-3, "holds"),
        ("D1.12", 800 * 0.995 + 1, 1e-9, "holds"),
        ("D1.14", 1.2e6 * 90, 1e-9, "as cited"),
        ("D1.15", 44e6, 1e-9, "as cited"),
        # games per parameter over images seen per parameter
        ("D1.16", (44e6 / 23_333_708) / (1.2e6 * 90 / 60_965_224), 1e-6, "holds"),
        # 800 simulations x 0.992 and the root, 92 plies: a lower bound of 200 is true
        ("D1.17a", (800 * 0.992 + 1) * 92, 1e-9, "holds"),
        ("D1.17b", 2.455, 3e-3, "holds"),
        ("D2.1", 1024, 1e-9, "holds"),
        # epochs 66 to 41, and an epoch's FLOPs 41 to 28.878 in epochs at 224 px
        ("D2.3", 66 / 28.878, 1e-3, "holds"),
        ("D2.5", 2.957533 / 0.36043, 1e-3, "opinion"),
        ("D2.7", 119.1, 1e-3, "as cited"),  # 400 log10(0.665 / 0.335)
        ("D2.8", 1740 / 79, 1e-2, "holds in part"),
        ("D2.12", 12.444167 / 2.741805, 1e-6, "holds"),
        ("D2.13", 1, 1e-9, "holds"),
        ("D2.14", 5.875097 / 2.741805, 1e-6, "holds"),  # from 6 hours on
    ],
)
def test_what_is_found_is_what_the_facts_come_to(by_id, name, figure, within, word):
    assert by_id[name].found == pytest.approx(figure, rel=within)
    assert by_id[name].word == word


def test_each_version_stands_by_itself(by_id):
    # 2.175 + 2.576, 2.273 + 2.404, 2.921 + 2.455 and 2.921 + 3.417: learning and generating
    by_hand = {"chess": 4.751, "shogi": 4.677, "Go, preprint": 5.376, "Go, Science": 6.338}
    first = by_id["D1.1"]
    assert first.versions == pytest.approx(by_hand, abs=0.005)
    assert first.range == (min(first.versions.values()), max(first.versions.values()))
    assert first.word == "holds in part"  # Science is more than half an order beyond five
    assert first.reason.count("(does not fit)") == 1
    assert "Go, Science 6.337 (does not fit)" in first.reason
    assert "Go has 2.92 orders and chess 2.17" in first.reason


def test_the_order_of_systems_reverses_where_only_gradient_steps_count(by_id):
    versions = by_id["D2.8"].versions
    assert versions["Epoch AI, 2026"] == pytest.approx(6.494e20 / 6.62e21, rel=1e-3)
    assert min(versions["AI and Compute"], versions["Epoch AI, 2025"]) > 20


def test_a_number_that_rests_on_its_own_citation_is_no_check(by_id):
    for verdict in by_id.values():
        if verdict.word == "as cited":
            assert verdict.kind == "as cited", verdict.claim.id
    assert by_id["D1.5"].kind == "measured"
    assert by_id["D1.16"].kind == "derived"  # from cited games and counted parameters
    assert by_id["D1.1"].kind == "assumed"  # which policy head Go's network had


def claim_of(sense="about", claimed=10.0, unit="times", found="1"):
    return Claim(id="x", statement="x.", sense=sense, claimed=claimed, unit=unit, found=found,
                 source="me")  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "word", "tolerance"),
    [
        (claim_of(found="14.9"), "holds", "within 1.5 x"),
        (claim_of(found="15.1"), "does not hold", "within 1.5 x"),
        (claim_of(found="6.7"), "holds", "within 1.5 x"),
        (claim_of(found="6.6"), "does not hold", "within 1.5 x"),
        (claim_of(claimed=(10, 15), found="22"), "holds", "within 1.5 x"),
        (claim_of(claimed=(10, 15), found="23"), "does not hold", "within 1.5 x"),
        (claim_of(unit="orders", claimed=4, found="4.5"), "holds", "within 0.5 orders"),
        (claim_of(unit="orders", claimed=4, found="4.51"), "does not hold", "within 0.5 orders"),
        (claim_of(unit="orders", claimed=4, found="3.49"), "does not hold", "within 0.5 orders"),
        (claim_of("at least", found="1e9"), "holds", "that or more"),
        (claim_of("at least", found="10"), "holds", "that or more"),
        (claim_of("at least", found="9.99"), "does not hold", "that or more"),
        (claim_of("part", None, "orders", "0.01"), "holds", "any part"),
        (claim_of("part", None, "orders", "0"), "does not hold", "any part"),
        (claim_of("part", None, "times", "1.01"), "holds", "any part"),
        (claim_of("part", None, "times", "1"), "does not hold", "any part"),
        (claim_of("as cited", found="99"), "as cited", ""),
        (claim_of("question", None, found="3"), "answered", ""),
        (claim_of("opinion", None, found="3"), "opinion", ""),
        (claim_of(found={"a": "10", "b": "99"}), "holds in part", "within 1.5 x"),
        (claim_of(found={"a": "1", "b": "99"}), "does not hold", "within 1.5 x"),
    ],
)
def test_a_verdict_follows_from_the_sense_and_one_rule(claim, word, tolerance):
    verdict = judge(claim, Figures(cached_profile))
    assert (verdict.word, verdict.tolerance) == (word, tolerance)


@given(st.floats(0.01, 1e6), st.floats(-3, 3))
def test_about_is_one_factor_in_both_directions(claimed, away):
    """Found is `away` orders from what was claimed: 1.5 x are log10(1.5) orders."""
    from math import log10

    verdict = judge(claim_of(claimed=claimed, found=repr(claimed * 10**away)), Figures(None))
    if abs(abs(away) - log10(1.5)) > 1e-6:
        assert verdict.word == ("holds" if abs(away) < log10(1.5) else "does not hold")


@given(st.floats(-20, 20), st.floats(-2, 2))
def test_about_orders_is_half_an_order_whichever_order(claimed, away):
    claim = claim_of(unit="orders", claimed=claimed, found=repr(claimed + away))
    if abs(abs(away) - 0.5) > 1e-6:
        word = "holds" if abs(away) < 0.5 else "does not hold"
        assert judge(claim, Figures(None)).word == word


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("1", None),  # a number of the file's own rests on nothing
        ("fact('alexnet', 'images')", "as cited"),
        ("profile('alexnet', 'params')", "measured"),
        ("fact('alexnet', 'images') / profile('alexnet', 'params')", "derived"),
        ("fact('alphazero-chess', 'plies_per_game')", "derived"),
        ("fact('alphazero-chess', 'evaluations_per_simulation')", "measured"),
        ("hours('fastai_pytorch')", "as cited"),
    ],
)
def test_a_number_is_as_sure_as_what_it_rests_on(expression, kind):
    assert judge(claim_of(found=expression), Figures(cached_profile)).kind == kind


def test_what_a_reason_quotes_does_not_make_the_number_surer():
    claim = claim_of(found="profile('alexnet', 'params')").model_copy(
        update={"figures": {"cited": "fact('alexnet', 'images')"}, "reason": "{cited:.0f} images"}
    )
    verdict = judge(claim, Figures(cached_profile))
    assert (verdict.kind, verdict.reason) == ("measured", "1200000 images")


def test_the_verdicts_are_a_sequence_that_speaks(verdicts):
    assert [verdict.claim for verdict in verdicts] == read_claims()
    assert list(verdicts[1:3]) == list(verdicts)[1:3]
    assert type(verdicts[1:3]) is type(verdicts)
    assert len(repr(verdicts).splitlines()) == len(verdicts)
    assert verdicts._repr_html_().count("<tr>") == len(verdicts)
    assert pickle.loads(pickle.dumps(verdicts)) == verdicts


def test_the_json_has_exactly_the_documented_keys(verdicts):
    rows = json.loads(verdicts.to_json())
    assert [row["id"] for row in rows] == [verdict.claim.id for verdict in verdicts]
    assert all(list(row) == KEYS for row in rows)
    first = rows[0]
    assert (first["claimed"], first["sense"], first["kind"]) == (5, "about", "assumed")
    assert first["range"][0] < first["found"] < first["range"][1]
    assert first["url"].startswith("https://www.lesswrong.com/")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", first["retrieved"])
    assert next(row for row in rows if row["id"] == "D1.5")["claimed"] == [10, 15]


def test_normal_variation_has_a_verdict_for_each_accounting_and_says_how_far_alphazero_lies(by_id):
    everything, steps = by_id["D1.10a"], by_id["D1.10b"]
    assert (everything.word, steps.word) == ("holds", "holds")
    # one order is, the whole gap of all compute is not
    assert "3.4 standard deviations" in everything.reason
    assert "the whole gap is not" in everything.reason
    assert "1.4 standard deviations" in steps.reason
    # both tables' spreads, not one for the other
    assert everything.found != pytest.approx(steps.found, abs=0.1)


def test_what_few_systems_say_of_the_horizon_is_no_clear_yes(by_id):
    # six long systems: the slope among games alone is not above nothing by either accounting
    assert by_id["D1.2a"].word == by_id["D1.2b"].word == "holds in part"
    assert by_id["D1.2b"].kind == "assumed"
    assert by_id["D1.11"].word == "does not hold"
