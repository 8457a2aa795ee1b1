"""A task that takes no time."""

import coin_task
import pytest


@pytest.fixture(autouse=True)
def coin(monkeypatch):
    """The task "coin"."""
    coin_task.offer(monkeypatch)
