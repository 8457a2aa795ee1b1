"""Profiles of the zoo, kept between runs and found again by what they were made from."""

import hashlib
import os
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from profiler.files import write_whole
from profiler.registry import list_models
from profiler.tables import Profile

_ADAPTER = TypeAdapter(Profile)


def cached_profile(name: str) -> Profile:
    """The profile of a model of the zoo on its example inputs, with its backward pass.

    It is counted once for each state of the model's file, of the profiler and of the versions of
    torch and fvcore, and kept in $XDG_CACHE_HOME/flopledger (or ~/.cache/flopledger).

    Raises:
        UnknownModel, ProfilingError: as `profile`.
    """
    path = _folder() / f"{name}-{_fingerprint(name)}.json"
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError):  # not there, or not whole
        pass
    from profiler.measure import profile

    counted = profile(name, backward=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _ADAPTER.dump_json(counted).decode())
    except OSError:  # a machine without a home for caches counts again
        pass
    return counted


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "flopledger"


def _fingerprint(name: str) -> str:
    modules = [listing.module for listing in list_models() if listing.name == name]
    digest = hashlib.sha256(_profiler().encode())
    for module in modules:
        spec = find_spec(module)
        if spec and spec.origin:
            digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()[:16]


@cache
def _profiler() -> str:
    digest = hashlib.sha256(f"{version('torch')} {version('fvcore')}".encode())
    home = Path(__file__).parent
    counting = [home / f"{n}.py" for n in ("calls", "layers", "measure", "registry", "tables")]
    for file in (*counting, *sorted((home / "counters").glob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()
