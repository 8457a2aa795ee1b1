"""What becomes of the trend with other systems and terms."""

from datetime import date

import pytest
from field_by_hand import system
from flopledger.field.published_systems import PRIMARY, of_table, read_published, since
from flopledger.field.sensitivity import variants
from flopledger.field.trend import fit

BEGIN = date(2012, 1, 1)


@pytest.fixture(scope="module")
def found():
    """Every variant of the real trend, by its name."""
    published = read_published()
    primary = fit(PRIMARY, since(of_table(published, PRIMARY), BEGIN))
    return {one.name: one for one in variants(primary, published, BEGIN)}


def test_systems_are_left_out_as_the_name_says(found):
    own = since(of_table(read_published(), PRIMARY), BEGIN)
    assert next(iter(found)) == PRIMARY
    # counted from the rows
    assert found["without games"].systems == sum("Games" not in one.domain for one in own)
    sure = sum(one.confidence == "Confident" for one in own)
    assert found["Confident alone"].systems == sure
    assert found["not Confident"].systems == len(own) - sure
    early = sum(one.published_on.year < 2020 for one in own)
    assert found["published 2012 to 2019"].systems == early
    assert found["published from 2020"].systems == len(own) - early
    assert found["published from 2020"].alexnet is None
    assert found["without those 3 sd off"].systems < len(own)
    assert found["a level for each domain"].systems == len(own)


def test_a_variant_says_the_accounting_of_its_figures(found):
    assert found["both tables together"].accounting is None
    assert found["epoch-2025 alone"].accounting == "all"
    others = {one.accounting for name, one in found.items() if name != "both tables together"}
    assert others - {"all"} == {"training"}


def test_no_choice_of_systems_makes_two_of_them_agree_within_an_order(found):
    # what D1.10 rests on
    assert min(one.pair_sd for one in found.values()) > 1


def test_variants_of_too_few_are_left_out():
    few = [system(str(n), date(2012 + n, 1, 1), 10.0 ** (n % 3 + 5), n % 5) for n in range(7)]
    names = [one.name for one in variants(fit("few", few), few, BEGIN)]
    # all of Vision, none Confident, none of another table
    assert names == ["few", "a level for each domain", "without those 3 sd off", "without games",
                     "published 2012 to 2019", "not Confident"]  # fmt: skip
