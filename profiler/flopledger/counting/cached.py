"""What takes long to make, kept between runs and found again by what it was made from."""

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flopledger.counting.shapes.garbage import uncollected
from flopledger.profiles.saved import BadProfile
from flopledger.profiles.tables import Profile
from flopledger.storage.files import write_whole
from flopledger.storage.nearest_name import did_you_mean
from flopledger.zoo.inputs import WrongInputs, parse_input
from flopledger.zoo.libraries import LIBRARIES
from flopledger.zoo.registry import find_listings
from flopledger.zoo.sizes import USUAL, Sizes

MOST_BYTES = 256 * 2**20  # of all that is kept


class WrongFreezing(WrongInputs):
    """What is to be frozen is no parameter of a network, or all that it has."""


def cached_profile(model: str, sizes: Sizes = USUAL) -> Profile:
    """The profile of a network that somebody named, with its backward pass.

    It is counted once for each state of the file that defines it, of this library, and of the
    versions of torch, fvcore and the network's own library, and kept in $XDG_CACHE_HOME/flopledger
    (or ~/.cache/flopledger).

    Args:
        model: as `flopledger profile` takes it: "alexnet", "file.py:Net", "hf:config.json".
        sizes: if they are not the usual ones.

    Raises:
        UnknownModel, BrokenModel, WrongSource: there is no such network.
        WrongInputs: it does not take that input, or none is known.
        WrongFreezing: it has no such parameters to freeze, or no others.
        ProfilingError: it cannot be counted.
    """

    def count() -> str:
        from flopledger.counting.arguments import arguments_of  # which imports torch
        from flopledger.counting.profiling import counted
        from flopledger.counting.subject import built
        from flopledger.zoo.sources import find, set_apart

        with set_apart(own_thread=True):
            named = find(model, dict(sizes.options))
            module = built(model, named.factory)
            _freeze(model, module, sizes.frozen)
            asked = [parse_input(text) for text in sizes.asked]
            inputs, _ = arguments_of(model, named.spec, module, asked)
            return counted(model, module, inputs, backward=True).to_json()

    words = "".join(c if c.isalnum() else "-" for c in sizes.of(Path(model).name)).strip("-")
    key = f"{words[:100]}-{_fingerprint(model, sizes)}.json"
    with uncollected():  # thousands of rows that stay, written and read
        try:
            return _parsed(remembered(key, count))
        except BadProfile:  # not whole
            (_folder() / key).unlink(missing_ok=True)
            return _parsed(remembered(key, count))


_parsed = lru_cache(maxsize=64)(Profile.from_json)  # a report asks for the same ones again


def _freeze(model: str, module: Any, frozen: tuple[str, ...]) -> None:
    """Take the gradients of the parameters whose names begin so.

    Raises:
        WrongFreezing: no parameter's name does, or all do.
    """
    parameters = dict(module.named_parameters())
    for beginning in frozen:
        held = [parameter for name, parameter in parameters.items() if name.startswith(beginning)]
        if not held:
            hint = did_you_mean(beginning, dict.fromkeys(n.split(".")[0] for n in parameters))
            raise WrongFreezing(f"{model} has no parameter {beginning!r} to freeze; {hint}")
        for parameter in held:
            parameter.requires_grad_(False)
    if frozen and not any(parameter.requires_grad for parameter in parameters.values()):
        raise WrongFreezing(f"{model} has no parameter left to train; freeze fewer of them")


def remembered(key: str, make: Callable[[], str]) -> str:
    """The text kept under that key, made and kept if it is not there.

    A machine without a place to keep it makes it again.
    """
    path = _folder() / key
    try:
        text = path.read_text(encoding="utf-8")
        with suppress(OSError):  # a folder that is only to be read
            os.utime(path)
        return text
    except (OSError, UnicodeDecodeError):  # not there, or not what was written
        text = make()
    keep(key, text)
    return text


def keep(key: str, text: str) -> None:
    """Keep a text under that key, in place of what is there; where there is a place to keep it.

    What was not asked for the longest goes, where all takes more than 256 MiB.
    """
    path = _folder() / key
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
        _drop_oldest(path.parent)


def _drop_oldest(folder: Path) -> None:
    held = [(file, file.stat()) for file in folder.iterdir()]
    room = MOST_BYTES
    for file, about in sorted(held, key=lambda one: one[1].st_mtime, reverse=True):
        room -= about.st_size
        if room < 0:
            file.unlink()


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "flopledger"


def _fingerprint(model: str, sizes: Sizes) -> str:
    digest = hashlib.sha256(f"{_library()} {model} {sizes.model_dump_json()}".encode())
    for file in _files_of(model):
        digest.update(file.read_bytes())
    kind = model.partition(":")[0]
    for library in ("timm", "torchvision", "transformers"):
        if kind == library or (kind, library) == ("hf", "transformers"):
            with suppress(PackageNotFoundError):  # whoever builds the network says so
                digest.update(version(library).encode())
    return digest.hexdigest()[:16]


def _files_of(model: str) -> list[Path]:
    """The files that define a network, as far as they can be told without running them."""
    kind, colon, rest = model.partition(":")
    if not colon:
        specs = [find_spec(listing.module) for listing in find_listings(model)]
        return [Path(spec.origin) for spec in specs if spec and spec.origin]
    name = rest if kind == "hf" else model.rpartition(":")[0]
    paths = [Path(name), Path(name) / "config.json"]
    if kind not in LIBRARIES and not name.endswith(".py"):  # a module, which nobody imports here
        stem = name.replace(".", "/")
        folders = [Path(folder) for folder in ("", *sys.path)]
        paths = [folder / f"{stem}{end}" for folder in folders for end in (".py", "/__init__.py")]
    return [path for path in paths if path.is_file()]


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
