"""What `import flopledger` gives: every verb's function, and what each returns, which speaks."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_overloads

import flopledger
import pytest

CONTRIBUTING = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
TABLE = CONTRIBUTING.partition("## Where a verb lives")[2].partition("\n## ")[0]
FUNCTIONS = [*re.findall(r"^\| [^|]+ \| (\w+) \|", TABLE, re.MULTILINE)[1:], "compare_chain"]
# the verbs of a network: everything else is an option, by name
OF_A_NETWORK = ("profile", "memory", "allocated", "timing", "summary")


def _result(name):
    """The class that the function returns; a meter returns it when it is read."""
    function = getattr(flopledger, name)
    returned = inspect.get_annotations(function, eval_str=True)["return"]
    return flopledger.Reading if returned is flopledger.Meter else returned


def test_the_table_names_them_all():
    assert set(FUNCTIONS) == {
        "profile", "memory", "timing", "meter", "diff", "compare", "compare_chain", "claims",
        "report", "systems", "sweep", "selfplay", "tune", "train", "horizon", "summary",
        "generation",
        "roofline", "plan",
    }  # fmt: skip


@pytest.mark.parametrize("name", [*FUNCTIONS, "allocated"])
def test_a_function_and_its_result_are_public(name):
    result = _result(name)
    assert {name, result.__name__} <= set(dir(flopledger))
    assert getattr(flopledger, result.__name__) is result


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_result_shows_itself_and_is_written_as_json(name):
    result = _result(name)
    for own in ("__repr__", "_repr_html_", "to_json"):
        assert any(own in vars(base) for base in result.__mro__[:-1]), own
    assert inspect.signature(result.to_json).return_annotation is str


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_result_is_immutable_and_built_by_name(name):
    result = _result(name)
    assert is_dataclass(result)
    assert result.__dataclass_params__.frozen
    assert all(field.kw_only for field in fields(result)) or issubclass(result, Sequence)


@pytest.mark.parametrize("name", OF_A_NETWORK)
def test_the_options_of_a_network_cannot_meet_its_forwards_arguments(name):
    parameters = list(inspect.signature(getattr(flopledger, name)).parameters.values())
    assert [p.name for p in parameters[:3]] == ["module", "args", "kwargs"]
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters[3:])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_options_are_given_by_name(name):
    function = getattr(flopledger, name)
    for signature in map(inspect.signature, [function, *get_overloads(function)]):
        by_place = [p for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert len(by_place) <= 3


def test_the_version_and_the_errors_base():
    assert {"__version__", "FlopledgerError", "WrongOption"} <= set(dir(flopledger))
    assert issubclass(flopledger.WrongOption, flopledger.FlopledgerError)
