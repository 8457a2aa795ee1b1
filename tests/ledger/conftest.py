"""What tests of run files share."""

import pytest
from flopledger.ledger.run_file import read_run


@pytest.fixture
def run_of(tmp_path):
    """Read a run from that text."""

    def read(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return read_run(path)

    return read
