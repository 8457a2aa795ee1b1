"""Networks of timm, torchvision and transformers, by name, with weights that nobody fetches."""

import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from flopledger.errors import FlopledgerError


class WrongSource(FlopledgerError, ValueError):
    """What was asked for is no network; the message says what to change."""


class UnfitOptions(WrongSource):
    """A network's factory takes other options than those that were given."""


def in_one_line(error: BaseException) -> str:
    """The error's class and what it says, a message of several lines in one."""
    words = str(error).split()
    return f"{type(error).__name__}{':' * bool(words)} {' '.join(words)}".strip()[:300]


def _timm(name: str, options: dict[str, Any]) -> Callable[[], Any]:
    timm = imported("timm", "timm")
    if options.pop("pretrained", False):
        raise WrongSource(
            f"timm:{name}: pretrained weights would be downloaded; leave them out: a count needs "
            "none"
        )
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.split('_')[0].split(':')[-1]}*")[:3])
        raise WrongSource(f"timm has no model {name!r}" + (f"; it has {near}" if near else ""))
    return partial(timm.create_model, name, pretrained=False, **options)


def _torchvision(name: str, options: dict[str, Any]) -> Callable[[], Any]:
    models = imported("torchvision.models", "torchvision")
    for weights in ("weights", "weights_backbone"):
        if options.get(weights) is not None:
            raise WrongSource(
                f"torchvision:{name}: {weights} would be downloaded; leave them out: a count needs "
                "none"
            )
    if name not in models.list_models():
        raise WrongSource(
            f"torchvision has no model {name!r}; see torchvision.models.list_models()"
        )
    backbone = "weights_backbone" in inspect.signature(models.get_model_builder(name)).parameters
    without = {"weights": None} | ({"weights_backbone": None} if backbone else {})
    return partial(models.get_model, name, **(without | options))


def _transformers(path: str, options: dict[str, Any]) -> Callable[[], Any]:
    transformers = imported("transformers", "hf")
    transformers.logging.set_verbosity_error()
    file = Path(path) / "config.json" if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise WrongSource(
            f"hf:{path}: there is no file {file}; name a transformers config.json or its folder "
            "(nothing is downloaded)"
        )
    config = _configuration(transformers, file, options)

    def make() -> Any:
        (architecture, *_) = config.architectures or [""]
        made = getattr(transformers, architecture, None) or transformers.AutoModel
        if made is transformers.AutoModel:
            return made.from_config(config)
        return made._from_config(config)

    return make


def _configuration(transformers: ModuleType, file: Path, options: dict[str, Any]) -> Any:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        model_type = str(values["model_type"])
    except (ValueError, KeyError, TypeError) as error:
        raise WrongSource(
            f"hf:{file}: no transformers configuration: {in_one_line(error)}"
        ) from error
    if model_type not in transformers.CONFIG_MAPPING:
        own = "; its own code would have to be downloaded" if "auto_map" in values else ""
        raise WrongSource(f"hf:{file}: transformers {transformers.__version__} has no model_type "
                          f"{model_type!r}{own}")  # fmt: skip
    kind = transformers.CONFIG_MAPPING[model_type]
    try:
        config = kind.from_dict(values | options)
    except Exception as error:  # each configuration checks itself in its own way
        raise WrongSource(f"hf:{file}: {in_one_line(error)}") from error
    unknown = [key for key in options if key not in config.to_dict()]
    if unknown:
        raise UnfitOptions(f"hf:{file}: a {model_type} configuration has no {', '.join(unknown)}")
    return config


LIBRARIES: dict[str, Callable[[str, dict[str, Any]], Callable[[], Any]]] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "hf": _transformers,
}


def imported(name: str, extra: str) -> Any:
    """A module of a library, beside a torch that it was not built for, too.

    Args:
        name: the module's.
        extra: of setup.cfg, that installs the library.

    Raises:
        WrongSource: it is not installed, or cannot be imported.
    """
    if importlib.util.find_spec(name.split(".")[0]) is None:
        raise WrongSource(
            f"{name.split('.')[0]} is not installed; pip install 'flopledger[{extra}]'"
        )
    if importlib.util.find_spec("torchvision") is not None:
        _mend_torchvision()
    return _imported(name)


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a library beside versions that it does not go with
        library = name.split(".")[0]
        raise WrongSource(f"{library} cannot be imported: {in_one_line(error)}") from error


def _mend_torchvision() -> None:
    # beside a torch of another build torchvision's own operators do not load, and its import dies
    # because of two of them, of which it then needs the schemas alone
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise WrongSource(f"torchvision cannot be imported: {in_one_line(error)}") from error
        import torch

        for name in [key for key in sys.modules if key.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for op in ("nms", "qnms"):
            schema = f"{op}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)  # type: ignore[no-untyped-call]
        _kept.append(library)  # its definitions end with it
        importlib.import_module("torchvision")


_kept: list[Any] = []
