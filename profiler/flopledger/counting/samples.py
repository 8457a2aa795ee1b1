"""How many samples a forward pass is given, and what was taken for one where that is a guess."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.utils._pytree import tree_leaves

from flopledger.calls import Shape
from flopledger.counting.structure.layers import Watch
from flopledger.counting.structure.leaves import tensors_within
from flopledger.counting.structure.network_parts import modules_of
from flopledger.zoo.inputs import Inputs

# layers that take time before the batch unless they are told otherwise
_TIME_FIRST = (nn.RNNBase, nn.MultiheadAttention, nn.TransformerEncoderLayer,
               nn.TransformerDecoderLayer, nn.Transformer)  # fmt: skip
# layers by the number of axes that one sample has
_ONE_SAMPLE = ((nn.Conv1d, 2), (nn.Conv2d, 3), (nn.Conv3d, 4), (nn.Linear, 1))


def samples_of(module: nn.Module, inputs: Inputs, seen: Watch) -> tuple[int, list[str]]:
    """How many samples there are, and a note where the inputs do not tell.

    They are the sequences of a packed input, the items of a list of pictures, and else axis 0 of
    the first tensor that has any; axis 1 where a layer that takes time first is given that tensor.

    Args:
        module: the network.
        inputs: its forward's arguments.
        seen: what the pass showed.
    """
    args, kwargs = inputs
    given = (*args, *kwargs.values())
    plain = all(type(value) is Tensor for value in given)
    for leaf in () if plain else tree_leaves(inputs, is_leaf=_is_packed):
        if _is_packed(leaf):
            return int(leaf.batch_sizes[0]), []
    first_argument: Any = next(iter(given), None)
    if _is_list_of_pictures(first_argument):
        return len(first_argument), ["each picture of the list was taken for a sample"]
    every = given if plain else tensors_within(inputs)
    tensors = [tensor for tensor in every if tensor.dim()]
    if not tensors:
        return _of_an_object(given)
    first = tensors[0]
    if any(tensor.is_nested for tensor in tensors):
        return first.size(0), []
    if axes := _taken_as(module, tuple(first.shape), seen):
        return axes
    sides = list(dict.fromkeys(tensor.shape[0] for tensor in tensors))
    if set(sides) <= {sides[0], 1}:  # positions, masks: the same for all
        return sides[0], []
    return sides[0], [
        f"axis 0 of the inputs is {' and '.join(map(str, sides))}: {sides[0]}, the first's, was "
        "taken for the samples"
    ]


def _is_packed(value: Any) -> bool:
    return isinstance(value, PackedSequence)


def _is_list_of_pictures(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(item, Tensor) and item.dim() == 3 for item in value)
    )


def _taken_as(module: nn.Module, first: Shape, seen: Watch) -> tuple[int, list[str]] | None:
    """The samples in the first tensor, by a layer that is given it as it is."""
    for path, child in modules_of(module):
        if seen.given.get(path) != first:
            continue
        name = path or "the network"
        unbatched = (
            f"{name} takes the input without a batch: axis 0, {first[0]}, was taken for the "
            "samples; say samples=1"
        )
        if isinstance(child, _TIME_FIRST) and not _batch_first(child):
            if len(first) == 2:
                return first[0], [unbatched]
            return first[1], [f"{name} takes time first: axis 1 was taken for the samples"]
        if any(isinstance(child, kind) and len(first) == axes for kind, axes in _ONE_SAMPLE):
            return first[0], [unbatched]
    return None


def _batch_first(module: nn.Module) -> bool:
    attention = getattr(module, "self_attn", module)  # of one layer of a Transformer
    return bool(getattr(attention, "batch_first", False))


def _of_an_object(values: tuple[Any, ...]) -> tuple[int, list[str]]:
    """Of arguments that are objects of their own, such as a batch of graphs."""
    for value in values:
        kind = type(value).__name__
        graphs = getattr(value, "num_graphs", None)
        if type(graphs) is int:
            return graphs, []
        for name, held in _members(value):
            if isinstance(held, Tensor) and held.dim():
                return held.shape[0], [
                    f"axis 0 of the {kind}'s {name}, {held.shape[0]}, was taken for the samples"
                ]
    return 1, ["no tensor goes in: the pass was taken for one sample"]


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(name), held) for name, held in value.items())
    else:
        yield from getattr(value, "__dict__", {}).items()
