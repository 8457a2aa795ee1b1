"""What is installed: the library alone in a wheel; editable, a path that follows the clone."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINKS = ("models", "facts")
# what a clone holds besides what is committed
LEFT_OUT = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "shared", "tests")


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A copy of this tree that a test may change."""
    copy = tmp_path_factory.mktemp("install") / "clone"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=LEFT_OUT)
    return copy


def _build(tree, kind, folder):
    code = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="session")
def python(tree, tmp_path_factory):
    """A Python of its own that has the copy installed editable, beside this one's libraries."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": home}))
    editable = _build(tree, "editable", tmp_path_factory.mktemp("editable"))
    editable.extractall(site)
    # a .pth in that folder, such as this clone's own, is not followed from here
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin" / "python"


def _run(python, *words, folder):
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [python, *words], cwd=folder, env=elsewhere, capture_output=True, text=True, check=False
    )


def test_a_wheel_holds_the_library_whole_and_nothing_beside_it(tree, tmp_path):
    names = set(_build(tree, "wheel", tmp_path).namelist())
    installed = {name for name in names if ".dist-info/" not in name}
    library = tree / "profiler" / "flopledger"
    folders = [library, *(library / name for name in LINKS)]  # rglob does not follow links
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    files = {path for path in files if "__pycache__" not in path.parts}
    assert installed == {path.relative_to(library.parent).as_posix() for path in files}
    assert {name.partition("/")[0] for name in installed} == {"flopledger"}


def test_an_editable_install_is_one_path_that_type_checkers_follow(tree, tmp_path):
    editable = _build(tree, "editable", tmp_path)
    (path,) = [name for name in editable.namelist() if ".dist-info/" not in name]
    assert path.endswith(".pth")
    assert editable.read(path).decode().strip() == str(tree / "profiler")


MODEL = '''
from torch import nn
from flopledger import register

@register(inputs=lambda: ())
def newly_made() -> nn.Module:
    """New."""
    return nn.ReLU()
'''


def test_an_edited_file_and_a_new_model_are_there_at_once(python, tree, tmp_path):
    with (tree / "profiler" / "flopledger" / "version.py").open("a") as file:
        file.write("edited = True\n")
    (tree / "models" / "new.py").write_text(MODEL)
    code = (
        "import flopledger, flopledger.version\nprint(flopledger.version.edited, "
        "any(one.name == 'newly-made' for one in flopledger.list_models()))"
    )
    ran = _run(python, "-c", code, folder=tmp_path)
    assert (ran.stdout, ran.stderr) == ("True True\n", "")


def test_mypy_resolves_the_library_and_its_models_from_elsewhere(python, tree, tmp_path):
    (tree / "models" / "new.py").write_text(MODEL)
    (tmp_path / "script.py").write_text(
        "import flopledger\nfrom flopledger.models.new import newly_made\n"
        "reveal_type(flopledger.find_model)\nreveal_type(newly_made)\n"
    )
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nfollow_imports = skip\n"  # other libraries, for speed
        "[mypy-flopledger.*]\nfollow_imports = silent\n"
    )
    options = ("--no-error-summary", "--cache-dir", os.devnull)  # nobody asks it again
    words = ("--python-executable", str(python), *options, "script.py")
    ran = _run(sys.executable, "-m", "mypy", *words, folder=tmp_path)
    assert ran.returncode == 0, ran.stdout
    finder, model = ran.stdout.splitlines()
    assert "-> flopledger.zoo.registry.ModelSpec" in finder
    assert "def ()" in model


@pytest.fixture
def users_folder(tmp_path):
    """A folder with modules of the user's own under our folders' names."""
    for name in ("profiler", "model", "models", "facts"):
        (tmp_path / f"{name}.py").write_text(f"MINE = {name!r}\n")
    return tmp_path


SCRIPT = """
import facts, model, models, profiler
assert [facts.MINE, model.MINE, models.MINE, profiler.MINE]
import flopledger
from flopledger.models import alexnet
from flopledger.ledger.run_file import list_runs
assert "alexnet" in list_runs()
print(flopledger.profile("alexnet").total("macs"))
assert profiler is __import__("profiler") and models is __import__("models")
"""
# Krizhevsky et al. 2012, by hand: see tests/models/test_architectures.py
MACS = "724406816"


def test_a_users_own_modules_and_ours_leave_each_other_alone(python, users_folder):
    (users_folder / "script.py").write_text(SCRIPT)
    ran = _run(python, "script.py", folder=users_folder)
    assert (ran.stdout.strip(), ran.stderr) == (MACS, "")


def test_the_command_works_in_a_folder_with_such_folders(python, tmp_path):
    for name in ("profiler", "models", "facts", "flopledger_facts"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not this one')\n")
    ran = _run(python, "-m", "flopledger", "profile", "alexnet", "--format", "csv", folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    header, *rows = (line.split(",") for line in ran.stdout.splitlines())
    assert sum(int(row[header.index("macs")]) for row in rows) == int(MACS)


@pytest.fixture(scope="session")
def repository(tree):
    """The copy, committed."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "all")):
        subprocess.run(["git", *words], cwd=tree, check=True)
    return tree


@pytest.mark.parametrize("links", ["true", "false"])
def test_a_clone_has_the_links_or_says_in_a_line_that_it_has_not(repository, tmp_path, links):
    words = ("clone", "-q", "-c", f"core.symlinks={links}", str(repository), "clone")
    subprocess.run(["git", *words], cwd=tmp_path, check=True)
    library = tmp_path / "clone" / "profiler" / "flopledger"
    assert [(library / name).is_symlink() for name in LINKS] == [links == "true"] * 2
    ran = _run(sys.executable, "-m", "flopledger", "compare", "--help", folder=library.parent)
    if links == "true":
        assert (ran.returncode, ran.stderr) == (0, "")
    else:
        assert ran.returncode == 2
        (line,) = ran.stderr.splitlines()
        assert "git clone -c core.symlinks=true" in line
