"""Sizes: how a network of the zoo differs from its usual self."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Size = Annotated[int, Field(gt=0, strict=True)]


class Sizes(BaseModel):
    """How a network of the zoo differs from its usual self.

    Attributes:
        options: what its factory takes by name.
        input: `[1, channels, height, width]`; empty for the usual one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    options: dict[str, Size] = {}
    input: tuple[Size, ...] = ()

    def __hash__(self) -> int:
        return hash((*self.options.items(), self.input))

    def of(self, model: str) -> str:
        """The network's name: "resnet50 at 1x3x128x128", "alphazero-tower (blocks 2)"."""
        options = ", ".join(f"{name} {value}" for name, value in self.options.items())
        at = f" at {'x'.join(map(str, self.input))}" if self.input else ""
        return f"{model} ({options}){at}" if options else f"{model}{at}"


USUAL = Sizes()
