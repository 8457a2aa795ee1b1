"""Profile: one network's operator calls as pandas tables."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal

import pandas as pd

from flopledger.calls import Layer, OpCall, Shape
from flopledger.errors import FlopledgerError, WrongOption

# FLOPs a parameter, from the algorithms in the documentation of torch.optim, without weight decay:
# SGD's p - lr g; momentum's m = mu m + g before it; Adam's two averages (3 and 4), the root, its
# correction and epsilon (3), quotient, step and difference (3); AdamW's decay, one more
Optimiser = Literal["sgd", "momentum", "adam", "adamw"]
OPTIMISERS: dict[str, int] = {"sgd": 2, "momentum": 4, "adam": 13, "adamw": 14}

_COUNTS = ["macs", "flops", "other_flops"]


class ProfilingError(FlopledgerError):
    """A network could not be counted; the message says where it stopped and what to change."""

    exit_code = 1


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
        macs: its total for the forward pass; None where it could not count this network.
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
    unused: tuple[str, ...] | None = None
    active_params: int | None = None
    notes: tuple[str, ...] = ()

    def total(self, quantity: str) -> int | float | None:
        """One figure of `totals`.

        Raises:
            KeyError: `totals` has no such figure.
        """
        return self.totals[quantity]

    @cached_property
    def totals(self) -> dict[str, int | float | None]:
        """The whole pass: params, trainable_params, macs, flops, other_flops, activations.

        active_params are those that one token meets: fewer than params in a mixture of experts.
        masked_macs are those of macs that attention's masks throw away. flops_per_param are FLOPs
        of one sample's forward pass over trainable parameters, each counted once; None for a
        network without trainable parameters.
        """
        macs = sum(call.macs for call in self.calls)
        trainable = sum(layer.trainable for layer in self.modules)
        params = sum(layer.params for layer in self.modules)
        return {
            "params": params,
            "trainable_params": trainable,
            "active_params": params if self.active_params is None else self.active_params,
            "macs": macs,
            "masked_macs": sum(call.masked_macs for call in self.calls),
            "flops": 2 * macs,
            "other_flops": sum(call.other_flops for call in self.calls),
            "flops_per_param": 2 * macs / self.samples / trainable if trainable else None,
            "activations": int(self.layers["activations"].sum()),
        }

    @property
    def backward(self) -> dict[str, int | float | None] | None:
        """The backward pass: macs, flops, other_flops, recomputed_macs and ratio_to_forward.

        recomputed_macs are those of the forward pass that checkpointing does again. None where the
        backward pass was not asked for.
        """
        if self.backward_calls is None:
            return None
        macs, forward = sum(call.macs for call in self.backward_calls), self.total("macs")
        return {
            "macs": macs,
            "flops": 2 * macs,
            "other_flops": sum(call.other_flops for call in self.backward_calls),
            "recomputed_macs": sum(call.macs for call in self.backward_calls if call.recomputed),
            "ratio_to_forward": macs / forward if forward else None,
        }

    def training_step(self, optimiser: str = "adam", accumulate: int = 1) -> dict[str, int]:
        """What one step of training does: forward and backward passes, then the optimiser.

        Args:
            optimiser: "sgd", "momentum", "adam" or "adamw".
            accumulate: passes whose gradients are added before the optimiser takes its step.

        Returns:
            macs and flops of all passes, recomputed_macs among them, other_flops of all passes and
            of the optimiser, and optimiser_flops: the latter's alone, of every parameter that
            requires a gradient.

        Raises:
            ValueError: the profile has no backward pass, or the optimiser is none of these.
        """
        if self.backward is None or self.backward_calls is None:
            raise WrongOption("a training step has a backward pass; profile(..., backward=True)")
        if optimiser not in OPTIMISERS:
            raise WrongOption(f"no optimiser is called {optimiser!r}; say {', '.join(OPTIMISERS)}")
        calls = (*self.calls, *self.backward_calls)
        macs = accumulate * sum(call.macs for call in calls)
        step = OPTIMISERS[optimiser] * sum(layer.trainable for layer in self.modules)
        return {
            "macs": macs,
            "flops": 2 * macs,
            "recomputed_macs": accumulate * sum(c.macs for c in calls if c.recomputed),
            "other_flops": accumulate * sum(call.other_flops for call in calls) + step,
            "optimiser_flops": step,
        }

    @property
    def coverage(self) -> dict[str, float | None]:
        """How much of the pass has a formula.

        Returns:
            calls: the share of operator calls that have one. arithmetic: the estimated share of the
            FLOPs that they do, where a call without one is taken for a matrix product of its two
            largest arguments, and for 1 FLOP an element if it has but one or all are of one shape;
            None where the counter did not see its shapes.
        """
        calls = (*self.calls, *(self.backward_calls or ()))
        unknown = [call for call in calls if not call.counted]
        if not calls or not unknown:
            return {"calls": 1.0, "arithmetic": 1.0}
        done = sum(2 * call.macs + call.other_flops for call in calls)
        shapes = all(call.inputs and call.outputs for call in unknown)
        missing = sum(map(_guess, unknown)) if shapes else None
        return {
            "calls": 1 - len(unknown) / len(calls),
            "arithmetic": None if missing is None else done / (done + missing),
        }

    @property
    def complete(self) -> bool:
        """Whether every operator of the pass has a formula; if not, totals are lower bounds."""
        return all(call.counted for call in (*self.calls, *(self.backward_calls or ())))

    @cached_property
    def layers(self) -> pd.DataFrame:
        """One row a layer, in the network's order; see `by_layer`."""
        return self.by_layer()

    @cached_property
    def operators(self) -> pd.DataFrame:
        """One row an operator; see `by_operator`."""
        return self.by_operator()

    def by_layer(self, depth: int | None = None) -> pd.DataFrame:
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
        macs, other = Counter[str](), Counter[str]()
        for call in self.calls:
            macs[call.path] += call.macs
            other[call.path] += call.other_flops
        rows = [
            {
                "layer": layer.path,
                "kind": layer.kind,
                "calls": layer.calls,
                "params": layer.params,
                "trainable_params": layer.trainable,
                "macs": macs[layer.path],
                "flops": 2 * macs[layer.path],
                "other_flops": other[layer.path],
                "output_shape": layer.output_shape,
                "activations": layer.output_elements if macs[layer.path] else 0,
                "shared": ", ".join(layer.shared),
            }
            for layer in self.modules
        ]
        frame = pd.DataFrame(rows)
        if depth is not None:
            frame = _folded(frame, depth)
        worth = [layer.path for layer in self.modules if layer.leaf or layer.shared]
        shown = frame["layer"].isin(worth) | (frame[["params", *_COUNTS]] > 0).any(axis=1)
        frame = frame[shown].reset_index(drop=True)
        return self._with_ratio(frame, before="output_shape")

    def by_operator(self) -> pd.DataFrame:
        """Rows: operators, most MACs first. Columns: operator, calls, macs, flops, other_flops."""
        frame = pd.DataFrame(
            [(c.op, 1, c.macs, 2 * c.macs, c.other_flops) for c in self.calls if _arithmetic(c)],
            columns=["operator", "calls", *_COUNTS],
        )
        sums = frame.groupby("operator", as_index=False, sort=True).sum()
        return sums.sort_values(["macs", "other_flops"], ascending=False, ignore_index=True)

    def by_kind(self) -> pd.DataFrame:
        """Rows: kinds of layer, most MACs first. Columns: kind, layers, calls and the counts."""
        columns = ["calls", "params", "trainable_params", *_COUNTS, "activations"]
        grouped = self.layers.groupby("kind", sort=True)
        frame = grouped[columns].sum()
        frame.insert(0, "layers", grouped.size())
        frame = frame.reset_index().sort_values(["macs", "params"], ascending=False)
        return self._with_ratio(frame.reset_index(drop=True), before="activations")

    def unsupported(self) -> pd.DataFrame:
        """Operators without a formula. Columns: operator, calls, layers (a list of paths)."""
        calls, paths = Counter[str](), dict[str, dict[str, None]]()
        for call in (*self.calls, *(self.backward_calls or ())):
            if not call.counted:
                calls[call.op] += 1
                paths.setdefault(call.op, {})[call.path] = None
        rows = [(op, number, list(paths[op])) for op, number in calls.items()]
        return pd.DataFrame(rows, columns=["operator", "calls", "layers"])

    def uncalled(self) -> list[str]:
        """Layers without modules inside that the pass never called."""
        return [layer.path for layer in self.modules if layer.leaf and not layer.calls]

    def __repr__(self) -> str:
        return f"{self._heading()}\n{self.layers.to_string(index=False)}"

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        yield "model", self.model
        yield from self.totals.items()
        yield "counter", self.counter
        yield "check", self.check

    def _repr_html_(self) -> str:
        return f"<p>{self._heading()}</p>{self.layers.to_html(index=False)}"

    def _heading(self) -> str:
        least = "" if self.complete else "at least "
        return (
            f"{self.model}: {self.total('params'):,} params, {least}{self.total('macs'):,} MACs "
            f"a pass ({self.counter})"
        )

    def _with_ratio(self, frame: pd.DataFrame, before: str) -> pd.DataFrame:
        params = frame["trainable_params"].where(frame["trainable_params"] > 0)
        ratio = frame["flops"] / self.samples / params
        frame.insert(list(frame.columns).index(before), "flops_per_param", ratio.astype(float))
        return frame


