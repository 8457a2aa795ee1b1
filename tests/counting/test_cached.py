"""What is kept is what would be made again, and nothing is believed that is broken."""

from pathlib import Path
from types import SimpleNamespace

import flopledger
import pytest
from flopledger import profile
from flopledger.counting import cached, profiling
from flopledger.counting.cached import cached_profile, remembered


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "flopledger"


@pytest.fixture
def counts(monkeypatch):
    """The names that were counted, in order."""
    made, real = [], profiling.counted

    def count(name, *inputs, **kwargs):
        made.append(name)
        return real(name, *inputs, **kwargs)

    monkeypatch.setattr(profiling, "counted", count)
    return made


def test_a_model_is_counted_once_and_comes_back_the_same(folder, counts):
    first, again = cached_profile("lstm"), cached_profile("lstm")
    assert counts == ["lstm"]
    assert first == again == profile("lstm", backward=True)
    assert again.layers.equals(first.layers)


def test_a_changed_file_is_counted_again(folder, counts, monkeypatch):
    cached_profile("lstm")
    monkeypatch.setattr(cached, "_library", lambda: "another state of the library")
    cached_profile("lstm")
    assert counts == ["lstm", "lstm"]


def test_every_file_that_a_count_goes_through_is_in_the_fingerprint(reached):
    home = Path(flopledger.__file__).parent
    files = {str(file.relative_to(home)) for file in cached.counting_files()}
    for entry in ("counting/profiling.py", "counting/subject.py", "counting/arguments.py"):
        assert entry in files
        for name in reached(home / entry):
            if name.startswith("flopledger."):
                path = name.removeprefix("flopledger.").replace(".", "/")
                assert {f"{path}.py", f"{path}/__init__.py"} & files, name
    assert "counting/formulas/products.py" in files


@pytest.mark.parametrize("changed", ["of the library", "of the model"])
def test_an_edited_file_is_counted_again(folder, counts, monkeypatch, tmp_path, changed):
    library, model = tmp_path / "counter.py", tmp_path / "model.py"
    for file in (library, model):
        file.write_text("first")
    monkeypatch.setattr(cached, "counting_files", lambda: [library])
    monkeypatch.setattr(cached, "find_spec", lambda name: SimpleNamespace(origin=str(model)))
    monkeypatch.setattr(cached, "_library", cached._library.__wrapped__)  # as a new process would
    cached_profile("lstm")
    cached_profile("lstm")
    assert counts == ["lstm"]
    {"of the library": library, "of the model": model}[changed].write_text("second")
    cached_profile("lstm")
    assert counts == ["lstm"] * 2


def test_a_broken_file_is_not_believed(folder, counts):
    whole = cached_profile("lstm")
    (kept,) = folder.iterdir()
    kept.write_text(kept.read_text()[:100])
    assert cached_profile("lstm") == whole
    assert counts == ["lstm", "lstm"]


def test_a_machine_without_a_home_for_caches_counts_again(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [remembered("key", lambda: "made") for _ in range(2)] == ["made", "made"]
