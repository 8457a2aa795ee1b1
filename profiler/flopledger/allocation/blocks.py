"""A network's blocks: which of its modules are checkpointed, or are gathered as one."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from flopledger.counting.structure.network_parts import modules_of
from flopledger.errors import WrongOption

REPEATED = "blocks"


def blocks_of(name: str, module: nn.Module, asked: str = REPEATED) -> dict[str, nn.Module]:
    """The blocks by path.

    Args:
        name: the network's.
        module: the network.
        asked: "blocks", those that repeat: children of a ModuleList or Sequential that have layers
            inside and a sibling of their class, the outermost, and of stages the blocks inside; or
            paths, parted by commas, in which * stands for one part: "encoder.layers.*".

    Raises:
        WrongOption: there are none, or what is named does not run by itself.
    """
    if asked.strip() == REPEATED:
        return repeated(module) or _none(name, module)
    found: dict[str, nn.Module] = {}
    for pattern in filter(None, (part.strip() for part in asked.split(","))):
        named = {path: m for path, m in modules_of(module) if path and _matches(path, pattern)}
        for path, block in named.items():
            if isinstance(block, nn.ModuleList | nn.ModuleDict):
                raise WrongOption(
                    f"{name}: {path} is a {type(block).__name__}, which does not run by itself; "
                    f"say {path}.*"
                )
        found |= named or _unknown(name, module, pattern)
    return found or _unknown(name, module, asked)


def repeated(module: nn.Module) -> dict[str, nn.Module]:
    """Those that repeat, by path; of a network without such, none."""
    return dict(_repeated("", module))


def _repeated(path: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    children = [(f"{path}.{key}" if path else key, child) for key, child in module.named_children()]
    holds = isinstance(module, nn.ModuleList | nn.Sequential)
    kinds = [type(child) for _, child in children]
    for inner, child in children:
        within = list(_repeated(inner, child))
        is_block = holds and kinds.count(type(child)) > 1 and any(child.children())
        stage = isinstance(child, nn.ModuleList | nn.Sequential) and within
        if is_block and not stage and not isinstance(child, nn.ModuleList | nn.ModuleDict):
            yield inner, child
        else:
            yield from within


def _matches(path: str, pattern: str) -> bool:
    parts, patterns = path.split("."), pattern.split(".")
    whole = "**" not in pattern  # one * stands for one part, and nothing for several
    return whole and len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _none(name: str, module: nn.Module) -> dict[str, nn.Module]:
    raise WrongOption(
        f"{name}: no block repeats in a ModuleList or Sequential; name what is a block: "
        f"{_examples(module)}"
    )


def _unknown(name: str, module: nn.Module, pattern: str) -> dict[str, nn.Module]:
    raise WrongOption(f"{name}: it has no {pattern!r}; there are {_examples(module)}")


def _examples(module: nn.Module) -> str:
    paths = list(repeated(module)) or [path for path, _ in modules_of(module) if path]
    return ", ".join(paths[:3]) + ", ..." * (len(paths) > 3) if paths else "no modules in it"


@contextmanager
def checkpointed(
    blocks: Iterable[nn.Module], held: Callable[[], int] = lambda: 0
) -> Iterator[list[int]]:
    """In the body each block keeps its inputs alone, and runs again in the backward pass.

    Args:
        blocks: of a double, whose `forward` is replaced.
        held: the bytes alive now.

    Yields:
        By how much each recomputation has raised them at its end.
    """
    grown: list[int] = []

    def replaced(forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if not torch.is_grad_enabled():
                return forward(*args, **kwargs)
            ran = False

            def pass_of_it(*args: Any, **kwargs: Any) -> Any:
                nonlocal ran
                before, again, ran = held(), ran, True
                try:
                    return forward(*args, **kwargs)
                finally:  # checkpointing stops it where it has all that it needs
                    if again:
                        grown.append(held() - before)

            return checkpoint(pass_of_it, *args, use_reentrant=False, **kwargs)

        return run

    for block in blocks:
        block.forward = replaced(block.forward)
    yield grown
