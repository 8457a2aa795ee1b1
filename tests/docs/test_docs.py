"""README and docs: every example runs, every verb and option is documented, output is real."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from profiler import registry

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def blocks(file, language="python"):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / file).read_text(), flags=re.DOTALL)


def test_readmes_table_is_what_the_command_prints():
    # tests/scripts/test_profile.py holds the golden file against the command
    golden = (ROOT / "tests" / "golden" / "profile-alexnet.txt").read_text()
    assert f"```\n$ python scripts/profile.py alexnet\n{golden}```" in README


def test_readmes_python_prints_what_it_says(tmp_path):
    code = blocks("README.md")[0]
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    said = re.findall(r"print\(.*\)  # (\S+)", code)
    printed = ran.stdout.split()
    assert len(said) == len(printed) == 3
    for promised, real in zip(said, printed, strict=True):
        assert real.startswith(promised.removesuffix("..."))
    # by hand: 36 points x 8 filters x 27, and 288 x 10; the first layer wants no input gradient
    convolution, linear = 36 * 8 * 27, 8 * 36 * 10
    assert int(printed[0]) == convolution + linear
    assert float(printed[2]) == pytest.approx((convolution + 2 * linear) / (convolution + linear))


@pytest.mark.parametrize(
    ("file", "index", "name"),
    [("README.md", 1, "tictactoe"), ("docs/adding-a-model.md", 0, "lenet")],
)
def test_an_example_model_is_found_listed_and_counted(file, index, name, tmp_path, monkeypatch):
    from profiler import profile
    from profiler.published import contradictions, held_against

    code = blocks(file)[index]
    assert len([line for line in code.splitlines() if line.strip()]) < 36
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.setattr(registry, "_zoo_files", lambda: sorted(tmp_path.glob("*.py")))
    monkeypatch.setattr(registry, "_ZOO", f"zoo_of_{name}")
    package = type(sys)(f"zoo_of_{name}")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, f"zoo_of_{name}", package)
    monkeypatch.setattr(registry, "_specs", {})
    assert [listing.name for listing in registry.list_models()] == [name]
    one = profile(name)
    assert one.check.agrees
    assert contradictions(held_against(registry.find_model(name), one)) == []
    if name == "tictactoe":
        assert len([line for line in code.splitlines() if line.strip()]) < 20
        assert one.total("macs") == 9 * 32 * 27 + 288 * 9


def test_every_verb_of_the_makefile_is_documented():
    verbs = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    help_text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    for verb in verbs:
        assert re.search(rf"^{verb}\b", help_text, flags=re.MULTILINE)


def test_every_file_that_the_docs_name_exists():
    for file in ("README.md", "CONTRIBUTING.md", "docs/method.md", "docs/conventions.md"):
        for path in re.findall(
            r"(?:profiler|tests|docs|models|scripts)/[\w/.-]+\w", (ROOT / file).read_text()
        ):
            named = path.split("NAME")[0].rstrip("/")
            assert (ROOT / named).exists() or path.startswith("models/tictactoe"), (file, path)
