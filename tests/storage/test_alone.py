"""A file has one writer at a time."""

import os
import subprocess
import sys

import pytest
from flopledger.storage.alone import Busy, alone

HOLD = """
import sys
from pathlib import Path
from flopledger.storage.alone import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_refused_and_the_next_is_not(tmp_path):
    path = tmp_path / "rows.jsonl"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as other:  # fmt: skip
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(Busy, match=r"another run is writing to .*rows\.jsonl; wait"),
            alone(path),
        ):
            pass
        assert path.exists()  # the other one's
        other.stdin.close()
    with alone(path):
        path.write_text("a row\n")
    with alone(path):
        assert path.read_text() == "a row\n"


def test_a_file_that_it_made_for_nothing_is_gone(tmp_path):
    with pytest.raises(KeyError), alone(tmp_path / "rows.jsonl"):
        raise KeyError
    assert os.listdir(tmp_path) == []
    with alone(None):
        pass
