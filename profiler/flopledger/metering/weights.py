"""Which of a module's weights are to be trained, as it is now."""

from typing import Any
from weakref import ref

from torch import Tensor, nn


class Weights:
    """A module's weights, none of which is held.

    They are looked up where their layers keep them: a weight may be put in another's place, and by
    torch.func.functional_call one with a graph of its own is in each call.

    Args:
        module: has them.
    """

    __slots__ = ("_layers", "_module", "_places")

    def __init__(self, module: nn.Module) -> None:
        self._module = ref(module)
        self._layers: list[Any] = []
        self._places: list[tuple[dict[str, Tensor], str]] | None = None

    def look_again(self, _: Any = None) -> None:
        """Layers may have gone, or come."""
        self._places = None

    def trained(self) -> tuple[bool, ...] | None:
        """Of each weight, whether it wants a gradient; None where that is not known."""
        for _ in range(2):  # where a weight was taken away they are looked for anew
            places = self._places
            if places is None:
                places = self._look()
            try:
                return tuple([held[name].requires_grad for held, name in places])
            except (KeyError, AttributeError):
                self.look_again()
        return None

    def _look(self) -> list[tuple[dict[str, Tensor], str]]:
        module, places = self._module(), []
        layers = [] if module is None else list(module.modules())
        self._layers = [ref(layer, self.look_again) for layer in layers]
        for layer in layers:
            held: Any = layer._parameters
            places += [(held, name) for name, weight in held.items() if weight is not None]
        self._places = places
        return places
