"""compare() and compare_chain(): names, files and ledgers alike; results that speak, and pickle."""

import copy
import json
import pickle
import shutil

import flopledger
import pytest
from flopledger import Ledger, compare, compare_chain, ledger_of
from flopledger.errors import WrongOption
from flopledger.ledger.build import hours_of
from flopledger.storage.facts import BadFacts, facts_folder

DIUX, FASTAI = "diux_resnet50_p3-tensorpack", "fastai_pytorch"


@pytest.fixture(scope="module")
def alexnet():
    return ledger_of("alexnet")


@pytest.fixture(scope="module")
def resnet():
    return ledger_of("resnet50")


def test_a_name_a_file_and_a_ledger_are_one_run(alexnet, resnet, tmp_path):
    file = tmp_path / "alexnet.toml"
    shutil.copy(facts_folder("runs", "alexnet.toml"), file)
    expected = compare(alexnet, resnet, samples=100)
    assert expected.orders == pytest.approx(sum(share.orders for share in expected.factors))
    for run in ("alexnet", file, str(file)):
        assert compare(run, "resnet50", samples=100).to_json() == expected.to_json()


def test_a_chain_of_both_kinds(alexnet, resnet):
    chain = compare_chain([alexnet, "resnet50", alexnet], samples=10)
    assert chain.runs == ("alexnet", "resnet50", "alexnet")
    assert chain.total_orders == pytest.approx(0, abs=1e-12)  # there and back
    assert chain.by_factor()["all"].abs().max() == pytest.approx(0, abs=1e-12)


def test_ten_thousand_draws_are_usual(alexnet):
    alphago = ledger_of("alphago-fan")
    usual = compare(alexnet, alphago)
    assert usual == compare(alexnet, alphago, samples=10_000)
    assert usual.interval != compare(alexnet, alphago, samples=10_001).interval
    chain = compare_chain([alexnet, alphago])
    assert chain == compare_chain([alexnet, alphago], samples=10_000)
    assert chain != compare_chain([alexnet, alphago], samples=10_001)


def test_hours_of_names_and_of_ledgers():
    by_name = compare(DIUX, FASTAI, quantity="hours", samples=1)
    assert by_name.quantity == "hours"
    assert by_name == compare(*hours_of([DIUX, FASTAI]), samples=1)


@pytest.mark.parametrize(
    ("call", "error", "complaint"),
    [
        (lambda: compare("alexnet", "resnet50", quantity="watts"), WrongOption, "'watts'"),
        (lambda: compare("alexnet", "resnet50", samples=0), WrongOption, "--samples 0 is too"),
        (lambda: compare("alexnet", "alexnett"), BadFacts, "did you mean alexnet"),
        (lambda: compare("alexnet", FASTAI, quantity="hours"), BadFacts, "no time to 93%"),
        (lambda: compare_chain(["alexnet"]), WrongOption, "1 runs are no chain"),
        (lambda: compare_chain("alexnet"), WrongOption, "'alexnet' is no list of runs"),
        (lambda: compare_chain(5), WrongOption, "5 is no list of runs"),
        (lambda: compare_chain(["alexnet"] * 2, seed=-1), WrongOption, "--seed -1 is too small"),
        (lambda: compare("alexnet", "x" * 300), BadFacts, "no run is called"),
        (
            lambda: compare(ledger_of("alexnet"), ledger_of("alexnet", "training")),
            WrongOption,
            "alexnet counts all compute, alexnet training; give both one accounting",
        ),
        (lambda: ledger_of("alexnet", "some"), WrongOption, "no accounting is called 'some'"),
    ],
)
def test_a_wrong_call_says_so_in_a_line(call, error, complaint):
    with pytest.raises(error) as caught:
        call()
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "again", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy, copy.copy]
)
def test_ledgers_and_what_is_made_of_them_pickle(alexnet, resnet, again):
    (hours,) = hours_of([FASTAI])
    for ledger in (alexnet, resnet, hours):
        other = again(ledger)
        assert isinstance(other, Ledger)
        assert other == ledger
        assert other.balance({}) == ledger.balance({})
    split, chain = (
        compare(alexnet, resnet, samples=10),
        compare_chain([alexnet, resnet], samples=10),
    )
    assert (again(split), again(chain)) == (split, chain)
    # the draws of a copy's facts are those of the original's
    assert compare(again(alexnet), again(resnet), samples=10) == split


def test_what_a_notebook_shows(alexnet, resnet):
    split, chain = (
        compare(alexnet, resnet, samples=10),
        compare_chain([alexnet, resnet], samples=10),
    )
    for result in (split, chain):
        assert "alexnet" in repr(result).splitlines()[0]
        assert "outcomes" in repr(result)
        assert result._repr_html_().count("<table") == 1
        assert "<script" not in result._repr_html_()
    assert repr(alexnet).startswith("alexnet: ")
    assert len(repr(alexnet).splitlines()) == 1 + len(alexnet.factors)


def test_json_is_what_the_command_line_writes(run, alexnet):
    code, out, _ = run("compare", "alexnet", "resnet50", "--samples", "10", "--format", "json")
    assert (code, out) == (0, compare(alexnet, "resnet50", samples=10).to_json())
    words = ("compare", "alexnet", "resnet50", "vgg16", "--samples", "10", "--format", "json")
    chain = compare_chain(["alexnet", "resnet50", "vgg16"], samples=10)
    assert run(*words)[1] == chain.to_json()
    assert json.loads(chain.to_json())["orders"] == pytest.approx(chain.total_orders)


def test_a_ledger_of_hours_has_no_flop(alexnet):
    (hours,) = hours_of([FASTAI])
    with pytest.raises(WrongOption, match="no FLOP in a ledger of hours"):
        _ = hours.total_flops
    assert alexnet.total_flops == alexnet.total * alexnet.params


def test_they_are_public():
    names = {"compare", "compare_chain", "claims", "report", "Chain", "Verdicts", "Report"}
    assert names <= set(dir(flopledger))
