"""What the tests of the command line share."""

import pytest

from profiler.cli import main


@pytest.fixture
def run(capsys):
    """Run a command line; its exit code, what it wrote to stdout, and its lines on stderr."""

    def call(*words):
        with pytest.raises(SystemExit) as stop:
            main(words)
        said = capsys.readouterr()
        return stop.value.code, said.out, said.err.splitlines()

    return call
