"""Profile: what a count of one network gives."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

from flopledger.calls import Layer, OpCall, Shape
from flopledger.errors import FlopledgerError, WrongOption
from flopledger.profiles.totals import (
    OPTIMISERS,
    BackwardTotals,
    Coverage,
    Optimiser,
    Totals,
    TrainingStep,
    backward_totals,
    coverage_of,
    step_of,
    totals_of,
)
from flopledger.storage.json_text import json_text
from flopledger.storage.visible import visible_lines

if TYPE_CHECKING:  # imported when a table is asked for: it takes 33 MiB and 0.2 s
    import pandas as pd

Count = Literal[
    "params", "trainable_params", "active_params", "macs", "masked_macs", "flops", "other_flops",
    "activations",
]  # fmt: skip


class ProfilingError(FlopledgerError):
    """A network could not be counted; the message says where it stopped and what to change."""

    exit_code = 1


class FactoryFails(ProfilingError):
    """A network's factory raised something, or made no network."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """One tensor that went into the network: its shape, and its dtype's name ("float32")."""

    shape: Shape
    dtype: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """The second counter's opinion.

    Attributes:
        counter: its name.
        macs: its total for the pass that it checks; None where it could not count this network.
        agrees: whether that is the first counter's figure to the last MAC; None as macs.
        reason: why it could not count, or which layers differ; empty where the two agree.
    """

    counter: str
    macs: int | None
    agrees: bool | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Where one forward pass spends arithmetic and where the network keeps parameters.

    Attributes:
        model: what the network is called.
        counter: which counter the tables come from, "fvcore" or "dispatch".
        reason: why that one.
        inputs: the tensors that went in.
        samples: how many samples they hold (images, positions, sequences).
        calls: the forward pass's operator calls.
        modules: every module of the network, in its order.
        check: the second counter's total.
        backward_calls: the backward pass's operator calls; None where it was not asked for.
        backward_check: what autograd's graph says of them; None where it was not asked for.
        unused: parameters that no operator took; None where the counter cannot tell.
        active_params: parameters that one token meets in a network that routes; None in any other.
        notes: what had to be assumed, a line each.
    """

    model: str
    counter: str
    inputs: tuple[Input, ...]
    samples: int
    calls: tuple[OpCall, ...]
    modules: tuple[Layer, ...]
    check: Check
    reason: str = ""
    backward_calls: tuple[OpCall, ...] | None = None
    backward_check: Check | None = None
    unused: tuple[str, ...] | None = None
    active_params: int | None = None
    notes: tuple[str, ...] = ()

    @overload
    def total(self, quantity: Count) -> int: ...
    @overload
    def total(self, quantity: Literal["flops_per_param"]) -> float | None: ...
    def total(self, quantity: str) -> int | float | None:
        """One figure of `totals`.

        Raises:
            KeyError: `totals` has no such figure.
        """
        figures: dict[str, int | float | None] = asdict(self.totals)
        return figures[quantity]

    @cached_property
    def totals(self) -> Totals:
        """The whole forward pass."""
        return totals_of(self.calls, self.modules, self.samples, self.active_params)

    @cached_property
    def backward(self) -> BackwardTotals | None:
        """The whole backward pass; None where it was not asked for."""
        if self.backward_calls is None:
            return None
        return backward_totals(self.backward_calls, self.totals.macs)

    def training_step(self, optimiser: Optimiser = "adam", accumulate: int = 1) -> TrainingStep:
        """What one step of training does: forward and backward passes, then the optimiser.

        Args:
            optimiser: as `memory` takes it.
            accumulate: passes whose gradients are added before the optimiser takes its step.

        Raises:
            WrongOption: the profile has no backward pass, or the optimiser is none of these.
        """
        if self.backward_calls is None:
            raise WrongOption("a training step has a backward pass; profile(..., backward=True)")
        if optimiser not in OPTIMISERS:
            raise WrongOption(f"no optimiser is called {optimiser!r}; say {', '.join(OPTIMISERS)}")
        calls = (*self.calls, *self.backward_calls)
        return step_of(calls, self.totals.trainable_params, optimiser, accumulate)

    @property
    def coverage(self) -> Coverage:
        """How much of the pass, backward pass included, has a formula."""
        return coverage_of((*self.calls, *(self.backward_calls or ())))

    @property
    def complete(self) -> bool:
        """Whether every operator of the pass has a formula; if not, totals are lower bounds."""
        return all(call.counted for call in (*self.calls, *(self.backward_calls or ())))

    @cached_property
    def layers(self) -> "pd.DataFrame":
        """One row a layer, in the network's order; see `by_layer`."""
        return self.by_layer()

    @cached_property
    def operators(self) -> "pd.DataFrame":
        """One row an operator; see `by_operator`."""
        return self.by_operator()

    def by_layer(self, depth: int | None = None) -> "pd.DataFrame":
        """What each layer owns and does itself: its rows sum to the totals.

        A layer is a module that has parameters, does arithmetic or has no modules inside.

        Args:
            depth: fold layers whose path is longer into the module of that many path parts.

        Returns:
            layer (dotted path, "" for the network itself), kind, calls, params, trainable_params,
            macs, flops, other_flops, flops_per_param (of one sample, over trainable parameters;
            NaN where there are none), output_shape, activations (elements of the results of the
            layers that do MACs) and shared (the parameters owned by an earlier layer).
        """
        from flopledger.profiles.frames import layer_frame

        return layer_frame(self.modules, self.calls, self.samples, depth)

    def by_operator(self) -> "pd.DataFrame":
        """Rows: operators, most MACs first. Columns: operator, calls, macs, flops, other_flops."""
        from flopledger.profiles.frames import operator_frame

        return operator_frame(self.calls)

    def by_kind(self) -> "pd.DataFrame":
        """Rows: kinds of layer, most MACs first. Columns: kind, layers, calls and the counts."""
        from flopledger.profiles.frames import kind_frame

        return kind_frame(self.layers, self.samples)

    def unsupported(self) -> "pd.DataFrame":
        """Operators without a formula. Columns: operator, calls, layers (a list of paths)."""
        from flopledger.profiles.frames import unsupported_frame

        return unsupported_frame((*self.calls, *(self.backward_calls or ())))

    def uncalled(self) -> list[str]:
        """Layers without modules inside that the pass never called."""
        return [layer.path for layer in self.modules if layer.leaf and not layer.calls]

    def to_json(self) -> str:
        """What `flopledger profile MODEL --format json` writes; `from_json` reads it back."""
        from flopledger.profiles.saved import object_of  # which needs this class

        return json_text(object_of(self))

    @staticmethod
    def from_json(text: str) -> "Profile":
        """The profile whose `to_json` that was, equal to it.

        Raises:
            BadProfile: it is none; the message says how to write one.
        """
        from flopledger.profiles.saved import restored

        return restored(text)

    def __repr__(self) -> str:
        return visible_lines(f"{self._heading()}\n{self.layers.to_string(index=False)}")

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        yield "model", self.model
        yield from asdict(self.totals).items()
        yield "counter", self.counter
        yield "check", self.check

    def _repr_html_(self) -> str:
        from flopledger.reports.profile_notebook import profile_html

        return profile_html(self)

    def _heading(self) -> str:
        least = "" if self.complete else "at least "
        return (
            f"{self.model}: {self.totals.params:,} params, {least}{self.totals.macs:,} MACs "
            f"a pass ({self.counter})"
        )
