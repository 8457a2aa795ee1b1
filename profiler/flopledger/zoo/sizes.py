"""Sizes: how a network that somebody names differs from its usual self."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

Size = Annotated[int, Field(gt=0, strict=True)]
Option = StrictBool | StrictInt | StrictFloat | StrictStr


class Sizes(BaseModel):
    """How a network differs from its usual self.

    Attributes:
        options: what its factory takes by name.
        input: `[1, channels, height, width]` of its one tensor, or texts as --input takes them,
            such as "input_ids=1,1024:int64"; empty for the usual input.
        frozen: beginnings of the names of parameters that get no gradient.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    options: dict[str, Option] = {}
    input: tuple[Size, ...] | tuple[StrictStr, ...] = ()
    frozen: tuple[StrictStr, ...] = ()

    def __hash__(self) -> int:
        return hash((*self.options.items(), self.input, self.frozen))

    @property
    def asked(self) -> tuple[str, ...]:
        """The input as texts that --input takes."""
        shape = [size for size in self.input if isinstance(size, int)]
        texts = tuple(text for text in self.input if isinstance(text, str))
        return (",".join(map(str, shape)),) if shape else texts

    def of(self, model: str) -> str:
        """The network's name: "resnet50 at 1x3x128x128", "alphazero-tower (blocks 2)"."""
        options = ", ".join(f"{name} {value}" for name, value in self.options.items())
        at = " and ".join(text.replace(",", "x") for text in self.asked)
        frozen = f" without gradients of {', '.join(self.frozen)}" if self.frozen else ""
        return f"{model}{f' ({options})' if options else ''}{f' at {at}' if at else ''}{frozen}"


USUAL = Sizes()