def _guess(call: OpCall) -> float:
    sizes = sorted(map(prod, call.inputs), reverse=True)
    if len(sizes) < 2 or len({*call.inputs, *call.outputs}) == 1:
        return float(max(*map(prod, call.outputs), *sizes))
    # of [i, k] x [k, j] -> [i, j] the three sizes' product is the square of i * k * j
    return float(2 * (sizes[0] * sizes[1] * max(map(prod, call.outputs))) ** 0.5)


def _arithmetic(call: OpCall) -> bool:
    return bool(call.macs or call.other_flops or not call.counted)


def _folded(frame: pd.DataFrame, depth: int) -> pd.DataFrame:
    """The rows of a table whose deeper layers are added to their ancestor at that depth."""
    parts = frame["layer"].map(lambda path: path.split(".") if path else [])
    ancestor = parts.map(lambda names: ".".join(names[:depth]))
    summed = ["params", "trainable_params", *_COUNTS, "activations"]
    kept = frame[parts.map(len) <= depth]
    sums = frame.groupby(ancestor, sort=False)[summed].sum()
    shared = frame.groupby(ancestor, sort=False)["shared"].agg(lambda s: ", ".join(filter(None, s)))
    folded = kept.set_index("layer")
    folded[summed] = sums
    folded["shared"] = shared
    return folded.reset_index()[list(frame.columns)]
