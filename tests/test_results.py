"""What the library returns does not change, and its fields go by their names."""

import dataclasses
import importlib
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "profiler" / "flopledger"
MODULES = sorted(
    f"flopledger.{'.'.join(file.relative_to(LIBRARY).with_suffix('').parts)}"
    for package in ("counting", "ledger", "metering", "play")
    for file in (LIBRARY / package).rglob("*.py")
    if file.name != "__init__.py"
)
COUNTED_UP = {
    "Tally",
    "Findings",
    "Reached",
    "Accesses",
}  # while a search, a pass or a walk over code goes on
BY_PLACE = {"FactKey"}  # a key of a mapping


@pytest.mark.parametrize("module", MODULES)
def test_results_are_frozen_and_by_name(module):
    for name, value in vars(importlib.import_module(module)).items():
        if dataclasses.is_dataclass(value) and value.__module__ == module:
            assert value.__dataclass_params__.frozen or name in COUNTED_UP, name
            by_name = all(field.kw_only for field in dataclasses.fields(value))
            assert by_name or name in BY_PLACE, name
