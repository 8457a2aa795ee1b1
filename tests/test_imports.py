"""Who may import whom: an order of packages, followed through every module-level import."""

import ast
from functools import cache
from pathlib import Path

import flopledger
import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "profiler" / "flopledger"

# bottom to top: a package's modules import, when they are imported, only from its own and those
# above it in this list
ORDER = (
    "version",
    "errors",
    "calls",
    "storage",
    "progress",
    "options",
    "profiles",
    "zoo",
    "models",
    "counting.formulas",
    "counting.structure",
    "counting.shapes",
    "counting.doubles",
    "counting.dispatch",
    "counting.trace",
    "counting",
    "traffic",
    "clock",
    "allocation",
    "rooflines",
    "differences",
    "sweeping",
    "decoding",
    "metering",
    "overview",
    "callbacks",
    "ledger",
    "planning",
    "field",
    "play",
    "training",
    "tuning",
    "experiments",
    "statements",
    "reports",
    "cli",
    "__main__",
)
# nothing that these import, or that their imports import, is torch: they answer in half a second
WITHOUT_TORCH = ("storage", "ledger", "statements", "reports")


def _home(module: str) -> str:
    """The package of the order that the module is in: the innermost."""
    return max((p for p in ORDER if f"{module}.".startswith(f"{p}.")), key=len)


@cache
def _modules() -> dict[str, Path]:
    files = [p for p in LIBRARY.rglob("*.py") if p.parent != LIBRARY or p.name != "__init__.py"]
    files += list((LIBRARY / "models").glob("*.py"))  # a link, which rglob does not follow
    names = {".".join(p.relative_to(LIBRARY).with_suffix("").parts): p for p in files}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


@pytest.mark.parametrize("module", _modules())
def test_imports_run_downward(module, reached):
    for name, way in reached(_modules()[module]).items():
        if name.startswith("flopledger."):
            floor = ORDER.index(_home(name.removeprefix("flopledger.")))
            assert floor <= ORDER.index(_home(module)), " imports ".join([module, *way])


def test_neither_counter_imports_the_other(reached):
    for module in _modules():
        for one, other in (("trace", "dispatch"), ("dispatch", "trace")):
            if module.startswith(f"counting.{one}."):
                names = reached(_modules()[module])
                assert not [n for n in names if f".counting.{other}." in n], module


@pytest.mark.parametrize("module", [m for m in _modules() if m.split(".")[0] in WITHOUT_TORCH])
def test_what_answers_without_networks_imports_no_torch(module, reached):
    for name, way in reached(_modules()[module]).items():
        assert name.split(".")[0] != "torch", " imports ".join([module, *way])


@pytest.mark.parametrize("module", ["counting.profiling", "metering.module_meter", "callbacks"])
def test_counting_imports_no_pandas_until_a_table_is_asked_for(module, reached):
    assert "pandas" not in reached(_modules()[module])


def test_a_model_imports_torch_and_the_register_only(imports):
    for file in (ROOT / "models").glob("*.py"):
        ours = {name for name in imports(file) if name.startswith("flopledger")}
        assert ours <= {"flopledger", "flopledger.zoo.registry"}, file


def test_every_package_has_its_line_in_the_order():
    names = {_home(module) for module in _modules()}
    assert names == set(ORDER)
    assert {module.partition(".")[0] for module in _modules()} <= names


def test_subpackages_are_docstrings():
    for name, file in _modules().items():
        if file.name == "__init__.py":
            body = ast.parse(file.read_text()).body
            assert len(body) == 1, name
            assert isinstance(body[0], ast.Expr), name


def test_no_module_bears_a_public_functions_name():
    functions = {name for name in dir(flopledger) if callable(getattr(flopledger, name))}
    for name in _modules():
        home, _, last = name.rpartition(".")
        if home.partition(".")[0] not in ("reports", "cli"):  # where a verb's files bear its name
            assert last not in functions, name
    assert not (LIBRARY / "callbacks").exists()  # kept free
