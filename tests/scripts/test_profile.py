"""scripts/profile.py as a newcomer runs it: real processes, real files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "scripts" / "profile.py"


def run(*words, cwd=ROOT):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *words], capture_output=True, text=True, cwd=cwd, check=False
    )


def test_stdout_is_json_and_nothing_else(tmp_path):
    # beside a models folder and a profile.py of the user's own
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise RuntimeError('not this one')")
    (tmp_path / "profile.py").write_text("raise RuntimeError('nor this one')")
    ran = run("alexnet", "--format", "json", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    # Krizhevsky et al. 2012, section 3.5, by hand: see tests/models/test_architectures.py
    assert json.loads(ran.stdout)["totals"]["macs"] == 724_406_816


def test_the_standard_librarys_profile_is_not_hidden():
    code = f"import runpy, sys; sys.argv = ['x', '--list']; runpy.run_path({str(SCRIPT)!r})"
    code += "; import cProfile"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPT.parent, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("word", ["--list", "--help"])
def test_what_needs_no_torch_does_not_import_it(word):
    code = f"import sys; sys.argv = ['profile.py', {word!r}]\n"
    code += "from flopledger.cli.main import main\ntry:\n    main(['profile', sys.argv[1]])\n"
    code += "except SystemExit:\n    sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_table_is_the_one_that_readme_shows(request):
    golden = ROOT / "tests" / "golden" / "profile-alexnet.txt"
    ran = run("alexnet")
    if request.config.getoption("--update-golden"):
        golden.write_text(ran.stdout)
    assert ran.stdout == golden.read_text()


def test_flopledger_profile_is_the_same_command():
    ran = subprocess.run(
        [sys.executable, "-m", "flopledger", "profile", "--list"], capture_output=True, text=True
    )
    assert ran.stdout == run("--list").stdout
