"""claims(): the verdicts as a sequence that speaks."""

import json
import pickle

import pytest
from flopledger import claims
from flopledger.statements.claim import read_claims


@pytest.fixture(scope="module")
def verdicts():
    return claims()


def test_a_verdict_for_each_claim_in_the_files_order(verdicts):
    assert [verdict.claim for verdict in verdicts] == read_claims()
    assert len(verdicts) == len(read_claims())
    assert list(verdicts[1:3]) == list(verdicts)[1:3]
    assert type(verdicts[1:3]) is type(verdicts)
    assert verdicts[0] in verdicts


def test_what_it_shows_and_writes(verdicts, run):
    assert run("claims", "--format", "json") == (0, verdicts.to_json(), [])
    assert [row["id"] for row in json.loads(verdicts.to_json())] == [v.claim.id for v in verdicts]
    assert len(repr(verdicts).splitlines()) == len(verdicts)
    assert verdicts._repr_html_().count("<tr>") == len(verdicts)
    assert pickle.loads(pickle.dumps(verdicts)) == verdicts
