"""Who may import whom, as shared design has it: read from the imports themselves."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARIES = {"torch", "fvcore", "pandas", "numpy", "typer", "rich", "pydantic", "distributed"}

# module (below profiler) -> the libraries and profiler modules that it may import
MAY: dict[str, set[str]] = {
    "registry": set(),
    "calls": set(),
    "files": set(),
    "layers": {"torch", "calls"},
    "counters": {"torch", "fvcore", "numpy", "calls", "counters"},
    "tables": {"pandas", "calls"},
    "published": {"pandas", "registry", "tables"},
    "inputs": {"torch", "calls"},
    "libraries": {"torch"},
    "differences": {"pydantic"},
    "sources": {"libraries", "registry"},
    "guesses": {"torch"},
    "untouched": {"torch"},
    "passes": {"torch", "calls", "counters", "layers", "untouched"},
    "memory": {"torch", "allocation", "counters"},
    "allocation": {"torch", "counters"},
    "peaks": {"torch"},
    "timing": {"pandas", "peaks"},
    "stopwatch": {
        "torch",
        "calls",
        "counters",
        "layers",
        "passes",
        "peaks",
        "tables",
        "timing",
        "untouched",
    },
    "hardware": set(),
    "readings": {"pandas", "hardware"},
    "loggers": set(),
    "signatures": {"torch", "passes", "untouched"},
    "metering": {"torch", "counters", "hardware", "loggers", "readings", "signatures"},
    "measure": {"torch", "calls", "counters", "passes", "registry", "tables", "untouched"},
    "elo": set(),
    "selfplay": {
        "torch",
        "numpy",
        "checkpoints",
        "elo",
        "journal",
        "metering",
        "quantities",
        "readings",
        "registry",
        "selfplay",
        "training",
    },
    "journal": set(),
    "threads": {"torch"},
    "checkpoints": {"torch", "files", "journal"},
    "digits": {"torch", "checkpoints", "metering", "quantities", "registry", "training"},
    "runfiles": {"files", "quantities", "training"},
    "agreement": {"ledger", "training"},
    "arguments": {"guesses", "inputs", "measure", "registry", "sources"},
    "laws": {"numpy"},
    "sweeping": {
        "torch",
        "distributed",
        "arguments",
        "inputs",
        "journal",
        "libraries",
        "measure",
        "registry",
        "sources",
        "sweeping",
        "tables",
        "threads",
    },
    "quantities": {"numpy"},
    "training": {"pydantic", "quantities"},
    "ledger": {"quantities", "training"},
    "comparison": {"numpy", "ledger", "quantities"},
    "entries": {"quantities", "training"},
    "hours": {"entries", "hardware", "ledger", "quantities", "training"},
    "chains": {"comparison", "ledger"},
    "cache": {
        "pydantic",
        "inputs",
        "files",
        "measure",
        "registry",
        "sources",
        "tables",
        "training",
    },
    "measures": {"entries", "ledger", "tables", "training"},
    "speed_measures": {"elo", "hours", "ledger", "measures"},
    "claims": {"pydantic", "measures", "speed_measures"},
    "accounts": {
        "agreement",
        "cache",
        "comparison",
        "entries",
        "hours",
        "inputs",
        "ledger",
        "measures",
        "registry",
        "sources",
        "tables",
        "training",
    },
    "reports": {
        "agreement",
        "calls",
        "elo",
        "numpy",
        "selfplay",
        "sweeping",
        "laws",
        "pandas",
        "rich",
        "tables",
        "published",
        "registry",
        "training",
        "ledger",
        "quantities",
        "comparison",
        "chains",
        "entries",
        "hours",
        "differences",
        "measures",
        "claims",
        "files",
        "cache",
        "memory",
        "timing",
        "reports",
    },
}


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "profiler":
                names = [f"profiler.{alias.name}" for alias in node.names]
        for name in names:
            top, _, rest = name.partition(".")
            if top == "profiler":
                found.add(rest.split(".")[0])
            elif top in LIBRARIES:
                found.add(top)
    return found


@pytest.mark.parametrize("module", MAY)
def test_a_module_imports_only_what_it_may(module):
    home = ROOT / "profiler" / module
    files = home.rglob("*.py") if home.is_dir() else [home.with_suffix(".py")]
    for file in files:
        if file.exists():
            assert _imports(file) <= MAY[module], file


def test_a_model_imports_torch_and_the_register_only():
    for file in (ROOT / "models").glob("*.py"):
        assert _imports(file) <= {"torch", "registry"}, file


def test_nothing_imports_the_command_line():
    for file in (ROOT / "profiler").rglob("*.py"):
        if file.name not in ("cli.py", "__main__.py"):
            assert "cli" not in _imports(file), file


def test_every_module_has_its_line_in_the_table():
    names = {p.stem if p.is_file() else p.name for p in (ROOT / "profiler").glob("[!_]*")}
    assert names - {"cli", "py", "verbs"} <= MAY.keys()
