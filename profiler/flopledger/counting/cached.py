"""What takes long to make, kept between runs and found again by what it was made from."""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from flopledger.profiles.saved import BadProfile
from flopledger.profiles.tables import Profile
from flopledger.storage.files import write_whole
from flopledger.zoo.registry import find_model, list_models
from flopledger.zoo.sizes import USUAL, Sizes


def cached_profile(name: str, sizes: Sizes = USUAL) -> Profile:
    """The profile of a model of the zoo, with its backward pass.

    It is counted once for each state of the model's file, of the profiler and of the versions of
    torch and fvcore, and kept in $XDG_CACHE_HOME/flopledger (or ~/.cache/flopledger).

    Args:
        name: the model's.
        sizes: if they are not the usual ones.

    Raises:
        UnknownModel, BrokenModel, ProfilingError: as `profile`.
        WrongInputs: the model takes more than one input.
        WrongSource: its factory does not take those options.
    """

    def count() -> str:
        from flopledger.counting.arguments import examples  # which imports torch
        from flopledger.counting.profiling import counted
        from flopledger.counting.subject import built
        from flopledger.zoo.inputs import AskedInput, fit_inputs
        from flopledger.zoo.sources import find

        asked = [AskedInput(sizes.input)] if sizes.input else []
        inputs = fit_inputs(name, (examples(find_model(name)), {}), asked, batch=None)
        module = built(name, find(name, dict(sizes.options)).factory)
        return counted(name, module, inputs, backward=True).to_json()

    words = "".join(c if c.isalnum() else "-" for c in sizes.of("")).strip("-")
    key = f"{name}{'-' * bool(words)}{words}-{_fingerprint(name)}.json"
    try:
        return Profile.from_json(remembered(key, count))
    except BadProfile:  # not whole
        (_folder() / key).unlink(missing_ok=True)
        return Profile.from_json(remembered(key, count))


def remembered(key: str, make: Callable[[], str]) -> str:
    """The text kept under that key, made and kept if it is not there.

    A machine without a place to keep it makes it again.
    """
    path = _folder() / key
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        text = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError:
        pass
    return text


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "flopledger"


def _fingerprint(name: str) -> str:
    modules = [listing.module for listing in list_models() if listing.name == name]
    digest = hashlib.sha256(_library().encode())
    for module in modules:
        spec = find_spec(module)
        if spec and spec.origin:
            digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()[:16]


@cache
def _library() -> str:
    digest = hashlib.sha256(f"{version('torch')} {version('fvcore')}".encode())
    for file in counting_files():
        digest.update(file.read_bytes())
    return digest.hexdigest()


def counting_files() -> list[Path]:
    """The library's own files on which a count depends: a change of one makes it anew."""
    home = Path(__file__).parents[1]
    folders = (home / "profiles", home / "zoo", home / "counting", home / "storage")
    return sorted([*home.glob("*.py"), *(file for f in folders for file in f.rglob("*.py"))])
