"""What a network is made of, found in a time that its depth does not lengthen.

A module's own iterators are generators inside generators: each part passes through all those that
it is deep, at every walk, and a count walks often.
"""

from torch import Tensor, nn


def modules_of(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Each module once, by its first name, in the order of `named_modules`."""
    modules: list[tuple[str, nn.Module]] = []
    seen: set[int] = set()
    left = [("", module)]
    while left:
        path, child = left.pop()
        if id(child) in seen:
            continue
        seen.add(id(child))
        modules.append((path, child))
        if child._modules:
            prefix = f"{path}." if path else ""
            for name, part in reversed(list(child._modules.items())):
                if part is not None:
                    left.append((prefix + name, part))
    return modules


def parameters_of(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Each parameter once, by its first name, in the order of `named_parameters`."""
    parameters: dict[int, tuple[str, nn.Parameter]] = {}
    for path, child in modules_of(module):
        for key, param in child._parameters.items():
            if param is not None and id(param) not in parameters:
                parameters[id(param)] = f"{path}.{key}" if path else key, param
    return list(parameters.values())


def tensors_of(module: nn.Module) -> list[Tensor]:
    """Each parameter and buffer once."""
    tensors = {
        id(tensor): tensor
        for _, child in modules_of(module)
        for table in (child._parameters, child._buffers)
        for tensor in table.values()
        if tensor is not None
    }
    return list(tensors.values())
