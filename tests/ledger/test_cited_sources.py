"""The sources of facts/sources.toml: where they stand, and no day of one that was not read."""

import pytest
from flopledger.ledger.cited_sources import central_sources


@pytest.mark.parametrize("key", central_sources())
def test_a_day_has_an_address_and_every_address_is_whole(key):
    source = central_sources()[key]
    assert source.cite.strip()
    assert source.url is None or source.url.startswith("https://")
    if source.retrieved is not None:
        assert source.url, key
