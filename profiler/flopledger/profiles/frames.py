"""Operator calls and layers as pandas tables."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from flopledger.calls import Layer, OpCall

_COUNTS = ["macs", "flops", "other_flops"]


def layer_frame(
    layers: Sequence[Layer], calls: Sequence[OpCall], samples: int, depth: int | None = None
) -> pd.DataFrame:
    """One row a layer that has parameters, does arithmetic or has no modules inside.

    Columns: as `Profile.by_layer` has them.
    """
    macs, other = Counter[str](), Counter[str]()
    for call in calls:
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
        for layer in layers
    ]
    frame = pd.DataFrame(rows)
    if depth is not None:
        frame = _folded(frame, depth)
    worth = [layer.path for layer in layers if layer.leaf or layer.shared]
    shown = frame["layer"].isin(worth) | (frame[["params", *_COUNTS]] > 0).any(axis=1)
    frame = frame[shown].reset_index(drop=True)
    return _with_ratio(frame, samples, before="output_shape")


def kind_frame(by_layer: pd.DataFrame, samples: int) -> pd.DataFrame:
    """One row a kind of layer, most MACs first, from the table of layers."""
    columns = ["calls", "params", "trainable_params", *_COUNTS, "activations"]
    grouped = by_layer.groupby("kind", sort=True)
    frame = grouped[columns].sum()
    frame.insert(0, "layers", grouped.size())
    frame = frame.reset_index().sort_values(["macs", "params"], ascending=False)
    return _with_ratio(frame.reset_index(drop=True), samples, before="activations")


def operator_frame(calls: Sequence[OpCall]) -> pd.DataFrame:
    """One row an operator that does arithmetic or has no formula, most MACs first."""
    frame = pd.DataFrame(
        [(c.op, 1, c.macs, 2 * c.macs, c.other_flops) for c in calls if _arithmetic(c)],
        columns=["operator", "calls", *_COUNTS],
    )
    sums = frame.groupby("operator", as_index=False, sort=True).sum()
    return sums.sort_values(["macs", "other_flops"], ascending=False, ignore_index=True)


def unsupported_frame(calls: Sequence[OpCall]) -> pd.DataFrame:
    """One row an operator without a formula, with the layers (a list of paths) that call it."""
    numbers, paths = Counter[str](), dict[str, dict[str, None]]()
    for call in calls:
        if not call.counted:
            numbers[call.op] += 1
            paths.setdefault(call.op, {})[call.path] = None
    rows = [(op, number, list(paths[op])) for op, number in numbers.items()]
    return pd.DataFrame(rows, columns=["operator", "calls", "layers"])


def _with_ratio(frame: pd.DataFrame, samples: int, before: str) -> pd.DataFrame:
    params = frame["trainable_params"].where(frame["trainable_params"] > 0)
    ratio = frame["flops"] / (samples or float("nan")) / params  # of no sample it is undefined
    frame.insert(list(frame.columns).index(before), "flops_per_param", ratio.astype(float))
    return frame


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
