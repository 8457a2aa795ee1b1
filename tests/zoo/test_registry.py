"""The register: what is listed without importing torch, and what is refused."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flopledger.zoo import registry
from flopledger.zoo.registry import BrokenModel, UnknownModel, find_model, list_models, register

MODELS = Path(__file__).parent.parent.parent / "models"


@pytest.fixture
def zoo_folder(tmp_path, monkeypatch):
    """An empty folder that stands for the zoo's."""
    monkeypatch.setattr(registry, "_zoo_files", lambda: registry._files_in(registry._ZOO, tmp_path))
    return tmp_path


def test_every_model_of_every_file_is_listed_once():
    names = [listing.name for listing in list_models()]
    assert len(names) == len(set(names))
    for file in MODELS.glob("[!_]*.py"):
        # the functions below a line with @register(
        decorated = re.findall(r"^@register\(.*?^def (\w+)", file.read_text(), re.M | re.S)
        assert decorated, f"{file} registers no model"
        assert {name.replace("_", "-") for name in decorated} <= set(names)


def test_what_is_listed_is_what_is_registered():
    for listing in list_models():
        spec = find_model(listing.name)
        assert (spec.name, spec.description) == (listing.name, listing.description)
        assert (spec.year, spec.paper) == (listing.year, listing.paper)


def test_listing_does_not_import_torch():
    code = "import sys, flopledger; flopledger.list_models(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(UnknownModel, match=r"no model is called 'alexnett'; did you mean alexnet"):
        find_model("alexnett")


def test_a_name_is_registered_once():
    find_model("alexnet")
    with pytest.raises(ValueError, match="'alexnet' is registered twice"):

        @register(inputs=lambda: ())
        def alexnet():
            """Another one."""


def test_a_model_needs_a_docstring():
    def nameless():
        pass

    with pytest.raises(ValueError, match="'nameless' has no docstring"):
        register(inputs=lambda: ())(nameless)


MODEL = '''
@register(inputs=lambda: ())
def my_net():
    """Mine."""
'''


def test_a_file_that_is_no_python_is_named_and_the_rest_still_work(zoo_folder):
    (zoo_folder / "broken.py").write_text("def (")
    (zoo_folder / "mine.py").write_text(MODEL)
    with pytest.warns(UserWarning, match=r"broken.py: not read as a model file"):
        listings = list_models()
    assert [listing.name for listing in listings] == ["my-net"]


def test_a_model_without_a_docstring_is_named_and_the_rest_still_work(zoo_folder):
    (zoo_folder / "bare.py").write_text(MODEL.replace('"""Mine."""', "return 1"))
    (zoo_folder / "mine.py").write_text(MODEL)
    with pytest.warns(UserWarning, match="'my-net' has no docstring"):
        assert len(list_models()) == 1


def test_a_file_that_fails_to_import_does_not_stop_the_others(zoo_folder, monkeypatch):
    monkeypatch.setattr(registry, "_ZOO", "broken_zoo")
    (zoo_folder / "bad.py").write_text("import no_such_module\n" + MODEL)
    assert [listing.name for listing in list_models()] == ["my-net"]
    with pytest.raises(BrokenModel, match=r"models/bad.py cannot be imported: ModuleNotFoundError"):
        find_model("my-net")
    monkeypatch.undo()
    assert find_model("alexnet").name == "alexnet"
