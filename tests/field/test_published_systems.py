"""Systems of several domains and of several tables."""

from datetime import date

import pytest
from field_by_hand import system
from flopledger.field.published_systems import OLDER, PRIMARY, newest, of_table, since


@pytest.mark.parametrize(
    ("domain", "domains", "group"),
    [
        ("Vision", ("Vision",), "Vision"),
        ("Vision,Language", ("Vision", "Language"), "Vision"),
        # as Epoch writes one kind of system in three orders
        ("Multimodal,Language,Vision", ("Multimodal", "Language", "Vision"), "Multimodal"),
        ("Language, Vision,Multimodal", ("Language", "Vision", "Multimodal"), "Multimodal"),
        ("", (), "unknown"),
    ],
)
def test_a_systems_domains_and_the_one_that_it_counts_in(domain, domains, group):
    made = system(domain=domain)
    assert (made.domains, made.group) == (domains, group)


def test_where_both_tables_have_a_system_the_newer_row_stands():
    both = [system("a", table=OLDER, params=1), system("b", table=OLDER),
            system("a", table=PRIMARY, params=2)]  # fmt: skip
    assert [(one.name, one.params) for one in newest(both)] == [("a", 2), ("b", 1e6)]
    assert [one.name for one in of_table(both, OLDER)] == ["a", "b"]


def test_systems_without_a_day_are_of_no_time():
    some = [system("a", date(2011, 12, 31)), system("b", date(2012, 1, 1)), system("c", None)]
    assert [one.name for one in since(some, date(2012, 1, 1))] == ["b"]
