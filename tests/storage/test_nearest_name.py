"""The hint about a name that is not known."""

import pytest
from flopledger.storage.nearest_name import did_you_mean

MANY = [f"network-{number}" for number in range(100)]


@pytest.mark.parametrize(
    ("word", "known", "complaint"),
    [
        ("vlaue", ["value", "low"], "did you mean value?"),
        ("colour", ["value", "low"], "there are value, low"),
        ("network-1", MANY[10:12], "did you mean network-11 or network-10?"),
        ("zzz", MANY, "of 100 names the nearest are "),
    ],
)
def test_the_nearest_are_named(word, known, complaint):
    assert did_you_mean(word, known).startswith(complaint)


def test_of_many_names_only_a_few_are_listed():
    assert did_you_mean("zzz", MANY).count("network-") == 3
    assert did_you_mean("zzz", MANY, otherwise="see the list") == "see the list"
