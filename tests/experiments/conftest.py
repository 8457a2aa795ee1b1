"""A task that takes no time."""

import pytest
from flopledger.experiments.run_horizon import TASKS


@pytest.fixture(autouse=True)
def coin(monkeypatch):
    """The task "coin" of tests/given/coin_task.py."""
    monkeypatch.setitem(TASKS, "coin", "coin_task")
